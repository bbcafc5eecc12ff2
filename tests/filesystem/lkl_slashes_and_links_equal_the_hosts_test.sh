#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A slash at the end of a path, links that are operands and files that are named twice: each
# command does to an image what the host's does to a mount of it, and fails where that fails.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4
need_root
need_host_filesystem ext4
export LC_ALL=C

mkdir -p source/d/e source/empty source/lost+found
echo text >source/d/file
echo a >source/a
touch source/zero
ln source/d/file source/d/hard
ln -s d source/link
ln -s d/ source/slashed
ln -s nowhere source/dangling
ln -s loop source/loop
mknod source/null c 1 3
make_image fresh 16M
mkfs.ext4 -q -d source fresh

# What there is below a directory: all but times, and the sizes of directories.
tree() {
    (cd "$1" && find . -path ./lost+found -prune -o -type d -printf '%p %m %U:%G %n\n' \
        -o -printf '%p %y %m %U:%G %s %l %n\n' | sort)
}

# both DIRECTORY COMMAND [ARGUMENT]...: the host does it to a directory, lkl to the image.
both() {
    local directory=$1 here=() there=() argument code=0 host_code=0
    shift
    for argument; do
        case $argument in
        /*) here+=("image:$argument") there+=(".$argument") ;;
        *) here+=("$argument") there+=("$argument") ;;
        esac
    done
    (cd "$directory" && "${there[@]}") >host-output 2>host-error || host_code=1
    "$LKL_BIN/lkl" "${here[@]}" >output 2>error || code=$?
    [ $code = 0 ] || [ $code = 8 ] || fail "$*: exit code $code: $(cat error)"
    [ $((code != 0)) = $host_code ] || fail "$*: $code, and the host: $(cat error host-error)"
    # The order of directories, and the names of operands, are ours.
    diff <(sed 's|^\./|/|; s|\t\./|\t/|' host-output | sort) <(sort output) || fail "$*: prints"
}

# same COMMAND [ARGUMENT]...: paths begin with /. The host's own file system will do for it.
same() {
    cp fresh image
    rm -rf host
    cp -a source host
    both host "$@"
    tree host >host-tree
    host_mount image mounted ro
    tree mounted >image-tree
    umount mounted
    diff host-tree image-tree || fail "$*: trees differ"
}

# same_view COMMAND [ARGUMENT]...: of commands that only read. They may count blocks.
cp fresh expected
host_mount expected view ro
same_view() {
    cp fresh image
    both view "$@"
    cmp fresh image || fail "$*: the image changed"
}

for path in /d/ /d/file/ /empty/ /link /slashed /dangling /a/ /nothing/; do
    same rm -r $path
    same mv $path /moved
    same chmod -R 700 $path
    same chown -R 7:8 $path
done
for path in /new /new/ /d/ /a/ /link/ /dangling /dangling/ /loop; do
    same touch $path
    same mkdir -p $path
    same ln -s text $path
    same mv /a $path
    same mv /empty $path
done
same chown 7 /link
same chown 7 /link/
same ln -s text/ /d
same ln /a/ /new
same rm -d /empty/
for path in /link /link/ /slashed/ /d/ /zero/ /dangling /dangling/; do
    same_view find $path
    same_view du $path
    same_view ls -d $path
done
same_view ls /link/
same_view cat /link/file
same_view cat /a/
same_view du /d /d/e
same_view du -c /d/e /d
same_view du -a /a /a
same_view du -s /d/hard /d

# The host's rm empties the directory and then fails. It stays as it is here.
cp fresh image
run 8 "$LKL_BIN/lkl" rm -r image:/link/
says "without the slash it is the link"
run 8 "$LKL_BIN/lkl" mv image:/link/ image:/new
says_one_line
[ "$(digest image)" = "$(digest fresh)" ] || run 0 "$LKL_BIN/lkl" cat image:/link/file image:/d/hard
# A device of the image leads nowhere.
run 8 "$LKL_BIN/lkl" cat image:/null
says "is a device"
