#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# ctest: CASES TIMEOUT=900
"""Images of every type, damaged at random: the tools answer as documented.

    mutated_images_test.py --list
    mutated_images_test.py --case NAME [--seed N] [--keep FILE]

A case is a row of filesystem_table.py: the real mkfs makes an image, with a few files in
it. Each mutant of it has bits turned, fields set to extremes, sectors zeroed, copied or
exchanged, or its end cut off, by a generator whose seed is printed when something is
wrong; --seed repeats that one alone, and --keep leaves its image in a file.

fs2tar and a command of lkl (the shell is one) read each mutant, and cptofs writes to some.
Whatever the file system makes of it, the tool ends by itself with a documented exit code
and lines of its own; what it left is a whole archive or none, and a list of JSON is whole
unless the kernel has crashed. A crash of the kernel (exit code 7) is a finding in Linux: it
is counted and told, and no failure, as long as the tool says so in one line.

Types that the tools do not take, since they have several disks or none, are read and
written by image_tree, which knows no exit codes but 0 and 1.

LKL_MUTANTS: how many of each type (4).
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../filesystem"))
import filesystem_table  # noqa: E402 pylint: disable=wrong-import-position

SKIPPED = 77
SECTOR = 512
# Beyond what the tools' own watchdog takes.
PATIENCE = 200
KERNEL_CRASHED = 7
# ok file_system partition image damaged output kernel path incomplete; usage, internal and
# archive are not for an image to cause.
CODES = {0, 2, 3, 4, 5, 6, KERNEL_CRASHED, 8, 10}
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../filesystem")
EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000,
            0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF)


# Commands of lkl, as often as the list has them. {} is the image.
LOOKS = (
    ("info", "-q", "{}"),
    ("info", "-q", "--json", "{}"),
    ("ls", "-lR", "{}:/"),
    ("ls", "-R", "--json", "{}:/"),
    ("tree", "{}:/"),
    ("find", "{}:/", "-ls"),
    ("du", "--json", "{}:/"),
    ("df", "{}"),
    ("stat", "{}:/sub/deeper/large"),
    ("cat", "{}:/sub/file39", "{}:/sub/deeper/large"),
    ("cat", "{}:/sub/deeper/large"),
    ("sum", "-r", "{}:/sub"),
    ("shell", "{}"),
    ("shell", "{}"),
)
SHELL = b"ls -l /sub\ncd sub\ncat file7 deeper/large\nfind . -type f\ndu .\n"
# In the shell a path that is no directory any more is what a wrong command line is.
SHELL_CODES = CODES | {1}

# What image_tree makes, and no tool does.
PUT = {
    "btrfs-subvolumes": ("--subvolume=sub", "--subvolume=sub/deeper", "--snapshot=sub:snapshot"),
    "ntfs-compressed": ("--compress",),
}


def without_tools(row):
    """Whether the tools do not take the type: it is on several disks, or on none."""
    return row.images > 1 or row.type in ("jffs2", "ubifs")


def rows():
    """All of the table, and a few more that have no checksums to hide behind."""
    found = {row.name: row for row in filesystem_table.TABLE}
    found["ext4-without-checksums"] = filesystem_table.row(
        "ext4-without-checksums", "", "ext4",
        "mkfs.ext4 -q -O ^metadata_csum,inline_data {image}")
    return found


class Failure(Exception):
    """The test has failed; the text says at what."""


def fill(directory):
    """Files that make the metadata of every type interesting, and that all can hold."""
    os.makedirs(os.path.join(directory, "sub/deeper"))
    for number in range(40):
        with open(f"{directory}/sub/file{number}", "wb") as file:
            file.write(b"%d\n" % number * (1 + number * number))
    with open(f"{directory}/sub/deeper/large", "wb") as file:
        file.write(random.Random(0).randbytes(300_000))
    os.symlink("file1", f"{directory}/sub/link")
    os.link(f"{directory}/sub/file2", f"{directory}/sub/hard")


def make(row, work):
    """The sound image."""
    image = os.path.join(work, "image")
    source = os.path.join(work, "source")
    empty = os.path.join(work, "empty")
    os.mkdir(source)
    os.mkdir(empty)
    fill(source)
    image2 = os.path.join(work, "image2") if row.images > 1 else image
    if row.size:
        for path in (image, image2):
            with open(path, "wb") as file:
                file.truncate(row.size)
    for words in row.make:
        if shutil.which(words[0].format(here=HERE)) is None:
            print(f"SKIP: {words[0]} is missing")
            sys.exit(SKIPPED)
        subprocess.run([word.format(image=image, image2=image2, source=source, empty=empty,
                                    here=HERE) for word in words], check=True, capture_output=True,
                       stdin=subprocess.DEVNULL)
    if without_tools(row) or row.name in PUT:
        done = image_tree(row, "put", source, image, extras=PUT.get(row.name, ()))
        if done.returncode != 0:
            raise Failure(f"the image cannot be filled: {done.stderr}")
    elif not row.packed:
        # What the type cannot hold is left out (10).
        done = tool("cptofs", "-i", image, *options(row), f"{source}/sub", "/")
        if done.returncode not in (0, 10):
            raise Failure(f"the image cannot be filled: {done.stderr}")
    return image


def options(row):
    """Of the tools: how the image is mounted."""
    mount = ",".join(filter(None, (row.options, row.our_options)))
    return ["-q", "-P", "0", "-t", row.type] + (["-o", mount] if mount else [])


def tool(name, *arguments, commands=b""):
    """Runs a tool to its end, with these commands on its standard input."""
    return subprocess.run([os.path.join(os.environ["LKL_BIN"], name), *arguments],
                          input=commands, capture_output=True, check=False, timeout=PATIENCE)


def image_tree(row, action, *words, extras=()):
    """Runs that program; the last word is the first image."""
    program = os.path.join(os.environ["LKL_TESTS"], "filesystem/image_tree")
    mount = ",".join(filter(None, (row.options, row.our_options)))
    second = [os.path.join(os.path.dirname(words[-1]), "image2")] if row.images > 1 else []
    return subprocess.run([program, action, *extras, row.type, mount, *words, *second],
                          stdin=subprocess.DEVNULL, capture_output=True, check=False,
                          timeout=PATIENCE)


def data_ranges(file):
    """What is not a hole: (start, end)."""
    size = os.fstat(file.fileno()).st_size
    end = 0
    while end < size:
        try:
            start = os.lseek(file.fileno(), end, os.SEEK_DATA)
        except OSError:
            return
        end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
        yield start, end


class Mutator:
    """Damages a file, as the generator says."""

    def __init__(self, path, generator):
        self.random = generator
        self.file = open(path, "r+b")  # pylint: disable=consider-using-with
        self.ranges = list(data_ranges(self.file))
        self.done = []

    def position(self):
        """A place in the data, often in a superblock."""
        if self.random.random() < 0.3:
            start, end = self.ranges[0]
            end = min(end, start + 8192)
        else:
            start, end = self.random.choice(self.ranges)
        return self.random.randrange(start, end)

    def read(self, position, length):
        """Of the file."""
        self.file.seek(position)
        return self.file.read(length)

    def write(self, position, data):
        """To the file, and notes it."""
        self.file.seek(position)
        self.file.write(data)
        self.done.append(f"{len(data)} at {position}")

    def turn_bits(self):
        """A few, near each other."""
        position = self.position()
        for _ in range(self.random.choice((1, 1, 2, 8))):
            byte = self.read(position, 1)
            if byte:
                self.write(position, bytes([byte[0] ^ 1 << self.random.randrange(8)]))
            position += self.random.randrange(64)

    def set_field(self):
        """An aligned number of 1 to 8 bytes, in either order."""
        width = self.random.choice((1, 2, 2, 4, 4, 8))
        position = self.position() // width * width
        value = self.random.choice((*EXTREMES, self.random.getrandbits(64)))
        order = "little" if self.random.random() < 0.8 else "big"
        self.write(position, (value & (1 << 8 * width) - 1).to_bytes(width, order))

    def spoil_sector(self):
        """Zeroes, noise, or another one."""
        position = self.position() // SECTOR * SECTOR
        kind = self.random.randrange(3)
        if kind == 0:
            self.write(position, bytes(SECTOR))
        elif kind == 1:
            self.write(position, self.random.randbytes(SECTOR))
        else:
            self.write(position, self.read(self.position() // SECTOR * SECTOR, SECTOR))

    def exchange_blocks(self):
        """Two of 4 KiB."""
        size = 4096
        one, other = self.position() // size * size, self.position() // size * size
        first, second = self.read(one, size), self.read(other, size)
        self.write(one, second[:len(first)])
        self.write(other, first[:len(second)])

    def cut(self):
        """The end off."""
        size = os.fstat(self.file.fileno()).st_size
        length = self.random.randrange(size)
        self.file.truncate(length)
        self.done.append(f"cut to {length}")

    def mutate(self):
        """One to eight times; returns what was done."""
        kinds = (self.turn_bits, self.set_field, self.spoil_sector, self.exchange_blocks)
        with self.file:
            for _ in range(self.random.choice((1, 1, 2, 4, 8))):
                self.random.choices(kinds, (4, 6, 2, 1))[0]()
            if self.random.random() < 0.1:
                self.cut()
        return "; ".join(self.done)


class Case:
    """One type."""

    def __init__(self, row, work):
        self.row = row
        self.work = work
        self.archive = os.path.join(work, "archive.tar")
        self.extra = os.path.join(work, "extra")
        self.crashes = []
        self.codes = {}

    def count(self, what, done):
        """For the summary."""
        key = f"{what} {done.returncode}"
        self.codes[key] = self.codes.get(key, 0) + 1

    def check(self, name, done, codes=frozenset(CODES)):
        """What a tool has said and how it has ended."""
        if done.returncode not in codes:
            raise Failure(f"{name}: exit code {done.returncode}: {done.stderr}")
        lines = done.stderr.decode("utf-8").splitlines()
        for line in lines:
            if not line.startswith(name + ": ") or not line.isprintable():
                raise Failure(f"{name}: said {line!r}")
        if done.returncode != 0 and not lines:
            raise Failure(f"{name}: exit code {done.returncode}, and not a word")
        if done.returncode == KERNEL_CRASHED:
            self.crashes.append(lines[-1])
        self.count(name, done)

    def look(self, image, words):
        """A command of lkl."""
        shell = words[0] == "shell"
        mount = options(self.row) if words[0] != "info" else []
        done = tool("lkl", *mount, *(word.format(image) for word in words),
                    commands=SHELL if shell else b"")
        try:
            self.check("lkl", done, SHELL_CODES if shell else CODES)
            if "--json" in words:
                self.check_json(done)
        except Failure as failure:
            raise Failure(f"{' '.join(words)}: {failure}") from None

    @staticmethod
    def check_json(done):
        """A list is whole, unless the kernel has crashed."""
        try:
            json.loads(done.stdout)
            whole = True
        except ValueError:
            whole = False
        if whole and done.returncode == KERNEL_CRASHED:
            raise Failure("the kernel has crashed, and the list looks whole")
        if not whole and done.returncode in (0, 10):
            raise Failure(f"no list: {done.stdout}")

    def read_and_write(self, image):
        """By image_tree."""
        for action in (["list"], ["put", os.path.join(self.work, "more")]):
            done = image_tree(self.row, *action, image)
            if done.returncode not in (0, 1):
                raise Failure(f"image_tree {action[0]}: exit code {done.returncode}: "
                              f"{done.stderr[-2000:]}")
            if done.returncode == 1 and b"image_tree: " not in done.stderr:
                raise Failure(f"image_tree {action[0]}: not a word: {done.stderr[-2000:]}")
            self.count(f"image_tree {action[0]}", done)

    def read(self, image):
        """The archive is whole, or not there."""
        done = tool("fs2tar", *options(self.row), image, self.archive)
        self.check("fs2tar", done)
        if done.returncode == 0:
            subprocess.run(["tar", "-tf", self.archive], check=True, capture_output=True)
            os.unlink(self.archive)
        left = [name for name in os.listdir(self.work) if "archive" in name]
        if left:
            raise Failure(f"fs2tar left {left}, with exit code {done.returncode}")

    def write(self, image):
        """Writes into it."""
        self.check("cptofs", tool("cptofs", "-i", image, *options(self.row), self.extra, "/"))

    def run(self, sound, seed, keep):
        """One mutant."""
        mutant = keep or os.path.join(self.work, "mutant")
        subprocess.run(["cp", "--sparse=always", sound, mutant], check=True)
        generator = random.Random(f"{self.row.name} {seed}")
        what = Mutator(mutant, generator).mutate()
        try:
            if without_tools(self.row):
                self.read_and_write(mutant)
                return
            self.read(mutant)
            self.look(mutant, generator.choice(LOOKS))
            if not self.row.packed and generator.random() < 0.4:
                self.write(mutant)
        except (Failure, subprocess.SubprocessError, UnicodeDecodeError) as failure:
            raise Failure(f"--case {self.row.name} --seed {seed}: {failure}\n{what}") from None


def main():
    """Runs one case, or lists them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--case")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--keep")
    # The test driver puts include directories first, which other scripts want.
    arguments, _ = parser.parse_known_args()
    if arguments.list:
        print("\n".join(rows()))
        return 0
    # image_tree does not stand beside the library.
    os.environ.setdefault("LKL_KERNEL_IMAGE", os.path.join(os.environ["LKL_LIB"], "lkl/vmlinux"))
    count = int(os.environ.get("LKL_MUTANTS", "4"))
    seeds = range(count) if arguments.seed is None else [arguments.seed]
    with tempfile.TemporaryDirectory(prefix="lkl-test-") as work:
        try:
            case = Case(rows()[arguments.case], work)
            sound = make(case.row, work)
            with open(case.extra, "wb") as file:
                file.write(b"more\n" * 20_000)
            os.mkdir(f"{work}/more")
            os.link(case.extra, f"{work}/more/extra")
            for seed in seeds:
                case.run(sound, seed, arguments.keep)
        except Failure as failure:
            print(f"FAIL: {failure}", file=sys.stderr)
            return 1
    print(", ".join(f"{what}: {times}" for what, times in sorted(case.codes.items())))
    for crash in case.crashes:
        print("the kernel:", crash)
    return 0


if __name__ == "__main__":
    sys.exit(main())
