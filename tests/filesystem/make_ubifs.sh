#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# make_ubifs.sh IMAGE: an empty UBIFS in an UBI volume that fills the image, for a
# flash with 128 KiB that are erased at a time, as image_tree makes one of it.
set -eu
block=131072
size=$(stat -c %s "$1")
mkfs.ubifs -m 8 -e $((block - 128)) -c $((size / block)) -o "$1.ubifs"
cat >"$1.ini" <<END
[volume]
mode=ubi
image=$1.ubifs
vol_id=0
vol_size=$(stat -c %s "$1.ubifs")
vol_type=dynamic
vol_name=volume
vol_flags=autoresize
END
ubinize -o "$1" -p $block -m 1 -s 1 "$1.ini"
# What follows is flash that UBI has not seen.
truncate -s "$size" "$1"
rm "$1.ubifs" "$1.ini"
