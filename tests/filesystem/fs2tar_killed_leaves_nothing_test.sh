#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A signal in the middle: no temporary file stays.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4

mkdir source
head -c 60000000 /dev/urandom >source/file
make_image image 100M
mkfs.ext4 -q -d source image
for signal in INT TERM HUP; do
    # xz takes many seconds for this. A shell's background job ignores SIGINT, so
    # that is undone first.
    python3 -c 'import os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$LKL_BIN/fs2tar" -c xz image archive.tar &
    for _ in $(seq 100); do
        [ -z "$(find . -maxdepth 1 -name '.fs2tar-*')" ] || break
        sleep 0.1
    done
    [ -n "$(find . -maxdepth 1 -name '.fs2tar-*')" ] || fail "no temporary file was there"
    sleep 0.5
    kill -s $signal $!
    code=0
    wait $! || code=$?
    [ "$code" -gt 128 ] || fail "exit code $code after SIG$signal"
    no_archive archive.tar
done
