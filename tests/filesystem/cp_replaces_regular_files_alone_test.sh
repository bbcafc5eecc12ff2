#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lkl cp and cpfromfs put no file in the place of a device, a FIFO, a socket or an open
# descriptor that is named as the destination, nor of a link to one; and a name with a slash is
# that of a directory.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 python3

mkdir source
echo text >source/file
ln -s file source/link
make_image image 16M
mkfs.ext4 -q -d source image
mkfifo fifo
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
ln -s fifo to-fifo
ln -s /dev/null to-null
echo old >old
ln -s old to-old
ln -s nowhere to-nowhere
names=(fifo socket to-fifo to-null)
if mknod null c 1 3 2>/dev/null; then
    names+=(null)
fi

for name in "${names[@]}"; do
    before=$(stat -c '%i %f' "$name")
    for copy in "lkl cp image:/file" "cpfromfs -i image /file"; do
        # shellcheck disable=SC2086  # words
        run 6 "$LKL_BIN"/$copy "$name"
        says "$name: is no regular file"
    done
    [ "$(stat -c '%i %f' "$name")" = "$before" ] || fail "$name is another file"
done

# What stands for a descriptor may lead to a regular file. (/dev/stdout itself is not put at
# stake here: it is such a link.)
ln -s /proc/self/fd/1 to-descriptor
ln -s to-descriptor to-link
ln -s /proc/thread-self/fd descriptors
for name in to-descriptor to-link descriptors/1 /proc/self/fd/1 /dev/fd/1; do
    for copy in "lkl cp image:/file" "cpfromfs -i image /file"; do
        # shellcheck disable=SC2086  # words
        run 6 "$LKL_BIN"/$copy "$name" >out
        says "$name: is an open descriptor, and no file"
        says_one_line
    done
done
[ "$(find to-descriptor to-link -type l | wc -l)" = 2 ] ||
    fail "a link was replaced"

# A file and links to no file are replaced, as the manual page says.
for name in old to-old to-nowhere; do
    run 0 "$LKL_BIN/lkl" cp image:/file $name
    [ "$(stat -c %F $name)" = "regular file" ] || fail "$name: $(stat -c %F $name)"
    cmp source/file $name
done

run 6 "$LKL_BIN/lkl" cp image:/file old/
says_one_line
run 6 "$LKL_BIN/cpfromfs" -i image /file old/
says_one_line
for path in /file/ /link/; do
    run 8 "$LKL_BIN/lkl" cp old image:$path
    says "is not a directory"
    run 8 "$LKL_BIN/cptofs" -i image old $path
    says "is not a directory"
done
# Nor does a name with a slash become that of a file.
for copy in "lkl cp image:/file new/" "lkl cp image:/file image:/made/" "lkl cp old image:/made/" \
    "cpfromfs -i image /file new/" "cptofs -i image old /made/"; do
    # shellcheck disable=SC2086  # words
    run 8 "$LKL_BIN"/$copy
    says "is no directory"
    [ ! -e new ] || fail "$copy made a file"
done
run 8 "$LKL_BIN/lkl" stat image:/made
run 0 "$LKL_BIN/lkl" cp -r source image:/new/
run 0 "$LKL_BIN/lkl" cat image:/new/file
