#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lkl mv where rename(2) would do nothing, or would replace what the same command has moved:
# hard links, a file onto itself, two files of one name, names that differ in case alone.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 mkfs.vfat

small_image image
lkl() {
    run "$1" "$LKL_BIN/lkl" "${@:2}"
}
names() {
    "$LKL_BIN/lkl" find "$1" -type f | sort | tr '\n' ' '
}

# Onto itself: nothing happens, and that is said.
lkl 8 mv image:/one image:/one
says "they are the same file"
says_one_line
lkl 8 mv image:/one image:/
says "they are the same file"
lkl 8 mv image:/directory image:/
[ "$("$LKL_BIN/lkl" cat image:/one)" = one ] || fail "it is gone"

# Onto another name of its own: the first name goes, as with the host's mv.
lkl 0 ln image:/one image:/hard
lkl 0 ln image:/one image:/other/one
lkl 0 mv image:/one image:/hard
lkl 8 cat image:/one
[ "$("$LKL_BIN/lkl" cat image:/hard)" = one ] || fail "it is gone"
lkl 0 mv image:/hard image:/other/one
lkl 8 cat image:/hard
[ "$("$LKL_BIN/lkl" cat image:/other/one)" = one ] || fail "it is gone"
[ "$("$LKL_BIN/lkl" stat --json image:/other/one | grep -c '"links": *1')" = 1 ] ||
    fail "there are other links: $("$LKL_BIN/lkl" stat --json image:/other/one)"

# Two of one name into a directory: the second stays where it is.
lkl 0 mkdir image:/a image:/b image:/to
echo first >first
echo second >second
lkl 0 cp first image:/a/name
lkl 0 cp second image:/b/name
lkl 0 touch image:/to/name image:/b/more
lkl 8 mv image:/a/name image:/b/name image:/b/more image:/to
says "image:/b/name: cannot be moved to /to: the same command has moved a file of that name there"
says_one_line
[ "$("$LKL_BIN/lkl" cat image:/to/name)" = first ] || fail "the first is lost"
[ "$("$LKL_BIN/lkl" cat image:/b/name)" = second ] || fail "the second is lost"
"$LKL_BIN/lkl" cat image:/to/more || fail "the others were not moved"
# Another command replaces, as ever; each line of the shell is one.
printf 'mv /to/name /a\nmv /b/name /a\n' >script
lkl 0 shell -w image <script
[ "$("$LKL_BIN/lkl" cat image:/a/name)" = second ] || fail "it was not replaced"
check_clean ext4 image

# A name in other letters is the same entry, which Linux does not rename, by way of another
# name alone.
make_image fat 64M
mkfs.vfat fat >/dev/null
lkl 0 cp first fat:/
lkl 8 mv fat:/first fat:/FiRsT
says "they are the same file"
lkl 0 mv fat:/first fat:/between
lkl 0 mv fat:/between fat:/FiRsT
[ "$(names fat:/)" = "/FiRsT " ] || fail "the name is $(names fat:/)"
[ "$("$LKL_BIN/lkl" cat fat:/FiRsT)" = first ] || fail "it is gone"
check_clean vfat fat
