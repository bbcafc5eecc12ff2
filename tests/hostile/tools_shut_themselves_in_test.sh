#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every tool, caught at its work, as root and as an ordinary user: all its threads have a
# filter and no_new_privs, capabilities that it does not need are gone, the network is
# another one. With --no-sandbox none of that, and it says so.
# shellcheck source=tests/hostile/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 setpriv mkfifo
need_root
need_filter

user=65534
chmod 755 .
make_image image 32M
mkdir tree out
head -c 8M /dev/urandom >tree/large
seq 10000 >tree/small
mkfs.ext4 -q -d tree image
tar -cf tree.tar tree
mkfifo slow
chown -R $user:$user image tree tree.tar out slow

# caught EFFECTIVE COMMAND...: starts it; it cannot end before the FIFO "slow" is served.
# Its threads are shut in, with these capabilities.
caught() {
    local expected=$1 thread effective
    shift
    # Not with the FIFO's other end, whose end it waits for.
    "$@" <&0 8>&- &
    tool=$!
    for _ in $(seq 200); do
        [ "$(status_of $tool Seccomp 2>/dev/null)" = 2 ] && break
        sleep 0.05
    done
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

# ends: the tool ends well.
ends() {
    wait "$tool" || fail "exit code $?"
}

# Standard output that is not read, and standard input that does not come.
as_user="setpriv --reuid $user --regid $user --clear-groups"
for as in "" "$as_user"; do
    exec 8<>slow # with a reader, so that nobody waits when it is opened
    caught 0 $as "$LKL_BIN/fs2tar" -q image slow
    cat slow >archive 8>&- &
    reader=$!
    ends
    exec 8>&-
    wait $reader
    tar -tf archive large small >/dev/null || fail "the archive"

    exec 8<>slow
    caught 0 $as "$LKL_BIN/tar2fs" -q - image <slow
    cat tree.tar >&8
    exec 8>&-
    ends

    exec 8<>slow
    caught 0 $as "$LKL_BIN/cptofs" -q -i image - / <slow
    cat tree.tar >&8
    exec 8>&-
    ends

    exec 8<>slow
    caught 0 $as "$LKL_BIN/cpfromfs" -q -i image /large - >slow
    cat slow >archive 8>&- &
    reader=$!
    ends
    exec 8>&-
    wait $reader
done

$as_user "$LKL_BIN/cpfromfs" -q -i image /large out
cmp tree/large out/large
run 0 "$LKL_BIN/fs2tar" --no-sandbox -q image plain.tar
says "--no-sandbox: "
says_one_line
