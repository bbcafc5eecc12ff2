#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# ctest: CASES TIMEOUT=600
"""lkl mkimage of archives damaged at random: an image that is sound, or none.

    mutated_archives_test.py --list
    mutated_archives_test.py --case NAME [--seed N]

A case is a way in which mkimage fills an image: by the kernel, by libext2fs (which
SOURCE_DATE_EPOCH asks for), by mksquashfs. The archives have every kind of member, names
that lead out among them. Each mutant has fields of its headers set to extremes, with a sum
that is right so that they are believed, bytes turned anywhere, members exchanged, or its
end cut off; a seed repeats one.

mkimage ends by itself, with a documented exit code and lines of its own. With 0 there is an
image, which the real checker finds clean and which has all that libarchive's own program
sees; with any other code there is none. Nothing else is there in either case.

LKL_MUTANTS: how many of each (4; three times as many are made, since an archive is small).
"""

import argparse
import io
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile

SKIPPED = 77
BLOCK = 512
PATIENCE = 200
# ok, usage (a name that cannot be), file_system (mkfs, mksquashfs), output, kernel, path,
# incomplete, archive.
CODES = {0, 1, 3, 6, 7, 8, 10, 11}
# Name: what makes it, options, the environment, the checker.
CASES = {
    "kernel": (["mkfs.ext4"], ["--fs", "ext4", "--size", "64M"], {}, ["e2fsck", "-fn"]),
    "libext2fs": (["mkfs.ext4"], ["--fs", "ext4", "--size", "64M"],
                  {"SOURCE_DATE_EPOCH": "1700000000"}, ["e2fsck", "-fn"]),
    "mksquashfs": (["mksquashfs"], ["--fs", "squashfs"], {}, ["unsquashfs", "-l"]),
}
# Of a header: where a field is, and how long.
FIELDS = ((0, 100), (100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (156, 1), (157, 100),
          (257, 6), (263, 2), (265, 32), (329, 8), (337, 8), (345, 155), (386, 24), (483, 12))
VALUES = (b"\0", b"7" * 12, b"-1", b"\x80" + b"\0" * 11, b"\xff" * 12, b"\x80" + b"\xff" * 11,
          b"../" * 30, b"/" * 99, b"1", b"2", b"5", b"6", b"K", b"L", b"S", b"g", b"x", b"0",
          b"00000001000\0", b"\x80\0\0\0\x7f\xff\xff\xff")


class Failure(Exception):
    """The test has failed; the text says at what."""


def sound(evil):
    """An archive with every kind of member; evil: some lead out of it."""
    result = io.BytesIO()
    with tarfile.open(fileobj=result, mode="w", format=tarfile.PAX_FORMAT) as archive:
        def add(name, kind=tarfile.REGTYPE, data=b"", **fields):
            member = tarfile.TarInfo(name)
            member.type, member.size = kind, len(data)
            for key, value in fields.items():
                setattr(member, key, value)
            archive.addfile(member, io.BytesIO(data))
        add("sub", tarfile.DIRTYPE, mode=0o755)
        for number in range(5):
            add(f"sub/file{number}", data=b"%d\n" % number * (1 + 700 * number))
        add("sub/link", tarfile.SYMTYPE, linkname="file1")
        add("sub/hard", tarfile.LNKTYPE, linkname="sub/file2")
        add("sub/fifo", tarfile.FIFOTYPE)
        add("sub/device", tarfile.CHRTYPE, devmajor=1, devminor=3)
        add("n" * 200, data=b"long\n")
        add("attributes", data=b"a\n",
            pax_headers={"SCHILY.xattr.user.test": "value", "mtime": "1234567890.123456789"})
        add("sparse", data=b"1\n0\n3\n".ljust(BLOCK, b"\0") + b"abc",
            pax_headers={"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
                         "GNU.sparse.name": "sparse", "GNU.sparse.realsize": "1000000"})
        if evil:
            add("sub/../../up", data=b"evil\n")
            add("out", tarfile.SYMTYPE, linkname="/tmp")
            add("out/evil", data=b"evil\n")
    return result.getvalue()


def headers(data):
    """Where the headers are."""
    return [at for at in range(0, len(data), BLOCK) if data[at + 257:at + 262] == b"ustar"]


def set_sum(data, at):
    """Makes the sum of a header right."""
    data[at + 148:at + 156] = b" " * 8
    data[at + 148:at + 156] = b"%06o\0 " % sum(data[at:at + BLOCK])


def mutate(data, generator):
    """The damaged archive, and what was done."""
    data = bytearray(data)
    done = []
    for _ in range(generator.choice((1, 1, 2, 4))):
        kind = generator.random()
        at = generator.choice(headers(data) or [0])
        if kind < 0.6:
            place, length = generator.choice(FIELDS)
            value = generator.choice((*VALUES, generator.randbytes(length)))[:length]
            data[at + place:at + place + len(value)] = value
            set_sum(data, at)
            done.append(f"{value!r} at {at}+{place}")
        elif kind < 0.85:
            at = generator.randrange(len(data))
            data[at] ^= 1 << generator.randrange(8)
            done.append(f"a bit at {at}")
        else:
            other = generator.choice(headers(data) or [0])
            data[at:at + BLOCK], data[other:other + BLOCK] = (data[other:other + BLOCK],
                                                              data[at:at + BLOCK])
            done.append(f"{at} and {other} exchanged")
    if generator.random() < 0.15:
        del data[generator.randrange(len(data)):]
        done.append(f"cut to {len(data)}")
    return bytes(data), "; ".join(done)


class Case:
    """A way to fill an image, at work in a directory of its own."""

    def __init__(self, name, work):
        self.name = name
        self.work = work
        _, self.options, self.environment, self.checker = CASES[name]
        self.image = os.path.join(work, "image")
        self.archive = os.path.join(work, "archive.tar")
        self.codes = {}

    def make(self):
        """Runs mkimage on the archive."""
        environment = os.environ | {"TMPDIR": self.work} | self.environment
        if "SOURCE_DATE_EPOCH" not in self.environment:
            environment.pop("SOURCE_DATE_EPOCH", None)
        done = subprocess.run([os.path.join(os.environ["LKL_BIN"], "lkl"), "mkimage", "-q",
                               *self.options, self.archive, self.image], cwd=self.work,
                              env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              check=False, timeout=PATIENCE)
        self.codes[done.returncode] = self.codes.get(done.returncode, 0) + 1
        if done.returncode not in CODES:
            raise Failure(f"exit code {done.returncode}: {done.stderr}")
        lines = done.stderr.decode("utf-8").splitlines()
        for line in lines:
            if not line.startswith("lkl: ") or not line.isprintable():
                raise Failure(f"said {line!r}")
        if done.returncode != 0 and not lines:
            raise Failure(f"exit code {done.returncode}, and not a word")
        return done.returncode

    def check(self, code):
        """What is there."""
        wanted = {"archive.tar", "image"} if code == 0 else {"archive.tar"}
        left = set(os.listdir(self.work))
        if left != wanted:
            raise Failure(f"exit code {code}, and there is {left}")
        if code != 0:
            return
        done = subprocess.run([*self.checker, self.image], capture_output=True, check=False)
        if done.returncode != 0:
            raise Failure(f"{' '.join(self.checker)}: {done.stdout[-2000:]}")
        seen = subprocess.run(["bsdtar", "-tf", self.archive], stdin=subprocess.DEVNULL,
                              capture_output=True, check=False)
        if seen.returncode != 0:
            raise Failure(f"a whole image of what bsdtar reports: {seen.stderr}")
        os.unlink(self.image)

    def run(self, seed):
        """One mutant; those with odd seeds are of an archive that is evil to begin with."""
        generator = random.Random(f"{self.name} {seed}")
        data, what = mutate(sound(evil=seed % 2 == 1), generator)
        try:
            self.take(data)
        except (Failure, subprocess.SubprocessError, UnicodeDecodeError) as failure:
            raise Failure(f"--case {self.name} --seed {seed}: {failure}\n{what}") from None

    def take(self, data):
        """An archive, and what becomes of it; returns the exit code."""
        with open(self.archive, "wb") as file:
            file.write(data)
        code = self.make()
        self.check(code)
        return code

    def run_sound(self):
        """What has no fault becomes an image, and what leads out does not."""
        for evil in (False, True):
            code = self.take(sound(evil))
            if (code != 0) != evil:
                raise Failure(f"evil: {evil}, and the exit code is {code}")


def main():
    """Runs one case, or lists them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--case")
    parser.add_argument("--seed", type=int)
    # The test driver puts include directories first, which other scripts want.
    arguments, _ = parser.parse_known_args()
    if arguments.list:
        print("\n".join(CASES))
        return 0
    for program in (*CASES[arguments.case][0], CASES[arguments.case][3][0], "bsdtar"):
        if shutil.which(program) is None:
            print(f"SKIP: {program} is missing")
            return SKIPPED
    count = 3 * int(os.environ.get("LKL_MUTANTS", "4"))
    seeds = range(count) if arguments.seed is None else [arguments.seed]
    with tempfile.TemporaryDirectory(prefix="lkl-test-") as work:
        case = Case(arguments.case, work)
        try:
            case.run_sound()
            for seed in seeds:
                case.run(seed)
        except Failure as failure:
            print(f"FAIL: {failure}", file=sys.stderr)
            return 1
    print(", ".join(f"{code}: {times}" for code, times in sorted(case.codes.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
