#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A kernel that panics: every call gives EIO, standard error and log say why, and when
# it is unmounted the exit code is 7.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext4 debugfs
need_root

small_image image
# A directory's inode whose block is no block of the disk.
debugfs -w -R "set_inode_field /directory block[IND] 0" image 2>/dev/null
debugfs -w -R "set_inode_field /directory/deeper mode 0170000" image 2>/dev/null
fuse_start image mount -o opts=errors=panic,log=kernel.log
[ "$(cat mount/one)" = one ] || fail "the mount does not work"
stat mount/directory/deeper 2>/dev/null && fail "the damage is not found"
touch mount/file 2>error && fail "the kernel goes on"
grep -q "Input/output error" error || fail "another error: $(cat error)"
grep -q "kernel crashed: " server.log || fail "it is not told: $(cat server.log)"
grep -q "Kernel panic" kernel.log || fail "it is not logged"
umount mount
fuse_ended 7
