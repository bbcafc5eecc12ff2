#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Calls on sockets, pipes, files and epolls in all combinations do under lkl run what they
# do on the host; those that the program makes by instructions of its own are caught.
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/support/program.sh
. "$here/../support/program.sh"
need /usr/bin/python3 unshare

# Where no interface of the host is up, its stack cannot help out.
alone() {
    timeout 120 unshare -n "$@"
}
# compare [CASE...]
compare() {
    timeout 120 /usr/bin/python3 -B "$here/run_calls.py" "$@" >host || fail "it fails on the host"
    alone "$LKL_BIN/lkl" run --net none -- /usr/bin/python3 -B "$here/run_calls.py" "$@" \
        >ours 2>errors || fail "it fails under lkl run: $(cat errors)"
    diff host ours || fail "results differ"
}
compare
# In a process of its own: the first socket starts our kernel.
compare watched_before_any_socket

"$LKL_TESTS/network/raw_calls" || fail "raw calls fail on the host"
alone "$LKL_TESTS/network/raw_calls" >output && fail "the host's loopback interface is up"
alone "$LKL_BIN/lkl" run -- "$LKL_TESTS/network/raw_calls" || fail "raw calls fail"
alone "$LKL_BIN/lkl" run --no-dispatch -- "$LKL_TESTS/network/raw_calls" >output &&
    fail "--no-dispatch catches them too"
# What io_uring does for a program would go past us: there is none, whoever asks for it.
alone "$LKL_BIN/lkl" run -- "$LKL_TESTS/network/raw_calls" 425 426 427 >output ||
    fail "io_uring by instructions"
[ "$(cat output)" = $'-38\n-38\n-38' ] || fail "io_uring by instructions: $(cat output)"
alone "$LKL_BIN/lkl" run -- /usr/bin/python3 -c '
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
for call in 425, 426, 427:
    assert libc.syscall(call, 0, 0, 0, 0, 0, 0) == -1, call
    assert ctypes.get_errno() == errno.ENOSYS, (call, ctypes.get_errno())' || fail "io_uring by libc"
# The resolver and stdio of libc make calls that no symbol catches.
alone "$LKL_BIN/lkl" run -- /usr/bin/python3 -c '
import socket
assert socket.getaddrinfo("localhost", 80)
assert [name for _, name in socket.if_nameindex()][0] == "lo"' || fail "libc fails"

# What would share memory with the program is refused at once, so that programs do without.
alone "$LKL_BIN/lkl" run -- /usr/bin/python3 -c '
import errno, mmap, socket
one = socket.socket()
for error, function in ((errno.EOPNOTSUPP, lambda: one.setsockopt(socket.SOL_SOCKET, 60, 1)),
                        (errno.ENODEV, lambda: mmap.mmap(one.fileno(), 4096, mmap.MAP_SHARED,
                                                         mmap.PROT_READ))):
    try:
        function()
    except OSError as failure:
        assert failure.errno == error, failure
    else:
        raise SystemExit("SO_ZEROCOPY, or a mapping of a socket")' || fail "shared memory"

# A process ends while handlers of its signals run: on the host at once.
for interval in 0.0003 0.001 0.005; do
    alone timeout 30 "$LKL_BIN/lkl" run --net none -- /usr/bin/python3 -c '
import os, signal, socket, sys
one = socket.create_server(("127.0.0.1", 0))
other = socket.create_connection(one.getsockname())
signal.signal(signal.SIGALRM, lambda *_: None)
signal.signal(signal.SIGCHLD, lambda *_: None)
for _ in range(8):
    if os.fork() == 0:
        os._exit(0)
signal.setitimer(signal.ITIMER_REAL, *[float(sys.argv[1])] * 2)
os._exit(0)' "$interval" 2>error ||
        fail "it does not end with a signal each $interval s: $(cat error)"
done

# As many epolls, and threads that wait for both sides, as numbers are left.
alone "$LKL_BIN/lkl" run --net none -- /usr/bin/python3 -c '
import os, resource, select, socket, threading
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
one = socket.socket()
many = [select.epoll() for _ in range(300)]
many[299].register(one, select.EPOLLIN)
read, write = os.pipe()
barrier = threading.Barrier(150, timeout=60)
failed = []
def wait():
    poll = select.poll()
    poll.register(one, select.POLLIN | select.POLLHUP)
    poll.register(read, select.POLLIN)
    try:
        poll.poll(1)
    except OSError as error:
        failed.append(error)
    barrier.wait()
threads = [threading.Thread(target=wait) for _ in range(150)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not failed, failed[0]' || fail "many epolls"
