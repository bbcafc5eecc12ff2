#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Out of ext4 and XFS: what cpfromfs makes is the tree that went in, and the
# image is untouched.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 mkfs.xfs python3
need_root

# cp knows no paths of more than 4095 bytes.
fill_odd source --without huge --without deep
rm -r source/odd/many/file-00[1-9]*
for type in ext4 xfs; do
    (need_host_filesystem $type) || continue
    rm -rf image out
    make_image image 500M
    mkfs.$type -q image >/dev/null 2>&1
    [ $type != ext4 ] || mkfs.ext4 -q -b 4096 -F image
    host_mount image host
    cp -a source/. host
    umount host
    before=$(digest image)
    mkdir out
    run 0 "$LKL_BIN/cpfromfs" -i image / out
    [ ! -s stderr ] || fail "something was told"
    compare_trees source out
    [ "$(digest image)" = "$before" ] || fail "the image was changed"
done
