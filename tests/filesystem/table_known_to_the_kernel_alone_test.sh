#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Partition tables that libblkid does not know, or knows no partitions of: lkl info shows those
# that the kernel finds, and the tools list them and work on each.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext2 blkid tar python3

write_table=${LKL_TESTS:?}/filesystem/write_table

# All that there are, those that libblkid knows among them.
for kind in $("$write_table"); do
    "$write_table" "$kind" image >expected
    run 0 "$LKL_BIN/lkl" info --no-mount --json image >info.json
    python3 - info.json expected <<'PY' || fail "$kind: $(cat info.json)"
import json, sys
[image] = json.load(open(sys.argv[1]))
found = [[part["number"], part["start"] // 512, part["size"] // 512]
         for part in image["partitions"]]
assert found == [[int(word) for word in line.split()] for line in open(sys.argv[2])], found
assert image["table"], image
PY
    rm image
done

"$write_table" Karma image >/dev/null
run 0 "$LKL_BIN/lkl" info image >actual
grep -q ', partition table known to the kernel only$' actual || fail "Karma: $(cat actual)"
rm image

mkdir -p tree/directory point
echo one >tree/one
echo two >tree/directory/two
# An ext2 in the second partition, which has the same size in each.
mkfs.ext2 -q -L volume -d tree plain 4M
run 0 "$LKL_BIN/fs2tar" -q plain expected.tar
for kind in Amiga Aix Ldm; do
    table=${kind,,}
    read -r _ start size < <("$write_table" "$kind" image | tail -n 1)
    [ "$size" = 8192 ] || fail "$kind: $size sectors"
    dd if=plain of=image bs=512 seek="$start" conv=notrunc status=none

    run 0 "$LKL_BIN/lkl" info image >actual
    cat actual
    grep -q ", partition table $table\$" actual || fail "$kind: head"
    grep -qE "^ +2 +$start +4\\.00 MiB +- +- +-\$" actual || fail "$kind: partition 2"
    grep -qE '^ +2 +ext2 +volume .* clean$' actual || fail "$kind: volume 2"
    run 0 "$LKL_BIN/lkl" info image@2 >actual
    [ "$(grep -cE '^ +[0-9]+ ' actual)" = 2 ] || fail "$kind: info of one: $(cat actual)"
    run 4 "$LKL_BIN/lkl" info image@3
    says "image: no partition 3"

    for command in "fs2tar image out.tar" "cpfromfs -i image /one ." "cptofs -i image plain /new" \
        "tar2fs expected.tar image" "lkl ls image" "lklfuse image point"; do
        option=-P
        [[ $command != lklfuse* ]] || option="-o part=N"
        # shellcheck disable=SC2086 # words
        run 4 "$LKL_BIN"/$command
        says "image: partition 2: 4.00 MiB, ext2, label volume"
        says "has a partition table ($table): name a partition with $option"
    done
    run 4 "$LKL_BIN/fs2tar" -P 3 image out.tar
    says "image: partition 2: "
    says "partition 3: no such partition"
    no_archive out.tar

    run 0 "$LKL_BIN/fs2tar" -q -P 2 image actual.tar
    compare expected.tar actual.tar
    run 0 "$LKL_BIN/fs2tar" -q -t ext4 -P 2 image actual.tar
    compare expected.tar actual.tar
    run 0 "$LKL_BIN/cptofs" -q -P 2 -i image tree/one /new
    [ "$("$LKL_BIN/lkl" cat image@2:/new)" = one ] || fail "$kind: written"
    dd if=image of=written bs=512 skip="$start" count="$size" status=none
    e2fsck -fn written >fsck.log 2>&1 || fail "$kind: $(cat fsck.log)"
    rm image
done

# With a type alone the image is taken as a whole: what libblkid does not know may look like a
# table. And one that has none says so.
"$write_table" Amiga image >/dev/null
run 3 "$LKL_BIN/fs2tar" -t ext4 image out.tar
says "cannot mount as ext4"
says_one_line
run 4 "$LKL_BIN/fs2tar" -P 1 plain out.tar
says "plain: partition 1: there is no partition table"
says_one_line
no_archive out.tar
