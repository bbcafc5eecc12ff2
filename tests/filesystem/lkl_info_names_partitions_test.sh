#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lkl info: partitions as sfdisk made them, file systems as blkid sees them, whether a
# journal waits; and trim gives space back.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 mkfs.vfat sfdisk blkid python3 losetup
need_root
need_host_filesystem ext4

# An ext4 whose journal waits.
make_image live 32M
mkfs.ext4 -q -L dirty -U 01234567-89ab-cdef-0123-456789abcdef live
host_mount live host
echo x >host/file
sync -f host
cp live ext4
umount host

make_image disk 200M
sfdisk -q disk <<'SFDISK'
label: gpt
label-id: 11111111-2222-3333-4444-555555555555
start=2048, size=65536, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name="boot part"
start=67584, size=65536, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
start=133120, size=65536, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F
SFDISK
mkfs.vfat -n EFI --offset 2048 disk $((65536 / 2)) >/dev/null
dd if=ext4 of=disk bs=512 seek=67584 conv=notrunc status=none
before=$(digest disk)
run 0 "$LKL_BIN/lkl" info disk >actual
cat actual
grep -qE '^disk: 200 MiB \(209715200 bytes\), partition table gpt 11111111-2222-' actual || fail "head"
grep -qE '^ +1 +2048 +32\.0 MiB +- +EFI System +boot part$' actual || fail "partition 1"
grep -qE '^ +2 +67584 +32\.0 MiB +- +Linux filesystem +-$' actual || fail "partition 2"
grep -qE '^ +3 +133120 +32\.0 MiB +- +Linux swap +-$' actual || fail "partition 3"
grep -qE '^ +1 +vfat +EFI .* clean$' actual || fail "volume 1"
grep -qE '^ +2 +ext4 +dirty +01234567-89ab-cdef-0123-456789abcdef .* needs recovery$' actual || fail "volume 2"
run 0 "$LKL_BIN/lkl" info --json disk ext4 >info.json
python3 - info.json "$(sfdisk -J disk)" <<'PY'
import json, sys
disk, ext4 = json.load(open(sys.argv[1]))
expected = json.loads(sys.argv[2])["partitiontable"]
assert disk["table"] == "gpt" and disk["table_id"].upper() == expected["id"], disk
for ours, theirs in zip(disk["partitions"], expected["partitions"], strict=True):
    assert ours["start"] == theirs["start"] * 512 and ours["size"] == theirs["size"] * 512, ours
    assert ours["type"].upper() == theirs["type"] and ours["uuid"].upper() == theirs["uuid"], ours
    assert ours["name"] == theirs.get("name", ""), ours
assert [volume["state"] for volume in disk["volumes"]] == ["clean", "needs recovery"], disk
assert ext4["table"] is None and ext4["volumes"][0]["used"] > 0, ext4
PY
# One of them alone, by either name.
for image in '-P 2 disk' disk@2; do
    # shellcheck disable=SC2086  # words
    run 0 "$LKL_BIN/lkl" info $image >actual
    [ "$(grep -cE '^ +[0-9]+ ' actual)" = 2 ] || fail "$image: $(cat actual)"
    grep -qE '^ +2 +ext4 .* needs recovery$' actual || fail "$image: $(cat actual)"
done
run 4 "$LKL_BIN/lkl" info disk@9
says "disk: no partition 9"
says_one_line
run 3 "$LKL_BIN/lkl" info -t xfs -P 2 disk >actual
grep -qE '^ +2 +ext4 .* cannot be mounted$' actual || fail "-t: $(cat actual)"
[ "$(digest disk)" = "$before" ] || fail "info changed the image"
run 0 "$LKL_BIN/lkl" ls -P 2 disk: >actual
says "journal was replayed in memory"
grep -qx file actual || fail "-P behind the subcommand"
run 0 "$LKL_BIN/lkl" -q -P 2 cat disk:file >actual
grep -qx x actual || fail "-P before the subcommand"
[ "$(digest disk)" = "$before" ] || fail "ls changed the image"
run 4 "$LKL_BIN/lkl" ls disk:
says "name a partition with -P"

make_image mbr 64M
printf 'label: dos\nstart=2048, size=20480, type=83, bootable\n' | sfdisk -q mbr
run 0 "$LKL_BIN/lkl" info mbr >actual
grep -qE '^ +1 +2048 +10\.0 MiB +\* +Linux +-$' actual || fail "MBR: $(cat actual)"
grep -qx 'Nothing that is known.' actual || fail "MBR: $(cat actual)"

make_image full 64M
mkfs.ext4 -q full
head -c 40M /dev/urandom >large
run 0 "$LKL_BIN/lkl" cp large full:/
run 0 "$LKL_BIN/lkl" rm full:/large
used=$(du -k full | cut -f1)
run 0 "$LKL_BIN/lkl" trim full >actual
grep -qE '^full: [0-9.]+ MiB \([0-9]+ bytes\) trimmed$' actual || fail "trim: $(cat actual)"
[ "$(du -k full | cut -f1)" -lt $((used - 39000)) ] || fail "trim freed nothing"
check_clean ext4 full
