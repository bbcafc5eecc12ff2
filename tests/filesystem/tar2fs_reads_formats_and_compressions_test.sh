#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# cpio, ZIP, 7-Zip and tar in every compression, as bsdtar makes them; from a file and
# from standard input.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 bsdtar cpio tar debugfs python3

mkdir -p source/directory
echo one >source/directory/one
head -c 1500000 /dev/urandom >source/directory/large
ln -s one source/directory/link
echo umlaut >"source/grüße"
ln source/directory/large source/hard

# in_image IMAGE: the files are those of the source.
in_image() {
    local file
    for file in directory/one directory/large grüße; do
        debugfs -R "cat \"/$file\"" image 2>/dev/null | cmp - "source/$file" || fail "$1: $file"
    done
    debugfs -R "stat /directory/link" image 2>/dev/null | grep -q 'Fast link dest: "one"' ||
        fail "$1: the symbolic link"
}
extract() {
    rm -f image
    make_image image 16M
    mkfs.ext4 -q image
    run 0 "$LKL_BIN/tar2fs" -q "$1" image
}
for format in newc odc zip 7zip pax; do
    LC_ALL=C.UTF-8 bsdtar -C source --format=$format -cf archive .
    extract archive
    in_image $format
    debugfs -R "cat /hard" image 2>/dev/null | cmp - source/hard || fail "$format: the hard link"
done
for filter in gzip bzip2 xz zstd; do
    bsdtar -C source --$filter -cf archive . 2>/dev/null || continue
    extract archive
    in_image $filter
done
# A socket, which tar does not have.
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("source/listen")'
(cd source && find . | cpio -o -H newc --quiet) >archive
extract archive
in_image "cpio's own"
debugfs -R "stat /listen" image 2>/dev/null | grep -q 'Type: socket' || fail "no socket"
rm source/listen

bsdtar -C source -cf archive .
extract - <archive
in_image "from standard input"
