#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What only root may do is left out, told once a kind, and is no failure: owners,
# devices, attributes of the system. Programs do not become set-user-ID of somebody
# else.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 setpriv python3
need_root
need_host_filesystem ext4

make_image image 16M
mkfs.ext4 -q image
host_mount image host
mkdir host/directory
for file in one two three; do echo $file >host/directory/$file; done
chown 0:0 host/directory/one
chown 1000:1000 host/directory/two
chmod 4755 host/directory/one
chmod 500 host/directory
mknod host/null c 1 3
mknod host/zero c 1 5
python3 -c 'import os, struct
for name in ("one", "two"):
    os.setxattr("host/directory/" + name, "security.capability",
                struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0))
    os.setxattr("host/directory/" + name, "user.note", b"text")'
chmod 4755 host/directory/one
umount host
chmod 755 .
chmod 644 image
mkdir out
chown 65534:65534 out
run 0 setpriv --reuid 65534 --regid 65534 --clear-groups "$LKL_BIN/cpfromfs" -x lost+found -i image / out
for kind in "owners are not kept" "devices are left out" "extended attributes security.* are not"; do
    [ "$(grep -cF "$kind" stderr)" = 1 ] || fail "$kind: not told, or not once"
done
[ "$(wc -l <stderr)" = 3 ] || fail "more is told"
[ "$(stat -c %a out/directory)" = 500 ] || fail "the mode of the directory"
[ "$(stat -c %U:%a out/directory/one)" = nobody:755 ] || fail "set-user-ID of another user"
[ "$(cat out/directory/three)" = three ] || fail "the data"
[ "$(getfattr --only-values -n user.note out/directory/two)" = text ] || fail "the attribute"
[ ! -e out/null ] || fail "a device"
