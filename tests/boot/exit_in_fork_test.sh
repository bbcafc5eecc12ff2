#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A process that ends while one of its threads forks ends as it says, with the library linked
# to it and with the one that lkl run lays under it.
# shellcheck source-path=SCRIPTDIR source=../support/program.sh
. "$LKL_SOURCE/tests/support/program.sh"
need cc mkfs.ext4
build_program "$LKL_SOURCE/tests/boot/exit_in_fork.c"
truncate -s 16M image
mkfs.ext4 -q image

# ends AS COMMAND...: with exit code 7.
ends() {
    local as=$1 status=0
    shift
    timeout 90 "$@" 2>error || status=$?
    [ "$status" = 7 ] || fail "$as: exit code $status: $(cat error)"
}

ends "linked" ./program image
[ -n "$LKL_SANITIZE" ] ||
    ends "under lkl run" "$LKL_BIN/lkl" run --mount image:/image -- ./program
