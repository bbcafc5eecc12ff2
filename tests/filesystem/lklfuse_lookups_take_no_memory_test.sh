#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# FAT, of which the host's kernel asks for each component of a path each time, and which
# keeps a descriptor of each file: the server does not grow by names that it was asked for
# before, nor by files that are gone.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.vfat fsck.fat python3
need_root
[ -z "$LKL_SANITIZE" ] || skip "sanitizers take memory of their own"
[ "$(checkers_mib)" = 0 ] || skip "the kernel checks itself, and touches all memory"

make_image image 64M
mkfs.vfat image >/dev/null
fuse_start image mount
cat >look_up.py <<'END'
import os, sys
def long_name(text):
    return (text + " ").ljust(240, "n")
path = "mount"
for depth in "abcd":
    path += "/" + long_name(depth)
    os.makedirs(path, exist_ok=True)
for number in range(int(sys.argv[1])):
    os.stat(path)
    name = "mount/" + long_name(str(number))
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
    os.rename(name, name + "2")
    os.unlink(name + "2")
END
resident() {
    awk '/^VmRSS/ { print $2 }' /proc/$server/status
}
python3 look_up.py 1000
before=$(resident)
# Of 8 names each, which are 16 MiB.
python3 look_up.py 8000
after=$(resident)
echo "$before KiB, then $after KiB"
[ $((after - before)) -le 4096 ] || fail "the server grew from $before KiB to $after KiB"
fuse_stop mount
check_clean vfat image
