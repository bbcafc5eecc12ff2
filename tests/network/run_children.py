# SPDX-License-Identifier: GPL-2.0-only
# Under `lkl run`: what the children of a process see of its network, and what they do to it.
import errno, os, select, signal, socket, sys


def error_of(function, *args):
    try:
        function(*args)
    except OSError as error:
        return error.errno
    return 0


def in_child(function):
    """Whether the function, run in a forked child, returns True."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if function() else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def ask(what, answer):
    if not answer:
        raise SystemExit(what)


signal.alarm(60)
listening = socket.create_server(("127.0.0.1", 0))
reading, writing = os.pipe()
both = select.epoll()
both.register(listening, select.EPOLLIN)
both.register(reading, select.EPOLLIN)
pipes = select.epoll()
pipes.register(reading, select.EPOLLIN)


def own_epoll():
    mine = select.epoll()
    mine.register(reading, select.EPOLLIN)
    return error_of(mine.register, listening, select.EPOLLIN) == errno.ENETDOWN and not mine.poll(0)


def polls():
    waiting = select.poll()
    waiting.register(listening, select.POLLIN)
    waiting.register(reading, select.POLLIN)
    if waiting.poll() != [(listening.fileno(), select.POLLERR)]:
        return False
    if select.select([listening, reading], [], [], None)[0] != [listening]:
        return False
    return error_of(listening.accept) == errno.ENETDOWN


def inherited_epoll():
    os.write(writing, b"x")
    return both.poll(10) == [(reading, select.EPOLLIN)] and os.read(reading, 1) == b"x"


def polled_epoll():
    waiting = select.poll()
    waiting.register(pipes, select.POLLIN)
    if waiting.poll(0) or select.select([pipes], [], [], 0)[0]:
        return False
    outer = select.epoll()
    outer.register(pipes, select.EPOLLIN)
    os.write(writing, b"x")
    return len(outer.poll(10)) == 1 and len(waiting.poll(10000)) == 1 and os.read(reading, 1) == b"x"


def closed_epoll():
    both.close()
    return True


ask("an epoll of a child's own", in_child(own_epoll))
ask("poll and select in a child", in_child(polls))
ask("an inherited epoll", in_child(inherited_epoll))
ask("poll of an epoll of the host's alone", in_child(polled_epoll))
ask("libc's sockets in a child", in_child(lambda: error_of(socket.if_nameindex) == errno.ENETDOWN))

# A thread that waits in the parent goes on waiting for both sides after all that.
ask("the end of an inherited epoll", in_child(closed_epoll))
signal.signal(signal.SIGCHLD, lambda *_: None)
child = os.fork()
if child == 0:
    signal.sigtimedwait([], 0.3)
    os.write(writing, b"y")
    os._exit(0)
ask("the parent's epoll: the host's side", both.poll(30) == [(reading, select.EPOLLIN)])
ask("the parent's pipe", os.read(reading, 1) == b"y")
os.waitpid(child, 0)
client = socket.create_connection(listening.getsockname())
ask("the parent's epoll: our side", both.poll(30) == [(listening.fileno(), select.EPOLLIN)])
print("fine")
