#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A wrong command line: exit code 1 and one line; --help and --version: 0.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4

small_image image
run 1 "$LKL_BIN/fs2tar"
says_one_line
run 1 "$LKL_BIN/fs2tar" image
says_one_line
run 1 "$LKL_BIN/fs2tar" --nonsense image archive.tar
says_one_line
for number in x -1 256 99999999999 1x; do
    run 1 "$LKL_BIN/fs2tar" "--partition=$number" image archive.tar
    says_one_line
    says "from 0 to 255"
done
run 1 "$LKL_BIN/fs2tar" -o rw image archive.tar
says "never written"
says_one_line
run 1 "$LKL_BIN/fs2tar" image archive.tar third
says_one_line
no_archive archive.tar
run 0 "$LKL_BIN/fs2tar" --help >help
for option in --partition --type --compress --options --subdir --exclude --selinux --quiet; do
    grep -q -e "$option" help || fail "--help does not name $option"
done
run 0 "$LKL_BIN/fs2tar" --version >version
grep -qx 'fs2tar [0-9].*' version || fail "--version says: $(cat version)"
