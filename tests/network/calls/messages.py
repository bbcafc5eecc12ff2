# SPDX-License-Identifier: GPL-2.0-only
"""Datagrams, one at a time and several at once."""

import ctypes
import errno
import os
import select
import socket
import threading
import time

from .common import attempt, later, pair


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
            # One more every 0.3 s, however late the receiver is.
            over = threading.Event()

            def go_on(one=one, texts=texts[:1], over=over):
                while not over.wait(0.3):
                    send(one, texts)
            send(one, texts[:1])
            sender = threading.Thread(target=go_on)
            sender.start()
            got, seen = receive(other, 50, 0, (0, 100_000_000))
            over.set()
            sender.join()
            receive(other, 50, socket.MSG_DONTWAIT)
            print(kind, 2 <= got < 50, set(seen) == {texts[0]})
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
