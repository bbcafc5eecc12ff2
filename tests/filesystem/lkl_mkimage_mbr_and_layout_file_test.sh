#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An MBR as a layout file describes it, in an image of fixed size, of which one partition
# has the rest; and what is wrong in such a file.
# shellcheck source=tests/filesystem/lkl_mkimage.sh
. "$(dirname "$0")/lkl_mkimage.sh"
need sfdisk mkfs.fat mkfs.ext4 python3
need_root
need_host_filesystem ext4

plain_tree root
mkdir esp
echo boot >esp/boot
cat >layout <<'EOF'
{
  // comments are allowed
  "table": "mbr",
  "size": "96M",
  "uuid": "0x12345678",
  "partitions": [
    {"fs": "vfat", "size": "16M", "type": "esp", "source": "esp", "bootable": true},
    {"fs": "ext4", "size": "rest", "source": "root", "label": "root",
     "mkfs-option": ["-O", "^has_journal"]},
    {"fs": "swap", "size": 1048576}
  ]
}
EOF
run 0 mkimage --layout layout image
[ "$(stat -c %s image)" = $((96 << 20)) ] || fail "the size"
sfdisk -V image >log || fail "sfdisk: $(cat log)"
sfdisk --json image >table
python3 - <<'EOF'
import json
table = json.load(open("table"))["partitiontable"]
assert table["label"] == "dos" and table["id"] == "0x12345678", table
one, two, three = table["partitions"]
assert (one["start"], one["size"], one["type"], one["bootable"]) == (2048, 32768, "ef", True)
assert (two["start"], two["size"], two["type"]) == (34816, 159744, "83"), two
assert (three["start"], three["size"], three["type"]) == (194560, 2048, "82"), three
EOF
mkdir seen
mount -o "loop,ro,offset=$((34816 * 512)),sizelimit=$((159744 * 512))" image seen
compare_trees root seen
umount seen
dumpe2fs -h "image?offset=$((34816 * 512))" 2>/dev/null | grep 'features' >features
grep -q has_journal features && fail "the mkfs option has no effect"

rm image
# wrong JSON TEXT: the file is refused with that.
wrong() {
    echo "$1" >layout
    run 1 mkimage --layout layout image
    says "$2"
    says_one_line
    nothing_left image
}
wrong '{' "parse error"
wrong '[]' "is no JSON object"
wrong '{"partitions": [], "tabel": "gpt"}' "tabel: is no property of an image"
wrong '{"table": "apm"}' "table is gpt or mbr, not apm"
wrong '{"partitions": []}' "no partition is described"
wrong '{"partitions": [{"fs": "ext5"}]}' "ext5: is none of ext2, ext3"
wrong '{"partitions": [{"fs": "ext4", "colour": "red"}]}' "colour is no property of a partition"
wrong '{"partitions": [{"fs": "ext4", "label": ["a"]}]}' "label: is a list"
wrong '{"partitions": [{"fs": "ext4", "size": "rest"}]}' "needs the size of the image"
wrong '{"table": "mbr", "partitions": [{"fs": "ext4", "name": "n"}]}' "holds no names"
wrong '{"partitions": [{"fs": "ext4", "partuuid": "1"}]}' "partition 1: partuuid 1: is no UUID"
