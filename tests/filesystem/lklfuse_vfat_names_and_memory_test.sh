#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# FAT, which has neither owners nor handles of files: names of any case mean the same
# however they are spelt, after every change; and more files than can be kept in the
# kernel's memory at a time are written, walked and read.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.vfat fsck.fat mcopy python3
need_root

make_image image 256M
mkfs.vfat -F 32 -s 1 image >/dev/null
# The least of memory, so that what is kept has little room.
fuse_start image mount -o mb=48
fuse_names_fold mount

cat >files.py <<'END'
import os, sys
def each():
    for directory in range(6):
        yield f"mount/{directory}", [f"mount/{directory}/a long name {n}" for n in range(1000)]
if sys.argv[1] == "write":
    for directory, names in each():
        os.mkdir(directory)
        for name in names:
            with open(name, "w") as file:
                file.write(name)
else:
    kept = open("mount/0/a long name 0")
    for directory, names in each():
        assert len(os.listdir(directory)) == 1000
        for name in names:
            with open(name) as file:
                assert file.read() == name, name
    assert kept.read() == "mount/0/a long name 0"
END
python3 files.py write
python3 files.py read
fuse_stop mount
check_clean vfat image
mcopy -i image "::5/a long name 77" copied
[ "$(cat copied)" = "mount/5/a long name 77" ] || fail "the data are wrong"
fuse_start image mount -o ro
[ "$(find mount -type f | wc -l)" = 6002 ] || fail "files are missing"
fuse_stop mount
