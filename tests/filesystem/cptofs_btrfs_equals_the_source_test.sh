#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Btrfs: every kind of file comes through, as the host's own mount shows it; the
# image is clean.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.btrfs btrfs python3
need_root
need_host_filesystem btrfs

fill_odd source
make_image image 600M
mkfs.btrfs -q image >/dev/null
cptofs_keeps_every_file btrfs source
