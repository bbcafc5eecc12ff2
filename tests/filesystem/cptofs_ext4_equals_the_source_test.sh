#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# ext4: every kind of file comes through, as the host's own mount shows it; the
# image is clean.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 e2fsck python3
need_root
need_host_filesystem ext4

fill source
make_image image 600M
mkfs.ext4 -q -b 4096 image >/dev/null
cptofs_keeps_every_file ext4 source
