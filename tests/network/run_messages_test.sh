#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Each reason why calls of the network fail is told once, whatever others have been told.
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/support/program.sh
. "$here/../support/program.sh"
need /usr/bin/python3 mkfs.ext4 debugfs

# A kernel that crashes when it finds an inode that is gone.
mkdir -p tree/below
mkfs.ext4 -q -e panic -d tree image 16M
debugfs -w -R 'clri /below' image 2>output || fail "$(cat output)"

status=0
timeout 60 "$LKL_BIN/lkl" run --kernel-memory 32M --mount image:/image -- /usr/bin/python3 -c '
import errno, os, socket
sockets = []
def fails(function, *wanted):
    try:
        while True:
            sockets.append(function())
            assert len(sockets) < 100_000
    except OSError as error:
        assert error.errno in wanted, error
for _ in range(2):
    fails(socket.socket, errno.EMFILE)
for _ in range(2):
    fails(lambda: os.stat("/image/below"), errno.EIO, errno.ESHUTDOWN)
' 2>lines || status=$?
# What was written to the image may be lost.
[ "$status" = 6 ] || fail "$status: $(cat lines)"
[ "$(grep -c '^lkl run: .* no room for more sockets' lines)" = 1 ] || fail "no room: $(cat lines)"
# With the kernel's last lines.
[ "$(grep -c '^lkl run: the kernel of the network stack crashed: ' lines)" = 1 ] ||
    fail "the crash: $(cat lines)"
grep -q 'Kernel panic - not syncing: EXT4-fs' lines || fail "another crash: $(cat lines)"
[ "$(grep -c '^lkl run: ' lines)" = 2 ] || fail "$(cat lines)"
