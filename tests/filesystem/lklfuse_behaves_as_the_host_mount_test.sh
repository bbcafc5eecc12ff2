#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What programs can tell of a mounted image, they tell of the host's own mount of it:
# names, errors, data, holes, owners, permissions, attributes, ACLs, flags, locks, times.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext4 mkfs.xfs python3
need_root

for type in ext4 xfs; do
    need_host_filesystem $type
    make_image image 600M
    mkfs.$type -q image >/dev/null
    cp --sparse=always image other
    host_mount other host
    python3 -B "$here/file_semantics.py" host >expected || fail "the host's mount fails: $(tail -1 expected)"
    umount host
    fuse_start image mount -o allow_other
    python3 -B "$here/file_semantics.py" mount >actual || fail "it fails after: $(tail -1 actual)"
    fuse_stop mount
    diff -u expected actual >&2 || fail "$type: behaves differently"
    check_clean $type image
    rm image other
done
