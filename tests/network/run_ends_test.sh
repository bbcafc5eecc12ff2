#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# However a program ends, what it said was written is in the image, or a line tells that it is not.
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/support/program.sh
. "$here/../support/program.sh"
need mkfs.ext4 debugfs dumpe2fs unshare /usr/bin/python3

make_image() {
    rm -f image
    truncate -s 128M image
    mkfs.ext4 -q image || fail "mkfs.ext4"
}

# ends WAY STATUS TEXT: what is in the file afterwards.
ends() {
    local status=0
    make_image
    timeout -k 5 30 "$LKL_BIN/lkl" run --mount image:/image -- \
        "$LKL_TESTS/network/run_ends" /image "$1" counts 2>error || status=$?
    [ "$status" = "$2" ] || fail "$1: $status: $(cat error)"
    [ ! -s error ] || fail "$1: $(cat error)"
    "$LKL_BIN/lkl" cat image:/written >text 2>error || fail "$1: $(cat error)"
    [ "$(cat text)" = "$3" ] || fail "$1: there is: $(cat text)"
}

is_clean() {
    dumpe2fs -h image >header 2>/dev/null
    ! grep -q needs_recovery header || fail "$1: not unmounted"
}

# libc writes what stdio holds after all destructors.
for way in stdio redirected thread last-thread; do
    ends $way 0 written
    is_clean $way
done
ends destructor 0 late
# And does not where the program has it forgotten, here as on the host.
for way in quick _exit; do
    ends $way 0 ''
done
ends forked 0 'written
more'
ends abort 134 written

# Who comes later waits for who ends the process.
ends two-exits 0 written
is_clean two-exits
ends term-at-exit 0 written
is_clean term-at-exit

# Nothing comes between a signal and the end.
for way in interrupted sigsuspend ppoll handler; do
    ends $way 143 written
done

# Nobody is told of more than is there.
status=0
make_image
timeout -k 5 30 "$LKL_BIN/lkl" run --mount image:/image -- \
    "$LKL_TESTS/network/run_ends" /image writers counts 2>error || status=$?
[ "$status" = 143 ] || fail "writers: $status: $(cat error)"
for file in 0 1 2 3; do
    "$LKL_BIN/lkl" cat "image:/$file" >"$file" 2>error || fail "file $file: $(cat error)"
done
/usr/bin/python3 -c '
import os, struct
with open("counts", "rb") as counts:
    for number, count in enumerate(struct.unpack("4Q", counts.read())):
        there = os.path.getsize(str(number)) // 64
        if there < count:
            raise SystemExit(f"file {number}: {count} records were written, {there} are there")
' || fail "writers"

# A thread that waits in our kernel is no reason to stay; nor is a kernel that hangs, for which
# the thread stands that writes back.
wait_for_end() {
    /usr/bin/python3 -c '
import ctypes, os, signal, subprocess, sys, time
lkl, program, hang = sys.argv[1:]
run = subprocess.Popen([lkl, "run", "--mount", "image:/image", "--", program, "/image", "waits"],
                       stdout=subprocess.PIPE)
assert run.stdout.readline() == b"ready\n"
signal.alarm(30)
held = 0
if hang == "hang":
    libc = ctypes.CDLL(None, use_errno=True)
    PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207
    WALL = 0x40000000
    # A thread has its name from when it first runs.
    while not held:
        for thread in os.listdir(f"/proc/{run.pid}/task"):
            with open(f"/proc/{run.pid}/task/{thread}/comm") as name:
                if name.read() == "lkl-end\n":
                    held = int(thread)
    assert libc.ptrace(PTRACE_SEIZE, held, None, None) == 0
    assert libc.ptrace(PTRACE_INTERRUPT, held, None, None) == 0
    os.waitpid(held, WALL)
begin = time.monotonic()
run.send_signal(signal.SIGTERM)
if held:
    os.waitpid(held, WALL)
status = run.wait()
assert status == -signal.SIGTERM, status
took = time.monotonic() - begin
assert 9 < took if hang == "hang" else took < 8, took
' "$LKL_BIN/lkl" "$LKL_TESTS/network/run_ends" "$1" 2>error || fail "$1: $(cat error)"
}
make_image
wait_for_end free
[ ! -s error ] || fail "a thread in the kernel: $(cat error)"
[ "$("$LKL_BIN/lkl" cat image:/written 2>/dev/null)" = written ] || fail "lost in the kernel"
make_image
wait_for_end hang
[ "$(grep -c '^lkl run: not all that was written may be in the images' error)" = 1 ] ||
    fail "a kernel that hangs: $(cat error)"

# What finds no room is told.
mkdir small
status=0
# shellcheck disable=SC2016  # the inner shells'
unshare -m sh -c 'mount -t tmpfs -o size=16M none small && truncate -s 64M small/image &&
    mkfs.ext4 -q small/image &&
    timeout -k 5 60 "$0" run --mount small/image:/image -- \
        bash -c "printf %20000000s x >/image/big; kill -TERM \$\$"' \
    "$LKL_BIN/lkl" 2>error || status=$?
[ "$status" = 143 ] || fail "no room: $status: $(cat error)"
grep -q '^lkl run: .*small/image: not all that was written is in the image' error ||
    fail "no room: $(cat error)"
