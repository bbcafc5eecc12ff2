#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An image that is too small: each file that has no room is named, none of them is there
# in part, what has room is copied, and the exit code tells. The image is clean.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 e2fsck python3
need_root
need_host_filesystem ext4

mkdir -p source/a source/z
echo small >source/a/first
head -c 30000000 /dev/urandom >source/large
echo small >source/z/last
make_image image 16M
mkfs.ext4 -q image
run 10 "$LKL_BIN/cptofs" -i image source /
says "image: source/large: cannot write at byte "
says "No space left on device"
says "1 failure: not everything was copied"
check_clean ext4 image
host_mount image host ro
[ ! -e host/source/large ] || fail "a part of the file is there"
cmp host/source/a/first source/a/first
cmp host/source/z/last source/z/last
umount host

# No inodes: the same for small files, many at once.
mkdir many
for number in $(seq 200); do echo "$number" >"many/$number"; done
make_image inodes 8M
mkfs.ext4 -q -N 64 inodes
run 10 "$LKL_BIN/cptofs" -q -i inodes many /
[ "$(grep -c 'cannot open .*No space left on device' stderr)" -gt 100 ] || fail "not each is named"
check_clean ext4 inodes
host_mount inodes host ro
lost=$(grep -c 'cannot open' stderr)
[ $(("$(find host/many -type f | wc -l)" + lost)) = 200 ] || fail "neither there nor named"
