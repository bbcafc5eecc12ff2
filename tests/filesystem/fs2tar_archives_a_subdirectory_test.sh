#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# --subdir: names are relative to it; what is no directory is refused.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 tar debugfs

small_image image
debugfs -w -R 'symlink link directory' image 2>/dev/null
run 0 "$LKL_BIN/fs2tar" --subdir directory image archive.tar
printf '%s\n' ./ deeper/ deeper/three.txt two | sort >expected
members archive.tar | diff expected - || fail "the members are wrong"
run 0 "$LKL_BIN/fs2tar" --subdir /directory/deeper/ image archive.tar
printf '%s\n' ./ three.txt | sort >expected
members archive.tar | diff expected - || fail "the members are wrong"

rm archive.tar
run 8 "$LKL_BIN/fs2tar" --subdir directory/missing image archive.tar
says "directory/missing: no such directory"
says_one_line
run 8 "$LKL_BIN/fs2tar" --subdir one image archive.tar
says "one is not a directory"
says_one_line
run 8 "$LKL_BIN/fs2tar" --subdir link image archive.tar
says "link is not a directory"
says_one_line
run 1 "$LKL_BIN/fs2tar" --subdir ../etc image archive.tar
says_one_line
no_archive archive.tar
