# SPDX-License-Identifier: GPL-2.0-only
"""Every call with a path, below a directory that `lkl run --mount` has made an image's.

It is done in the image, or refused; the host has a directory of that name, which the caller
looks at afterwards. The argument is the directory; "good" is printed at the end.
"""

import ctypes
import errno
import mmap
import os
import socket
import stat
import subprocess
import sys
import threading

IMAGE = sys.argv[1].encode()
AT_FDCWD = -100
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def call(number, *arguments):
    """A system call by its number; -1 and its error's name, or the result."""
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *(
        ctypes.c_long(one) if isinstance(one, int) else one for one in arguments))
    return errno.errorcode[ctypes.get_errno()] if result == -1 else result


def path(name):
    """Of the image."""
    return IMAGE + b"/" + name


def times(*values):
    """An array of long."""
    return (ctypes.c_long * len(values))(*values)


def done():
    """What has to be done in the image."""
    directory = os.open(IMAGE, os.O_RDONLY)
    fd = call(85, path(b"created"), 0o640)  # creat
    assert os.write(fd, b"text") == 4 and stat.S_IMODE(os.stat(fd).st_mode) == 0o640
    os.close(fd)
    assert call(88, b"created", path(b"link")) == 0  # symlink
    assert call(266, b"created", directory, b"link2") == 0  # symlinkat
    assert call(88, b"created", path(b"link")) == "EEXIST"
    assert os.readlink(path(b"link2")) == b"created"
    assert open(path(b"link"), "rb").read() == b"text"
    assert call(133, path(b"fifo"), 0o10600, 0) == 0  # mknod
    assert call(259, directory, b"fifo2", 0o10600, 0) == 0  # mknodat
    assert stat.S_ISFIFO(os.stat(path(b"fifo2")).st_mode)
    for number, arguments in ((132, (path(b"created"), times(1, 2))),
                              (235, (path(b"created"), times(1, 500000, 2, 0))),
                              (261, (directory, b"created", times(1, 500000, 2, 0)))):
        os.utime(path(b"created"), (9, 9))
        assert call(number, *arguments) == 0  # utime, utimes, futimesat
        status = os.stat(path(b"created"))
        assert (int(status.st_atime), status.st_mtime) == (1, 2), (number, status)
        assert number == 132 or status.st_atime_ns == 1_500_000_000
    assert call(235, path(b"created"), times(1, 1_000_000, 2, 0)) == "EINVAL"
    assert call(235, path(b"created"), None) == 0 and os.stat(path(b"created")).st_mtime > 1e9
    assert call(452, AT_FDCWD, path(b"created"), 0o600, 0) == 0  # fchmodat2
    assert stat.S_IMODE(os.stat(path(b"created")).st_mode) == 0o600
    os.close(directory)


def refused():
    """What cannot be done there, by its error."""
    directory = os.open(IMAGE, os.O_RDONLY)
    inotify = call(294, 0)
    file = path(b"created")
    buffer = ctypes.create_string_buffer(4096)
    for error, number, *arguments in (
            ("ENOTSUP", 303, AT_FDCWD, file, buffer, buffer, 0),  # name_to_handle_at
            ("ENOTSUP", 303, directory, b"created", buffer, buffer, 0),
            ("ENOSPC", 254, inotify, file, 2),  # inotify_add_watch
            ("ENOTSUP", 301, inotify, 1, ctypes.c_long(2), AT_FDCWD, file),  # fanotify_mark
            ("ENOTSUP", 165, b"tmpfs", IMAGE, b"tmpfs", 0, None),  # mount
            ("ENOTSUP", 165, IMAGE, b"/mnt", None, 4096, None),
            ("ENOTSUP", 166, IMAGE, 0),  # umount2
            ("ENOTSUP", 155, IMAGE, IMAGE),  # pivot_root
            ("ENOTSUP", 161, IMAGE),  # chroot
            ("ENOTSUP", 163, path(b"none")),  # acct
            ("ENOTSUP", 167, path(b"none"), 0),  # swapon
            ("ENOTSUP", 168, path(b"none")),  # swapoff
            ("ENOTSUP", 179, 0x800002 << 8, file, 0, buffer),  # quotactl
            ("ENOTSUP", 134, file),  # uselib
            ("ENOTSUP", 428, AT_FDCWD, IMAGE, 0),  # open_tree
            ("ENOTSUP", 429, AT_FDCWD, b"/mnt", directory, b"", 0x40),  # move_mount
            ("ENOTSUP", 433, AT_FDCWD, IMAGE, 0),  # fspick
            ("ENOTSUP", 442, AT_FDCWD, IMAGE, 0, buffer, 32),  # mount_setattr
            ("ENOSYS", 463, AT_FDCWD, file, 0, b"user.a", buffer, 16),  # setxattrat
            ("ENOSYS", 466, AT_FDCWD, file, 0, b"user.a"),  # removexattrat
            ("ENOSYS", 469, AT_FDCWD, file, buffer, 24, 0),  # file_setattr
            ("EACCES", 59, path(b"program"), (ctypes.c_char_p * 2)(b"program", None), None),
            ("EACCES", 322, directory, b"program", (ctypes.c_char_p * 2)(b"program", None), None,
             0)):
        result = call(number, *arguments)
        assert result == error, (number, result)
    rule = (ctypes.c_uint32 * 3)(1, 0, directory)
    result = call(445, inotify, 1, rule, 0)  # landlock_add_rule
    assert result == "EBADFD", result
    os.close(directory)
    try:
        subprocess.run([path(b"program")], check=False)
        raise SystemExit("a program of the host's was started")
    except PermissionError:
        pass
    for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
        with socket.socket(socket.AF_UNIX, kind) as one:
            for function in (one.bind, one.connect) + (
                    (lambda name: one.sendto(b"x", name),
                     lambda name: one.sendmsg([b"x"], [], 0, name))
                    if kind == socket.SOCK_DGRAM else ()):
                try:
                    function(path(b"socket"))
                    raise SystemExit(f"{function} succeeds")
                except OSError as error:
                    assert error.errno == errno.EOPNOTSUPP, error


def named():
    """An open file's link tells the name that the program knows, and leads to the file."""
    fd = os.open(path(b"named"), os.O_RDWR | os.O_CREAT)
    assert os.write(fd, b"12345") == 5
    process, thread = os.getpid(), threading.get_native_id()
    for directory in ("/dev/fd", "/proc/self/fd", "/proc/thread-self/fd", f"/proc/{process}/fd",
                      f"/proc/self/task/{thread}/fd", f"/proc/{process}/task/{thread}/fd"):
        link = f"{directory}/{fd}".encode()
        assert os.readlink(link) == path(b"named"), (link, os.readlink(link))
        assert os.stat(link).st_size == 5 and open(link, "rb").read() == b"12345", link
    directory = os.open("/proc/self/fd", os.O_RDONLY)
    assert os.readlink(str(fd).encode(), dir_fd=directory) == path(b"named")
    os.close(directory)
    # What the buffer has no room for is cut off.
    link = f"/proc/self/fd/{fd}".encode()
    buffer = ctypes.create_string_buffer(b"?" * 4096)
    assert call(89, link, buffer, len(IMAGE)) == len(IMAGE)  # readlink
    assert buffer.raw.startswith(IMAGE + b"?"), buffer.raw
    assert call(267, AT_FDCWD, link, buffer, 1) == 1  # readlinkat
    assert call(89, link, buffer, 0) == "EINVAL"
    assert call(267, AT_FDCWD, link, buffer, -1) == "EINVAL"
    assert call(89, path(b"named"), buffer, 4096) == "EINVAL"
    os.rename(path(b"named"), path(b"renamed"))
    assert os.readlink(link) == path(b"renamed")
    os.unlink(path(b"renamed"))
    assert os.readlink(link) == path(b"renamed (deleted)"), os.readlink(link)
    os.close(fd)
    directory = os.open(IMAGE, os.O_RDONLY)
    assert os.readlink(f"/proc/self/fd/{directory}".encode()) == IMAGE
    os.close(directory)
    for name in "/proc/sys/net/core", "/sys/class/net":
        directory = os.open(name, os.O_RDONLY)
        assert os.readlink(f"/proc/self/fd/{directory}") == name
        os.close(directory)


def direct():
    """O_DIRECT is as if it was not there."""
    memory = mmap.mmap(-1, 8192)
    memory.write(b"d" * 8192)
    fd = os.open(path(b"direct"), os.O_RDWR | os.O_CREAT | os.O_DIRECT)
    assert os.write(fd, memory) == 8192
    assert os.preadv(fd, [memory], 4096) == 4096
    assert libc.fcntl(fd, 4, os.O_DIRECT) == 0  # F_SETFL
    assert os.pwritev(fd, [memory], 0) == 8192
    os.close(fd)
    how = (ctypes.c_uint64 * 3)(os.O_RDONLY | os.O_DIRECT, 0, 0)
    fd = call(437, AT_FDCWD, path(b"direct"), how, 24)  # openat2
    assert os.readv(fd, [memory]) == 8192 and memory[:] == b"d" * 8192
    os.close(fd)


def masked():
    """The process's umask(2), as it was started and as any thread changes it, holds on both sides."""
    os.mkdir(path(b"started"), 0o777)
    assert stat.S_IMODE(os.stat(path(b"started")).st_mode) == 0o750
    changes = (lambda: os.umask(0o077), lambda: call(95, 0o022), lambda: os.umask(0o077))
    before = 0o027
    for i, change in enumerate(changes):
        got = []
        thread = threading.Thread(target=lambda change=change: got.append(change()))
        thread.start()
        thread.join()
        assert got == [before], (got, before)
        before = 0o022 if i == 1 else 0o077
        for name in path(b"masked%d" % i), b"masked%d" % i:
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0o666))
            assert stat.S_IMODE(os.stat(name).st_mode) == 0o666 & ~before, (name, before)


def written():
    """sync(2) and sync_file_range(2) bring data to the image's file."""
    def range_of(fd):
        assert call(277, fd, 0, 0, 7) == 0  # sync_file_range
    for sync in lambda fd: os.sync(), lambda fd: call(162), range_of:
        data = os.urandom(4096)
        with open(path(b"synced"), "wb", buffering=0) as file:
            file.write(data)
            sync(file.fileno())
            with open("image", "rb") as image:
                assert data in image.read()


done()
masked()
written()
named()
refused()
direct()
print("good")
