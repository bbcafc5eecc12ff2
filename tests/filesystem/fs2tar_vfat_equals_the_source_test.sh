#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# VFAT: names, data and times are those of the files that mtools put there, and what the
# host's own mount shows, where the host can mount VFAT.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.vfat mcopy tar python3

mkdir -p source/directory/deeper source/empty
for number in $(seq 500); do
    echo "file $number" >"source/directory/a-long-name-for-file-$number.text"
done
head -c 3000000 /dev/urandom >source/large.bin
: >source/empty-file
echo upper >source/UPPER.TXT
echo lower >source/lower.txt
echo umlaut >"source/grüße.txt"
echo kanji >"source/directory/deeper/日本語.txt"
echo length >"source/$(printf 'n%.0s' $(seq 251)).txt"
# FAT keeps even seconds, of local time: ours is read as UTC.
find source -exec touch -d '2021-03-04 05:06:08 UTC' {} +

modprobe -q vfat 2>/dev/null || true
host_has_vfat=false
if [ "$(id -u)" = 0 ] && grep -qw vfat /proc/filesystems; then
    host_has_vfat=true
fi

for bits in 12 16 32; do
    rm -f image
    case $bits in
    12) make_image image 15M; cluster=8 ;;
    16) make_image image 40M; cluster=2 ;;
    32) make_image image 80M; cluster=2 ;;
    esac
    mkfs.vfat -F "$bits" -s "$cluster" image >/dev/null
    # -m keeps the times.
    TZ=UTC mcopy -i image -s -m -Q source/* ::/
    # What FAT does not have is what the mount makes of it.
    tar -C source --format=pax --numeric-owner --owner=0 --group=0 --mode=0755 -cf expected.tar .
    run 0 "$LKL_BIN/fs2tar" -q image actual.tar
    # mtools gives directories the time of the copy.
    compare expected.tar actual.tar --ignore atime --ignore ctime --ignore directory-mtime
    if $host_has_vfat; then
        echo "FAT$bits: compared with the host's mount"
        # The host's kernel may take the times for its own zone's, and names for Latin 1.
        compare_with_host image utf8,tz=UTC,umask=022 --
    fi
done
