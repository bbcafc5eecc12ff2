#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A GPT with an ESP and more, by options: sfdisk agrees with the summary, and the host's
# kernel mounts each partition and sees its contents.
# shellcheck source=tests/filesystem/lkl_mkimage.sh
. "$(dirname "$0")/lkl_mkimage.sh"
need sfdisk mkfs.fat mkfs.ext4 mksquashfs losetup python3 fsck.fat
need_root
need_host_filesystem ext4

mkdir -p esp/EFI/BOOT
head -c 300000 /dev/urandom >esp/EFI/BOOT/BOOTX64.EFI
plain_tree root
plain_tree data
run 0 mkimage --json --gpt \
    --partition fs=vfat,size=34M,label=ESP,type=esp,source=esp,name=system \
    --partition "fs=none,size=1M,type=bios-boot" \
    --partition 'fs=ext4,size=auto+16M,label=root\,1,type=root-x86-64,source=root,bootable' \
    --partition fs=swap,size=2M,label=swapped \
    --partition "fs=squashfs,source=data,partuuid=01234567-89ab-4def-8123-456789abcdef" \
    --partition fs=ext4,size=10M image >summary
sfdisk -V image >log || fail "sfdisk: $(cat log)"
grep -q 'No errors detected' log || fail "sfdisk: $(cat log)"
sfdisk --json image >table
python3 - <<'EOF'
import json, os, subprocess
made = json.load(open("summary"))
table = json.load(open("table"))["partitiontable"]
assert made["table"] == table["label"] == "gpt"
assert made["uuid"].upper() == table["id"]
assert made["size"] == os.path.getsize("image")
assert len(made["partitions"]) == len(table["partitions"]) == 6
for ours, theirs in zip(made["partitions"], table["partitions"]):
    assert ours["offset"] == theirs["start"] * 512 and ours["offset"] % (1 << 20) == 0, ours
    assert ours["size"] == theirs["size"] * 512, ours
    assert ours["type"].upper() == theirs["type"], (ours, theirs)
    assert ours["partuuid"].upper() == theirs["uuid"], (ours, theirs)
    assert ours["bootable"] == ("LegacyBIOSBootable" in theirs.get("attrs", "")), ours
    assert ours.get("name", "") == theirs.get("name", ""), ours
    fs = ours["file-system"]
    blkid = subprocess.run(["blkid", "-p", "-o", "export", "-O", str(ours["offset"]), "-S",
                            str(ours["size"]), "image"], capture_output=True, text=True).stdout
    found = dict(line.split("=", 1) for line in blkid.splitlines() if "=" in line)
    assert found.get("TYPE", "none") == fs["fs"], (fs, found)
    if "uuid" in fs:
        assert found["UUID"].replace("-", "").lower() == fs["uuid"].replace("-", ""), (fs, found)
    assert found.get("LABEL", "").replace("\\", "") == fs.get("label", ""), (fs, found)
types = [ours["type"] for ours in made["partitions"]]
assert types[0] == "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", types
assert types[1] == "21686148-6449-6E6F-744E-656564454649", types
assert made["partitions"][4]["partuuid"] == "01234567-89ab-4def-8123-456789abcdef"
assert made["partitions"][2]["file-system"]["label"] == "root,1"
EOF

# mount_part OFFSET SIZE DIRECTORY
mount_part() {
    mkdir -p seen
    mount -o "loop,ro,offset=$1,sizelimit=$2" image seen
    compare_trees "$3" seen "${@:4}"
    umount seen
}
part() {
    python3 -c 'import json, sys
part = json.load(open("summary"))["partitions"][int(sys.argv[1])]
print(part["offset"], part["size"])' "$1"
}
read -r offset size < <(part 0)
dd if=image of=esp.image bs=1M iflag=skip_bytes,count_bytes skip="$offset" count="$size" status=none
fsck.fat -n esp.image >log || fail "fsck.fat: $(cat log)"
# What boots from FAT adds this to its sectors.
[ "$(od -An -tu4 -j28 -N4 esp.image | tr -d ' ')" = "$((offset / 512))" ] || fail "hidden sectors"
if grep -qw vfat /proc/filesystems; then
    mount_part "$offset" "$size" esp --ignore mode --ignore mtime
fi
read -r offset size < <(part 2)
mount_part "$offset" "$size" root
read -r offset size < <(part 4)
mount_part "$offset" "$size" data
