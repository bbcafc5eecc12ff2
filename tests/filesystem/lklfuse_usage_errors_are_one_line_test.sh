#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A wrong command line, or a mount that cannot be: an exit code and one line, before the
# process goes to the background. --help and --version: 0.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext4
need_root

small_image image
mkdir mount
usage() {
    run 1 "$LKL_BIN/lklfuse" "$@"
    says_one_line
}
usage
usage image
usage image mount third
usage image mount -o nonsense
usage image mount --nonsense
usage image mount -o part=x
usage image mount -o part=
usage image mount -o mb=0
usage image mount -o mb=12x
usage image mount -o max_threads=0
usage image mount -o
run 2 "$LKL_BIN/lklfuse" none mount
says_one_line
run 2 "$LKL_BIN/lklfuse" mount mount
says_one_line
run 6 "$LKL_BIN/lklfuse" image none
says_one_line
run 6 "$LKL_BIN/lklfuse" image image
says_one_line
run 6 "$LKL_BIN/lklfuse" image mount -o log=none/log
says_one_line
run 6 "$LKL_BIN/lklfuse" image mount -o lock=none/lock
says_one_line
head -c 100000 /dev/zero >zeroes
run 3 "$LKL_BIN/lklfuse" zeroes mount
says_one_line
mountpoint -q mount && fail "something is mounted"
run 0 "$LKL_BIN/lklfuse" --version >version
grep -qx 'lklfuse [0-9].*' version || fail "--version says: $(cat version)"
run 0 "$LKL_BIN/lklfuse" --help >help
for option in type= part= ro opts= mb= log= lock= max_threads= clone_fd no_sandbox -f -d -s -q \
    allow_other '^Examples:$'; do
    grep -q -e "$option" help || fail "--help does not name $option"
done
