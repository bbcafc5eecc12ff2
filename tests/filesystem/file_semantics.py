#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What programs can tell of a file system, as lines of text.

    file_semantics.py DIRECTORY

Does the same in any empty directory, as root and as others, and prints what came of
it: results, errors, what is there afterwards. Two mounts of the same file system must
print the same. What FUSE does not have in the host's kernel is not here: O_TMPFILE,
collapsing and inserting ranges, and set-group-ID without the group's execute bit, which
it leaves to whoever writes.
"""

import array
import ctypes
import errno
import fcntl
import mmap
import os
import stat
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD = -100
NOREPLACE, EXCHANGE, WHITEOUT = 1, 2, 4
KEEP_SIZE, PUNCH_HOLE, ZERO = 1, 2, 16
FS_IOC_GETFLAGS, FS_IOC_SETFLAGS = 0x80086601, 0x40086602
FS_IOC_FSGETXATTR, FS_IOC_FSSETXATTR = 0x801c581f, 0x401c5820
APPEND_ONLY, IMMUTABLE, NO_DUMP, NO_ATIME = 0x20, 0x10, 0x40, 0x80
NOBODY = 0xffffffff


def main():
    """Runs each part in a directory of its own."""
    os.chdir(sys.argv[1])
    for part in PARTS:
        os.umask(0o022)
        os.mkdir(part.__name__)
        os.chmod(part.__name__, 0o777)
        os.chdir(part.__name__)
        part()
        os.chdir("..")


def tell(what, result):
    """One line."""
    print(f"{what}: {result}", flush=True)


def attempt(what, function, *arguments, **keywords):
    """Tells the result, or the name of the error."""
    try:
        result = function(*arguments, **keywords)
    except OSError as error:
        result = errno.errorcode[error.errno]
    tell(what, result)
    return result


def as_user(uid, function, groups=()):
    """Calls the function as another user, in a process of its own."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups(groups)
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            function()
            os._exit(0)
        finally:
            os._exit(1)
    tell("child", os.waitpid(child, 0)[1])


def write(name, data=b"", mode=0o644):
    """Makes a file, or fills one."""
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    os.write(file, data)
    os.close(file)


def read(name):
    """All of a file."""
    with open(name, "rb") as file:
        return file.read()


def show(name):
    """Kind, mode, owner and links of a file."""
    try:
        status = os.lstat(name)
        tell(name, (oct(status.st_mode), status.st_uid, status.st_gid, status.st_nlink))
    except OSError as error:
        tell(name, errno.errorcode[error.errno])


def call(name, *arguments):
    """A function of the C library that Python does not have."""
    if getattr(LIBC, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return 0


def rename2(old, new, flags):
    """renameat2(2)."""
    return call("renameat2", AT_FDCWD, old.encode(), AT_FDCWD, new.encode(), flags)


def names():
    """How names come and go."""
    write("a", b"a")
    write("b", b"b")
    attempt("exclusive", os.open, "a", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    attempt("noreplace", rename2, "a", "b", NOREPLACE)
    attempt("noreplace to a new name", rename2, "a", "c", NOREPLACE)
    attempt("exchange", rename2, "b", "c", EXCHANGE)
    tell("after", (read("b"), read("c")))
    attempt("exchange with nothing", rename2, "b", "none", EXCHANGE)
    attempt("whiteout", rename2, "b", "d", WHITEOUT)
    for name in ("a", "b", "c", "d"):
        show(name)
    tell("whiteout is", os.lstat("b").st_rdev)
    os.makedirs("dir/sub")
    attempt("directory over file", os.rename, "dir", "c")
    attempt("file over directory", os.rename, "c", "dir")
    attempt("into itself", os.rename, "dir", "dir/sub/x")
    attempt("rmdir full", os.rmdir, "dir")
    attempt("unlink directory", os.unlink, "dir")
    attempt("rmdir file", os.rmdir, "c")
    attempt("link of a directory", os.link, "dir", "dir2")
    attempt("long name", os.mkdir, "n" * 256)
    attempt("longest name", os.mkdir, "n" * 255)
    attempt("none", os.stat, "none")
    write("none", b"now")
    attempt("now", read, "none")
    os.link("none", "second")
    os.unlink("none")
    tell("by the second name", read("second"))
    os.symlink("second", "link")
    attempt("through a link", read, "link")
    attempt("not through a link", os.open, "link", os.O_RDONLY | os.O_NOFOLLOW)
    attempt("slash", os.stat, "second/")
    os.mkdir("empty")
    os.rename("dir", "empty")
    tell("names", sorted(os.listdir(".")))


def open_but_gone():
    """Files and directories without a name."""
    file = os.open("f", os.O_RDWR | os.O_CREAT)
    os.write(file, b"some data")
    os.unlink("f")
    attempt("links", lambda: os.fstat(file).st_nlink)
    attempt("read", os.pread, file, 100, 0)
    attempt("chmod", os.fchmod, file, 0o600)
    attempt("chown", os.fchown, file, 7, 8)
    attempt("attribute", os.setxattr, file, "user.x", b"y")
    attempt("attribute back", os.getxattr, file, "user.x")
    attempt("truncate", os.ftruncate, file, 4)
    attempt("times", os.utime, file, (1, 2))
    status = os.fstat(file)
    tell("is", (oct(status.st_mode), status.st_uid, status.st_size, status.st_mtime))
    attempt("sync", os.fsync, file)
    os.close(file)
    os.mkdir("d")
    here = os.open(".", os.O_RDONLY)
    os.chdir("d")
    os.rmdir("../d")
    attempt("entries of nothing", os.listdir, ".")
    attempt("new file in nothing", os.open, "x", os.O_CREAT | os.O_WRONLY)
    attempt("links of nothing", lambda: os.stat(".").st_nlink)
    os.fchdir(here)
    os.close(here)
    write("old", b"old")
    file = os.open("old", os.O_RDONLY)
    write("new", b"new")
    os.rename("new", "old")
    tell("behind the name", (os.pread(file, 9, 0), read("old")))
    os.close(file)


def data():
    """Reading, writing, mapping, sizes."""
    file = os.open("f", os.O_RDWR | os.O_CREAT)
    os.pwrite(file, b"x" * 100000, 12345)
    tell("size", os.fstat(file).st_size)
    tell("zeroes before", os.pread(file, 20000, 0).count(0))
    os.ftruncate(file, 50000)
    os.ftruncate(file, 70000)
    tell("zeroes behind", os.pread(file, 70000, 0).count(0))
    with mmap.mmap(file, 70000) as area:
        area[60000:60004] = b"mmap"
        area.flush()
    tell("mapped", os.pread(file, 4, 60000))
    appending = os.open("f", os.O_WRONLY | os.O_APPEND)
    os.pwrite(appending, b"end", 5)
    tell("appended", os.pread(file, 10, 69998))
    os.close(appending)
    direct = os.open("f", os.O_RDWR | os.O_DIRECT)
    with mmap.mmap(-1, 8192) as area:
        area[:4096] = b"d" * 4096
        tell("direct write", os.pwritev(direct, [memoryview(area)[:4096]], 8192))
        tell("direct read", os.preadv(direct, [area], 4096))
        tell("direct data", bytes(area).count(b"d"))
    os.close(direct)
    tell("not direct", os.pread(file, 5000, 8192).count(b"d"))
    write("f", b"short")
    tell("truncated by open", (os.fstat(file).st_size, os.pread(file, 9, 0)))
    os.truncate("f", 2)
    tell("truncated by name", os.pread(file, 9, 0))
    attempt("past all sizes", os.ftruncate, file, 1 << 62)
    attempt("far away", os.pwrite, file, b"far", (1 << 33) + 5)
    tell("far away", (os.fstat(file).st_size, os.pread(file, 9, (1 << 33) + 4)))
    os.close(file)
    attempt("write what is read-only", lambda: os.write(os.open("f", os.O_RDONLY), b"x"))


def holes():
    """Where there is data; space that comes and goes."""
    file = os.open("f", os.O_RDWR | os.O_CREAT)
    for place in (0, 1 << 20, 3 << 20):
        os.pwrite(file, b"d" * 65536, place)
    os.fsync(file)
    tell("map", extents(file))
    attempt("punch", call, "fallocate", file, PUNCH_HOLE | KEEP_SIZE, ctypes.c_long(1 << 20),
            ctypes.c_long(65536))
    tell("punched", extents(file))
    attempt("zero", call, "fallocate", file, ZERO, ctypes.c_long(0), ctypes.c_long(4096))
    tell("zeroed", os.pread(file, 8192, 0).count(0))
    attempt("allocate", call, "fallocate", file, 0, ctypes.c_long(0), ctypes.c_long(8 << 20))
    tell("allocated", (os.fstat(file).st_size, os.fstat(file).st_blocks >= 8 << 11))
    attempt("keep size", call, "fallocate", file, KEEP_SIZE, ctypes.c_long(8 << 20),
            ctypes.c_long(1 << 20))
    tell("kept", os.fstat(file).st_size)
    attempt("past the end", os.lseek, file, 9 << 20, os.SEEK_DATA)
    fresh = os.open("fresh", os.O_RDWR | os.O_CREAT)
    tell("empty", extents(fresh))
    os.ftruncate(fresh, 8 << 20)
    for place in (4 << 20, 6 << 20, 9 << 20):
        os.pwrite(fresh, b"d" * 65536, place)
        tell("not synced", extents(fresh))
    reader = os.open("fresh", os.O_RDONLY)
    os.pwrite(fresh, b"d" * 65536, 1 << 20)
    tell("another's", extents(reader))
    os.close(fresh)
    tell("closed", extents(reader))
    os.close(reader)
    copy = os.open("copy", os.O_RDWR | os.O_CREAT)
    os.pwrite(file, b"copied", 100)
    tell("copied", os.copy_file_range(file, copy, 200000, 0, 10))
    tell("copy", (os.pread(copy, 9, 107), os.fstat(copy).st_size))
    os.close(copy)
    os.close(file)


def extents(file):
    """[(begin, end of data)...]"""
    result = []
    end = 0
    while True:
        try:
            begin = os.lseek(file, end, os.SEEK_DATA)
        except OSError:
            return result
        end = os.lseek(file, begin, os.SEEK_HOLE)
        result.append((begin, end))


def owners():
    """Who a new file belongs to; what others may do."""
    os.umask(0o027)
    as_user(1000, lambda: write("of-user", b"", 0o666))
    as_user(1000, lambda: os.mkdir("dir-of-user", 0o777))
    as_user(1000, lambda: os.symlink("x", "link-of-user"))
    as_user(1000, lambda: os.mkfifo("fifo-of-user", 0o666))
    for name in ("of-user", "dir-of-user", "link-of-user", "fifo-of-user"):
        show(name)
    as_user(1001, lambda: attempt("read by another", read, "of-user"))
    as_user(1001, lambda: attempt("file in another's", write, "dir-of-user/f"))
    as_user(1001, lambda: attempt("chmod another's", os.chmod, "of-user", 0o777))
    as_user(1000, lambda: attempt("chown", os.chown, "of-user", 1001, -1))
    as_user(1000, lambda: attempt("device", os.mknod, "dev", stat.S_IFCHR, 1))
    os.mkdir("group")
    os.chown("group", 0, 2000)
    os.chmod("group", 0o2775)
    as_user(1000, lambda: write("group/f"), groups=[2000])
    as_user(1000, lambda: os.mkdir("group/d"), groups=[2000])
    as_user(1001, lambda: attempt("not in the group", write, "group/g"))
    show("group/f")
    show("group/d")
    os.mkdir("sticky")
    os.chmod("sticky", 0o1777)
    as_user(1000, lambda: write("sticky/f"))
    as_user(1001, lambda: attempt("sticky", os.unlink, "sticky/f"))
    os.mknod("null", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    os.mknod("wide", stat.S_IFBLK | 0o600, os.makedev(300, 70000))
    tell("devices", [(os.major(os.stat(name).st_rdev), os.minor(os.stat(name).st_rdev))
                     for name in ("null", "wide")])


def set_ids():
    """Set-user-ID and capabilities go when somebody writes."""
    for name, mode in (("u", 0o4777), ("g", 0o2777), ("both", 0o6777)):
        write(name, b"program")
        os.chown(name, 1000, 1000)
        os.chmod(name, mode)
        os.setxattr(name, "security.capability",
                    struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0))
        as_user(1001, lambda name=name: append(name))
        show(name)
        attempt("capability", os.getxattr, name, "security.capability")
        os.chmod(name, mode)
        append(name)
        show(name)
        os.chown(name, 1000, 1000)
        show(name)
        os.chmod(name, mode)
        as_user(1001, lambda name=name: os.truncate(name, 1))
        show(name)
    as_user(1000, lambda: attempt("chmod", os.chmod, "u", 0o2755))
    as_user(1000, lambda: attempt("chown group", os.chown, "u", -1, 1000))
    show("u")


def append(name):
    """Without O_TRUNC."""
    file = os.open(name, os.O_WRONLY | os.O_APPEND)
    os.write(file, b"more")
    os.close(file)


def attributes():
    """Extended attributes."""
    write("f")
    attempt("create", os.setxattr, "f", "user.a", b"1", os.XATTR_CREATE)
    attempt("create again", os.setxattr, "f", "user.a", b"2", os.XATTR_CREATE)
    attempt("replace none", os.setxattr, "f", "user.b", b"2", os.XATTR_REPLACE)
    attempt("empty", os.setxattr, "f", "user.empty", b"")
    attempt("get", os.getxattr, "f", "user.a")
    attempt("get empty", os.getxattr, "f", "user.empty")
    attempt("get none", os.getxattr, "f", "user.none")
    attempt("remove", os.removexattr, "f", "user.a")
    attempt("remove again", os.removexattr, "f", "user.a")
    attempt("trusted", os.setxattr, "f", "trusted.t", b"t")
    attempt("unknown", os.setxattr, "f", "unknown.t", b"t")
    attempt("too large", os.setxattr, "f", "user.large", b"x" * 65537)
    tell("list", sorted(os.listxattr("f")))
    os.symlink("f", "link")
    attempt("user on a link", os.setxattr, "link", "user.a", b"x", follow_symlinks=False)
    attempt("trusted on a link", os.setxattr, "link", "trusted.a", b"x", follow_symlinks=False)
    attempt("list of a link", os.listxattr, "link", follow_symlinks=False)
    as_user(1000, lambda: attempt("set another's", os.setxattr, "f", "user.c", b"c"))
    as_user(1000, lambda: attempt("read another's", os.getxattr, "f", "user.empty"))
    as_user(1000, lambda: attempt("trusted of root", os.getxattr, "f", "trusted.t"))


def acl(*entries):
    """The kernel's form of a POSIX ACL: (tag, permissions, id)..."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def acls():
    """Access by ACL, defaults, and how mode and ACL stay in step."""
    write("f", b"secret", 0o600)
    allow = acl((1, 6, NOBODY), (2, 4, 1000), (4, 0, NOBODY), (16, 4, NOBODY), (32, 0, NOBODY))
    as_user(1000, lambda: attempt("without", read, "f"))
    attempt("set", os.setxattr, "f", "system.posix_acl_access", allow)
    show("f")
    as_user(1000, lambda: attempt("with", read, "f"))
    as_user(1001, lambda: attempt("another", read, "f"))
    os.chmod("f", 0o600)
    tell("after chmod", os.getxattr("f", "system.posix_acl_access").hex())
    as_user(1000, lambda: attempt("masked", read, "f"))
    attempt("remove", os.removexattr, "f", "system.posix_acl_access")
    attempt("removed", os.getxattr, "f", "system.posix_acl_access")
    os.mkdir("d")
    default = acl((1, 7, NOBODY), (2, 7, 1000), (4, 5, NOBODY), (16, 7, NOBODY), (32, 0, NOBODY))
    attempt("default", os.setxattr, "d", "system.posix_acl_default", default)
    os.umask(0o077)
    write("d/f", b"", 0o666)
    os.mkdir("d/d", 0o777)
    os.mkfifo("d/fifo", 0o666)
    for name in ("d/f", "d/d", "d/fifo"):
        show(name)
        attempt("access", lambda name=name: os.getxattr(name, "system.posix_acl_access").hex())
    attempt("inherited", lambda: os.getxattr("d/d", "system.posix_acl_default").hex())
    as_user(1000, lambda: attempt("by default", write, "d/f"))
    attempt("default on a file", os.setxattr, "f", "system.posix_acl_default", default)
    attempt("equal to a mode", os.setxattr, "f", "system.posix_acl_access",
            acl((1, 7, NOBODY), (4, 5, NOBODY), (32, 5, NOBODY)))
    show("f")
    write("sgid")
    os.chown("sgid", 1000, 2000)
    os.chmod("sgid", 0o2770)
    as_user(1000, lambda: attempt("in no such group", os.setxattr, "sgid",
                                  "system.posix_acl_access", allow))
    show("sgid")
    os.chmod("sgid", 0o2770)
    as_user(1000, lambda: attempt("in the group", os.setxattr, "sgid", "system.posix_acl_access",
                                  allow), groups=[2000])
    show("sgid")


def flags():
    """chattr(1), and what it forbids."""
    write("f", b"0123456789")
    file = os.open("f", os.O_RDWR)
    attempt("flags", lambda: ioctl_flags(file) & ~0x80000)
    attempt("set", set_flags, file, NO_DUMP | NO_ATIME)
    attempt("flags", lambda: ioctl_flags(file) & ~0x80000)
    attempt("append-only", set_flags, file, APPEND_ONLY)
    attempt("write to it all the same", os.pwrite, file, b"A", 0)
    attempt("sync it", os.fsync, file)
    attempt("truncate", os.truncate, "f", 1)
    attempt("open for writing", os.open, "f", os.O_WRONLY)
    attempt("append", append, "f")
    attempt("append more", append, "f")
    tell("appended", read("f"))
    attempt("unlink", os.unlink, "f")
    attempt("immutable", set_flags, file, IMMUTABLE)
    attempt("cut it", os.ftruncate, file, 3)
    tell("size", os.fstat(file).st_size)
    tell("contents", read("f"))
    attempt("append", append, "f")
    attempt("chmod", os.chmod, "f", 0o600)
    attempt("link", os.link, "f", "g")
    attempt("none", set_flags, file, 0)
    attempt("unlink", os.unlink, "f")
    project = bytearray(28)
    fcntl.ioctl(file, FS_IOC_FSGETXATTR, project)
    # Whether there is room for attributes depends on what security module there is.
    tell("project", struct.unpack("<I", project[:4])[0] & 0x7fffffff)
    project[:4] = struct.pack("<I", 0x80)
    attempt("no dump", fcntl.ioctl, file, FS_IOC_FSSETXATTR, bytes(project))
    attempt("flags", lambda: ioctl_flags(file) & ~0x80000)
    attempt("unknown", fcntl.ioctl, file, 0x12345678)
    os.close(file)
    write("of-root")
    os.chmod("of-root", 0o666)
    as_user(1000, lambda: attempt("flags of another's", lambda: set_flags(
        os.open("of-root", os.O_RDWR), NO_DUMP)))
    here = os.open(".", os.O_RDONLY)
    attempt("of a directory", set_flags, here, NO_DUMP)
    attempt("of a directory", lambda: ioctl_flags(here) & ~0x80000)
    os.close(here)


def ioctl_flags(file):
    """FS_IOC_GETFLAGS."""
    value = array.array("l", [0])
    fcntl.ioctl(file, FS_IOC_GETFLAGS, value)
    return value[0]


def set_flags(file, value):
    """FS_IOC_SETFLAGS, beside what the file system has set itself."""
    own = ioctl_flags(file) & 0x80000
    fcntl.ioctl(file, FS_IOC_SETFLAGS, array.array("l", [value | own]))


def locks():
    """Locks of two processes."""
    write("f", b"x" * 100)
    ours = os.open("f", os.O_RDWR)
    theirs = os.open("f", os.O_RDWR)
    attempt("flock", fcntl.flock, ours, fcntl.LOCK_EX)
    attempt("flock by another", fcntl.flock, theirs, fcntl.LOCK_SH | fcntl.LOCK_NB)
    fcntl.flock(ours, fcntl.LOCK_UN)
    attempt("flock after", fcntl.flock, theirs, fcntl.LOCK_SH | fcntl.LOCK_NB)
    fcntl.lockf(ours, fcntl.LOCK_EX, 10, 20)
    as_user(0, lambda: attempt("its place", fcntl.lockf, theirs, fcntl.LOCK_EX | fcntl.LOCK_NB, 5,
                               25))
    as_user(0, lambda: attempt("another place", fcntl.lockf, theirs,
                               fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 0))
    as_user(0, lambda: tell("holder", struct.unpack("hhqqi", fcntl.fcntl(
        theirs, fcntl.F_GETLK, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0)))[:4]))
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        fcntl.lockf(theirs, fcntl.LOCK_EX, 10, 20)  # waits
        os.pwrite(theirs, b"child", 0)
        os._exit(0)
    os.pwrite(ours, b"ours!", 0)
    fcntl.lockf(ours, fcntl.LOCK_UN, 10, 20)
    tell("waited", os.waitpid(child, 0)[1])
    tell("last", os.pread(ours, 5, 0))
    os.close(ours)
    os.close(theirs)


def times():
    """Time stamps, to the nanosecond."""
    write("f")
    for stamp in (0, 1, 1234567890123456789, 0x7fffffff * 10**9, -10**9 + 1):
        os.utime("f", ns=(stamp, stamp + 1))
        status = os.stat("f")
        tell("times", (status.st_atime_ns, status.st_mtime_ns))
    before = os.stat("f").st_mtime_ns
    append("f")
    tell("newer", os.stat("f").st_mtime_ns > before)
    os.utime("f", ns=(5, 6))
    file = os.open("f", os.O_RDWR)
    os.write(file, b"xyz")
    os.utime(file, ns=(7, 8))
    os.close(file)
    tell("kept after writing", os.stat("f").st_mtime_ns)
    os.symlink("f", "link")
    os.utime("link", ns=(11, 12), follow_symlinks=False)
    tell("of the link", os.lstat("link").st_mtime_ns)
    tell("of its target", os.stat("f").st_mtime_ns)
    os.chmod("f", 0o666)
    as_user(1000, lambda: attempt("now, by a writer", os.utime, "f"))
    as_user(1000, lambda: attempt("a time, by a writer", os.utime, "f", (1, 1)))
    os.mkdir("d")
    os.utime("d", ns=(5, 6))
    write("d/new")
    tell("directory is newer", os.stat("d").st_mtime_ns > 6)


def large_directory():
    """A directory that changes while it is read."""
    for number in range(3000):
        write(f"file-{number:05}")
    tell("names", len(set(os.listdir("."))))
    seen = []
    with os.scandir(".") as entries:
        for entry in entries:
            seen.append((entry.name, entry.is_file()))
            os.unlink(entry.name)
    tell("seen", (len(seen), len(set(seen))))
    tell("left", os.listdir("."))


def limits():
    """What the file system says of itself."""
    status = os.statvfs(".")
    tell("name", status.f_namemax)
    tell("blocks", (status.f_frsize, status.f_blocks, status.f_files))
    tell("block", os.stat(".").st_blksize)


PARTS = (names, open_but_gone, data, holes, owners, set_ids, attributes, acls, flags, locks, times,
         large_directory, limits)

if __name__ == "__main__":
    main()
