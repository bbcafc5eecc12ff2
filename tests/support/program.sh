# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For tests that run a tool on a program that uses the library: a directory of
# their own, and the program.

# shellcheck source=tests/support/shell.sh
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/shell.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/lkl-test-XXXXXX")
cd "$work"
child=''
clean_up() {
    local status=$?
    [ -z "$child" ] || kill -9 "$child" 2>/dev/null || true
    cd /
    rm -rf "$work"
    exit "$status"
}
trap clean_up EXIT

# build_program SOURCE: ./program, with symbols, linked to the library of the build.
build_program() {
    local sanitize=()
    [ -z "$LKL_SANITIZE" ] || sanitize=("-fsanitize=$LKL_SANITIZE")
    cc -std=gnu11 -g -O1 -fno-omit-frame-pointer -fno-optimize-sibling-calls -Wall -Wextra -Werror \
        "${sanitize[@]}" -I"$LKL_INCLUDE" "$1" -o program \
        -L"$LKL_LIB" -llkl -pthread -Wl,-rpath,"$LKL_LIB"
}

# start_program ARGUMENT...: in the background as $child, until it says "ready".
start_program() {
    mkfifo ready
    ./program "$@" >ready &
    child=$!
    local line
    read -r -t 120 line <ready || fail "the program does not start"
    [ "$line" = ready ] || fail "the program says: $line"
}

# expect FILE PATTERN...: each is found, in this order.
expect() {
    local file=$1 at=0 found
    shift
    for pattern; do
        found=$(tail -n +$((at + 1)) "$file" | grep -nE -m1 -- "$pattern" | cut -d: -f1) || true
        if [ -z "$found" ]; then
            cat "$file" >&2
            fail "not found after line $at: $pattern"
        fi
        at=$((at + found))
    done
}
