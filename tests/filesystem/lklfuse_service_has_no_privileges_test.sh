#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The command of lklfuse-mount@.service on a block device: the server has no capability
# and cannot get one; and systemd finds no fault with the unit.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext4 losetup mount.fuse3
need_root
need_host_filesystem ext4
unit="$LKL_BUILD/packaging/lklfuse-mount@.service"

make_image image 64M
mkfs.ext4 -q image
device=$(losetup -f --show image)
# Instead of lib.sh's, since the device has to go too.
end() {
    local status=$?
    umount -ql "$work/mount" 2>/dev/null || true
    losetup -d "$device" || true
    cd /
    rm -rf --one-file-system "$work"
    exit $status
}
trap end EXIT
mkdir mount
command=$(sed -n 's/^ExecStart=//p' "$unit")
command=${command//\/dev\/%I/$device}
command=${command//\/run\/lklfuse\/%i/$work/mount}
command=${command//\$\{LKLFUSE_OPTIONS\}/nosuid,nodev,allow_other}
[[ $command != *[%\$]* ]] || fail "the test does not know all of it: $command"
PATH=$LKL_BIN:$PATH bash -c "$command" || fail "it does not mount"
server=$(pgrep -f "^lklfuse $device ")
echo text >mount/file
for set in CapPrm CapEff CapBnd CapAmb; do
    grep -q "^$set:.0000000000000000$" /proc/"$server"/status || fail "it has capabilities: $set"
done
grep -q '^NoNewPrivs:.1$' /proc/"$server"/status || fail "it can get privileges"
umount mount
for ((tries = 0; tries < 600; tries++)); do
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
done
[ $tries -lt 600 ] || fail "it does not end"
check_clean ext4 "$device"
mount -o ro "$device" mount
[ "$(cat mount/file)" = text ] || fail "what was written is lost"
umount mount

if command -v systemd-analyze >/dev/null; then
    # Without the manual page, which is not installed.
    grep -v ^Documentation= "$unit" >lklfuse-mount@.service
    systemd-analyze verify ./lklfuse-mount@sdb1.service >verify.log 2>&1 || fail "$(cat verify.log)"
    [ ! -s verify.log ] || fail "systemd says: $(cat verify.log)"
fi
