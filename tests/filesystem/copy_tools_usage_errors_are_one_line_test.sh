#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# cptofs, cpfromfs, tar2fs: a wrong command line is exit code 1 and one line; --help and
# --version: 0. Each has a manual page with all its options.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4

small_image image
for tool in cptofs cpfromfs; do
    run 1 "$LKL_BIN/$tool"
    says_one_line
    run 1 "$LKL_BIN/$tool" -i image
    says_one_line
    run 1 "$LKL_BIN/$tool" -i image one
    says_one_line
    run 1 "$LKL_BIN/$tool" one two
    says_one_line
    run 1 "$LKL_BIN/$tool" --nonsense -i image one two
    says_one_line
    run 1 "$LKL_BIN/$tool" --nonsense
    says "--nonsense"
    says_one_line
    run 1 "$LKL_BIN/$tool" -P x -i image one two
    says_one_line
    for wrong in --owner=root --owner=1 --owner=1:2:3 --map-users=1 --map-users=1:2:0 --chmod=u=q \
        --chmod=999; do
        run 1 "$LKL_BIN/$tool" "$wrong" -i image one two
        says_one_line
    done
done
run 1 "$LKL_BIN/cptofs" -i image - one /
says_one_line
run 1 "$LKL_BIN/cpfromfs" -o rw -i image one /
says "never written"
run 1 "$LKL_BIN/tar2fs"
says_one_line
run 1 "$LKL_BIN/tar2fs" archive.tar
says_one_line
run 1 "$LKL_BIN/tar2fs" --subdir a/../b archive.tar image
says_one_line
for tool in tar2fs fs2tar; do
    run 1 "$LKL_BIN/$tool" --nonsense
    says "--nonsense"
    says_one_line
done
run 11 "$LKL_BIN/tar2fs" nowhere.tar image
says_one_line
mkdir directory
run 11 "$LKL_BIN/tar2fs" directory image
says "directory: is a directory"
says_one_line
run 11 "$LKL_BIN/cptofs" -i image - / <directory
says "standard input: is a directory"
says_one_line
for tool in cptofs cpfromfs tar2fs; do
    run 0 "$LKL_BIN/$tool" --help >help
    grep -o -e '--[a-z-]*' help | sort -u >options
    [ "$(wc -l <options)" -gt 10 ] || fail "--help names few options"
    while read -r option; do
        grep -qe "${option//-/\\\\-}" "$LKL_SOURCE/tools/$tool/$tool.1" || fail "$tool.1 lacks $option"
    done <options
    run 0 "$LKL_BIN/$tool" --version >version
    grep -qx "$tool [0-9].*" version || fail "--version says: $(cat version)"
done
