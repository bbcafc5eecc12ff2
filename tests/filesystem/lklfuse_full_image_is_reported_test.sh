#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A full image: the writer is told, and the image stays clean. A full disk of the host,
# below a sparse image: fsync(2) fails, and so does the unmount, which the exit code
# and a message say.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext4 python3
need_root

make_image image 16M
mkfs.ext4 -q image
fuse_start image mount
cp /dev/zero mount/zero 2>error && fail "an endless file fits"
grep -q "No space left" error || fail "another error: $(cat error)"
rm mount/zero
# The server is told of the last close when that suits the host.
for _ in $(seq 100); do
    head -c 8000000 /dev/zero 2>/dev/null >mount/again && break
    sleep 0.1
done
[ "$(stat -c %s mount/again)" = 8000000 ] || fail "what was removed is no room"
fuse_stop mount
check_clean ext4 image

mkdir disk
mount -t tmpfs -o size=4M tmpfs disk
make_image disk/image 64M
mkfs.ext4 -q -O ^has_journal disk/image
fuse_start disk/image mount
python3 -c 'import os
file = os.open("mount/file", os.O_WRONLY | os.O_CREAT)
os.write(file, b"x" * 16000000)
try:
    os.fsync(file)
except OSError:
    raise SystemExit(0)
raise SystemExit("what is nowhere was synced")' || fail "fsync"
umount mount
fuse_ended 6
grep -q "^lklfuse: disk/image: " server.log || fail "no message"
