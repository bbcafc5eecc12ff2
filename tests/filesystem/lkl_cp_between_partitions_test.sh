#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# IMAGE@N:PATH is a path in partition N, each operand's own: lkl cp between the partitions
# of two GPT disks and of one, and the other commands.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need sfdisk mkfs.ext4 mkfs.xfs mkfs.vfat python3
need_root
need_host_filesystem ext4

# gpt IMAGE PART...: a disk of these partitions, of 320 MiB at most each: XFS needs 300.
gpt() {
    local image=$1 part number=0
    shift
    truncate -s $((1 + 320 * $# + 1))M "$image"
    {
        echo "label: gpt"
        for part; do
            echo "start=$(((1 + 320 * number) * 2048)), size=$(($(stat -c %s "$part") / 512))"
            number=$((number + 1))
        done
    } | sfdisk -q "$image"
    number=0
    for part; do
        dd if="$part" of="$image" bs=1M seek=$((1 + 320 * number)) conv=notrunc,sparse status=none
        number=$((number + 1))
    done
}

# partition IMAGE N FILE: what is in it.
partition() {
    dd if="$1" of="$3" bs=1M skip=$((1 + 320 * ($2 - 1))) count=320 conv=sparse status=none
}

mkdir source
fill_odd source --without huge
make_image fat 64M
mkfs.vfat fat >/dev/null
make_image ext4 320M
mkfs.ext4 -q -b 4096 ext4
make_image xfs 320M
mkfs.xfs -q xfs
gpt one fat ext4
gpt two ext4 xfs
cp --sparse=always one before

# Both sides have another number; -P is for those that have none.
run 0 "$LKL_BIN/lkl" cp -r source/odd one@2:/
run 0 "$LKL_BIN/lkl" cp -r one@2:/odd two@1:/
run 0 "$LKL_BIN/lkl" -P 2 cp -r two@1:/odd two:/
for image in one@2 two@1; do
    partition ${image%@*} ${image#*@} part
    check_clean ext4 part
    host_mount part seen ro
    compare_trees source/odd seen/odd
    umount seen
done
partition two 2 part
check_clean xfs part
run 0 "$LKL_BIN/lkl" cp -r two@2:/odd out
compare_trees source/odd out
# The rest of the disk, the other partition too, is as it was.
cmp -n $((321 << 20)) one before

# Out, and by other commands; a file of FAT on its way through all.
echo fat >fat.txt
run 0 "$LKL_BIN/lkl" cp fat.txt one@1:/
run 0 "$LKL_BIN/lkl" cp one@1:/fat.txt two@2:/
run 0 "$LKL_BIN/lkl" cp two@2:/fat.txt back.txt
cmp fat.txt back.txt
[ "$("$LKL_BIN/lkl" ls one@1)" = fat.txt ] || fail "ls"
[ "$("$LKL_BIN/lkl" cat one@1:fat.txt two@2:/fat.txt)" = $'fat\nfat' ] || fail "cat"
run 0 "$LKL_BIN/lkl" mv one@1:/fat.txt one@1:/other
[ "$("$LKL_BIN/lkl" ls one@1:/)" = other ] || fail "mv"
"$LKL_BIN/lkl" df one@1 two@2 >usage
grep -q '^one@1 *vfat' usage || fail "df"
[ "$(echo ls | "$LKL_BIN/lkl" shell one@1)" = other ] || fail "shell"

# Both partitions of one image that is written; the lock is on all of it.
run 0 "$LKL_BIN/lkl" cp one@2:/odd/links/first one@1:/
[ "$("$LKL_BIN/lkl" cat one@1:/first)" = "three names" ] || fail "within one image"
run 1 "$LKL_BIN/lkl" cp one@0:/odd one@2:/
says "needs its number"
says_one_line
run 1 "$LKL_BIN/lkl" -P 2 cp one:/odd one@2:/
says_one_line

# A name that ends like that is a name.
cp --sparse=always ext4 'a@2'
run 0 "$LKL_BIN/lkl" cp fat.txt 'a@2:/'
[ "$("$LKL_BIN/lkl" ls 'a@2' | grep -c fat.txt)" = 1 ] || fail "a file named a@2"
run 4 "$LKL_BIN/lkl" ls one@7
says "one@7: partition 7: no such partition"
run 4 "$LKL_BIN/lkl" cp one:/first .
says "name a partition with -P"
run 2 "$LKL_BIN/lkl" ls none@1:/
says "none: cannot open the image"
says_one_line
