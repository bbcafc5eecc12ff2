#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# By suffix and by -c: the format is the one asked for, the contents the same.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 zstd gzip xz bzip2 lz4

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
for suffix in tar.bz2 tbz2 tbz tz2; do
    run 0 "$LKL_BIN/fs2tar" image archive.$suffix
    check bzip2 archive.$suffix
done
for suffix in tar.lz4 tlz4; do
    run 0 "$LKL_BIN/fs2tar" image archive.$suffix
    check lz4 archive.$suffix
done
run 0 "$LKL_BIN/fs2tar" image UPPER.TAR.GZ
cp UPPER.TAR.GZ copy.gz
check gzip copy.gz
run 0 "$LKL_BIN/fs2tar" image Mixed.Tar.Bz2
check bzip2 Mixed.Tar.Bz2

# A suffix that promises what is not done.
for suffix in tar.Z tar.lzma tlz tar.lz tar.lzo zip ZIP 7z tar.br; do
    run 1 "$LKL_BIN/fs2tar" image refused.$suffix
    says "refused.$suffix: cannot compress like that"
    says_one_line
    no_archive refused.$suffix
done
run 0 "$LKL_BIN/fs2tar" -c none image named.tar.Z
cmp named.tar.Z plain.tar
run 0 "$LKL_BIN/fs2tar" -c lz4 image named.tar.Z
mv named.tar.Z named.lz4
check lz4 named.lz4

run 0 "$LKL_BIN/fs2tar" -c none image named.tar.gz
cmp named.tar.gz plain.tar
run 0 "$LKL_BIN/fs2tar" --compress zstd image - >piped
cp piped piped.zst
check zstd piped.zst
run 1 "$LKL_BIN/fs2tar" -c lzma image archive.tar
says_one_line
