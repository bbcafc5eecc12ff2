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

tool=''
# caught EFFECTIVE COMMAND...: starts it, as $tool; it must not end by itself. Its
# threads are shut in, with these capabilities, and what it inherits (7) is closed.
caught() {
    local expected=$1 thread effective
    shift
    # Not with the other end (8) of a FIFO whose end it waits for.
    "$@" <&0 7</etc/passwd 8>&- &
    tool=$!
    for _ in $(seq 200); do
        [ "$(status_of $tool Seccomp 2>/dev/null)" = 2 ] && break
        sleep 0.05
    done
    ! holds $tool /etc/passwd || fail "a descriptor was inherited: $*"
    for thread in "/proc/$tool/task"/*; do
        [ "$(sed -n 's/^Seccomp:\t//p' "$thread/status")" = 2 ] || fail "no filter: $*"
        [ "$(sed -n 's/^NoNewPrivs:\t//p' "$thread/status")" = 1 ] || fail "new rights: $*"
        effective=$(sed -n 's/^CapEff:\t//p' "$thread/status")
        [ $((16#$effective)) = $((expected)) ] || fail "capabilities $effective: $*"
    done
    if [ "$(stat -c %u /proc/$tool)" = 0 ]; then
        [ $((16#$(status_of $tool CapBnd))) = $((expected)) ] || fail "the bounding set: $*"
        [ "$(readlink /proc/$tool/ns/net)" != "$(readlink /proc/self/ns/net)" ] ||
            fail "the network: $*"
    fi
}

# holds PROCESS FILE: one of its descriptors is this file.
holds() {
    [[ $1 =~ ^[0-9]+$ && -d /proc/$1/fd ]] || fail "there is no one process: '$1'"
    [ -n "$(find "/proc/$1/fd" -lname "$2")" ]
}

# ends: the tool ends well.
ends() {
    wait "$tool" || fail "exit code $?"
}
