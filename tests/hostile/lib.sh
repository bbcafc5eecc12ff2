# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests of the tools' sandbox share, beside those of file systems.

# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../filesystem/lib.sh"

# need_filter: sanitizers do what the filter of system calls would kill for.
need_filter() {
    [ -z "${LKL_SANITIZE:-}" ] || skip "a sanitizer's build has no filter"
}

# status_of PROCESS KEY: a word of its /proc/PROCESS/status.
status_of() {
    sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}
