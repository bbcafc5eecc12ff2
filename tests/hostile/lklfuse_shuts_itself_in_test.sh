#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lklfuse, while it serves, as root and as an ordinary user: all its threads are shut in.
# The process that mounts is not; it holds nothing, and is gone with the first one.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/../filesystem/lklfuse.sh"
# shellcheck source=tests/hostile/lib.sh
. "$here/../hostile/lib.sh"
need mkfs.ext4 setpriv pgrep
need_root
need_filter
public_fuse_device

user=65534
chmod 755 .
make_image image 32M
mkdir tree mount
head -c 8M /dev/urandom >tree/large
mkfs.ext4 -q -E root_owner=$user:$user -d tree image
chown $user:$user image mount

# until_true COMMAND...: waits for up to ten seconds.
until_true() {
    for _ in $(seq 200); do
        "$@" && return
        sleep 0.05
    done
    fail "never: $*"
}
gone() {
    [ ! -d "/proc/$1" ]
}
has_descriptors() {
    [ "$(find "/proc/$1/fd" -type l | wc -l)" = "$2" ]
}

as_user=(setpriv --reuid "$user" --regid "$user" --clear-groups)
for as in env "${as_user[*]}"; do
    read -ra as <<<"$as"
    for option in fsname=x clone_fd; do
        caught 0 "${as[@]}" "$LKL_BIN/lklfuse" image mount -f -o $option
        until_true "${as[@]}" mountpoint -q mount
        mounter=$(pgrep -P "$tool")
        [ "$(status_of "$mounter" Seccomp)" = 0 ] || fail "the process that mounts has a filter"
        # Descriptors beyond standard input and output: the socket.
        until_true has_descriptors "$mounter" 4
        "${as[@]}" cat mount/large | cmp - tree/large
        "${as[@]}" touch "mount/new-$option-${as[0]}"
        "${as[@]}" fusermount3 -u mount
        ends
        until_true gone "$mounter"
    done
done

# Killed, it leaves the mount, which answers that nobody serves it.
"$LKL_BIN/lklfuse" image mount
tool=$(pgrep -x -o lklfuse --ns $$ --nslist mnt)
mounter=$(pgrep -P "$tool")
kill -9 "$tool"
until_true gone "$mounter"
run 1 stat mount
says "not connected"
umount mount

run 0 "$LKL_BIN/lklfuse" image mount -o no_sandbox
says "--no-sandbox: "
umount mount
