#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Four processes change the data of files in every way there is, as fsx does, and compare
them with what they must be.

    data_operations.py DIRECTORY SECONDS DIGESTS    changes, and writes down the results
    data_operations.py DIRECTORY 0 DIGESTS          compares with what was written down

Each process has two files, of up to 1 MiB, and a model of them in memory. What is read
comes from the page cache, from a mapping, or, when that was dropped, from the file system.
"""

import collections
import ctypes
import errno
import fcntl
import hashlib
import json
import mmap
import os
import random
import struct
import sys
import time

PROCESSES = 4
MOST = 1 << 20  # bytes of a file
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16
FICLONERANGE = 0x4020940D
# What a file system or FUSE may not have.
MISSING = (errno.EOPNOTSUPP, errno.ENOTTY, errno.ENOSYS)
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


def digest(data):
    """Of a file's bytes."""
    return hashlib.sha256(data).hexdigest()


class Model:
    """An open file and what must be in it."""

    def __init__(self, path):
        self.path = path
        self.data = bytearray()
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)

    def put(self, offset, block):
        """These bytes are there from now on."""
        if len(self.data) < offset + len(block):
            self.data.extend(bytes(offset + len(block) - len(self.data)))
        self.data[offset:offset + len(block)] = block

    def expect(self, offset, found, how):
        """Compares."""
        wanted = self.data[offset:offset + len(found)]
        if found != wanted:
            first = next(i for i, pair in enumerate(zip(found, wanted)) if pair[0] != pair[1])
            raise AssertionError(f"{self.path}, {how}: byte {offset + first} of "
                                 f"{len(self.data)} is {found[first]}, not {wanted[first]}")


class Process:
    """One of them: what it does follows from its number alone."""

    def __init__(self, top, number):
        self.random = random.Random(number)
        self.files = [Model(f"{top}/data-{number}-{name}") for name in "ab"]
        self.done = collections.Counter()
        self.missing = set()

    def run(self, deadline):
        """Returns what was done, and the digests."""
        operations = (self.write, self.write, self.truncate, self.map_read, self.map_write,
                      self.punch, self.zero, self.copy, self.clone, self.sync, self.reopen,
                      self.read, self.read, self.read_anew)
        while time.monotonic() < deadline:
            operation = self.random.choice(operations)
            if operation.__name__ in self.missing:
                continue
            file = self.random.choice(self.files)
            try:
                operation(file)
            except OSError as error:
                if error.errno not in MISSING or operation not in (self.punch, self.zero,
                                                                   self.copy, self.clone):
                    raise
                self.missing.add(operation.__name__)
            self.done[operation.__name__] += 1
            if (size := os.fstat(file.file).st_size) != len(file.data):
                raise AssertionError(f"{file.path}, {operation.__name__}: {size} bytes, "
                                     f"not {len(file.data)}")
        for file in self.files:
            self.read_anew(file)
            os.close(file.file)
        for name in self.missing:
            self.done[name] = 0
        return self.done, {os.path.basename(file.path): digest(file.data) for file in self.files}

    def place(self, limit, most=100000):
        """An offset and a length below the limit; often whole blocks."""
        offset = self.random.randrange(limit)
        length = self.random.randrange(1, most)
        if self.random.randrange(3) == 0:
            offset -= offset % 4096
            length += -length % 4096
        return offset, min(length, limit - offset)

    def write(self, file):
        """Anywhere, behind the end too."""
        offset, length = self.place(MOST)
        block = self.random.randbytes(length)
        assert os.pwrite(file.file, block, offset) == length
        file.put(offset, block)

    def truncate(self, file):
        """Shorter or longer."""
        size = self.random.randrange(MOST)
        os.ftruncate(file.file, size)
        del file.data[size:]
        file.data.extend(bytes(size - len(file.data)))

    def map_read(self, file):
        """By a mapping of all of it."""
        if file.data:
            with mmap.mmap(file.file, len(file.data), prot=mmap.PROT_READ) as pages:
                offset, length = self.place(len(file.data))
                file.expect(offset, pages[offset:offset + length], "mapped")

    def map_write(self, file):
        """By a shared mapping, which msync(2) may write back."""
        if file.data:
            with mmap.mmap(file.file, len(file.data)) as pages:
                offset, length = self.place(len(file.data))
                block = self.random.randbytes(length)
                pages[offset:offset + length] = block
                if self.random.randrange(2):
                    pages.flush()
            file.put(offset, block)

    def allocate(self, file, mode, offset, length):
        """fallocate(2)."""
        if LIBC.fallocate(file.file, mode, offset, length) != 0:
            raise OSError(ctypes.get_errno(), "fallocate")

    def punch(self, file):
        """A hole, which does not change the size."""
        offset, length = self.place(MOST)
        self.allocate(file, PUNCH_HOLE | KEEP_SIZE, offset, length)
        length = max(0, min(length, len(file.data) - offset))
        file.data[offset:offset + length] = bytes(length)

    def zero(self, file):
        """Zeroes, which make it longer unless they are not to."""
        offset, length = self.place(MOST)
        keep = self.random.randrange(2) * KEEP_SIZE
        self.allocate(file, ZERO_RANGE | keep, offset, length)
        if keep:
            length = max(0, min(length, len(file.data) - offset))
        if length:
            file.put(offset, bytes(length))

    def copy(self, file):
        """copy_file_range(2) to the other file."""
        other = self.files[file is self.files[0]]
        if not file.data:
            return
        offset, length = self.place(len(file.data))
        target = self.random.randrange(MOST - length)
        while length > 0:
            count = os.copy_file_range(file.file, other.file, length, offset, target)
            assert count > 0, "copy_file_range gives nothing"
            other.put(target, file.data[offset:offset + count])
            offset, target, length = offset + count, target + count, length - count

    def clone(self, file):
        """Blocks for both files."""
        other = self.files[file is self.files[0]]
        if len(file.data) < 4096:
            return
        offset = self.random.randrange(len(file.data) // 4096) * 4096
        length = min(self.random.randrange(1, 16) * 4096, (len(file.data) - offset) // 4096 * 4096)
        target = self.random.randrange((MOST - length) // 4096) * 4096
        if length:
            fcntl.ioctl(other.file, FICLONERANGE,
                        struct.pack("qQQQ", file.file, offset, length, target))
            other.put(target, file.data[offset:offset + length])

    def sync(self, file):
        """One way or the other."""
        self.random.choice((os.fsync, os.fdatasync))(file.file)

    def reopen(self, file):
        """As another program would."""
        os.close(file.file)
        file.file = os.open(file.path, os.O_RDWR)

    def read(self, file):
        """A part, to behind the end maybe."""
        offset, length = self.place(MOST)
        found = os.pread(file.file, length, offset)
        assert len(found) == max(0, min(length, len(file.data) - offset)), "a short read"
        file.expect(offset, found, "read")

    def read_anew(self, file):
        """All of it, when the host has dropped what it had of it."""
        os.fsync(file.file)
        os.posix_fadvise(file.file, 0, 0, os.POSIX_FADV_DONTNEED)
        found = os.pread(file.file, MOST + 1, 0)
        assert len(found) == len(file.data), f"{len(found)} bytes, not {len(file.data)}"
        file.expect(0, found, "read anew")


def compare(top, digests):
    """What was written down is there."""
    for name, wanted in digests.items():
        with open(f"{top}/{name}", "rb") as file:
            if digest(file.read()) != wanted:
                sys.exit(f"{name} is another one")
    print(len(digests), "files are the same")


def main():
    """Starts them, and adds up what they did."""
    top, seconds, path = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    if seconds == 0:
        with open(path, encoding="ascii") as file:
            compare(top, json.load(file))
        return
    pipes = []
    for number in range(PROCESSES):
        ours, theirs = os.pipe()
        if os.fork() == 0:
            done = Process(top, number).run(time.monotonic() + seconds)
            os.write(theirs, json.dumps(done).encode())
            os._exit(0)
        os.close(theirs)
        pipes.append(ours)
    total, digests, failed = collections.Counter(), {}, False
    for pipe in pipes:
        answer = os.read(pipe, 65536)
        os.wait()
        if not answer:
            failed = True
            continue
        done, found = json.loads(answer)
        total.update(done)
        digests.update(found)
    if failed:
        sys.exit("a process failed")
    with open(path, "w", encoding="ascii") as file:
        json.dump(digests, file)
    print("operations:", " ".join(f"{name} {count}" for name, count in sorted(total.items())))


if __name__ == "__main__":
    main()
