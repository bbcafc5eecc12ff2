#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# "-" as the source is an archive on standard input; one that ends too early is a
# failure.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 e2fsck tar python3
need_root
need_host_filesystem ext4

fill_odd source --without huge
rm source/odd/links/fifo-again  # GNU tar makes two FIFOs of it
host_tar source archive.tar
for destination in / /new; do
    rm -f image
    make_image image 400M
    mkfs.ext4 -q -b 4096 image
    run 0 "$LKL_BIN/cptofs" -q -i image - $destination <archive.tar
    check_clean ext4 image
    host_mount image host ro
    compare_trees source host$destination --leave-out odd/special/socket
    umount host
done
run 10 "$LKL_BIN/cptofs" -i image - / < <(head -c 200000 archive.tar)
says "standard input: "
check_clean ext4 image
run 11 "$LKL_BIN/cptofs" -i image - / < <(head -c 20000 /dev/urandom)
says_one_line
