#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kill -9 in the middle of writing: the mount answers with ENOTCONN, the journal is
# replayed, and what fsync(2) has promised is there. LKL_TEST_KILLS: how often (20).
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext4 python3
need_root
need_host_filesystem ext4

cat >write.py <<'END'
# Writes files and syncs them; those that are synced are told, with what is in them.
import os, sys, zlib
number = 0
try:
    while True:
        data = os.urandom(1 + number * 977 % 60000)
        name = f"{sys.argv[1]}-{number}"
        file = os.open("mount/" + name, os.O_WRONLY | os.O_CREAT)
        os.write(file, data)
        if number % 5 != 4:
            os.fsync(file)
            print(name, zlib.crc32(data), flush=True)
        os.close(file)
        if number > 30:
            os.unlink(f"mount/{sys.argv[1]}-{number - 31}")
        number += 1
except OSError:
    pass
END
cat >check.py <<'END'
# Each of the last 20 files that were synced must be there.
import sys, zlib
synced = [line.split() for line in open("synced")]
for name, sum in synced[-20:]:
    with open("host/" + name, "rb") as file:
        if zlib.crc32(file.read()) != int(sum):
            sys.exit(name + " is not what was synced")
print(len(synced), "were synced")
END

# In memory: what counts is what the host was given, and a disk would take its time.
mkdir memory
mount -t tmpfs tmpfs memory
cd memory
mv ../*.py .
make_image image 64M
mkfs.ext4 -q image
for ((kill = 0; kill < ${LKL_TEST_KILLS:-20}; kill++)); do
    fuse_start image mount
    : >synced
    python3 write.py $kill >>synced &
    writer=$!
    until [ "$(wc -l <synced)" -gt 10 ]; do
        kill -0 $writer || fail "the writer ended"
        sleep 0.02
    done
    sleep 0.$((RANDOM % 3))
    kill -9 $server
    fuse_ended 137 2>/dev/null
    wait $writer
    error=$(stat mount 2>&1) && fail "the mount answers"
    [[ $error == *"not connected"* ]] || fail "the mount says: $error"
    umount mount
    # The host replays the journal.
    host_mount image host
    python3 check.py || fail "what was synced is lost"
    rm -f host/*-*
    umount host
    check_clean ext4 image
done
