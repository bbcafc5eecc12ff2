#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Where sources go, and what happens to what is there: as cp -a does it, on the host's
# mount of the same image.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 python3
need_root
need_host_filesystem ext4

mkdir -p source/tree/sub source/other
echo one >source/one
echo two >source/two
echo deep >source/tree/sub/deep
ln -s one source/link
ln source/one source/other/linked
chmod 750 source/tree/sub
find source -depth -exec touch -h -d '2020-02-03 04:05:06.789' {} +

# The image before: directories to merge with, files to replace.
mkdir -p before/dir/tree/sub before/dir/one.d
echo old >before/dir/one
ln before/dir/one before/dir/other-name
echo keep >before/dir/tree/keep
echo old >before/dir/tree/sub/deep
ln -s dir before/to-dir
make_image original 4M
mkfs.ext4 -q -O ^has_journal -d before original

# check CODE SOURCE... DESTINATION: cp -a and cptofs do the same.
check() {
    local code=$1 host_code=0
    shift
    local destination="${*: -1}"
    cp original ours
    cp original theirs
    run "$code" "$LKL_BIN/cptofs" -i ours "${@:1:$#-1}" "$destination"
    host_mount theirs theirs.mount
    cp -a --remove-destination "${@:1:$#-1}" "theirs.mount$destination" 2>/dev/null || host_code=$?
    [ "$((code != 0))" = "$host_code" ] || fail "cp -a ends with $host_code: $*"
    host_mount ours ours.mount ro
    # What a directory that takes files in gets as its time is the moment of the copy.
    touch -d @0 theirs.mount theirs.mount/dir
    compare_trees theirs.mount ours.mount --ignore mtime
    umount ours.mount theirs.mount
}
check 0 source/one /new
check 0 source/one /dir
check 0 source/one /dir/one
check 0 source/tree /
check 0 source/tree /dir
check 0 source/tree/. /dir
check 0 source/. /
check 0 source/one source/other /dir
check 0 source/one /to-dir
check 8 source/one source/two /nowhere
check 10 source/tree /dir/one
