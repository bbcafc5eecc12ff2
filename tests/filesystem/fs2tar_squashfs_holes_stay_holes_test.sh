#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SquashFS does not tell where a file's holes are; the archive has them anyway.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mksquashfs tar

mkdir source
truncate -s 300M source/sparse
echo middle | dd of=source/sparse bs=1 seek=104857600 conv=notrunc status=none
mksquashfs source image -quiet -no-progress >/dev/null
run 0 "$LKL_BIN/fs2tar" -q image actual.tar
[ "$(stat -c %s actual.tar)" -lt 200000 ] || fail "the archive has $(stat -c %s actual.tar) bytes"
mkdir restored
tar -C restored -xf actual.tar
cmp source/sparse restored/sparse
