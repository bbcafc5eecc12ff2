# SPDX-License-Identifier: GPL-2.0-only
"""Epolls in epolls and in poll(), with descriptors of the host in the inner one."""

import os
import select
import socket
import threading
import time

from .common import attempt, later, pair


def pipe(data=b""):
    """One of the host's, to read without waiting."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.write(write, data)
    return read, write


def nest(flags=0):
    """An epoll with a socket and a pipe, in another one; and those, to be kept."""
    outer, inner = select.epoll(), select.epoll()
    ends, sockets = pipe(), pair()
    inner.register(sockets[0], select.EPOLLIN)
    inner.register(ends[0], select.EPOLLIN)
    outer.register(inner, select.EPOLLIN | flags)
    return outer, inner, ends, sockets


def nested_before_any_socket():
    """What is put in before the first socket is there afterwards, and can be taken out."""
    outer, inner, third = select.epoll(), select.epoll(), select.epoll()
    outer.register(inner, select.EPOLLIN)
    inner.register(third, select.EPOLLIN)
    outer.register(third, select.EPOLLIN | select.EPOLLET)
    waiter = select.epoll()
    read, write = pipe()
    waiter.register(inner, select.EPOLLIN)
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(len(waiter.poll(10))))
               for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    inner.register(datagrams, select.EPOLLIN)
    inner.register(read, select.EPOLLIN)
    idle = [len(one.poll(0)) for one in (outer, inner, third, outer)]
    datagrams.sendto(b"x", datagrams.getsockname())
    for thread in threads:
        thread.join(20)
    print(idle, seen, [thread.is_alive() for thread in threads])
    print(len(outer.poll(1)), len(inner.poll(1)))
    datagrams.recv(1)
    print([len(one.poll(0)) for one in (outer, inner, waiter)])
    os.write(write, b"x")
    print([len(one.poll(0)) for one in (outer, inner, waiter)])
    outer.modify(inner, select.EPOLLOUT)
    print(len(outer.poll(0)))
    outer.unregister(inner)
    print(attempt(outer.unregister, inner), len(outer.poll(0)))


def watched_before_any_socket():
    """An epoll that was in another one, and in poll(), before the first socket."""
    outer, inner, polled = select.epoll(), select.epoll(), select.epoll()
    outer.register(inner, select.EPOLLIN)
    outer.unregister(inner)
    poll = select.poll()
    poll.register(polled, select.POLLIN)
    ready = []
    threads = [threading.Thread(target=lambda: ready.append(len(poll.poll(10000)))),
               threading.Thread(
                   target=lambda: ready.append(len(select.select([polled], [], [], 10)[0])))]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    datagrams.sendto(b"x", datagrams.getsockname())
    polled.register(datagrams, select.EPOLLIN)
    for thread in threads:
        thread.join(20)
    print(ready)
    read, write = pipe()
    inner.register(read, select.EPOLLIN)
    outer.register(inner, select.EPOLLIN | select.EPOLLET)
    for _ in range(3):
        os.write(write, b"x")
        print(len(outer.poll(1)), len(inner.poll(0)))
        os.read(read, 1)


def nested_edges():
    """Each edge of a descriptor of the host is one of the epoll that it is in."""
    for timeout in (0, 0.5):
        outer, inner, (read, write), sockets = nest(select.EPOLLET)
        results = [len(outer.poll(0))]
        for _ in range(5):
            os.write(write, b"x")
            results.append(len(outer.poll(1)))
            results.append(len(outer.poll(0)))
            results.append(len(inner.poll(timeout)))
            os.read(read, 1)
        print(results)


def nested_levels():
    """Readiness ends with what it was for, whoever has looked before."""
    for size in (1, 10):
        outer, inner, (read, write), (a, b) = nest()
        poll = select.poll()
        poll.register(inner, select.POLLIN)
        results = []
        for _ in range(20):
            os.write(write, b"x")
            results.append((len(poll.poll(1000)), len(outer.poll(1)), len(inner.poll(0, size))))
            results.append((len(poll.poll(0)), len(outer.poll(0)), len(inner.poll(-1, size))))
            os.read(read, 1)
            results.append((len(poll.poll(0)), len(outer.poll(0)), len(poll.poll(1))))
            b.send(b"x")
            a.recv(1)
            results.append((len(outer.poll(0)), len(inner.poll(0, size))))
        print(sorted(set(results)))


def nested_at_once():
    """Who does not wait sees what is there, in an epoll of an epoll too."""
    outer, middle, inner = select.epoll(), select.epoll(), select.epoll()
    a, b = pair()
    outer.register(a, select.EPOLLIN)
    outer.register(middle, select.EPOLLIN)
    middle.register(inner, select.EPOLLIN)
    poll = select.poll()
    poll.register(outer, select.POLLIN)
    missed = 0
    for _ in range(200):
        read, write = pipe(b"x")
        inner.register(read, select.EPOLLIN)
        missed += not outer.poll(0)
        missed += not poll.poll(0)
        os.read(read, 1)
        missed += len(outer.poll(0)) + len(poll.poll(0))
        os.close(read)
        os.close(write)
    print(missed)
    read, write = pipe()
    inner.register(read, select.EPOLLIN)
    for wait in (outer.poll, lambda seconds: poll.poll(seconds * 1000)):
        thread = later(0.05, os.write, write, b"x")
        print(len(wait(10)), len(inner.poll(0)))
        thread.join()
        os.read(read, 1)


def nested_threads():
    """Who waits outside is told, whatever those do who take from the inner one."""
    outer, inner, (read, write), sockets = nest()
    taken = []

    def take(wait):
        while len(taken) < 600:
            wait()
            for fd, _ in inner.poll(0):
                try:
                    taken.append(os.read(fd, 1))
                except BlockingIOError:
                    pass
    poll = select.poll()
    poll.register(inner, select.POLLIN)
    threads = [threading.Thread(target=take, args=[wait], daemon=True)
               for wait in (lambda: outer.poll(10), lambda: poll.poll(10000),
                            lambda: inner.poll(0.001), lambda: outer.poll(10))]
    for thread in threads:
        thread.start()
    for i in range(600):
        os.write(write, b"x")
        if i % 3 == 0:
            time.sleep(0.001)
    deadline = time.monotonic() + 8
    while len(taken) < 600 and time.monotonic() < deadline:
        time.sleep(0.01)
    print(len(taken))
    os.write(write, b"y" * 8)
    for thread in threads:
        thread.join(15)
    print([thread.is_alive() for thread in threads])


def turns():
    """No descriptor that is always ready keeps another one from being told."""
    epoll = select.epoll()
    read, write = pipe(b"x")
    a, b = pair()
    b.send(b"x")
    time.sleep(0.05)
    epoll.register(read, select.EPOLLIN)
    epoll.register(a, select.EPOLLIN)
    for timeout in (0, 1):
        told = [epoll.poll(timeout, 1)[0][0] for _ in range(100)]
        print(sorted({"socket" if fd == a.fileno() else "pipe" for fd in told}))
