#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fs2tar | tar2fs: a tree comes out of one image and into a new one as it was, with
# nanoseconds, attributes, ACLs, capabilities, links, holes and devices.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 e2fsck tar python3
need_root
need_host_filesystem ext4

make_image image 500M
mkfs.ext4 -q -b 4096 image
host_mount image host
fill host
umount host
make_image image2 500M
mkfs.ext4 -q -b 4096 image2
"$LKL_BIN/fs2tar" -q image - | "$LKL_BIN/tar2fs" - image2 2>stderr || fail "$(cat stderr)"
[ ! -s stderr ] || fail "something is said: $(cat stderr)"
check_clean ext4 image2
host_mount image host ro
image_equals image2 host --leave-out odd/special/socket
# And back: the same archive, but for what a file system decides.
"$LKL_BIN/fs2tar" -q image2 archive2.tar
"$LKL_BIN/fs2tar" -q image archive.tar
compare archive.tar archive2.tar --ignore ctime
