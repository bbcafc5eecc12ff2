#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Eight processes do everything at once.

    mixed_operations.py DIRECTORY SECONDS COUNTS    as many operations as that time allows
    mixed_operations.py DIRECTORY 0 COUNTS          those that COUNTS says

Each process has a directory of its own, where its operations and their results follow
from its number alone: who does the same number of them elsewhere gets the same tree.
One more directory is everybody's, where they are in each other's way. The file COUNTS
has the number of operations of each process.
"""

import errno
import json
import os
import random
import sys
import time

PROCESSES = 8
NAMES = 40


def main():
    """Starts them, and writes down how far each came."""
    top, seconds, counts = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    limits = [0] * PROCESSES
    if seconds == 0:
        with open(counts, encoding="ascii") as file:
            limits = json.load(file)
    os.mkdir(top + "/shared")
    pipes = []
    for number in range(PROCESSES):
        ours, theirs = os.pipe()
        if os.fork() == 0:
            done = Process(top, number).run(time.monotonic() + seconds, limits[number])
            os.write(theirs, str(done).encode())
            os._exit(0)
        os.close(theirs)
        pipes.append(ours)
    done = [int(os.read(pipe, 20) or -1) for pipe in pipes]
    for _ in pipes:
        os.wait()
    if -1 in done:
        sys.exit("a process failed")
    if seconds > 0:
        with open(counts, "w", encoding="ascii") as file:
            json.dump(done, file)
    print("operations:", done)


class Process:
    """One of them. Its own tree is a dictionary of what must be there."""

    def __init__(self, top, number):
        self.random = random.Random(number)
        self.chaos = random.Random(number + 100)
        self.own = f"{top}/{number}/"
        self.shared = top + "/shared/"
        self.data = {}
        os.mkdir(self.own)

    def run(self, deadline, limit):
        """Returns how many operations it did."""
        operations = (self.write, self.write, self.append, self.truncate, self.rename, self.link,
                      self.unlink, self.check, self.check, self.directory, self.attribute,
                      self.symlink)
        done = 0
        while done < limit if limit else time.monotonic() < deadline:
            self.random.choice(operations)(self.name())
            if not limit:
                self.disturb()
            done += 1
        return done

    def name(self):
        """Of a file in its own directory."""
        return f"f{self.random.randrange(NAMES)}"

    def detach(self, name):
        """What has other names is left to them."""
        try:
            os.unlink(self.own + name)
        except FileNotFoundError:
            pass
        self.data.pop(name, None)

    def write(self, name):
        """A new file, or a part of an old one."""
        size = self.random.choice((1, 100, 4096, 5000, 70000, 300000))
        block = self.random.randbytes(size)
        self.detach(name)
        with open(self.own + name, "wb") as file:
            file.write(block)
        self.data[name] = block

    def append(self, name):
        """At the end, or in the middle, or behind the end."""
        place = self.random.randrange(100000)
        block = self.random.randbytes(self.random.randrange(1, 9000))
        if name not in self.data or os.lstat(self.own + name).st_nlink > 1:
            return
        old = self.data[name].ljust(place, b"\0")
        file = os.open(self.own + name, os.O_WRONLY)
        os.pwrite(file, block, place)
        if place % 16 == 0:
            os.fsync(file)
        os.close(file)
        self.data[name] = old[:place] + block + old[place + len(block):]

    def truncate(self, name):
        """Shorter or longer."""
        size = self.random.randrange(100000)
        if name in self.data and os.lstat(self.own + name).st_nlink == 1:
            os.truncate(self.own + name, size)
            self.data[name] = self.data[name][:size].ljust(size, b"\0")

    def rename(self, name):
        """Over another."""
        other = self.name()
        if name in self.data and other != name:
            if other in self.data and os.path.samefile(self.own + name, self.own + other):
                return
            os.rename(self.own + name, self.own + other)
            self.data[other] = self.data.pop(name)

    def link(self, name):
        """A second name."""
        other = self.name()
        if name in self.data and other not in self.data:
            os.link(self.own + name, self.own + other)
            self.data[other] = self.data[name]

    def unlink(self, name):
        """A name goes."""
        self.detach(name)

    def check(self, name):
        """What was written is there."""
        if name in self.data:
            with open(self.own + name, "rb") as file:
                assert file.read() == self.data[name], name

    def directory(self, name):
        """Comes and goes."""
        path = self.own + "d" + name
        if os.path.isdir(path):
            for entry in os.listdir(path):
                os.unlink(path + "/" + entry)
            os.rmdir(path)
        else:
            os.mkdir(path, 0o700)
            with open(path + "/x", "wb") as file:
                file.write(name.encode())

    def attribute(self, name):
        """An extended attribute and a mode."""
        if name in self.data:
            os.setxattr(self.own + name, "user.number", name.encode())
            os.chmod(self.own + name, 0o600 + self.random.randrange(64))

    def symlink(self, name):
        """Comes and goes."""
        path = self.own + "s" + name
        if os.path.islink(path):
            os.unlink(path)
        else:
            os.symlink(name, path)

    def disturb(self):
        """Something in the directory of all, where anything may have gone meanwhile."""
        one = self.shared + str(self.chaos.randrange(20))
        other = self.shared + str(self.chaos.randrange(20))
        allowed = (errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY,
                   errno.EINVAL, errno.EPERM, errno.ESTALE)
        try:
            kind = self.chaos.randrange(7)
            if kind == 0:
                with open(one, "ab") as file:
                    file.write(b"x" * self.chaos.randrange(20000))
            elif kind == 1:
                os.rename(one, other)
            elif kind == 2:
                os.unlink(one)
            elif kind == 3:
                os.link(one, other)
            elif kind == 4:
                os.mkdir(one) if self.chaos.randrange(2) else os.rmdir(one)
            elif kind == 5:
                for entry in os.scandir(self.shared):
                    entry.stat()
            else:
                with open(one, "rb") as file:
                    assert file.read().count(b"x") >= 0
        except OSError as error:
            if error.errno not in allowed:
                raise


if __name__ == "__main__":
    main()
