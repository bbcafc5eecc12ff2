#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# VFAT, which holds neither owners nor modes nor extended attributes: what is lost is
# told once a kind, and is no failure; data, names and times are there. What has no
# place in it is: a symbolic link. A hard link becomes a copy.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.vfat fsck.fat mcopy setfattr python3
need_root

mkdir -p source/directory/deeper source/empty
for number in $(seq 300); do
    echo "file $number" >"source/directory/a-long-name-for-file-$number.text"
done
head -c 3000000 /dev/urandom >source/large.bin
: >source/empty-file
echo lower >source/lower.txt
echo umlaut >"source/grüße.txt"
ln source/lower.txt source/directory/second-name.txt
chown 1000:1000 source/lower.txt source/large.bin
setfattr -n user.x -v y source/large.bin source/lower.txt
find source -exec touch -d '2021-03-04 05:06:08 UTC' {} +

# mkfs.vfat refuses a file whose name is that of a mounted device or FUSE file system.
make_image vfat.image 80M
mkfs.vfat -F 32 vfat.image >/dev/null
run 0 "$LKL_BIN/cptofs" -i vfat.image source/. /
for kind in owners "make hard link" "extended attributes user.*"; do
    [ "$(grep -cF "$kind" stderr)" = 1 ] || fail "$kind: not told, or not once"
done
check_clean vfat vfat.image
mkdir actual
TZ=UTC mcopy -i vfat.image -s -m -Q '::*' actual
compare_trees source actual --ignore uid --ignore gid --ignore mode --ignore attributes \
    --ignore links --ignore mtime
touch -d '2021-03-04 05:06:08 UTC' reference
for file in actual/large.bin actual/directory/second-name.txt; do
    [ ! "$file" -nt reference ] || fail "$file is newer"
    [ ! "$file" -ot reference ] || fail "$file is older"
done

ln -s target source/link
run 10 "$LKL_BIN/cptofs" -q -i vfat.image source/link source/lower.txt /directory
says "directory/link: cannot make symbolic link"
mtype -i vfat.image ::directory/lower.txt | cmp - source/lower.txt || fail "the rest was not copied"
