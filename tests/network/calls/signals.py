# SPDX-License-Identifier: GPL-2.0-only
"""Signals that come while calls wait."""

import os
import select
import signal
import socket
import threading
import time

from .common import attempt, later, pair


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
