#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Where archive or list would go into the image by way of a block device: exit code 1.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 sfdisk losetup addpart
need_root

small_image part
make_image image 16M
echo 'start=2048, size=16384' | sfdisk -q --label dos image
dd if=part of=image bs=512 seek=2048 conv=notrunc status=none
loop=$(losetup --show -f -P image) || skip "no loop devices"
other=
detach() {
    local status=$?
    losetup -d "$loop" || true
    [ -z "$other" ] || losetup -d "$other" || true
    clean_up $status
}
trap detach EXIT
before=$(digest image)

refused() {
    run 1 "$LKL_BIN/fs2tar" -q "$@"
    says "is the image itself"
    says_one_line
    [ "$(digest image)" = "$before" ] || fail "the image changed"
}
mknod node b "$(stat -c '0x%t' "$loop")" "$(stat -c '0x%T' "$loop")"
ln -s "$loop" link
for device in "$loop" node link; do
    refused -P 1 image "$device"
    refused -P 1 -s "$device" image archive.tar
    refused -P 1 "$device" image
    refused -P 1 -s image "$device" archive.tar
    refused -P 1 -s node "$device" archive.tar
done
# Nobody may be there to make the node of the partition, and the host's kernel may not have
# looked for it.
[ -e "/sys/class/block/${loop##*/}/${loop##*/}p1" ] || addpart "$loop" 1 2048 16384
number=$(cat "/sys/class/block/${loop##*/}/${loop##*/}p1/dev")
mknod partition b "${number%:*}" "${number#*:}"
refused -P 1 image partition
refused -P 1 "$loop" partition
refused partition "$loop"
refused -s image partition archive.tar

# Another device is written to.
make_image target 16M
other=$(losetup --show -f target)
run 0 "$LKL_BIN/fs2tar" -q -P 1 image "$other"
tar -tf "$other" >list
grep -qx one list || fail "nothing is on the other device"
