#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lkl cp copies a tree of hard cases into an image, within it, to another one and out
# again, and all is as it was; within XFS and Btrfs no block is copied; sum says the same
# as sha256sum.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 mkfs.xfs mkfs.btrfs python3
need_root
need_host_filesystem ext4
need_host_filesystem xfs

mkdir source
fill_odd source --without huge
for type in ext4 xfs; do
    make_image "$type" 512M
    "mkfs.$type" -q "$type"
done
run 0 "$LKL_BIN/lkl" cp -r source/odd ext4:/
run 0 "$LKL_BIN/lkl" cp -a ext4:/odd ext4:/again
check_clean ext4 ext4
host_mount ext4 seen ro
compare_trees source/odd seen/odd
compare_trees source/odd seen/again
umount seen
run 0 "$LKL_BIN/lkl" cp -r ext4:/again xfs:/odd
check_clean xfs xfs
run 0 "$LKL_BIN/lkl" cp -r xfs:/odd out
compare_trees source/odd out

run 0 "$LKL_BIN/lkl" sum -r --relative ext4:/odd >sums
(cd source && find odd -type f -printf 'x\n' | wc -l) | diff - <(wc -l <sums) || fail "sums are missing"
# sha256sum cannot open deep paths.
(cd source && grep -v '  \./odd/deep/' ../sums | sha256sum --quiet -c) || fail "sums differ"
run 0 "$LKL_BIN/lkl" sum -a md5 ext4:/odd/sizes/5000000 >sums
[ "$(cut -d' ' -f1 sums)" = "$(md5sum <source/odd/sizes/5000000 | cut -d' ' -f1)" ] || fail "md5"
run 0 "$LKL_BIN/lkl" cat ext4:/odd/sizes/5000000 ext4:/odd/sizes/1 >actual
cat source/odd/sizes/5000000 source/odd/sizes/1 | cmp - actual || fail "cat"

# Blocks are shared: 100 MiB twice in 160.
head -c 100M /dev/urandom >large
for type in xfs btrfs; do
    rm -f small
    make_image small 400M
    "mkfs.$type" -q small
    run 0 "$LKL_BIN/lkl" cp large small:/large
    run 0 "$LKL_BIN/lkl" cp small:/large small:/twice
    run 0 "$LKL_BIN/lkl" cp small:/large small:/three
    run 0 "$LKL_BIN/lkl" cp small:/large small:/four
    run 0 "$LKL_BIN/lkl" sum small:/four >sums
    [ "$(cut -d' ' -f1 sums)" = "$(sha256sum <large | cut -d' ' -f1)" ] || fail "$type: the copy differs"
    check_clean "$type" small
done

run 0 "$LKL_BIN/lkl" cp ext4:/odd/links/first .
[ "$(cat first)" = "three names" ] || fail "cp to the host"
mkdir into
run 0 "$LKL_BIN/lkl" cp 'ext4:/odd/sizes/51*' into
[ "$(echo into/*)" = "into/511 into/512 into/513" ] || fail "a pattern: $(ls into)"

# A link of the host that leads nowhere is there, though its name could be a path in an image.
ln -s nowhere ext4:link
run 0 "$LKL_BIN/lkl" cp -r ext4:link xfs:/
run 0 "$LKL_BIN/lkl" cp -r xfs:/ext4:link into
[ "$(readlink into/ext4:link)" = nowhere ] || fail "a link with a colon in its name"

# What has no end or no sense.
run 8 "$LKL_BIN/lkl" cp ext4:/odd into
says "is a directory"
run 8 "$LKL_BIN/lkl" cp -r ext4:/odd ext4:/odd/names
says "cannot be copied into itself"
run 8 "$LKL_BIN/lkl" cp ext4:/odd/links/first ext4:/odd/links/second
says "cannot be copied into itself"
run 1 "$LKL_BIN/lkl" cp source into
says_one_line
run 1 "$LKL_BIN/lkl" cp source/odd/sizes/1 ext4:/odd/sizes/1 into
says_one_line
# The image itself stays out of it.
run 10 "$LKL_BIN/lkl" cp ext4 ext4:/
says "is the image itself"
check_clean ext4 ext4
