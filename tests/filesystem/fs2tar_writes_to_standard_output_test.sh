#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An archive on standard output, or on another open descriptor, by whatever name, is the one
# that a file would hold, and stands behind what was there.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 tar

small_image image
run 0 "$LKL_BIN/fs2tar" image archive.tar
run 0 "$LKL_BIN/fs2tar" image - >piped.tar
cmp archive.tar piped.tar
ln -s /proc/self/fd/1 out
{ echo head; cat archive.tar; echo tail; } >expected
for name in - out /proc/self/fd/1 /dev/fd/1 /dev/fd/3; do
    { echo head; run 0 "$LKL_BIN/fs2tar" image $name 3>&1; echo tail; } >actual
    cmp expected actual || fail "to $name"
done
[ -L out ] || fail "the link was replaced"
run 0 "$LKL_BIN/fs2tar" image >(cat >piped.tar; : >ended)
until [ -e ended ]; do sleep 0.05; done
cmp archive.tar piped.tar
run 1 "$LKL_BIN/fs2tar" -s out image out >actual
run 1 "$LKL_BIN/fs2tar" --json image out >actual
run 1 "$LKL_BIN/fs2tar" image /dev/fd/3 3<>image
says "is the image itself"
"$LKL_BIN/fs2tar" image - | tar -xf - directory/deeper/three.txt
[ "$(cat directory/deeper/three.txt)" = three ] || fail "the data are wrong"
