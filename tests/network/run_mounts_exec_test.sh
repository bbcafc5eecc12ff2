#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a thread was told is written to an image is there when another thread has started a
# program in the place of theirs, on file systems with and without a freeze of their own; and an
# exec that fails leaves all threads writing.
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/support/program.sh
. "$here/../support/program.sh"
need mkfs.ext4 mkfs.vfat e2fsck /usr/bin/python3

# compare: each file has all the records that were counted, and nothing else.
compare() {
    local file
    for file in 0 1 2 3 4; do
        "$LKL_BIN/lkl" cat "image:/$file" >"$file" || fail "$*: file $file cannot be read"
    done
    /usr/bin/python3 -c '
import struct
record = 64
with open("counts", "rb") as counts:
    counts = struct.unpack("5Q", counts.read())
for number, count in enumerate(counts):
    with open(str(number), "rb") as file:
        data = file.read()
    there = len(data) // record
    if there < count:
        raise SystemExit(f"file {number}: {count} records were written, {there} are there")
    for i in range(count):
        if data[i * record:(i + 1) * record] != struct.pack("Q", i) * (record // 8):
            raise SystemExit(f"file {number}: record {i} is another one")' || fail "$*"
}

make_image() {
    rm -f image
    truncate -s 512M image
    "mkfs.$1" image >/dev/null 2>&1 || fail "mkfs.$1"
}

run() {
    local type=$1 way=$2
    make_image "$type"
    timeout 60 "$LKL_BIN/lkl" run --mount image:/image -- \
        "$LKL_TESTS/network/threads_at_exec" /image counts "$way" 2>error ||
        fail "$type, $way: $(cat error)"
    compare "$type, $way"
}

for way in plain failed handlers in-handler two borrowed; do
    run ext4 "$way"
    e2fsck -fn image >check 2>&1 || fail "$way: $(cat check)"
    run vfat "$way"
done

# The handler of a filter's signal has its turn on images that are not frozen.
run vfat trapped

# A child that is forked while the process ends can start a program: none stays behind, which
# would hold the output open.
mkfifo output
for _ in 1 2 3; do
    make_image vfat
    timeout 60 "$LKL_BIN/lkl" run --mount image:/image -- \
        "$LKL_TESTS/network/threads_at_exec" /image counts ending >output 2>error &
    timeout 30 cat output >/dev/null || fail "a child of a process that ended is still there"
    wait $! || fail "ending: $(cat error)"
    compare ending
done

# Those that have a freeze and those that have none are many.
for type in exfat xfs btrfs f2fs; do
    ! command -v "mkfs.$type" >/dev/null || run "$type" plain
done

# An image that may only be read is nothing to wait for.
chmod a-w image
[ "$(id -u)" = 0 ] || timeout 30 "$LKL_BIN/lkl" run --mount image:/image -- \
    sh -c 'ls /image >/dev/null; exec true' || fail "an image that may only be read"
