# SPDX-License-Identifier: GPL-2.0-only
"""Signals that come while calls wait."""

import ctypes
import errno
import os
import select
import signal
import socket
import struct
import threading
import time

from .common import attempt, fill, later, pair


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
        start = time.monotonic()
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            call()
            print("not interrupted")
        except Interrupted:
            print("interrupted", time.monotonic() - start < 8)
    signal.siginterrupt(signal.SIGUSR1, False)

    def kill_and_send():
        signal.pthread_kill(me, signal.SIGUSR1)
        time.sleep(0.2)
        b.send(b"data")
    thread = later(0.1, kill_and_send)
    print(a.recv(100), ran)
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


def interrupting_signals():
    """siginterrupt() counts for signal() as well, until it is taken back."""
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(100)
    a, b = pair()

    def wait(what):
        thread = later(0.6, b.send, b"x")
        signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
        result = libc.read(a.fileno(), buffer, 1)
        print(what, errno.errorcode[ctypes.get_errno()] if result < 0 else "goes on")
        signal.setitimer(signal.ITIMER_REAL, 0)
        thread.join()
        if result < 0:
            a.recv(1)
    # A handler that is no Python: any function will do.
    libc.signal(signal.SIGALRM, libc.getpid)
    wait("without:")
    print(libc.siginterrupt(signal.SIGALRM, 1))
    wait("asked for:")
    libc.signal(signal.SIGALRM, libc.getpid)
    wait("and a new handler:")
    print(libc.siginterrupt(signal.SIGALRM, 0))
    wait("taken back:")
    libc.signal(signal.SIGALRM, libc.getpid)
    wait("and a new handler:")
    print([(libc.siginterrupt(one, 1), errno.errorcode[ctypes.get_errno()])
           for one in (0, 65, -1)])
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def timeouts_and_signals():
    """A socket with a timeout does not go on after a handler, whatever the handler's flags."""
    libc = ctypes.CDLL(None, use_errno=True)  # Python would call again
    buffer = ctypes.create_string_buffer(100)
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.siginterrupt(signal.SIGALRM, False)
    receiving, sending = socket.SO_RCVTIMEO, socket.SO_SNDTIMEO

    def set_time(one, option, seconds):
        one.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", seconds, 0))

    def wait(what, release, function, *args):
        """A call that waits: a signal comes, and then what it waits for."""
        thread = later(0.4, release)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        result = function(*args)
        print(what, errno.errorcode[ctypes.get_errno()] if result < 0 else "goes on")
        thread.join()
        return result

    def receive(what, one, other, function=libc.recv):
        wait(what, lambda: other.send(b"data"), function, one.fileno(), buffer, 100, 0)
        attempt(one.recv, 100, socket.MSG_DONTWAIT)

    a, b = pair()
    receive("recv:", a, b)
    set_time(a, sending, 10)
    receive("recv with a timeout for sending:", a, b)
    set_time(a.dup(), receiving, 10)
    receive("recv with a timeout, set by a duplicate:", a, b)
    receive("read with a timeout:", a, b, libc.read)
    set_time(a, receiving, 0)
    receive("recv without a timeout again:", a, b)

    def drain():
        while attempt(b.recv, 1 << 20, socket.MSG_DONTWAIT) != "EAGAIN":
            time.sleep(0.01)
    for what, seconds in ("send with a timeout:", 10), ("send:", 0):
        set_time(a, sending, seconds)
        set_time(a, receiving, 10 - seconds)
        idle = 0
        while idle < 3:  # until what is on its way has arrived
            idle = 0 if fill(a.fileno()) else idle + 1
            time.sleep(0.1)
        wait(what, drain, libc.send, a.fileno(), buffer, 100, 0)

    listener = socket.create_server(("127.0.0.1", 0))
    for what, seconds in ("accept:", 0), ("accept with a timeout:", 10):
        set_time(listener, receiving, seconds)
        clients = []
        made = wait(what, lambda clients=clients: clients.append(
            socket.create_connection(listener.getsockname())), libc.accept, listener.fileno(),
                    None, None)
        if made < 0:
            made = libc.accept(listener.fileno(), None, None)
        receive("recv on what it has made:", socket.socket(fileno=made), clients[0])


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
