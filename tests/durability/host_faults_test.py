#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# ctest: CASES TIMEOUT=7200
"""The n-th request to the host fails, for n = 1, 2, 3, ... up to the last.

    host_faults_test.py --list
    host_faults_test.py --case TOOL-FILE[-TYPE]

Each tool does its work with one fault (host_faults/preload.cpp) in the image, in what it
writes on the host, or in what it reads there. It must end in time, and either say so, with
one of its exit codes and a line of text, or have done everything: the bytes are compared.
Of a source that cannot be read all else is copied.

LKL_FAULTS: "all" tries each n; without it, a few that are spread over all.
"""

import argparse
import filecmp
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

BIN = os.environ.get("LKL_BIN", "")
PRELOAD = os.environ.get("LKL_TESTS", "") + "/durability/host_faults.so"
SKIPPED = 77
KINDS = ("EIO", "ENOSPC", "short", "slow")
READING = ("EIO", "short", "slow")
# Exit codes that tell of a fault: image, damaged, output, incomplete.
TELLING = (2, 5, 6, 10)
# Of a source: incomplete. An archive that cannot be told to be one: archive.
INCOMPLETE = 10
NO_ARCHIVE = 11
FAULTS = 2  # of each kind, unless all are asked for

# Of each type of file system: the size of the image, what makes it, and the real checker.
TYPES = {
    "ext4": ("16M", ("mkfs.ext4", "-q"), ("e2fsck", "-fn")),
    "xfs": ("300M", ("mkfs.xfs", "-q"), ("xfs_repair", "-n")),
    "btrfs": ("128M", ("mkfs.btrfs", "-q"), ("btrfs", "check", "--readonly")),
    "f2fs": ("64M", ("mkfs.f2fs", "-q"), ("fsck.f2fs", "--dry-run")),
    "vfat": ("64M", ("mkfs.vfat",), ("fsck.vfat", "-n")),
}


class Failure(Exception):
    """The test has failed; the text says at what."""


def run(*command):
    """A command that has to succeed."""
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}: {done.stdout.decode()}{done.stderr.decode()}")
    return done.stdout


def make_source():
    """Files of all sizes in a few directories."""
    numbers = random.Random(1)
    for number in range(24):
        directory = f"source/{number % 4}"
        os.makedirs(directory, exist_ok=True)
        with open(f"{directory}/{number}", "wb") as file:
            file.write(numbers.randbytes(numbers.choice((0, 10, 3000, 4096, 70000, 200000))))


def read_report():
    """Its words: "fault" when it has come, and at the end how many requests there were."""
    with open("report", encoding="ascii") as file:
        return file.read().split()


def all_names(directory):
    """The paths of all files below it, as they are inside."""
    return {os.path.relpath(os.path.join(above, name), directory)
            for above, _, names in os.walk(directory) for name in names}


def same_trees(one, other):
    """What is different, or None."""
    found = filecmp.dircmp(one, other, ignore=["lost+found"])
    if found.left_only or found.right_only or found.funny_files:
        return f"{found.left_only} {found.right_only} {found.funny_files}"
    for name in found.common_files:
        if not filecmp.cmp(f"{one}/{name}", f"{other}/{name}", shallow=False):
            return f"{one}/{name}"
    for name in found.common_dirs:
        if different := same_trees(f"{one}/{name}", f"{other}/{name}"):
            return different
    return None


class Case:
    """A tool at work. The place of the fault: the image, what the tool writes (output), or
    what else it reads (source)."""

    full = True  # the image holds the files from the start
    typed = b""  # standard input
    # What is LKL_FAULT_FILE: a directory stands for what is only read on its file system.
    FILES = {"image": "image", "output": "", "source": "source"}

    def __init__(self, place, kind="ext4"):
        self.place = place
        self.kinds = READING if place == "source" else KINDS
        self.size, self.make, self.check = TYPES[kind]
        self.kind = kind

    def prepare(self):
        """The image, once."""
        run("truncate", "-s", self.size, "fresh")
        run(*self.make, "fresh")
        if self.full:
            run(BIN + "/cptofs", "-q", "-i", "fresh", "source/.", "/")

    def take_out(self):
        """What is in the image, in the directory out; journals are replayed. With ext4's own
        tools where it is that."""
        os.mkdir("out")
        if self.kind == "ext4":
            run("debugfs", "-R", "rdump / out", "image")
        else:
            run(BIN + "/cpfromfs", "-q", "-i", "image", "/.", "out")

    def reset(self):
        """Before each run."""
        shutil.rmtree("out", ignore_errors=True)
        run("cp", "--sparse=always", "fresh", "image")

    def environment(self, kind, number):
        """Of a program with the fault below it."""
        with open("report", "wb"):
            pass
        file = self.FILES[self.place]
        return dict(os.environ, LD_PRELOAD=PRELOAD, LKL_FAULT_KIND=kind,
                    LKL_FAULT_AT=str(number), LKL_FAULT_REPORT=os.path.abspath("report"),
                    LKL_FAULT_PROGRAM=os.path.basename(self.command()[0]),
                    LKL_FAULT_FILE=os.path.abspath(file) if file not in ("", "*") else file)

    def work(self, environment):
        """Does it; returns the exit code and the messages."""
        done = subprocess.run(self.command(), env=environment, capture_output=True, timeout=60,
                              check=False, input=self.typed)
        return done.returncode, done.stderr.decode()

    def judge_failure(self, code, text):
        """Raises Failure."""
        if code not in ((INCOMPLETE, NO_ARCHIVE) if self.place == "source" else TELLING):
            raise Failure(f"exit code {code}: {text}")
        if not text.strip():
            raise Failure(f"exit code {code} without a word")


class CopyIn(Case):
    """A source into an image."""

    full = False

    def judge_success(self):
        """All is in the image."""
        run(*self.check, "image")
        self.take_out()
        if different := same_trees("source", "out"):
            raise Failure("not in the image: " + different)

    def judge_failure(self, code, text):
        super().judge_failure(code, text)
        if self.place == "source":
            run(*self.check, "image")
            self.take_out()
            self.judge_rest(code, text)

    def judge_rest(self, code, text):
        """What had no fault is in the image, and nothing else is."""
        missing = all_names("source") - all_names("out")
        if code != INCOMPLETE or len(missing) != 1 or missing.pop() not in text:
            raise Failure(f"exit code {code}, {missing} is not there: {text}")
        self.judge_files()

    @staticmethod
    def judge_files():
        """What is in the image is as it should be."""
        for name in all_names("out"):
            if not filecmp.cmp(f"source/{name}", f"out/{name}", shallow=False):
                raise Failure("not as the source: " + name)


class Cptofs(CopyIn):
    """Copying in."""

    def command(self):
        """What is run."""
        return (BIN + "/cptofs", "-q", "-i", "image", "source/.", "/")


class LklCpIn(CopyIn):
    """Copying in with the other tool."""

    def command(self):
        """What is run."""
        return (BIN + "/lkl", "-q", "cp", "-r", *(f"source/{i}" for i in range(4)), "image:/")


class Cpfromfs(Case):
    """Copying out."""

    def reset(self):
        super().reset()
        os.mkdir("out")

    def command(self):
        """What is run."""
        return (BIN + "/cpfromfs", "-q", "-i", "image", "/", "out/")

    def judge_success(self):
        """All is there."""
        if different := same_trees("source", "out"):
            raise Failure("not copied: " + different)

    def judge_failure(self, code, text):
        super().judge_failure(code, text)
        for directory, _, names in os.walk("out"):
            for name in names:
                there = os.path.join(directory, name)
                source = "source" + there.removeprefix("out")
                if not os.path.exists(source) or not filecmp.cmp(there, source, shallow=False):
                    raise Failure("a part of a file is left: " + there)


class LklCpOut(Cpfromfs):
    """Copying out with the other tool."""

    def command(self):
        """What is run."""
        return (BIN + "/lkl", "-q", "cp", "-r", *(f"image:/{i}" for i in range(4)), "out")


class Mkimage(Case):
    """An image made at once. Programs that it starts have no faults."""

    full = False

    FILES = Case.FILES | {"output": "*"}

    def reset(self):
        shutil.rmtree("out", ignore_errors=True)
        if os.path.exists("image"):
            os.unlink("image")

    def command(self):
        """What is run."""
        return (BIN + "/lkl", "-q", "mkimage", "--fs", self.kind, "--size", self.size, "source",
                "image")

    def judge_success(self):
        """All is in the image."""
        run(*self.check, "image")
        self.take_out()
        if different := same_trees("source", "out"):
            raise Failure("not in the image: " + different)

    def judge_failure(self, code, text):
        super().judge_failure(code, text)
        if os.path.exists("image"):
            raise Failure("there is an image all the same")


class MkimageSquashfs(Mkimage):
    """One that is packed from the archive that the tool makes, since owners are changed."""

    def command(self):
        return (BIN + "/lkl", "-q", "mkimage", "--fs", "squashfs", "--owner", "0:0", "source",
                "image")

    def judge_success(self):
        run("unsquashfs", "-d", "out", "image")
        if different := same_trees("source", "out"):
            raise Failure("not in the image: " + different)


class Fs2tar(Case):
    """An archive."""

    def reset(self):
        super().reset()
        with open("archive", "wb") as file:
            file.write(b"old")

    def command(self):
        """What is run."""
        return (BIN + "/fs2tar", "-q", "image", "archive")

    def judge_success(self):
        """All is in the archive."""
        with tarfile.open("archive") as archive:
            archive.extractall("out")
        if different := same_trees("source", "out"):
            raise Failure("not in the archive: " + different)

    def judge_failure(self, code, text):
        super().judge_failure(code, text)
        with open("archive", "rb") as file:
            if file.read() != b"old":
                raise Failure("the old archive is gone")


class Tar2fs(CopyIn):
    """An archive into an image."""

    def prepare(self):
        super().prepare()
        run("tar", "-C", "source", "-cf", "source.tar", ".")

    def command(self):
        """What is run."""
        return (BIN + "/tar2fs", "-q", "source.tar", "image")

    def judge_rest(self, code, text):
        """What came before the fault is in the image, and nothing of what was cut off. An
        archive that is none has left the image alone."""
        if "source.tar" not in text:
            raise Failure("the archive is not named: " + text)
        if code == NO_ARCHIVE and not filecmp.cmp("fresh", "image", shallow=False):
            raise Failure("the image was changed")
        self.judge_files()


class Lklfuse(Case):
    """A mount in which files are written and synced."""

    full = False

    def command(self):
        """What is run."""
        return (BIN + "/lklfuse", "image", "mount", "-f")

    def work(self, environment):
        os.makedirs("mount", exist_ok=True)
        self.synced = {}
        self.failed = False
        with open("server.log", "wb") as log, \
                subprocess.Popen(self.command(), env=environment, stderr=log) as server:
            while not os.path.ismount("mount") and server.poll() is None:
                time.sleep(0.005)
            if server.poll() is None:
                self.write()
                subprocess.run(("umount", "mount"), check=True)
            try:
                code = server.wait(60)
            except subprocess.TimeoutExpired:
                server.kill()
                raise
        with open("server.log", encoding="utf-8") as log:
            return code, log.read()

    def write(self):
        """Copies all files, and syncs each."""
        for number in range(24):
            name = f"{number % 4}/{number}"
            try:
                with open("source/" + name, "rb") as file:
                    data = file.read()
                os.makedirs("mount/" + os.path.dirname(name), exist_ok=True)
                file = os.open("mount/" + name, os.O_WRONLY | os.O_CREAT)
                try:
                    os.write(file, data)
                    os.fsync(file)
                    # F2FS may not have waited for the write that was lost (docs/durability.md).
                    if self.kind != "f2fs" or "fault" not in read_report():
                        self.synced[name] = data
                finally:
                    os.close(file)
            except OSError:
                self.failed = True

    def judge_success(self):
        """Nobody was told of a failure, so all is in the image; what was synced is there
        whoever was told what."""
        if not self.failed:
            run(*self.check, "image")
        elif self.kind == "ext4":
            subprocess.run(("e2fsck", "-fy", "image"), capture_output=True, check=False)
        elif self.kind == "vfat":
            return  # what was synced may be out of reach (docs/durability.md)
        self.take_out()
        if not self.failed and (different := same_trees("source", "out")):
            raise Failure("not in the image: " + different)
        for name, data in self.synced.items():
            if not os.path.exists("out/" + name):
                raise Failure(name + " was synced and is not in the image")
            with open("out/" + name, "rb") as file:
                if file.read() != data:
                    raise Failure(name + " was synced and is another in the image")

    def judge_failure(self, code, text):
        super().judge_failure(code, text)
        self.failed = True
        self.judge_success()


class Change(Case):
    """A command that changes what is in the image: its words, and the same done to the tree
    "wanted" on the host."""

    def __init__(self, words, wanted, kind="ext4"):
        super().__init__("image", kind)
        self.words = words
        self.wanted = wanted
        if "shell" in words:
            self.typed = b"put source/0/0 /put\nmkdir /by-shell\n"

    def prepare(self):
        super().prepare()
        shutil.copytree("source", "wanted")
        self.wanted()

    def command(self):
        """What is run."""
        return (BIN + "/lkl", "-q", *self.words)

    def environment(self, kind, number):
        return super().environment(kind, number) | {"EDITOR": "sed -i 1iedited"}

    def judge_success(self):
        """It is done in the image."""
        run(*self.check, "image")
        self.take_out()
        if different := same_trees("wanted", "out"):
            raise Failure("not in the image: " + different)
        if "chmod" in self.words and os.stat("out/0/0").st_mode & 0o7777 != 0o711:
            raise Failure("the mode is another")


def edit(path):
    """What the editor does to a file."""
    with open(path, "rb") as file:
        text = file.read()
    with open(path, "wb") as file:
        file.write(b"edited\n" + text)


CHANGES = {
    "mv": (("mv", "image:/0", "image:/moved"), lambda: os.rename("wanted/0", "wanted/moved")),
    "rm": (("rm", "-r", "image:/0"), lambda: shutil.rmtree("wanted/0")),
    "mkdir": (("mkdir", "-p", "image:/a/b"), lambda: os.makedirs("wanted/a/b")),
    "ln": (("ln", "image:/0/0", "image:/name"), lambda: os.link("wanted/0/0", "wanted/name")),
    "chmod": (("chmod", "0711", "image:/0/0"), lambda: None),
    "touch": (("touch", "image:/new"), lambda: open("wanted/new", "wb").close()),
    "edit": (("edit", "image:/1/5"), lambda: edit("wanted/1/5")),
    "shell": (("shell", "-w", "image"), lambda: (shutil.copy("source/0/0", "wanted/put"),
                                                 os.mkdir("wanted/by-shell"))),
}

CASES = {
    "cptofs-image": lambda: Cptofs("image"),
    "cptofs-source": lambda: Cptofs("source"),
    "tar2fs-image": lambda: Tar2fs("image"),
    "tar2fs-source": lambda: Tar2fs("source"),
    "cpfromfs-image": lambda: Cpfromfs("image"),
    "cpfromfs-output": lambda: Cpfromfs("output"),
    "fs2tar-image": lambda: Fs2tar("image"),
    "fs2tar-output": lambda: Fs2tar("output"),
    "lklfuse-image": lambda: Lklfuse("image"),
    "lklcp-image": lambda: LklCpIn("image"),
    "lklcp-source": lambda: LklCpIn("source"),
    "lklcp-output": lambda: LklCpOut("output"),
    "mkimage-output": lambda: Mkimage("output"),
    "mkimage-output-xfs": lambda: Mkimage("output", "xfs"),
    "mkimage-source": lambda: Mkimage("source"),
    "mkimage-source-xfs": lambda: Mkimage("source", "xfs"),
    "mkimage-source-squashfs": lambda: MkimageSquashfs("source"),
    **{f"{name}-image-{kind}": lambda make=make, kind=kind: make("image", kind)
       for name, make in (("cptofs", Cptofs), ("tar2fs", Tar2fs), ("cpfromfs", Cpfromfs),
                          ("lklfuse", Lklfuse), ("lklcp", LklCpOut))
       for kind in TYPES if kind != "ext4"},
    **{f"{name}-image" + (f"-{kind}" if kind != "ext4" else ""):
       lambda change=change, kind=kind: Change(*change, kind)
       for name, change in CHANGES.items() for kind in ("ext4", "xfs")},
    **{f"{name}-image-{kind}": lambda make=make, kind=kind: make("image", kind)
       for name, make in (("lklcpin", LklCpIn), ("fs2tar", Fs2tar)) for kind in ("xfs", "btrfs")},
}


def try_fault(case, kind, number):
    """Whether the fault came, the exit code, and how many requests there were."""
    case.reset()
    filecmp.clear_cache()  # it knows files by name, size and time: all are as before
    environment = case.environment(kind, number)
    try:
        code, text = case.work(environment)
    except subprocess.TimeoutExpired:
        raise Failure("hangs") from None
    report = read_report()
    fired = "fault" in report
    if code == 0:
        case.judge_success()
    elif not fired:
        raise Failure(f"fails without a fault: exit code {code}: {text}")
    elif kind in ("short", "slow"):
        raise Failure(f"is no error, but: exit code {code}: {text}")
    else:
        case.judge_failure(code, text)
    return fired, code, int(report[-1])


def selection(total, count):
    """Numbers up to `total`, and some behind, spread over all of them."""
    if not count:
        return range(1, total + total // 10 + 2)
    numbers = random.Random(7)
    step = max(1.0, total / count)
    return sorted({1 + int(step * (i + numbers.random())) for i in range(count)})


def try_kind(case, kind, count):
    """One fault after the other."""
    total = try_fault(case, kind, 1 << 30)[2]
    codes = {}
    chosen = list(selection(total, count))
    # Not each request can be cut short: a few more, until one is.
    spare = selection(total, 12 * count) if count else ()
    for number in [*chosen, *spare]:
        if number not in chosen and codes:
            break
        try:
            fired, code, _ = try_fault(case, kind, number)
        except Failure as failure:
            raise Failure(f"{kind} at request {number} of {total}: {failure}") from None
        if fired:
            codes[code] = codes.get(code, 0) + 1
    print(f"{kind}: {sum(codes.values())} faults in {total} requests, exit codes {codes}",
          flush=True)
    if not codes:
        raise Failure(f"{kind}: no fault came")


def main():
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--case", choices=CASES)
    options, _ = parser.parse_known_args()
    if options.list:
        print("\n".join(CASES))
        return
    if os.environ.get("LKL_SANITIZE"):
        print("a sanitizer's library must be the first")
        sys.exit(SKIPPED)
    if options.case.startswith("lklfuse") and os.geteuid() != 0:
        print("needs root, to mount")
        sys.exit(SKIPPED)
    if options.case.startswith("lklfuse") and "LKL_TEST_PRIVATE" not in os.environ:
        # As in filesystem/lib.sh: another test would hold a copy of the mount.
        os.environ["LKL_TEST_PRIVATE"] = "1"
        os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable, "-B",
                              *sys.argv])
    count = None if os.environ.get("LKL_FAULTS") == "all" else FAULTS
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        os.chdir(directory)
        make_source()
        case = CASES[options.case]()
        case.prepare()
        try:
            for kind in case.kinds:
                try_kind(case, kind, count)
        except Failure as failure:
            sys.exit(f"{options.case}: {failure}")
        finally:
            subprocess.run(("umount", "-l", "mount"), capture_output=True, check=False)
            os.chdir("/")


if __name__ == "__main__":
    main()
