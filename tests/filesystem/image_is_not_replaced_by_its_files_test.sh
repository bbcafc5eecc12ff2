#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# cpfromfs, lkl cp and the shell's get put nothing in the place of the image that they read:
# by any of its names, and of any kind of file that has one of these in the image.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4

mkdir -p source/{regular,symbolic,fifo,hard,directory/disk.img,tree/deeper}
echo x >source/f
echo inner >source/regular/disk.img
echo inner >source/tree/deeper/disk.img
echo other >source/tree/deeper/other
ln -s nowhere source/symbolic/disk.img
mkfifo source/fifo/disk.img
echo inner >source/hard/a
ln source/hard/a source/hard/disk.img
make_image disk.img 16M
mkfs.ext4 -q -d source disk.img
ln disk.img hard.img
ln -s disk.img link.img
before=$(digest disk.img)
inode=$(stat -c %i disk.img)
# refused CODE TEXT COMMAND...
refused() {
    local code=$1 text=$2
    shift 2
    run "$code" "$@"
    says "$text"
    for name in disk.img hard.img link.img; do
        [ "$(stat -L -c %i $name)" = "$inode" ] || fail "$name is another file: $*"
    done
    [ -h link.img ] || fail "the link is a file: $*"
    [ "$(digest disk.img)" = "$before" ] || fail "the image changed: $*"
    [ -z "$(find . -name '.lkl-*')" ] || fail "something is left: $*"
}

# As the destination, whatever the name.
for name in disk.img hard.img link.img; do
    for image in disk.img hard.img link.img; do
        refused 1 "$name: is the image itself" "$LKL_BIN/cpfromfs" -i $image /f $name
    done
    says_one_line
    refused 1 "$name: is the image itself" "$LKL_BIN/lkl" cp disk.img:f $name
    refused 1 "$name: is the image itself" "$LKL_BIN/lkl" cp -r disk.img:tree "$PWD/$name"
    echo "get f $name" >script
    refused 1 "$name: is the image itself" "$LKL_BIN/lkl" shell disk.img <script
done
# And standard output, which a shell may have opened to append to it.
exec 3>>disk.img
refused 1 "is the image itself" "$LKL_BIN/cpfromfs" -i disk.img /f - >&3
exec 3>&-

# As what the image says.
for kind in regular symbolic fifo; do
    refused 10 "disk.img: cannot replace the image itself" \
        "$LKL_BIN/cpfromfs" -q -i disk.img /$kind/disk.img .
    refused 10 "disk.img: cannot replace the image itself" \
        "$LKL_BIN/lkl" cp disk.img:/$kind/disk.img .
done
refused 10 "replace a file by a directory" "$LKL_BIN/cpfromfs" -q -i disk.img /directory/disk.img .
refused 10 "disk.img: cannot replace the image itself" "$LKL_BIN/cpfromfs" -q -i disk.img /hard/. .
[ "$(cat a)" = inner ] || fail "the first name of the file was not copied"
# Two levels below, and what lies beside it is copied.
mkdir -p tree/deeper
mv disk.img tree/deeper/disk.img
ln tree/deeper/disk.img disk.img
refused 10 "tree/deeper/disk.img: cannot replace the image itself" \
    "$LKL_BIN/cpfromfs" -q -i disk.img /tree .
[ "$(cat tree/deeper/other)" = other ] || fail "the other file was not copied"

# Another image is a file as any.
cp disk.img another.img
run 0 "$LKL_BIN/cpfromfs" -i disk.img /f another.img
[ "$(cat another.img)" = x ] || fail "another file was not replaced"

# The file of a loop device is its image.
if [ "$(id -u)" = 0 ] && loop=$(losetup --show -r -f disk.img 2>/dev/null); then
    detach() {
        local status=$?
        losetup -d "$loop" || true
        clean_up $status
    }
    trap detach EXIT
    refused 1 "disk.img: is the image itself" "$LKL_BIN/cpfromfs" -i "$loop" /f disk.img
    refused 10 "cannot replace the image itself" "$LKL_BIN/cpfromfs" -i "$loop" /regular/disk.img .
fi
