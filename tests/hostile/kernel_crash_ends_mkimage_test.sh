#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A kernel that crashes while lkl mkimage fills a file system: exit code 7 and one line, and
# no image, also where one of two volumes was good. An mkfs.ext4 that damages what it has
# made is in the place of the real one.
# shellcheck source=tests/filesystem/lkl_mkimage.sh
. "$(dirname "$0")/../filesystem/lkl_mkimage.sh"
need mkfs.ext4 debugfs python3
need_root

real=$(realpath "$(command -v mkfs.ext4)")
mkdir real
cp "$real" real/mkfs.ext4
cat >damaging <<SCRIPT
#!/bin/bash
"$work/real/mkfs.ext4" "\$@" || exit
[ -s "$work/damage" ] && debugfs -w -f "$work/damage" "\${!#}" >>"$work/damaged" 2>&1
exit 0
SCRIPT
chmod 755 damaging
: >damage
mount --bind damaging "$real"

mkdir source other
seq 1000 >source/file
echo other >other/file
echo old >image
crashes() {
    : >damaged
    run 7 timeout 120 "$LKL_BIN/lkl" -o errors=panic mkimage -q "$@"
    [ -s damaged ] || fail "nothing was damaged"
    says "the kernel crashed: "
    says_one_line
    [ "$(cat image)" = old ] || fail "the old image is gone"
    nothing_left made
}

# A root directory of no type: when it is mounted.
echo 'set_inode_field <2> mode 0170000' >damage
crashes --size 8M source image
crashes --size 8M source made
crashes source made
# So many free blocks as there are not: when the first file is written, all is mounted and
# directories are made.
printf 'set_bg 0 free_blocks_count 5000\nset_bg 0 checksum calc\n' >damage
crashes --size 8M source image
crashes --size 8M source made
tar -cf source.tar -C source .
crashes --size 8M source.tar made
crashes --gpt --partition fs=vfat,size=40M,source=other \
    --partition fs=ext4,size=8M,source=source made

# It was the damage.
: >damage
run 0 "$LKL_BIN/lkl" -o errors=panic mkimage -q --size 8M source made
[ "$("$LKL_BIN/lkl" cat made:/file | cksum)" = "$(cksum <source/file)" ] || fail "other bytes"
