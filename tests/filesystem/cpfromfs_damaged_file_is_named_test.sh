#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A file whose data cannot be read (Btrfs, a wrong checksum): named, no part of it is
# left, the rest is copied; in an archive, zeros stand in its place.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.btrfs tar python3

damaged_image image
mkdir out
run 10 "$LKL_BIN/cpfromfs" -q -i image / out
says "/directory/victim: cannot read at byte "
[ ! -e out/directory/victim ] || fail "a part of it is there"
cmp out/directory/first source/directory/first
cmp out/last source/last
run 5 "$LKL_BIN/cpfromfs" -q --fail-fast -i image / "$PWD"
run 10 "$LKL_BIN/cpfromfs" -q -i image / - >archive.tar
mkdir extracted
tar --warning=no-unknown-keyword -C extracted -xf archive.tar
cmp extracted/last source/last
[ "$(stat -c %s extracted/directory/victim)" = "$(stat -c %s source/directory/victim)" ]
