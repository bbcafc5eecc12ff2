# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests of file system tools share. A test sources this file, says what
# it needs, and calls the functions below; it runs in an empty directory of its
# own that is removed at the end, with everything in it unmounted.
#
# LKL_BIN names the directory with the tools. Exit 77 skips the test.

# By another file that is sourced.
declare -F clean_up >/dev/null && return

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/support/shell.sh
. "$here/../support/shell.sh"
: "${LKL_BIN:?names the directory of the tools}"
LKL_BIN=$(realpath "$LKL_BIN")
umask 022

# In a mount namespace of its own: of mounts that all can see, another test that makes a
# namespace would hold copies for as long as it runs, and the image would stay in use.
if [ "$(id -u)" = 0 ] && [ -z "${LKL_TEST_PRIVATE:-}" ] && unshare -m true 2>/dev/null; then
    LKL_TEST_PRIVATE=1 exec unshare -m --propagation private "$BASH" "$0" "$@"
fi

need_root() {
    [ "$(id -u)" = 0 ] || skip "needs root, for loop mounts and odd files"
}

# The host's kernel may lack a file system that ours has.
need_host_filesystem() {
    modprobe -q "$1" 2>/dev/null || true
    grep -qw "$1" /proc/filesystems || skip "the host's kernel has no $1"
}

work=$(mktemp -d "${TMPDIR:-/tmp}/lkl-test-XXXXXX")
cd "$work"

# clean_up [STATUS]: the status to exit with, where other things were done first.
clean_up() {
    local status=${1:-$?}
    cd /
    # Whatever is mounted below the directory, the latest first.
    local mount
    while read -r mount; do
        umount "$mount" 2>/dev/null || umount -l "$mount" || true
    done < <(awk -v dir="$work/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | tac)
    rm -rf --one-file-system "$work"
    exit "$status"
}
trap clean_up EXIT

# make_image FILE SIZE: a sparse file.
make_image() {
    truncate -s "$2" "$1"
}

# host_mount IMAGE DIRECTORY [OPTIONS]: on a loop device that goes with the mount.
host_mount() {
    mkdir -p "$2"
    mount -o "loop${3:+,$3}" "$1" "$2"
}

# fill DIRECTORY [make_tree.py's options]: every odd kind of file, and some of
# the ordinary ones of this machine.
fill() {
    local directory=$1
    fill_odd "$@"
    mkdir -p "$directory/usr"
    local part
    for part in /usr/share/perl /usr/share/zoneinfo /usr/share/terminfo /usr/include/linux; do
        if [ -d "$part" ]; then
            cp -a --parents "$part" "$directory" 2>/dev/null || true
        fi
    done
}

# fill_odd DIRECTORY [make_tree.py's options]: the odd ones alone.
fill_odd() {
    local directory=$1
    shift
    mkdir -p "$directory/odd"
    python3 "$here/make_tree.py" "$directory/odd" "$@"
}

# host_tar DIRECTORY ARCHIVE [options]: what GNU tar makes of it, all that it can.
# Sockets are ignored with a warning.
host_tar() {
    local directory=$1 archive=$2
    shift 2
    tar -C "$directory" --format=pax --numeric-owner --sparse --xattrs --xattrs-include='*' \
        --acls --selinux --warning=no-file-ignored -cf "$archive" "$@" .
}

compare_options=()

# compare_with_host IMAGE [HOST MOUNT OPTIONS] -- [fs2tar's options]
# fs2tar's archive of the image holds what GNU tar's archive of the host's own
# mount does, and the image is what it was. The array compare_options goes to
# compare_tar.py.
compare_with_host() {
    local image=$1 options=ro
    shift
    if [ "${1:---}" != -- ]; then
        options=ro,$1
        shift
    fi
    shift
    host_mount "$image" host "$options"
    host_tar host expected.tar
    umount host
    local before
    before=$(digest "$image")
    run 0 "$LKL_BIN/fs2tar" -q "$@" "$image" actual.tar
    [ "$(digest "$image")" = "$before" ] || fail "fs2tar changed the image"
    compare expected.tar actual.tar "${compare_options[@]}"
}

# digest FILE: a hash of its contents, quick for sparse ones.
digest() {
    python3 - "$1" <<'EOF'
import hashlib, os, sys
BLOCK = 65536
result = hashlib.blake2b()
with open(sys.argv[1], "rb", buffering=0) as file:
    size = os.fstat(file.fileno()).st_size
    offset = 0
    while offset < size:
        try:
            offset = file.seek(offset, os.SEEK_DATA) // BLOCK * BLOCK
        except OSError:
            break
        file.seek(offset)
        data = file.read(BLOCK)
        if data.count(0) != len(data):
            result.update(b"%d:" % offset + data)
        offset += BLOCK
print(size, result.hexdigest())
EOF
}

# compare EXPECTED ACTUAL [compare_tar.py's options]
compare() {
    python3 "$here/compare_tar.py" "$@" || fail "the archives differ"
}

# compare_trees EXPECTED ACTUAL [compare_trees.py's options]
compare_trees() {
    python3 -B "$here/compare_trees.py" "$@" || fail "the trees differ"
}

# image_equals IMAGE DIRECTORY [compare_trees.py's options]: the host sees in the image
# what is in the directory.
image_equals() {
    local image=$1 directory=$2
    shift 2
    host_mount "$image" seen ro
    compare_trees "$directory" seen "$@"
    umount seen
}

# check_clean TYPE IMAGE: what the real checker says. It changes nothing.
check_clean() {
    case $1 in
    ext4) e2fsck -fn "$2" ;;
    xfs) xfs_repair -n "$2" ;;
    btrfs) btrfs check --readonly "$2" ;;
    vfat) fsck.fat -n "$2" ;;
    *) fail "no checker for $1" ;;
    esac >fsck.log 2>&1 || fail "the image is not clean: $(cat fsck.log)"
}

# run CODE COMMAND...: runs it and checks its exit code. What it wrote on standard
# error is in the file "stderr" and shown.
run() {
    local expected=$1 code=0
    shift
    "$@" 2>stderr || code=$?
    cat stderr >&2
    [ "$code" = "$expected" ] || fail "exit code $code instead of $expected: $*"
}

# says TEXT: the last run wrote that on standard error.
says() {
    grep -qF -- "$1" stderr || fail "standard error does not say \"$1\""
}

# says_one_line: the last run wrote exactly one line on standard error.
says_one_line() {
    [ "$(wc -l <stderr)" = 1 ] || fail "standard error has $(wc -l <stderr) lines instead of 1"
}

# no_archive FILE: neither it nor a temporary file of it is there.
no_archive() {
    [ ! -e "$1" ] || fail "$1 exists"
    local left
    left=$(find "$(dirname "$1")" -maxdepth 1 -name '.fs2tar-*')
    [ -z "$left" ] || fail "a temporary file is left: $left"
}

# cptofs_keeps_every_file TYPE DIRECTORY [compare_trees.py's options]: what is in the
# directory gets into the empty image "image" and is there as the host sees it.
cptofs_keeps_every_file() {
    local type=$1 directory=$2
    shift 2
    run 0 "$LKL_BIN/cptofs" -i image "$directory/." /
    [ ! -s stderr ] || fail "something was told"
    check_clean "$type" image
    image_equals image "$directory" "$@"
}

# A small ext4 image with three files, for tests of anything but file systems.
small_image() {
    mkdir -p small/directory/deeper small/other
    echo one >small/one
    echo two >small/directory/two
    echo three >small/directory/deeper/three.txt
    echo four >small/other/four.txt
    make_image "$1" 8M
    mkfs.ext4 -q -d small "$1"
    rm -r small
}

# damaged_image IMAGE: Btrfs with /directory/first, /directory/victim and /last, the
# tree of which is in source; a block of the victim's data has a wrong checksum.
damaged_image() {
    mkdir -p source/directory
    head -c 3000000 /dev/urandom >source/directory/first
    { head -c 2000000 /dev/urandom; echo this-is-the-place; head -c 1000000 /dev/urandom; } \
        >source/directory/victim
    head -c 3000000 /dev/urandom >source/last
    make_image "$1" 128M
    mkfs.btrfs -q --rootdir source "$1" >/dev/null
    python3 - "$1" <<'EOF'
import sys
with open(sys.argv[1], "r+b") as file:
    data = file.read()
    at = data.find(b"this-is-the-place")
    assert at > 0 and data.find(b"this-is-the-place", at + 1) < 0
    file.seek(at)
    file.write(b"THIS-IS-THE-PLACE")
EOF
}

# The members of an archive, sorted, without the file system's own lost+found.
members() {
    tar --warning=no-unknown-keyword -tf "$1" | grep -v '^lost+found' | sort
}
