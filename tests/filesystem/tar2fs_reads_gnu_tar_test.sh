#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Archives of GNU tar, in its three formats: what they hold is in the image, sparse
# files and ACLs as text included.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 e2fsck tar python3
need_root
need_host_filesystem ext4

fill_odd source --without huge
rm source/odd/links/fifo-again  # GNU tar makes two FIFOs of it
mkdir -p source/usr
cp -a /usr/include/linux source/usr
host_tar source pax.tar
tar -C source --format=gnu --numeric-owner --sparse --warning=no-file-ignored -cf gnu.tar .
tar -C source/usr --format=ustar --numeric-owner -cf ustar.tar .
# ACLs as text alone.
tar -C source --format=pax --numeric-owner --acls --warning=no-file-ignored -cf acls.tar ./odd/attributes
for format in pax gnu ustar acls; do
    rm -f image
    make_image image 400M
    mkfs.ext4 -q -b 4096 image
    run 0 "$LKL_BIN/tar2fs" -q $format.tar image
    check_clean ext4 image
    host_mount image host ro
    case $format in
    pax) compare_trees source host --leave-out odd/special/socket ;;
    gnu)
        # It has whole seconds and no attributes.
        compare_trees source host --ignore attributes --ignore mtime \
            --leave-out odd/special/socket
        [ "$(stat -c %Y host/odd/sizes/1)" = "$(stat -c %Y source/odd/sizes/1)" ] || fail "times"
        ;;
    ustar) compare_trees source/usr host --ignore mtime ;;
    acls)
        compare_trees source/odd/attributes host/odd/attributes --ignore attributes:user. \
            --ignore attributes:trusted. --ignore attributes:security.
        ;;
    esac
    umount host
done
