#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# SIGTERM, SIGINT and SIGHUP unmount: what was written is in the image, synced or not;
# a file that is in use is no hindrance.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext4 python3
need_root
need_host_filesystem ext4

make_image image 64M
mkfs.ext4 -q image
for signal in TERM INT HUP; do
    fuse_start image mount
    head -c 5000000 /dev/zero | tr '\0' x >mount/$signal
    kill -$signal $server
    fuse_ended
    mountpoint -q mount && fail "still mounted after SIG$signal"
    check_clean ext4 image
    host_mount image host ro
    [ "$(tr -d x <host/$signal | wc -c)" = 0 ] || fail "SIG$signal: the data are wrong"
    [ "$(stat -c %s host/$signal)" = 5000000 ] || fail "SIG$signal: the data are lost"
    umount host
done

fuse_start image mount
exec 5>mount/open
echo "not closed" >&5
kill -TERM $server
fuse_ended
grep -q "in use" server.log || fail "it does not say that it is in use"
python3 -c "import os; os.write(5, b'more'); os.fsync(5)" 2>/dev/null && fail "what was open goes on"
exec 5>&-
check_clean ext4 image
host_mount image host ro
[ "$(cat host/open)" = "not closed" ] || fail "what was in use is lost"
