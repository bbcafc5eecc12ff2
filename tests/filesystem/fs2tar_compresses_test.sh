#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# By suffix and by -c: the format is the one asked for, the contents the same.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 zstd gzip xz

small_image image
run 0 "$LKL_BIN/fs2tar" image plain.tar
# Same image, same archive.
run 0 "$LKL_BIN/fs2tar" image again.tar
cmp plain.tar again.tar

check() {
    "$1" -t "$2" || fail "$2 is not $1's"
    "$1" -dc "$2" | cmp - plain.tar
}
for suffix in tar.zst tzst; do
    run 0 "$LKL_BIN/fs2tar" image archive.$suffix
    check zstd archive.$suffix
done
for suffix in tar.gz tgz; do
    run 0 "$LKL_BIN/fs2tar" image archive.$suffix
    cp archive.$suffix copy.gz
    check gzip copy.gz
done
for suffix in tar.xz txz; do
    run 0 "$LKL_BIN/fs2tar" image archive.$suffix
    check xz archive.$suffix
done

run 0 "$LKL_BIN/fs2tar" -c none image named.tar.gz
cmp named.tar.gz plain.tar
run 0 "$LKL_BIN/fs2tar" --compress zstd image - >piped
cp piped piped.zst
check zstd piped.zst
run 1 "$LKL_BIN/fs2tar" -c lzma image archive.tar
says_one_line
