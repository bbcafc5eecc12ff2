# SPDX-License-Identifier: GPL-2.0-only
"""sendfile() and splice() between sockets, files and pipes."""

import ctypes
import errno
import fcntl
import os
import signal
import socket
import struct
import tempfile
import termios
import threading
import time

from .common import attempt, fill, later, pair, read_all


def copies():
    """sendfile() and splice() to and from sockets."""
    with tempfile.TemporaryFile() as file:
        data = os.urandom(1 << 20)
        file.write(data)
        file.flush()
        a, b = pair()
        received = []

        def receive(size):
            chunks = b""
            while len(chunks) < size:
                chunks += b.recv(1 << 16)
            received.append(chunks)
        thread = threading.Thread(target=receive, args=(len(data),))
        thread.start()
        offset = 0
        while offset < len(data):
            offset += os.sendfile(a.fileno(), file.fileno(), offset, len(data) - offset)
        thread.join()
        print(received.pop() == data, file.tell() == len(data))
        file.seek(10)
        thread = threading.Thread(target=receive, args=(1000,))
        thread.start()
        sent = os.sendfile(a.fileno(), file.fileno(), None, 1000)
        thread.join()
        print(sent, received.pop() == data[10:1010], os.lseek(file.fileno(), 0, 1))
    read, write = os.pipe()
    os.write(write, b"through a pipe")
    print(os.splice(read, a.fileno(), 100), b.recv(100))
    b.send(b"into a pipe")
    print(os.splice(a.fileno(), write, 100), os.read(read, 100))
    print(a.sendmsg([b"in ", b"pieces"]), b.recvmsg(100)[0])


def refused_copies():
    """What sendfile() and tee() do not take, by its error; and sendfile() into a pipe."""
    a, b = pair()
    read, write = os.pipe()
    unix = socket.socketpair()
    event = os.eventfd(1)
    directory = os.open("/", os.O_RDONLY)
    path_only = os.open("/", os.O_PATH)
    os.write(write, b"in a pipe")
    unix[1].send(b"in a socket")
    b.send(b"from the other end")
    time.sleep(0.05)
    with tempfile.NamedTemporaryFile() as file, open(file.name, "wb") as written, \
            open(file.name, "ab") as appended:
        file.write(b"a file")
        file.seek(0)
        numbers = {"socket": a.fileno(), "pipe": read, "unix": unix[0].fileno(), "event": event,
                   "directory": directory, "path": path_only, "file": file.fileno(),
                   "written": written.fileno(), "appended": appended.fileno(), "closed": 999}
        for name, number in numbers.items():
            for offset, count in ((None, 5), (None, 0), (0, 5)):
                print("to a socket from", name, offset, count,
                      attempt(os.sendfile, a.fileno(), number, offset, count))
                if name not in ("unix", "event"):
                    print("from a socket to", name, offset, count,
                          attempt(os.sendfile, number, a.fileno(), offset, count))
        print(b.recv(100))
    libc = ctypes.CDLL(None, use_errno=True)
    for given in ((a.fileno(), write), (read, a.fileno()), (a.fileno(), a.fileno()),
                  (999, a.fileno()), (a.fileno(), 999), (write, a.fileno()), (a.fileno(), read)):
        for count, flags in ((5, 0), (0, 0), (5, 64)):
            ctypes.set_errno(0)
            print("tee", libc.tee(*given, count, flags), errno.errorcode.get(ctypes.get_errno()))
    print(os.read(read, 100))
    print(os.sendfile(write, a.fileno(), None, 4), os.read(read, 100),
          attempt(os.sendfile, write, a.fileno(), 0, 4), a.recv(100))
    a.setblocking(False)
    print(attempt(os.sendfile, write, a.fileno(), None, 4))
    fill(write)
    os.set_blocking(write, False)
    b.send(b"x")
    time.sleep(0.05)
    print(attempt(os.sendfile, write, a.fileno(), None, 4), a.recv(100))
    broken = []
    signal.signal(signal.SIGPIPE, lambda *_: broken.append(1))
    os.close(read)
    print(attempt(os.sendfile, write, a.fileno(), None, 1), broken)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    for number in (write, event, directory, path_only):
        os.close(number)


def splices_into_pipes():
    """What does not fit stays in the socket; a full pipe is waited for, or not."""
    nonblock = 2  # SPLICE_F_NONBLOCK
    a, b = pair()
    data = os.urandom(600_000)
    sender = later(0, b.sendall, data)
    read, write = os.pipe()
    got = b""
    while len(got) < len(data):
        # Blocking, with more bytes there than the pipe takes.
        moved = os.splice(a.fileno(), write, 1 << 20)
        # It is full, or nothing has come: not a byte may be lost.
        again = attempt(lambda: os.splice(a.fileno(), write, 100, flags=nonblock)) \
            if moved >= 60_000 and len(got) + moved < len(data) - 100_000 else 0
        moved += again if isinstance(again, int) else 0
        got += read_all(read, moved)
    sender.join()
    print(got == data)
    full = fill(write)
    b.send(b"behind what is in the pipe")
    print(attempt(lambda: os.splice(a.fileno(), write, 100, flags=nonblock)))
    os.set_blocking(write, False)
    print(attempt(os.splice, a.fileno(), write, 100))
    os.set_blocking(write, True)
    start = time.monotonic()
    reader = later(0.2, os.read, read, 8192)
    print(os.splice(a.fileno(), write, 100), time.monotonic() - start > 0.1)
    reader.join()
    print(read_all(read, full - 8192 + 26)[-26:])
    # A part of what waits, and the rest.
    b.send(b"0123456789")
    print(os.splice(a.fileno(), write, 4), a.recv(3), os.splice(a.fileno(), write, 9),
          os.read(read, 9))
    a.setblocking(False)
    print(attempt(os.splice, a.fileno(), write, 1))
    b.close()
    a.setblocking(True)
    print(os.splice(a.fileno(), write, 1))
    with tempfile.TemporaryFile() as file:
        print(attempt(os.splice, a.fileno(), file.fileno(), 1), attempt(
            os.splice, a.fileno(), read, 1), attempt(os.splice, a.fileno(), a.fileno(), 1),
            attempt(lambda: os.splice(a.fileno(), write, 1, offset_src=0)),
            attempt(lambda: os.splice(a.fileno(), write, 1, offset_dst=0)))
    broken = []
    signal.signal(signal.SIGPIPE, lambda *_: broken.append(1))
    os.close(read)
    print(attempt(os.splice, a.fileno(), write, 1), broken)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    os.close(write)


def splices_out_of_pipes():
    """An empty pipe is waited for, or not; what a socket does not take stays in the pipe."""
    nonblock = 2  # SPLICE_F_NONBLOCK
    a, b = pair()
    read, write = os.pipe()
    print(attempt(lambda: os.splice(read, a.fileno(), 100, flags=nonblock)))
    os.set_blocking(read, False)
    print(attempt(os.splice, read, a.fileno(), 100))
    os.set_blocking(read, True)
    start = time.monotonic()
    writer = later(0.2, os.write, write, b"late")
    print(os.splice(read, a.fileno(), 100), time.monotonic() - start > 0.1, b.recv(100))
    writer.join()
    # All that is there, and no more.
    full = fill(write)
    received = []
    reader = later(0, lambda: received.append(read_all(b.fileno(), full)))
    print(full, os.splice(read, a.fileno(), 1 << 20))
    reader.join()
    print(received == [b"f" * full])
    a.setblocking(False)
    sent = 0
    while True:
        count = fill(write)
        moved = attempt(os.splice, read, a.fileno(), 1 << 20)
        if moved == "EAGAIN":
            break
        sent += moved
        if moved < count:
            count -= moved
            break
    left = fcntl.ioctl(read, termios.FIONREAD, b"1234")
    print(struct.unpack("i", left)[0] == count)
    read_all(read, count)
    os.close(write)
    a.setblocking(True)
    print(os.splice(read, a.fileno(), 1), len(read_all(b.fileno(), sent)) == sent)
    broken = []
    signal.signal(signal.SIGPIPE, lambda *_: broken.append(1))
    read, write = os.pipe()
    a.shutdown(socket.SHUT_WR)
    os.write(write, b"x")
    print(attempt(os.splice, read, a.fileno(), 1), broken, os.read(read, 9))
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    # One message of what is there; and messages of none.
    one, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    other.bind(("127.0.0.1", 0))
    one.connect(other.getsockname())
    os.write(write, b"a message")
    print(os.splice(read, one.fileno(), 100), other.recv(100))
    for text in (b"", b"text", b"more"):
        one.send(text)
    print(os.splice(other.fileno(), write, 100), os.splice(other.fileno(), write, 2),
          os.splice(other.fileno(), write, 100), os.read(read, 100))
