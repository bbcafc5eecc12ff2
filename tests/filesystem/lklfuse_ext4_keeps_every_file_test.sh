#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# ext4: every kind of file gets into a mounted image, and is there as on the host.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"

copiers='cp rsync'
fuse_keeps_every_file ext4
