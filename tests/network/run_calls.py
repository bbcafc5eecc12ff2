# SPDX-License-Identifier: GPL-2.0-only
"""Calls on descriptors of sockets and of the host's own kinds, together.

Prints what came of each case. On the host, and under `lkl run`, the output must be the
same.
"""

import array
import ctypes
import errno
import fcntl
import os
import select
import signal
import socket
import stat
import struct
import sys
import tempfile
import termios
import threading
import time


def name(error):
    """A failed call, by the name of its error."""
    return errno.errorcode.get(error.errno, str(error.errno))


def attempt(function, *args):
    """What a call returns, or the name of its error."""
    try:
        return function(*args)
    except OSError as error:
        return name(error)


def pair(family=socket.AF_INET):
    """Two connected TCP sockets."""
    address = "127.0.0.1" if family == socket.AF_INET else "::1"
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        listener.listen()
        client = socket.create_connection(listener.getsockname()[:2])
        return client, listener.accept()[0]


def later(seconds, function, *args):
    """Calls it on another thread."""
    def run():
        time.sleep(seconds)
        function(*args)
    thread = threading.Thread(target=run)
    thread.start()
    return thread


def epoll_before_any_socket():
    """A thread that waits in an epoll from before the first socket sees it."""
    epoll = select.epoll()
    read, write = os.pipe()
    epoll.register(read, select.EPOLLIN)
    seen = []
    ready = threading.Event()

    def wait():
        ready.set()
        for _ in range(2):
            for fd, events in epoll.poll(10):
                seen.append(("pipe" if fd == read else "socket", events))
                os.read(fd, 1) if fd == read else os.read(fd, 100)
    thread = threading.Thread(target=wait)
    thread.start()
    ready.wait()
    time.sleep(0.1)
    a, b = pair()
    epoll.register(a, select.EPOLLIN)
    b.send(b"x")
    time.sleep(0.1)
    os.write(write, b"y")
    thread.join(20)
    print(sorted(seen), thread.is_alive())


def epoll_level_and_edge():
    """Level, edge and one shot, of both kinds in one epoll."""
    a, b = pair()
    read, write = os.pipe()
    for flags in (0, select.EPOLLET, select.EPOLLONESHOT):
        epoll = select.epoll()
        epoll.register(a, select.EPOLLIN | flags)
        epoll.register(read, select.EPOLLIN | flags)
        results = [len(epoll.poll(0))]
        b.send(b"1")
        os.write(write, b"1")
        time.sleep(0.05)
        results += [len(epoll.poll(1)) + len(epoll.poll(0)) for _ in range(2)]
        b.send(b"2")
        os.write(write, b"2")
        time.sleep(0.05)
        results.append(len(epoll.poll(0)))
        os.read(read, 100)
        a.recv(100)
        results.append(len(epoll.poll(0)))
        epoll.modify(a, select.EPOLLOUT)
        epoll.modify(read, select.EPOLLIN)
        results.append([events for _, events in epoll.poll(0)])
        epoll.unregister(a)
        results.append(attempt(epoll.unregister, a))
        epoll.close()
        print(flags, results)


def epoll_many_waiters():
    """Each of many events of both kinds wakes somebody, however many wait."""
    epoll = select.epoll()
    a, b = pair()
    read, write = os.pipe()
    os.set_blocking(read, False)
    a.setblocking(False)
    epoll.register(a, select.EPOLLIN)
    epoll.register(read, select.EPOLLIN)
    counts = {"socket": 0, "pipe": 0}
    lock = threading.Lock()

    def wait():
        while True:
            for fd, _ in epoll.poll(10, 1):
                try:
                    data = os.read(fd, 1)
                except BlockingIOError:
                    continue
                if data == b"e":
                    return
                with lock:
                    counts["pipe" if fd == read else "socket"] += 1
    threads = [threading.Thread(target=wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(400):
        os.write(write, b"x")
        b.send(b"x")
        if i % 50 == 0:
            time.sleep(0.005)
    deadline = time.monotonic() + 10
    while sum(counts.values()) < 800 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.write(write, b"eeee")
    for thread in threads:
        thread.join(15)
    print(counts, [thread.is_alive() for thread in threads])


def epoll_nested():
    """An epoll in an epoll, in poll() and in select()."""
    inner, outer = select.epoll(), select.epoll()
    a, b = pair()
    read, write = os.pipe()
    inner.register(a, select.EPOLLIN)
    inner.register(read, select.EPOLLIN)
    outer.register(inner, select.EPOLLIN)
    poll = select.poll()
    poll.register(inner, select.POLLIN)
    print(outer.poll(0), poll.poll(0))
    later(0.05, b.send, b"x").join()
    print(len(outer.poll(5)), len(poll.poll(1000)))
    a.recv(1)
    print(len(poll.poll(0)))
    thread = later(0.1, os.write, write, b"x")
    print(len(poll.poll(5000)), len(select.select([inner], [], [], 5)[0]), len(outer.poll(5)))
    thread.join()


def poll_and_select():
    """Both kinds in one call, each of them ready first, and timeouts."""
    a, b = pair(socket.AF_INET6)
    read, write = os.pipe()
    names = {a.fileno(): "socket", read: "pipe"}

    def ready(timeout):
        poll = select.poll()
        poll.register(a, select.POLLIN)
        poll.register(read, select.POLLIN)
        polled = sorted((names[fd], events) for fd, events in poll.poll(timeout))
        selected = sorted(names[fd if isinstance(fd, int) else fd.fileno()]
                          for fd in select.select([a, read], [], [], 0)[0])
        return polled, selected

    print(ready(0), ready(20))
    thread = later(0.1, os.write, write, b"x")
    print(ready(5000))
    thread.join()
    thread = later(0.1, b.send, b"x")
    os.read(read, 1)
    print(ready(5000))
    thread.join()
    os.write(write, b"x")
    print(ready(5000))
    start = time.monotonic()
    a.recv(1)
    os.read(read, 1)
    print(ready(100), 0.09 < time.monotonic() - start < 1)
    print(select.select([], [a], [a], 1)[1] == [a], select.select([a], [write, b], [], 1)[1]
          == [write, b])
    with tempfile.TemporaryFile() as file:
        poll = select.poll()
        for fd in (file, a, read, read):
            poll.register(fd, select.POLLIN)
        print(len(poll.poll(1000)))
    b.close()
    poll = select.poll()
    poll.register(a, select.POLLIN | select.POLLRDHUP)
    poll.register(read, select.POLLIN)
    print([events for _, events in poll.poll(1000)])
    a.close()
    poll = select.poll()
    poll.register(read, select.POLLIN)
    poll.register(100, select.POLLIN)
    print([events for _, events in poll.poll(1000)])


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


def read_all(fd, size):
    """That many bytes of a pipe or a socket."""
    data = b""
    while len(data) < size:
        data += os.read(fd, size - len(data))
    return data


def fill(write):
    """As many bytes as the pipe takes; how many."""
    os.set_blocking(write, False)
    count = 0
    try:
        while True:
            count += os.write(write, b"f" * 4096)
    except BlockingIOError:
        os.set_blocking(write, True)
        return count


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
    reader = later(0.2, os.read, read, 8192)
    start = time.monotonic()
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


def datagrams():
    """UDP with ancillary data, and several messages."""
    a, b = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    b.bind(("127.0.0.1", 0))
    b.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO
    a.sendto(b"one", b.getsockname())
    data, ancillary, _, sender = b.recvmsg(100, 100)
    print(data, [(level, kind, len(text)) for level, kind, text in ancillary],
          sender[0], sender[1] == a.getsockname()[1])
    a.connect(b.getsockname())
    print(a.send(b"x" * 9000), len(b.recv(10000)))
    b.close()
    a.send(b"nobody")
    time.sleep(0.05)
    print(attempt(a.send, b"still nobody"))


def signals():
    """Handlers run, calls end or go on as their flags ask, SIGPIPE comes."""
    a, b = pair()
    ran = []
    signal.signal(signal.SIGUSR1, lambda *_: ran.append("handler"))
    me = threading.get_ident()
    # Python calls again after EINTR: the handler raises instead.

    class Interrupted(Exception):
        """Thrown out of a call."""

    def throw(*_):
        raise Interrupted
    signal.signal(signal.SIGALRM, throw)
    read, _ = os.pipe()
    epoll = select.epoll()
    epoll.register(a, select.EPOLLIN)
    epoll.register(read, select.EPOLLIN)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    for call in (lambda: a.recv(1), lambda: epoll.poll(10), listener.accept,
                 lambda: select.select([a, read], [], [], 10),
                 lambda: select.select([a], [], [], 10)):
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        start = time.monotonic()
        try:
            call()
            print("not interrupted")
        except Interrupted:
            print("interrupted", time.monotonic() - start < 2)
    signal.siginterrupt(signal.SIGUSR1, False)
    threads = [later(0.1, signal.pthread_kill, me, signal.SIGUSR1), later(0.3, b.send, b"data")]
    print(a.recv(100), ran)
    for thread in threads:
        thread.join()
    ran.clear()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    signal.pthread_kill(me, signal.SIGUSR1)
    b.send(b"x")
    print(a.recv(1), ran)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    print(ran)
    b.close()
    broken = []
    signal.signal(signal.SIGPIPE, lambda *_: broken.append(1))
    for _ in range(3):
        result = attempt(a.send, b"x")
        time.sleep(0.05)
    print(result, len(broken) > 0)
    print(attempt(a.send, b"x", socket.MSG_NOSIGNAL), signal.sigpending())


def many_signals():
    """Calls and handlers that meet all the time lose neither bytes nor signals."""
    a, b = pair()
    count = [0]

    def handler(*_):
        count[0] += 1
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)

    def echo():
        while data := b.recv(1000):
            b.send(data)
    thread = threading.Thread(target=echo)
    thread.start()
    good = True
    exchanges = 0
    deadline = time.monotonic() + 10
    # A fast machine makes a thousand exchanges before the tenth signal comes.
    while exchanges < 1000 or (count[0] <= 10 and time.monotonic() < deadline):
        text = b"%d" % exchanges
        a.send(text)
        good = good and a.recv(1000) == text
        exchanges += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    a.close()
    thread.join()
    print(good, count[0] > 10)


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


class Message(ctypes.Structure):
    """struct mmsghdr."""
    _fields_ = [("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32),
                ("parts", ctypes.c_void_p), ("part_count", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t),
                ("flags", ctypes.c_int), ("padding", ctypes.c_int), ("length", ctypes.c_uint)]


class Messages:
    """Several messages of one buffer each, for sendmmsg(2) and recvmmsg(2)."""

    def __init__(self, texts):
        self.buffers = [ctypes.create_string_buffer(text, len(text)) for text in texts]
        self.parts = (ctypes.c_size_t * (2 * len(texts)))()
        self.all = (Message * len(texts))()
        for i, buffer in enumerate(self.buffers):
            self.parts[2 * i] = ctypes.addressof(buffer)
            self.parts[2 * i + 1] = len(texts[i])
            self.all[i].parts = ctypes.addressof(self.parts) + 16 * i
            self.all[i].part_count = 1

    def texts(self, count):
        """What is in the first of them."""
        return [bytes(self.buffers[i])[:self.all[i].length] for i in range(count)]


def several_messages_at_once():
    """sendmmsg() and recvmmsg() on UDP, IPv6, UNIX sockets and what is no socket, in turns."""
    libc = ctypes.CDLL(None, use_errno=True)

    def call(function, *args):
        result = function(*args)
        return errno.errorcode[ctypes.get_errno()] if result < 0 else result

    def send(one, texts):
        given = Messages(texts)
        count = call(libc.sendmmsg, one.fileno(), given.all, len(texts), 0)
        return count, [given.all[i].length for i in range(len(texts))]

    def receive(one, count, flags=0, timeout=None):
        taken = Messages([bytes(100)] * count)
        time_left = (ctypes.c_long * 2)(*timeout) if timeout else None
        got = call(libc.recvmmsg, one.fileno(), taken.all, count, flags, time_left)
        return (got, taken.texts(got)) if isinstance(got, int) else got
    udp, udp6 = [[socket.socket(family, socket.SOCK_DGRAM) for _ in range(2)]
                 for family in (socket.AF_INET, socket.AF_INET6)]
    for (one, other), address in ((udp, "127.0.0.1"), (udp6, "::1")):
        for end in (one, other):
            end.bind((address, 0))
        one.connect(other.getsockname()[:2])
        other.connect(one.getsockname()[:2])
    unix = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    tcp = pair()
    wait_for_one = 0x10000  # MSG_WAITFORONE
    for round_number in range(3):
        for kind, (one, other) in (("udp", udp), ("unix", unix), ("udp6", udp6)):
            texts = [f"{kind} {round_number} {i}".encode() * (i + 1) for i in range(4)]
            print(kind, send(one, texts), receive(other, 2), receive(other, 9, wait_for_one))
            print(kind, receive(other, 3, socket.MSG_DONTWAIT))
            # Some are there, and the rest does not come in time; it is looked at between them.
            send(one, texts[:1])
            sender = later(0.3, send, one, texts[:1])
            print(kind, receive(other, 3, 0, (0, 100_000_000)))
            sender.join()
    print("tcp", send(tcp[0], [b"one", b"two"]), receive(tcp[1], 1))
    read, write = os.pipe()
    with os.fdopen(read, "rb") as end, open(os.devnull, "rb") as null:
        print(send(end, [b"x"])[0], receive(null, 1))
    os.close(write)
    # Received by two kinds of sockets that one epoll waits for.
    epoll = select.epoll()
    for number, (_, other) in enumerate((udp, unix)):
        epoll.register(other, select.EPOLLIN)
    send(udp[0], [b"u", b"v"])
    send(unix[0], [b"w", b"x", b"y"])
    seen = {fd for _ in range(2) for fd, _ in epoll.poll(5)}
    print(len(seen), receive(udp[1], 5, wait_for_one), receive(unix[1], 5, wait_for_one))
    # Nobody listens: the error of the message before.
    lone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    lone.connect(("127.0.0.1", 9))
    first = send(lone, [b"a"])[0]
    time.sleep(0.1)
    print(first, send(lone, [b"b"])[0], receive(lone, 1, socket.MSG_DONTWAIT))
    for one in (*udp, *udp6, *unix, *tcp, lone, epoll):
        one.close()


def main():
    """All cases, or those that are named."""
    cases = [epoll_before_any_socket, epoll_level_and_edge, epoll_many_waiters, epoll_nested,
             poll_and_select, numbers, flags_and_requests, copies, splices_into_pipes,
             splices_out_of_pipes, datagrams, signals, many_signals,
             child_processes, names_of_descriptors, several_messages_at_once]
    for case in cases:
        if len(sys.argv) > 1 and case.__name__ not in sys.argv[1:]:
            continue
        print(f"{case.__name__}:")
        case()
        sys.stdout.flush()


if __name__ == "__main__":
    main()
