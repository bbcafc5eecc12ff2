#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The types that the host's kernel may lack: the real checker is content, and a new kernel
# of ours reads what was put in. They hold different things; here are those that all do.
# shellcheck source=tests/filesystem/lkl_mkimage.sh
. "$(dirname "$0")/lkl_mkimage.sh"
need python3
need_root

plain_tree source
fat=(--ignore mode --ignore uid --ignore gid)
for type in f2fs nilfs2 jfs udf ntfs vfat exfat; do
    options=()
    case $type in
    # The top directory of FAT has no times.
    vfat | exfat) options=("${fat[@]}" --leave-out .) ;;
    ntfs) options=("${fat[@]}") ;;
    esac
    run 0 mkimage --fs "$type" source "$type.image"
    [ ! -s stderr ] || fail "$type: it says something"
    check_made "$type" "$type.image"
    our_kernel_sees "$type.image" source --leave-out .nilfs "${options[@]}"
    rm "$type.image"
done
