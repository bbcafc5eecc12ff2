#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lkl ln -f takes a name away when its link is there, and not before: where no link can be made,
# or the name is itself what is linked to, the file stays.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 mkfs.vfat

small_image image
lkl() {
    run "$1" "$LKL_BIN/lkl" "${@:2}"
}
# holds IMAGE:PATH TEXT
holds() {
    [ "$("$LKL_BIN/lkl" cat "$1")" = "$2" ] || fail "$1 does not hold \"$2\""
}
# No link is left under the name that it had before its own.
nothing_is_left() {
    local left
    left=$("$LKL_BIN/lkl" find "$1:/" -name '.lkl-*')
    [ -z "$left" ] || fail "left: $left"
}

# It replaces.
lkl 0 ln -f image:/one image:/other/four.txt
holds image:/other/four.txt one
lkl 0 ln -s nowhere image:/directory/link
lkl 0 ln -sf two image:/directory/link
holds image:/directory/link two
# Another name of the same file: it is there, and so are both.
lkl 0 ln -f image:/one image:/other/four.txt
holds image:/one one
holds image:/other/four.txt one
nothing_is_left image

# Itself, by any spelling, and in a directory; whether it has other names or not.
for name in image:/one image:/other/../one image:/; do
    lkl 8 ln -f image:/one $name
    says "are the same file"
    says_one_line
    holds image:/one one
done
lkl 8 ln -f image:/directory/two image:/directory/two
says "are the same file"
holds image:/directory/two two
# A symbolic link in the place of what it leads to would lead nowhere.
lkl 8 ln -sf one image:/one
says "are the same file"
lkl 8 ln -sf /directory/two image:/directory/two
says "are the same file"
lkl 8 ln -sf ../directory/link image:/directory/two
says "are the same file"
holds image:/one one
holds image:/directory/two two
printf 'cd directory\nln -sf two two\nln -f two two\n' >script
lkl 8 shell -w image <script
holds image:/directory/two two

# No hard link to a directory, and none over one.
lkl 8 ln -f image:/directory image:/one
says "Operation not permitted"
holds image:/one one
lkl 0 mkdir -p image:/into/one
lkl 8 ln -f image:/one image:/into
says "Is a directory"
lkl 8 ln -sf /none/one image:/into
says "Is a directory"
nothing_is_left image
check_clean ext4 image

# A file of ext4 has 65,000 names at most.
make_image many 32M
mkfs.ext4 -q many
lkl 0 touch many:/file
lkl 0 touch many:/other
debugfs -w -R "set_inode_field file links_count 65000" many 2>/dev/null
lkl 6 ln -f many:/file many:/other
says "/other: cannot make link: Too many links"
[ "$("$LKL_BIN/lkl" find many:/other)" = /other ] || fail "the other is gone"
nothing_is_left many

# A type without links.
echo a >a
echo b >b
make_image fat 64M
mkfs.vfat fat >/dev/null
lkl 0 cp a b fat:/
for option in -f -sf; do
    lkl 8 ln $option fat:/a fat:/b
    says "Operation not permitted"
    says_one_line
    holds fat:/b b
done
lkl 8 ln -f fat:/a fat:/A
says "are the same file"
holds fat:/a a
nothing_is_left fat
check_clean vfat fat
