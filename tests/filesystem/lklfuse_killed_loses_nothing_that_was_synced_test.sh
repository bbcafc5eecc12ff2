#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kill -9 in the middle of writing: the mount answers with ENOTCONN, the journal is
# replayed, and what fsync(2) has promised is there. LKL_TEST_KILLS: how often (8).
# ctest: TIMEOUT=3600
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext4 python3
need_root
need_host_filesystem ext4

cat >kill.py <<'END'
"""kill.py LKLFUSE ROUNDS"""
import errno, os, random, subprocess, sys, time

def write(deadline):
    """Files that were synced, with what is in them, until the server is killed."""
    synced = {}
    number = 0
    while len(synced) < 10 or time.monotonic() < deadline:
        data = os.urandom(1 + number * 977 % 60000)
        file = os.open(f"mount/{number}", os.O_WRONLY | os.O_CREAT)
        os.write(file, data)
        if number % 5 != 4:
            os.fsync(file)
            synced[f"{number}"] = data
        os.close(file)
        number += 1
        if number % 7 == 0:
            os.unlink(f"mount/{number - 7}")
            synced.pop(f"{number - 7}", None)
    return synced

for round in range(int(sys.argv[2])):
    server = subprocess.Popen([sys.argv[1], "image", "mount", "-f"])
    while not os.path.ismount("mount"):
        assert server.poll() is None, "lklfuse ended"
        time.sleep(0.01)
    # A process that is at work when the server dies, beside the one that remembers.
    child = os.fork()
    if child == 0:
        try:
            large = os.open("mount/large", os.O_WRONLY | os.O_CREAT)
            while True:
                os.pwrite(large, bytes(100000), 0)
                os.fsync(large)
        except OSError:
            os._exit(0)
    synced = write(time.monotonic() + random.random() / 4)
    server.kill()
    server.wait()
    os.waitpid(child, 0)
    try:
        # What the host's kernel has seen, it may know without the server.
        os.stat("mount/was-never-there")
        sys.exit("the mount answers")
    except OSError as error:
        assert error.errno == errno.ENOTCONN, error
    subprocess.run(["umount", "mount"], check=True)
    # The host replays the journal.
    subprocess.run(["mount", "-o", "loop", "image", "host"], check=True)
    for name, data in synced.items():
        with open("host/" + name, "rb") as file:
            assert file.read() == data, name + " is not what was synced"
    for name in os.listdir("host"):
        if name != "lost+found":
            os.unlink("host/" + name)
    subprocess.run(["umount", "host"], check=True)
    subprocess.run(["e2fsck", "-fn", "image"], check=True, capture_output=True)
    print(f"{len(synced)} files were synced")
END

# In memory: what counts is what the host was given, and a disk would take its time.
mkdir memory
mount -t tmpfs tmpfs memory
cd memory
mkdir mount host
make_image image 64M
mkfs.ext4 -q image
python3 ../kill.py "$LKL_BIN/lklfuse" "${LKL_TEST_KILLS:-8}" || fail "a kill was not survived"
