# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests of lklfuse share, beside lib.sh.

# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need fusermount3
[ -c /dev/fuse ] || skip "there is no /dev/fuse"

# In the test's mount namespace everybody may use /dev/fuse, as udev makes it.
public_fuse_device() {
    mknod -m 666 fuse c 10 229
    mount --bind fuse /dev/fuse
}

server=''

# fuse_start IMAGE DIRECTORY [lklfuse's options]: mounts, as $server, in the foreground,
# so that its exit code can be had. FUSE_AS is put before the command.
fuse_start() {
    mkdir -p "$2"
    ${FUSE_AS:-} "$LKL_BIN/lklfuse" "$@" -f 2>server.log &
    server=$!
    local tries=0
    until mountpoint -q "$2"; do
        kill -0 $server 2>/dev/null || fail "lklfuse ended: $(cat server.log)"
        tries=$((tries + 1))
        [ $tries -lt 600 ] || fail "lklfuse does not mount"
        sleep 0.05
    done
}

# fuse_ended [CODE]: the server ends, with this exit code (0).
fuse_ended() {
    local expected=${1:-0} code=0
    wait "$server" || code=$?
    [ "$code" = "$expected" ] || fail "lklfuse ended with $code instead of $expected: $(cat server.log)"
}

# background_ended: no server of this test's is left, so that the images are free. umount(8)
# and signals do not wait for that.
background_ended() {
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        pgrep -x lklfuse --ns $$ --nslist mnt >/dev/null || return 0
        sleep 0.05
    done
    fail "lklfuse does not end"
}

# fuse_stop DIRECTORY [CODE]: unmounts, which has the image written.
fuse_stop() {
    umount "$1"
    fuse_ended "${2:-0}"
}

# fuse_keeps_every_file TYPE [compare_trees.py's options]: the hard cases, made in the
# mount itself, are there when they are looked at, and are what the host sees in the
# image afterwards. $copiers names programs, each of which copies them into it as well.
copiers=''
fuse_keeps_every_file() {
    local type=$1 copier
    shift
    need "mkfs.$type" rsync tar python3
    need_root
    need_host_filesystem "$type"
    fill_odd source
    make_image image 600M
    "mkfs.$type" -q image >/dev/null
    fuse_start image mount
    fill_odd mount
    # Longer paths than these programs can take are made in the mount alone, and so is
    # a large hole, which rsync reads.
    [ -z "$copiers" ] || fill_odd shallow --without deep --without huge
    for copier in $copiers; do
        mkdir "mount/$copier"
        "copy_by_$copier" shallow "mount/$copier"
    done
    compare_trees source/odd mount/odd --ignore mtime "$@"
    fuse_stop mount
    check_clean "$type" image
    host_mount image host ro
    compare_trees source/odd host/odd --ignore mtime "$@"
    for copier in $copiers; do
        # tar and rsync make no hard links to FIFOs; tar has no sockets.
        compare_trees shallow/odd "host/$copier/odd" --ignore links \
            --leave-out special/socket "$@"
    done
    umount host
}

copy_by_cp() {
    cp -a "$1/." "$2"
}

copy_by_tar() {
    host_tar "$1" archive.tar
    tar -C "$2" --numeric-owner --xattrs --xattrs-include='*' --acls --selinux -xpf archive.tar
}

copy_by_rsync() {
    rsync -aHAXS --numeric-ids "$1/" "$2"
}

# fuse_names_fold DIRECTORY: names in it mean the same in any case, after every change.
fuse_names_fold() {
    local spelling
    [ -e "$1/name" ] && fail "a name from nowhere"
    echo one >"$1/NAME"
    [ "$(cat "$1/name")" = one ] || fail "another spelling is not found"
    [ "$(cat "$1/Name")" = one ] || fail "a third spelling is not found"
    rm "$1/name"
    for spelling in name Name NAME; do
        [ -e "$1/$spelling" ] && fail "$spelling is still there"
    done
    echo two >"$1/other"
    mv "$1/OTHER" "$1/Moved"
    [ "$(cat "$1/moved")" = two ] || fail "what was renamed"
    [ -e "$1/other" ] && fail "the old name is still there"
    echo three >"$1/Other"
    [ "$(cat "$1/OTHER")" = three ] || fail "what has the old name now"
    [ "$(cat "$1/MOVED")" = two ] || fail "what was written to the old name is in the renamed file"
}
