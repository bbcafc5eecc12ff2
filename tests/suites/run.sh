#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh BUILD: the independent suites whose sources are named, each on our kernel and on
# the host's. They are not part of the project:
#   PACKETDRILL  packetdrill     https://github.com/google/packetdrill
#   PJDFSTEST    pjdfstest       https://github.com/pjd/pjdfstest
#   XFSTESTS     xfstests        https://git.kernel.org/pub/scm/fs/xfs/xfstests-dev.git
# LKL_SUITE_SECONDS: the time of a script (60); LKL_SUITE_ONLY: a pattern for their names.
# Exit code 0: what passes on the host's kernel passes on ours. 1: something does not.
# 2: no suite is named, or one of them cannot be run.
set -uo pipefail

here=$(dirname "$0")
build=${1:?usage: run.sh BUILD}
worst=2
named=''

# suite DIRECTORY NAME: 2 counts more than 1, and both more than 0.
suite()
{
    [ -n "$1" ] || return 0
    local code=0
    python3 -B "$here/$2.py" "$build" "$1" || code=$?
    [ -n "$named" ] || worst=0
    named=yes
    # A runner that breaks off has run nothing that counts.
    [ $code -le 2 ] || code=2
    [ $code -le "$worst" ] || worst=$code
}

suite "${PACKETDRILL:-}" packetdrill
suite "${PJDFSTEST:-}" pjdfstest
suite "${XFSTESTS:-}" xfstests
if [ -z "$named" ]; then
    echo "check-suites: name a directory of sources, which are not part of this project:" >&2
    sed -n 's/^#   \([A-Z]* .*\)/    \1/p' "$0" >&2
    echo "for instance: make check-suites PACKETDRILL=/usr/src/packetdrill" >&2
fi
exit "$worst"
