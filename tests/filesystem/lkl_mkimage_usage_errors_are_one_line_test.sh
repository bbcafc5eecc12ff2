#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A wrong command line: one line that says what and where.
# shellcheck source=tests/filesystem/lkl_mkimage.sh
. "$(dirname "$0")/lkl_mkimage.sh"
need mkfs.ext4

mkdir source
# wrong CODE TEXT OPTIONS...
wrong() {
    local code=$1 text=$2
    shift 2
    run "$code" mkimage "$@" </dev/null
    says "$text"
    says_one_line
    nothing_left image
}
wrong 1 "PATH is required"
wrong 1 "a source and an image are needed" source
wrong 1 "a source and an image are needed" source image third
wrong 1 "--nonsense" --nonsense source image
wrong 1 "--fs ext5: is none of ext2" --fs ext5 source image
wrong 1 "--size 12x: is no size" --size 12x source image
wrong 1 "--size -1: is no size" --size=-1 source image
wrong 1 "--size 0: is nothing" --size 0 source image
wrong 1 "--size 99999P: is too large" --size 99999P source image
wrong 1 "is no multiple of 512" --size 1000001 source image
wrong 1 "--size auto+: is no size" --size auto+ source image
wrong 1 "--size auto+x%: is no share" --size auto+x% source image
wrong 1 "rest: is for partitions" --size rest source image
wrong 1 "has room for 16 bytes" --label 12345678901234567 source image
wrong 1 "squashfs has no label" --fs squashfs --label x source image
wrong 1 "uuid x: is no UUID" --uuid x source image
wrong 1 "not of 8 hexadecimal digits" --fs vfat --uuid 12 source image
wrong 1 "takes none for ntfs" --fs ntfs --uuid 12 source image
wrong 1 "swap has no contents" --fs swap --size 1M source image
wrong 1 "--fs is the type" -t ext4 source image
wrong 1 "--fs is the type" -P 1 source image
wrong 1 "needs --gpt or --mbr" --partition fs=ext4 image
wrong 1 "excludes" --gpt --mbr --partition fs=ext4 image
wrong 1 "the image alone is named" --gpt --partition fs=ext4 source image
wrong 1 "are for each of them" --gpt --label x --partition fs=ext4 image
wrong 1 "colour is no property" --gpt --partition fs=ext4,colour=red image
wrong 1 "size: has no value" --gpt --partition fs=ext4,size image
wrong 1 "bootable is yes or no" --gpt --partition fs=ext4,bootable=maybe image
wrong 1 "swap needs a size" --gpt --partition fs=swap image
wrong 1 "a source is needed" --gpt --partition fs=erofs image
wrong 1 "no program makes none" --gpt --partition fs=none,size=1M,mkfs-option=x image
wrong 1 "type nonsense: is none of a GPT" --gpt --partition fs=ext4,type=nonsense image
wrong 1 "type bios-boot: is none of an MBR" --mbr --partition fs=none,size=1M,type=bios-boot image
wrong 1 "one partition alone can have the rest" --gpt --size 1G --partition fs=ext4,size=rest \
    --partition fs=ext4,size=rest image
wrong 1 "at most 4 partitions" --mbr --partition fs=ext4 --partition fs=ext4 \
    --partition fs=ext4 --partition fs=ext4 --partition fs=ext4 image
wrong 1 "the partitions need" --gpt --size 4M --partition fs=none,size=4M image
wrong 1 "--owner x: is not UID:GID" --owner x source image
wrong 1 "neither --partition nor --gpt" --gpt --layout file image
wrong 1 "cannot open it" --layout missing image
wrong 8 "missing: cannot read the source" missing image
for type in ext4 squashfs; do
    wrong 1 "cannot go to standard output" --fs $type source -
done
[ ! -e - ] || fail "a file of that name is there"
wrong 6 "cannot create the image" source missing/image
mkdir directory
run 1 mkimage source directory
says "is no regular file"
says_one_line
run 0 mkimage --help >help
for option in --fs --size --label --uuid --mkfs-option --gpt --mbr --partition --layout --json \
    --exclude --owner --map-users --chmod --no-xattrs; do
    grep -q -e "$option" help || fail "--help does not name $option"
done
