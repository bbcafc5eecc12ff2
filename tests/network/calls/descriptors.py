# SPDX-License-Identifier: GPL-2.0-only
"""Numbers of descriptors, what is asked of them, their names, and who inherits them."""

import array
import fcntl
import os
import socket
import stat
import struct
import termios
import time

from .common import attempt, pair


def numbers():
    """Closing and doubling of numbers."""
    first = os.dup(0)
    os.close(first)
    a, b = pair()
    fd = a.detach()
    second = os.dup(fd)
    print(second > fd, os.get_inheritable(fd), os.get_inheritable(second))
    os.close(fd)
    b.send(b"over the second number")
    print(os.read(second, 100))
    high = fcntl.fcntl(second, fcntl.F_DUPFD_CLOEXEC, 200)
    print(high, fcntl.fcntl(high, fcntl.F_GETFD))
    pipe, other = os.pipe()
    os.dup2(second, pipe)
    b.send(b"over a pipe's number")
    print(os.read(pipe, 100), attempt(os.write, other, b"x"))
    os.dup2(other, pipe)
    print(attempt(os.read, pipe, 1))
    os.close(second)
    print(attempt(os.read, second, 1), os.fstat(high).st_mode & 0o170000 == 0o140000)
    os.closerange(high, high + 5)
    print(attempt(os.read, high, 1), b.recv(1))
    lowest = os.dup(0)
    os.close(lowest)
    sockets = [socket.socket() for _ in range(50)]
    listed = sorted(sock.fileno() for sock in sockets)
    print(listed[0] == lowest, listed[-1] - listed[0])
    for sock in sockets:
        sock.close()


def flags_and_requests():
    """fcntl(), ioctl() and options."""
    a, b = pair()
    flags = fcntl.fcntl(a, fcntl.F_GETFL)
    print(flags & os.O_ACCMODE == os.O_RDWR)
    a.setblocking(False)
    print(attempt(a.recv, 1), bool(fcntl.fcntl(a, fcntl.F_GETFL) & os.O_NONBLOCK))
    b.send(b"12345")
    time.sleep(0.05)
    count = array.array("i", [0])
    fcntl.ioctl(a, termios.FIONREAD, count)
    print(count[0], os.isatty(a.fileno()), attempt(os.lseek, a.fileno(), 0, 0))
    print(attempt(fcntl.fcntl, a, fcntl.F_SETOWN, os.getpid()),
          len(attempt(fcntl.ioctl, a, 0x8901, struct.pack("i", os.getpid()))))  # FIOSETOWN
    a.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    print(a.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
          a.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_STREAM)
    a.settimeout(0.1)
    a.recv(10)
    try:
        a.recv(1)
    except socket.timeout:
        print("timeout")
    b.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    b.close()
    time.sleep(0.05)
    print(attempt(a.recv, 1), attempt(socket.socket(socket.AF_INET, 77).bind, ("", 0))
          if False else attempt(socket.create_connection, ("127.0.0.1", 1)))


def child_processes():
    """Programs that are started use the host's descriptors."""
    a, b = pair()
    output = os.popen("echo from a shell").read()
    print(output.strip(), a.send(b"still there"), b.recv(100))
    pid = os.fork()
    if pid == 0:
        os.close(a.fileno())
        os._exit(7)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), a.send(b"and after fork"), b.recv(100))
    print(os.waitstatus_to_exitcode(os.spawnlp(os.P_WAIT, "true", "true")))
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 3"], os.environ,
                         file_actions=[(os.POSIX_SPAWN_CLOSE, b.fileno())])
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), a.send(b"and after spawn"), b.recv(100))


def names_of_descriptors():
    """A socket is one by its name in /dev and /proc too, and is not opened there."""
    a, _ = pair()
    for path in ("/dev/fd/%d", "/proc/self/fd/%d", "/proc/thread-self/fd/%d",
                 "/proc/" + str(os.getpid()) + "/fd/%d"):
        path %= a.fileno()
        print(attempt(open, path, "wb"), stat.S_ISSOCK(os.stat(path).st_mode),
              os.readlink(path).split("[")[0])
