# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# How a test that is a script says what became of it. Exit 77 skips the test.

set -euo pipefail
export LC_ALL=C.UTF-8

skip() {
    echo "SKIP: $*"
    exit 77
}

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# need COMMAND...: skips where one is missing.
need() {
    local command
    for command; do
        command -v "$command" >/dev/null || skip "$command is not installed"
    done
}

# checkers_mib: the memory that the kernel has beyond what it is told, in MiB, since it
# checks itself (debug, KASAN); 0 for others.
checkers_mib() {
    local image=${LKL_KERNEL_IMAGE:-$LKL_BUILD/lib/lkl/vmlinux} bytes
    # The note's 8 bytes, the least first.
    read -r -a bytes < <(readelf -n "$image" |
        sed -n '/^ *LKL /{n;s/.*description data: //p}')
    echo $(((0x${bytes[3]} << 24 | 0x${bytes[2]} << 16) >> 20))
}
