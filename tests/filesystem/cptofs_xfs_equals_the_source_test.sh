#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# XFS: every kind of file comes through, as the host's own mount shows it; the
# image is clean.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.xfs xfs_repair python3
need_root
need_host_filesystem xfs

fill_odd source
make_image image 600M
mkfs.xfs -q image >/dev/null
# XFS shows ACLs a second time, as attributes of its own.
cptofs_keeps_every_file xfs source --ignore attributes:trusted.SGI_
