#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# ctest: TIMEOUT=600
"""Each subcommand of lkl shuts itself in before it reads the first byte of what may be crafted.

strace shows the order of the system calls of every process and thread: whoever reads an image,
an archive or a file of a source has given up network, new rights, files and capabilities, and
has both filters, before. As root and as an ordinary user. `lkl --help` says which subcommands
there are: one without a case here is a failure. With --no-sandbox the same look finds that
nothing was given up.
"""

import ctypes
import dataclasses
import os
import re
import shutil
import subprocess
import sys
import tempfile

from call_log import TRACED, CallLog

LKL = os.environ["LKL_BIN"] + "/lkl"
SKIP = 77
USER = 65534
READING = {"DAC_READ_SEARCH", "SYS_ADMIN"}
WRITING = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SYS_ADMIN", "MKNOD", "SETFCAP"}
# What may be crafted.
CRAFTED = ("image", "other", "tree/small", "tree.tar")
FILTERS = 2
# landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)
HAS_LANDLOCK = ctypes.CDLL(None).syscall(444, None, 0, 1) > 0


@dataclasses.dataclass
class Case:
    """A command, and what root keeps while files that may be crafted are read."""
    words: str
    keeps: set = dataclasses.field(default_factory=set)
    given: str = ""  # standard input
    reads: tuple = ("image",)  # all of them are looked into
    environment: dict = dataclasses.field(default_factory=dict)


REPRODUCIBLE = {"SOURCE_DATE_EPOCH": "1"}
# The image of "make kernel-trace"; "make test-trace" builds and tests it.
TRACE_IMAGE = os.environ.get("LKL_KERNEL_IMAGE",
                             os.environ["LKL_BUILD"] + "/lib/lkl/vmlinux"
                             ).removesuffix("-trace") + "-trace"
WITH_EVENTS = {"LKL_KERNEL_IMAGE": TRACE_IMAGE}
CASES = {
    "info": [Case("image"), Case("--json image")],
    "df": [Case("image")],
    "ls": [Case("-lR image:/"), Case("image other", reads=("image", "other"))],
    "tree": [Case("image")],
    "find": [Case("image:/ -name small -ls")],
    "cat": [Case("image:/small")],
    "stat": [Case("image:/small")],
    "du": [Case("image")],
    "sum": [Case("image:/small")],
    "cp": [Case("image:/small out", WRITING),
           Case("tree/small image:/copy", READING, reads=("image", "tree/small")),
           Case("image:/small other:/copied", reads=("image", "other"))],
    "mkdir": [Case("image:/new")],
    "touch": [Case("image:/new/file")],
    "mv": [Case("image:/new/file image:/new/moved")],
    "ln": [Case("-s small image:/link")],
    "chmod": [Case("600 image:/small")],
    "chown": [Case("1 image:/small")],
    "rm": [Case("-r image:/new")],
    "edit": [Case("image:/small", environment={"EDITOR": "./editor"})],
    "trim": [Case("image")],
    "shell": [Case("--host-directory out image", WRITING, "cat small\n!true\nget small\n"),
              Case("-w --host-directory out image", WRITING, "mkdir made\n")],
    "mkimage": [Case("tree out/made", READING, reads=("tree/small",)),
                Case("--fs vfat tree out/made", READING, reads=("tree/small",)),
                Case("tree out/made", READING, reads=("tree/small",), environment=REPRODUCIBLE),
                Case("--fs squashfs -x none tree out/made", READING, reads=("tree/small",)),
                Case("--gpt tree out/made", READING, reads=("tree/small",)),
                Case("tree.tar out/made", reads=("tree.tar",)),
                Case("--fs vfat tree.tar out/made", reads=("tree.tar",)),
                Case("--fs squashfs tree.tar out/made", reads=("tree.tar",)),
                Case("tree.tar out/made", reads=("tree.tar",), environment=REPRODUCIBLE)],
    "trace": [Case("-e block:* -o out/trace -- ls image", environment=WITH_EVENTS),
              Case("-e block:* -o out/trace -- cp image:/small out", WRITING,
                   environment=WITH_EVENTS)],
    # What reads there is the program's own process, which is none that can be shut in.
    "run": [],
}


class Failure(Exception):
    """The test has failed; the text says why."""


def subcommands():
    """Those that lkl has, as it says itself."""
    told = subprocess.run([LKL, "--help"], capture_output=True, text=True, check=True).stdout
    part = re.search(r"^Subcommands:\n((?:  .*\n)+)", told, re.M)
    if not part:
        raise Failure(f"lkl --help names no subcommands:\n{told}")
    return re.findall(r"^  (\w+)", part[1], re.M)


def prepare():
    """What the cases work with, in the working directory."""
    shutil.rmtree("tree", ignore_errors=True)
    os.mkdir("tree")
    with open("tree/small", "w", encoding="ascii") as small:
        small.writelines(f"{i}\n" for i in range(10000))
    subprocess.run(["tar", "-cf", "tree.tar", "-C", "tree", "."], check=True)
    for image in ("image", "other"):
        with open(image, "wb") as file:
            file.truncate(16 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-E", f"root_owner={USER}:{USER}", "-d", "tree",
                        image], check=True)
        os.chown(image, USER, USER)
    with open("editor", "w", encoding="ascii") as editor:
        editor.write('#!/bin/sh\necho more >>"$1"\n')
    os.chmod("editor", 0o755)


def traced(command, case, user):
    """The calls of a command that ends well."""
    shutil.rmtree("out", ignore_errors=True)
    os.mkdir("out")
    os.chown("out", user, user)
    with tempfile.TemporaryDirectory(dir=".") as logs:
        os.chown(logs, user, user)
        result = subprocess.run(
            ["strace", "-ff", "-y", "-s", "0", "-o", f"{logs}/log", "-e", f"trace={TRACED}",
             *command],
            input=case.given.encode(), capture_output=True, timeout=120, check=False,
            user=user, group=user, extra_groups=[], umask=0o022,
            env={**os.environ, **case.environment})
        if result.returncode != 0:
            raise Failure(f"exit code {result.returncode}: {result.stderr.decode()}")
        return CallLog(logs, [] if user else ["ALL"])


def loose(look, case, user):
    """What the thread has kept that it must not have when it looks."""
    given = look.given
    kept = set() if user else case.keeps
    return [text for text, wrong in (
        (f"{given.filters} filters", given.filters != FILTERS),
        ("new rights", not given.rights),
        ("the host's files", HAS_LANDLOCK and not given.files),
        ("the host's network", not user and not given.network),
        (f"capabilities {set(given.capabilities)}, not {kept}", given.capabilities != kept),
    ) if wrong]


def check(name, case, user):
    """The command is shut in whenever it looks; without a sandbox it is not."""
    log = traced([LKL, "-q", name, *case.words.split()], case, user)
    crafted = {os.path.realpath(path): path for path in CRAFTED}
    # The ring has the image's descriptor: its reads name none.
    looks = [look for look in log.looks
             if look.path in crafted or look.call == "io_uring_enter"]
    for look in looks:
        wrong = loose(look, case, user)
        if wrong:
            raise Failure(f"{crafted.get(look.path, 'an image')}: {look.call}() with "
                          + ", ".join(wrong))
    missing = set(case.reads) - {crafted.get(look.path) for look in looks}
    if missing:
        raise Failure(f"not looked into: {missing}")


def check_without(name, case):
    """The look itself: without a sandbox it finds what is kept."""
    log = traced([LKL, "-q", "--no-sandbox", name, *case.words.split()], case, 0)
    looks = [look for look in log.looks if look.path == os.path.realpath(case.reads[0])]
    if not looks or len(loose(looks[0], case, 0)) < 4:
        raise Failure("--no-sandbox: nothing that is kept was found")


def skip(reason):
    """Ends the test."""
    print(f"SKIP: {reason}")
    sys.exit(SKIP)


def main():
    """All cases."""
    if os.environ.get("LKL_SANITIZE"):
        skip("a sanitizer's build has no filter")
    if os.geteuid() != 0:
        skip("needs root, for capabilities and another user")
    for command in ("strace", "mkfs.ext4", "mkfs.vfat", "mksquashfs"):
        if not shutil.which(command, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            skip(f"{command} is not installed")
    if subprocess.run(["strace", "-o", "/dev/null", "true"], check=False,
                      capture_output=True).returncode != 0:
        skip("nothing can be traced here")
    failures = [f"{name}: no case" for name in subcommands() if name not in CASES]
    failures += [f"{name}: is no subcommand" for name in CASES if name not in subcommands()]
    with tempfile.TemporaryDirectory(prefix="lkl-test-") as work:
        os.chdir(work)
        os.chmod(work, 0o755)
        if not os.path.exists(TRACE_IMAGE):
            print(f"lkl trace is left out: there is no {TRACE_IMAGE}")
            CASES["trace"] = []
        for user in (0, USER):
            prepare()
            for name, cases in CASES.items():
                for case in cases:
                    try:
                        check(name, case, user)
                    except Failure as failure:
                        failures.append(f"lkl {name} {case.words} (user {user}): {failure}")
        try:
            check_without("ls", CASES["ls"][0])
        except Failure as failure:
            failures.append(str(failure))
        os.chdir("/")
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
