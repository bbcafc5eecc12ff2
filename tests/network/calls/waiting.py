# SPDX-License-Identifier: GPL-2.0-only
"""Waiting for sockets and descriptors of the host, together."""

import os
import select
import socket
import tempfile
import threading
import time

from .common import attempt, later, pair


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
    print(ready(100), 0.09 < time.monotonic() - start < 20)
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
