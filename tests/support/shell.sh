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
