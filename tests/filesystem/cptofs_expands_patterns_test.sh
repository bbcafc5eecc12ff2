#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A source that the shell has not expanded is; a name with wildcards that exists is that
# file.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 debugfs

mkdir source
for name in a.txt b.txt c.bin .hidden.txt 'odd[1]'; do echo "$name" >"source/$name"; done
make_image image 8M
mkfs.ext4 -q image
run 0 "$LKL_BIN/cptofs" -i image 'source/*.txt' 'source/odd[1]' /
debugfs -R 'ls -p /' image 2>/dev/null | cut -d/ -f6 | grep -v '^\.*$' | sort >list
printf '%s\n' a.txt b.txt lost+found 'odd[1]' | sort | diff - list || fail "other files are there"
