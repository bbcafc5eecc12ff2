#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Each option does what it says: type, part, ro, opts, mb, log, lock.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext4 sfdisk
need_root

small_image one
make_image disk 32M
printf 'label: gpt\nstart=2048, size=16384\nstart=20480, size=16384\n' | sfdisk -q disk
dd if=one of=disk bs=512 seek=20480 conv=notrunc status=none
mkdir mount

run 4 "$LKL_BIN/lklfuse" disk mount
says "name a partition with -o part=N"
fuse_start disk mount -o part=2,type=ext4
[ "$(cat mount/one)" = one ] || fail "part="
fuse_stop mount
run 4 "$LKL_BIN/lklfuse" disk mount -o part=7
run 3 "$LKL_BIN/lklfuse" one mount -o type=nonsense
says_one_line
run 3 "$LKL_BIN/lklfuse" one mount -o type=xfs
says_one_line

# ro: nothing is written, not even what the mount itself would.
before=$(digest one)
fuse_start one mount -o ro
[ "$(cat mount/one)" = one ] || fail "ro: cannot be read"
touch mount/new 2>error && fail "ro: can be written"
grep -q "Read-only file system" error || fail "another error: $(cat error)"
fuse_stop mount
[ "$(digest one)" = "$before" ] || fail "ro: the image was changed"

# opts, with a comma; the kernel shows them in its log.
fuse_start one mount -o 'opts=nodelalloc\,data=journal\,nodiscard,log=kernel.log' -o mb=128
grep -q "journalled data mode" kernel.log || fail "opts= do not reach the kernel: $(cat kernel.log)"
total=$(sed -n 's/.*Memory: [0-9]*K\/\([0-9]*\)K available.*/\1/p' kernel.log)
# The image is a part of it.
total=$((total / 1024 - $(checkers_mib)))
[ "$total" -ge 128 ] || fail "mb=: $total MiB"
[ "$total" -lt 256 ] || fail "mb=: $total MiB"
fuse_stop mount

# Less than the kernel needs: it gets that much, and says so.
fuse_start one mount -o mb=32
[ "$(cat server.log)" = "lklfuse: -o mb=32: the kernel gets 48 MiB, the least that it needs" ] ||
    fail "mb=32: $(cat server.log)"
[ "$(cat mount/one)" = one ] || fail "mb=32: cannot be read"
fuse_stop mount
fuse_start one mount -q -o mb=32
[ ! -s server.log ] || fail "-q: $(cat server.log)"
fuse_stop mount
run 3 "$LKL_BIN/lklfuse" one mount -o opts=nonsense
says_one_line

# lock: held while it is mounted. The image itself is locked too.
fuse_start one mount -o lock=lock.file
flock -n lock.file true && fail "lock= is not held"
mkdir second
run 2 "$LKL_BIN/lklfuse" disk second -o part=2,lock=lock.file
says "lock=lock.file: somebody else has the lock"
says_one_line
run 2 "$LKL_BIN/lklfuse" one second
says "in use"
says_one_line
fuse_stop mount
flock -n lock.file true || fail "lock= is still held"

# FUSE's own, and those of mount(8).
fuse_start one mount -o rw,noatime,nosuid,nodev,allow_other,fsname=my\\,name,max_threads=3 -s
grep -q '^my,name .* fuse.lklfuse .*noatime.*allow_other' /proc/mounts || fail "$(cat /proc/mounts)"
fuse_stop mount

# Else the source is the image, wherever who asks is.
fuse_start one mount
grep -q "^$PWD/one .* fuse.lklfuse " /proc/mounts || fail "$(cat /proc/mounts)"
fuse_stop mount
