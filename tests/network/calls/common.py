# SPDX-License-Identifier: GPL-2.0-only
"""What the cases have in common."""

import errno
import os
import socket
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
