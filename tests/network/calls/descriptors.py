# SPDX-License-Identifier: GPL-2.0-only
"""Numbers of descriptors, what is asked of them, their names, and who inherits them."""

import array
import fcntl
import os
import resource
import socket
import stat
import struct
import termios
import threading
import time

from .common import attempt, later, pair


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
    for target in 1 << 21, 0x7fffffff:
        print(attempt(os.dup2, listed[0], target), attempt(os.dup2, 0, target))
    for sock in sockets:
        sock.close()


def limited_numbers():
    """A connection for which there is no number waits until there is one."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    print(attempt(listener.accept))
    client = socket.create_connection(listener.getsockname())
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, limits[1]))
    taken = []
    while (number := attempt(os.dup, 0)) != "EMFILE":
        taken.append(number)
    print(len(taken) > 0, attempt(socket.socket), [attempt(listener.accept) for _ in range(3)])
    os.close(taken[-1])
    accepted = listener.accept()[0]
    print(accepted.fileno() == taken.pop(), attempt(listener.accept))
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    print(client.send(b"to the server"), accepted.recv(100), accepted.send(b"and back"),
          client.recv(100))
    for number in taken:
        os.close(number)


def numbers_of_waiting_calls():
    """The number that accept() will return is nobody's while it waits."""
    listener = socket.create_server(("127.0.0.1", 0))
    lowest = os.dup(0)
    os.close(lowest)
    accepted = []
    threads = [threading.Thread(target=lambda: accepted.append(listener.accept()[0]))
               for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    other = os.dup(0)
    print(other - lowest, attempt(os.close, lowest), attempt(os.read, lowest, 1),
          attempt(os.dup, lowest), attempt(os.dup2, 0, lowest), attempt(os.dup2, lowest, other))
    os.closerange(lowest, lowest + 1)
    # A child has it free, and a program that is started does not have it.
    pid = os.fork()
    if pid == 0:
        os._exit(os.dup(0) - lowest)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", f"[ ! -e /proc/self/fd/{lowest} ]"], os.environ)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os.close(other)
    clients = [socket.create_connection(listener.getsockname()) for _ in threads]
    for thread in threads:
        thread.join(10)
    print(sorted(one.fileno() - lowest for one in accepted),
          [one.send(b"x") for one in accepted], [one.recv(1) for one in clients],
          [os.get_inheritable(one.fileno()) for one in accepted])
    # A call that fails has taken none.
    later(0.1, listener.shutdown, socket.SHUT_RD)
    before = os.dup(0)
    os.close(before)
    print(attempt(listener.accept))
    after = os.dup(0)
    os.close(after)
    print(after - before)


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
                 f"/proc/{os.getpid()}/fd/%d",
                 f"/proc/self/task/{threading.get_native_id()}/fd/%d",
                 f"/proc/{os.getpid()}/task/{threading.get_native_id()}/fd/%d"):
        path %= a.fileno()
        print(attempt(open, path, "wb"), stat.S_ISSOCK(os.stat(path).st_mode),
              os.readlink(path).split("[")[0])
    print(attempt(os.stat, f"/proc/self/task/1/fd/{a.fileno()}"),
          attempt(os.readlink, f"/proc/self/fd/0{a.fileno()}x"))
