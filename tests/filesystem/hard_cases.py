# SPDX-License-Identifier: GPL-2.0-only
"""A tree of what is hard to store, sorted by feature.

Each directory at the top is named for a feature that some file system lacks, so
that what goes wrong below it tells which one that is. What every file system holds
is in files at the top itself. make() gives each name a second name where links can
be made; everything else is as the host stores it.
"""

import os
import random
import socket
import stat
import struct

SECOND = 10**9
# An even number of seconds, since FAT counts in twos.
COMMON_TIME = 1234567890 * SECOND

# What compression makes small, and no part of it is there a second time.
LINES = b"".join(b"one of many lines that are nearly the same: %07d\n" % n for n in range(6000))

# The largest data that an image must hold besides what `huge` has.
DATA_SIZE = 6 << 20


def make(top, leave_out=()):
    """Makes the tree in an empty directory; leave_out: features not to try."""
    os.umask(0o022)
    before = os.getcwd()
    os.chdir(top)
    try:
        source = random.Random(1)
        for size in (0, 1, 511, 512, 513, 4096, 100001):
            _write(f"size-{size}", source.randbytes(size))
        for feature, maker in FEATURES.items():
            if feature not in leave_out:
                os.mkdir(feature)
                os.chdir(feature)
                maker()
                os.chdir("..")
        _set_times()
    finally:
        os.chdir(before)


def feature_of(path):
    """The feature that an entry needs, or None for what every file system holds."""
    top = path.split(b"/")[0].decode("latin-1")
    return top if top in FEATURES else None


def _write(name, data):
    with open(name, "wb") as file:
        file.write(data)


def _directories():
    source = random.Random(2)
    os.mkdir("empty")
    os.makedirs("a/b/c/d")
    for size in (4095, 4097, 65536, 1048577, 2500000):
        _write(f"a/b/size-{size}", source.randbytes(size))
    _write("a/b/c/d/zeros", bytes(300000))
    _write("a/b/c/d/lines", LINES)


def _many():
    """Most of them empty, so that a cluster for each is not what an image has to hold.

    The names are their own short names for FAT, which else tries ten for each, and reads all
    of the directory each time.
    """
    for number in range(10_000):
        _write(f"f-{number:05}", b"%d\n" % number if number % 10 == 0 else b"")


def _names_long():
    for length in (31, 64, 100):
        _write("n" * length, b"%d" % length)
        os.mkdir("d" * length)


def _names_255():
    _write("n" * 255, b"n")
    _write("m" * 254, b"m")
    os.mkdir("d" * 255)
    _write("d" * 255 + "/" + "f" * 255, b"f")


def _names_bytes():
    for name in (b"caf\xe9", b"\xff\xfe\x01", b"\xc3", b"cut-\xe6\x97"):
        _write(name, name)


def _names_utf8():
    for name in ("ü-umlaut", "日本語", "Ελλάδα", "привет"):
        _write(name, name.encode())


def _names_odd():
    for name in ("blank in it", " blank first", "blank last ", "dot last.", "-dash", "~tilde",
                 "semicolon;", "percent%", "new\nline", "tab\t", "back\\slash", "star*", "quote\"",
                 "a:b", "a|b", "a<b>c", "what?", "con", "aux.txt"):
        _write(name, name.encode())


def _names_case():
    for name in ("name", "NAME", "Name"):
        _write(name, name.encode())


def _deep():
    """A path longer than any system call takes."""
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    for level in range(60):
        name = f"{level:02}-" + "d" * 97
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        file = os.open("file", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=below)
        os.write(file, b"%d" % level)
        os.close(file)
        os.close(here)
        here = below
    os.close(here)


def _sparse(name, size, *parts):
    with open(name, "wb") as file:
        file.truncate(size)
        for offset, data in parts:
            file.seek(offset)
            file.write(data)


def _holes():
    block = b"data" * 16384
    _sparse("all", 4 << 20)
    _sparse("first", 4 << 20, ((4 << 20) - len(block), block))
    _sparse("last", 4 << 20, (0, block))
    _sparse("middle", (4 << 20) + 3, (0, block), (2 << 20, block))


def _huge():
    """Data on both sides of 4 GiB."""
    block = random.Random(3).randbytes(65536)
    _sparse("huge", (4 << 30) + 200000, (0, b"start"), ((4 << 30) - 32768, block),
            ((4 << 30) + 131072, block))


def _hard_links():
    _write("first", b"three names\n")
    os.mkdir("other")
    os.link("first", "second")
    os.link("first", "other/third")


def _symlinks():
    os.symlink("nowhere/at/all", "dangling")
    os.symlink("/etc/passwd", "absolute")
    for length in (59, 60, 61, 250):
        os.symlink("t" * length, f"target-{length}")


def _symlinks_long():
    for length in (1000, 1020):
        os.symlink("t" * length, f"target-{length}")


def _devices():
    os.mknod("null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod("disk", 0o660 | stat.S_IFBLK, os.makedev(8, 17))


def _devices_wide():
    os.mknod("wide", 0o600 | stat.S_IFCHR, os.makedev(511, 262143))


def _fifos():
    os.mkfifo("fifo")


def _sockets():
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")


def _modes():
    for mode in (0o400, 0o600, 0o644, 0o751, 0o777, 0o4755, 0o2755, 0o1777):
        _write(f"{mode:04o}", b"")
        os.chmod(f"{mode:04o}", mode)
        os.mkdir(f"{mode:04o}-d")
        os.chmod(f"{mode:04o}-d", mode)


def _owned(*owners):
    for owner in owners:
        _write(f"{owner}", b"")
        os.chown(f"{owner}", owner, owner // 2)


def _owners():
    _owned(1, 100, 200)


def _owners_16_bit():
    _owned(1000, 65533)


def _owners_32_bit():
    _owned(65536, 0x7ffffffe, 0xfffffffe)


def _attributes_user():
    _write("user", b"")
    os.setxattr("user", "user.comment", "grüße".encode())
    _write("binary", b"")
    os.setxattr("binary", "user.binary", bytes(range(256)))
    _write("empty", b"")
    os.setxattr("empty", "user.empty", b"")
    os.mkdir("d")
    for number in range(10):
        os.setxattr("d", f"user.number.{number}", str(number).encode())


def _attributes_large():
    _write("large", b"")
    os.setxattr("large", "user.large", b"v" * 3000)


def _attributes_trusted():
    _write("f", b"")
    os.setxattr("f", "trusted.overlay.opaque", b"y")
    os.symlink("f", "link")
    os.setxattr("link", "trusted.on.link", b"link", follow_symlinks=False)


def _attributes_security():
    _write("label", b"")
    os.setxattr("label", "security.selinux", b"system_u:object_r:etc_t:s0\0")
    _write("capability", b"")
    # cap_net_raw=ep, version 2 of the structure.
    os.setxattr("capability", "security.capability",
                struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0))


def _acl(*entries):
    """The kernel's form of a POSIX ACL: (tag, permissions, id)..."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def _acls():
    nobody = 0xffffffff
    access = _acl((1, 6, nobody), (2, 4, 1234), (4, 4, nobody), (8, 6, 4321), (16, 6, nobody),
                  (32, 0, nobody))
    default = _acl((1, 7, nobody), (2, 5, 1234), (4, 5, nobody), (16, 5, nobody), (32, 0, nobody))
    _write("access", b"")
    os.setxattr("access", "system.posix_acl_access", access)
    os.mkdir("default")
    os.setxattr("default", "system.posix_acl_default", default)


TIMES = {
    "times-before-1970": (-86400 * SECOND, -631152000 * SECOND, -2147483648 * SECOND),
    # The last second of a signed number of 32 bits is 0x7fffffff.
    "times-after-2038": (0x80000000 * SECOND, 2208988800 * SECOND),
    "times-after-2106": (0x100000000 * SECOND, 7258118400 * SECOND),
    "times-1970": (0, 1 * SECOND),
    "fractions": (COMMON_TIME + 123456789, COMMON_TIME + 999999999, COMMON_TIME + SECOND),
}


def _times_of(feature):
    def maker():
        for number, _ in enumerate(TIMES[feature]):
            _write(f"{number}", b"")
            os.mkdir(f"{number}-d")
    return maker


FEATURES = {
    "directories": _directories,
    "many": _many,
    "names-long": _names_long,
    "names-255": _names_255,
    "names-bytes": _names_bytes,
    "names-utf8": _names_utf8,
    "names-odd": _names_odd,
    "names-case": _names_case,
    "deep": _deep,
    "holes": _holes,
    "huge": _huge,
    "hard-links": _hard_links,
    "symlinks": _symlinks,
    "symlinks-long": _symlinks_long,
    "devices": _devices,
    "devices-wide": _devices_wide,
    "fifos": _fifos,
    "sockets": _sockets,
    "modes": _modes,
    "owners": _owners,
    "owners-16-bit": _owners_16_bit,
    "owners-32-bit": _owners_32_bit,
    "attributes-user": _attributes_user,
    "attributes-large": _attributes_large,
    "attributes-trusted": _attributes_trusted,
    "attributes-security": _attributes_security,
    "acls": _acls,
} | {feature: _times_of(feature) for feature in TIMES}


def _set_times():
    """Last, since making an entry changes its directory. From the leaves to the top."""
    for _, directories, files, here in os.fwalk(".", topdown=False, follow_symlinks=False):
        for name in directories + files:
            os.utime(name, ns=(COMMON_TIME, COMMON_TIME), dir_fd=here, follow_symlinks=False)
    for feature, stamps in TIMES.items():
        for number, stamp in enumerate(stamps):
            for name in (f"{feature}/{number}", f"{feature}/{number}-d"):
                if os.path.lexists(name):
                    os.utime(name, ns=(stamp, stamp))
    os.utime(".", ns=(COMMON_TIME, COMMON_TIME))
