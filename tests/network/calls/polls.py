# SPDX-License-Identifier: GPL-2.0-only
"""The edges of poll() and select(): their sets, times and masks."""

import ctypes
import errno
import os
import signal
import socket
import struct
import time

from .common import later

LIBC = ctypes.CDLL(None, use_errno=True)
SYSCALLS = {"select": 23, "pselect6": 270, "ppoll": 271}
LONGEST = (1 << 63) - 1


def call(name, *args):
    """By its number: libc changes some of the arguments. The result, or its error's name."""
    ctypes.set_errno(0)
    LIBC.syscall.restype = ctypes.c_long
    result = LIBC.syscall(ctypes.c_long(SYSCALLS[name]), *(
        ctypes.c_long(one) if isinstance(one, int) else one for one in args))
    return errno.errorcode[ctypes.get_errno()] if result == -1 else result


def datagrams():
    """A socket with an address, and one that is connected to it."""
    one, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    one.bind(("127.0.0.1", 0))
    other.connect(one.getsockname())
    return one, other


def bits(*fds):
    """A set of select(2), and what else the program has behind it."""
    words = [0] * 16
    for fd in fds:
        words[fd // 64] |= 1 << fd % 64
    return ctypes.create_string_buffer(struct.pack("16Q", *words) + b"?" * 65536)


def members(given):
    """The numbers in a set; the memory behind it is as it was."""
    words = struct.unpack("16Q", given.raw[:128])
    assert given.raw[128:65664] == b"?" * 65536, "written behind the set"
    return [i for i in range(1024) if words[i // 64] >> i % 64 & 1]


def select_of_all():
    """As many numbers as there may be, which is more than a set has room for."""
    one, other = datagrams()
    other.send(b"x")
    time.sleep(0.05)
    for count in (1024, 1025, 2048, 20000, 500000, 0x7fffffff):
        readable, writable = bits(one.fileno()), bits(one.fileno(), other.fileno())
        print(call("select", count, readable, writable, None, (ctypes.c_long * 2)(5, 0)),
              members(readable) == [one.fileno()],
              members(writable) == sorted((one.fileno(), other.fileno())))
    readable = bits(one.fileno())
    print(call("select", -1, readable, None, None, None), members(readable) == [one.fileno()])


def select_of_closed():
    """One number that is closed is an error, whatever else is ready, and changes nothing."""
    one, other = datagrams()
    other.send(b"x")
    time.sleep(0.05)
    closed = os.dup(0)
    os.close(closed)
    for timeout in ((0, 0), (5, 0)):
        readable = bits(one.fileno(), closed)
        print(call("select", 1024, readable, None, None, (ctypes.c_long * 2)(*timeout)),
              members(readable) == sorted((one.fileno(), closed)))


def times_of_polls():
    """What is no time is refused; one that is written differently is one."""
    one, _ = datagrams()
    poll = ctypes.create_string_buffer(struct.pack("iHH", one.fileno(), 1, 0))

    def wait(name, at_least, *given):
        """What came of it, and what is left of the time."""
        left = (ctypes.c_long * 2)(*given)
        start = time.monotonic()
        if name == "ppoll":
            result = call(name, poll, 1, left, None, 8)
        else:
            result = call(name, 1024, bits(one.fileno()), None, None, left, None)
        took = time.monotonic() - start
        return name, given, result, at_least <= took < at_least + 5, list(left)
    for name in "ppoll", "pselect6":
        for given in ((-1, 0), (0, -1), (0, 1_000_000_000), (0, 2_000_000_000), (0, 0),
                      (LONGEST, 1_000_000_000)):
            print(*wait(name, 0, *given))
        print(*wait(name, 0.1, 0, 100_000_000))
    for given in ((-1, 0), (0, -1), (1, -1_000_000), (0, 0), (LONGEST, 2_000_000),
                  (-2, 2_000_000)):
        print(*wait("select", 0, *given))
    for at_least, given in ((0.1, (0, 100_000)), (1.1, (0, 1_100_000)), (1.1, (-2, 3_100_000))):
        print(*wait("select", at_least, *given))
    # Longer than a clock can tell.
    signal.signal(signal.SIGALRM, lambda *_: None)
    for name, parts in (("ppoll", (LONGEST, 999_999_999)), ("pselect6", (LONGEST, 0)),
                        ("select", (LONGEST - 1, 1_999_999))):
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        name, _, result, took, left = wait(name, 0.1, *parts)
        print(name, result, took, left[0] > 1 << 60)


def masks_of_polls():
    """A mask counts for who waits: where something is ready, a signal stays pending."""
    one, other = datagrams()
    read, write = os.pipe()
    # A handler that is no Python: any function will do.
    LIBC.signal(signal.SIGUSR1, LIBC.getpid)
    lets_in = ctypes.c_uint64(0)
    masks = (ctypes.c_size_t * 2)(ctypes.addressof(lets_in), 8)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    fds = {"socket": (one.fileno(),), "both": (one.fileno(), read)}

    def wait(name, kinds, *given):
        given = (ctypes.c_long * 2)(*given)
        if name == "pselect6":
            return call(name, 1024, bits(*fds[kinds]), None, None, given, masks)
        poll = b"".join(struct.pack("iHH", fd, 1, 0) for fd in fds[kinds])
        return call(name, ctypes.create_string_buffer(poll), len(fds[kinds]), given,
                    ctypes.byref(lets_in), 8)

    def pending():
        return signal.SIGUSR1 in signal.sigpending()

    def blocked():
        return signal.SIGUSR1 in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    for name in "ppoll", "pselect6":
        for kinds in fds:
            print(name, kinds)
            # Ready: the host's side, ours, both.
            for sends in ((lambda: os.write(write, b"x"),) if kinds == "both" else ()) + (
                    lambda: other.send(b"x"),):
                sends()
                time.sleep(0.05)
                os.kill(os.getpid(), signal.SIGUSR1)
                print(wait(name, kinds, 5, 0), pending(), blocked(), wait(name, kinds, 0, 0),
                      pending())
            one.recv(1)
            if kinds == "both":
                os.read(read, 1)
            print(wait(name, kinds, 0, 0), pending(), blocked(), wait(name, kinds, 0, 0))
            os.kill(os.getpid(), signal.SIGUSR1)
            print(wait(name, kinds, 5, 0), pending(), blocked(), wait(name, kinds, 0, 50_000_000))
            thread = later(0.1, os.kill, os.getpid(), signal.SIGUSR1)
            print(wait(name, kinds, 5, 0), pending(), blocked())
            thread.join()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
