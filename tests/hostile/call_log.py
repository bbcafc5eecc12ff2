# SPDX-License-Identifier: GPL-2.0-only
"""The system calls of a program and all its threads and processes, as strace saw them.

Who looks into files that may be crafted, and what he has given up before.
"""

import dataclasses
import pathlib
import re

# All calls with a descriptor, so that none is missed that reads by one.
TRACED = "%desc,seccomp,capset,unshare,prctl,landlock_restrict_self,clone,clone3,fork,vfork"
CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+|0x[0-9a-f]+|\?)")
# Of a descriptor, what is not a byte of the file.
HARMLESS = {"open", "openat", "close", "fcntl", "fstat", "newfstatat", "statx", "lseek", "flock",
            "ioctl", "fstatfs", "ftruncate", "fallocate", "fsync", "fdatasync", "fadvise64",
            "dup", "dup2", "dup3", "utimensat", "readlinkat", "faccessat", "faccessat2",
            "io_uring_register", "landlock_add_rule"}


@dataclasses.dataclass(frozen=True)
class Given:
    """What a thread has given up."""
    capabilities: frozenset
    network: bool = False
    rights: bool = False
    files: bool = False
    filters: int = 0


@dataclasses.dataclass
class Look:
    """A file that was looked into, the call, and what its thread had given up by then."""
    path: str
    call: str
    given: Given


def after(given, name, arguments):
    """What is given up once such a call has succeeded."""
    if name == "unshare" and "CLONE_NEWNET" in arguments:
        return dataclasses.replace(given, network=True)
    if name == "prctl" and arguments.startswith("PR_SET_NO_NEW_PRIVS, 1"):
        return dataclasses.replace(given, rights=True)
    if name == "landlock_restrict_self":
        return dataclasses.replace(given, files=True)
    if name == "seccomp" and arguments.startswith("SECCOMP_SET_MODE_FILTER"):
        return dataclasses.replace(given, filters=given.filters + 1)
    if name == "capset":
        effective = re.search(r"effective=([^,]*)", arguments)[1]
        return dataclasses.replace(
            given, capabilities=frozenset(re.findall(r"CAP_(\w+)", effective)))
    return given


class CallLog:
    """The logs that `strace -ff -y -o PREFIX` has left, one a thread."""

    def __init__(self, directory, capabilities):
        self.looks = []
        self._logs = {int(log.suffix[1:]): log for log in pathlib.Path(directory).glob("log.*")}
        started = {new for log in self._logs.values() for _, _, new in self._calls(log)}
        for first in set(self._logs) - started:
            self._follow(first, Given(frozenset(capabilities)))

    @staticmethod
    def _calls(log):
        """(name, arguments, new thread or process, or None) of each call that succeeded."""
        for line in log.read_text(errors="surrogateescape").splitlines():
            call = CALL.match(line)
            if not call:
                continue
            name, arguments, result = call.groups()
            if result == "?" or int(result, 0) < 0:
                continue
            new = name in ("clone", "clone3", "fork", "vfork")
            yield name, arguments, int(result, 0) if new else None

    def _follow(self, thread, given):
        for name, arguments, new in self._calls(self._logs[thread]):
            if new:
                self._follow(new, given)
                continue
            given = after(given, name, arguments)
            if name not in HARMLESS:
                for path in re.findall(r"\d+<(.*?)>", arguments):
                    self.looks.append(Look(path, name, given))
