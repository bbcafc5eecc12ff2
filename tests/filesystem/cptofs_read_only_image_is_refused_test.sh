#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What cannot be written is said before anything is copied: a file system that is only
# read, an image file that may not be written, a type that is not there, a device that
# takes no writes.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 mksquashfs setpriv losetup tar
need_root

mkdir source
echo one >source/one
mksquashfs source image -quiet -no-progress >/dev/null 2>&1 || mksquashfs source image >/dev/null
before=$(digest image)
run 3 "$LKL_BIN/cptofs" -i image source/one /
says "image: squashfs: cannot be written"
says_one_line
[ "$(digest image)" = "$before" ] || fail "the image was changed"

chmod 755 .
make_image image2 8M
mkfs.ext4 -q image2
chmod 444 image2
run 2 setpriv --reuid 65534 --regid 65534 --clear-groups "$LKL_BIN/cptofs" -i image2 source/one /
says "image2: cannot open the image for writing: Permission denied"
says_one_line
run 1 "$LKL_BIN/cptofs" -o ro -i image2 source/one /
says_one_line
run 2 "$LKL_BIN/cptofs" -i nowhere source/one /
says_one_line
run 2 "$LKL_BIN/cptofs" -i source source/one /
says "is a directory"

# Opening it for writing succeeds.
loop=$(losetup --show -r -f image2 2>/dev/null) || exit 0
detach() {
    local status=$?
    losetup -d "$loop" || true
    clean_up $status
}
trap detach EXIT
tar -cf archive.tar source
mkdir mountpoint
refused() {
    run 2 "$@"
    says "$loop: cannot open for writing: the device is read-only"
    says_one_line
}
refused "$LKL_BIN/cptofs" -i "$loop" source/one /
refused "$LKL_BIN/tar2fs" archive.tar "$loop"
refused "$LKL_BIN/lkl" mkdir "$loop:/directory"
refused "$LKL_BIN/lkl" trim "$loop"
refused "$LKL_BIN/lkl" shell -w "$loop" </dev/null
[ ! -x "$LKL_BIN/lklfuse" ] || refused "$LKL_BIN/lklfuse" "$loop" mountpoint
run 0 "$LKL_BIN/lkl" ls "$loop"
