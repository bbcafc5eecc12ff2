#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# XFS: every kind of file gets into a mounted image, and is there as on the host.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"

copiers='tar'
fuse_keeps_every_file xfs --ignore attributes:trusted.SGI_
