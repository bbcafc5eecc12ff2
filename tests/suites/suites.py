# SPDX-License-Identifier: GPL-2.0-only
"""What the runners of independent suites share: bounds, builds, and the table of results."""

import contextlib
import ctypes
import fnmatch
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import sys

# Exit codes, as `make check-suites` documents them in docs/conformance.md.
FAILED, UNUSABLE = 1, 2

PASS, FAIL, SKIP, TIMEOUT = "pass", "FAIL", "skip", "TIMEOUT"
OURS, HOST = "ours", "host"
KERNELS = (OURS, HOST)


def give_up(text):
    """Ends the run: the suite cannot be run here."""
    print(f"check-suites: {text}", file=sys.stderr)
    sys.exit(UNUSABLE)


def need(*commands):
    """Gives up where one of them is missing."""
    for command in commands:
        if not shutil.which(command, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            give_up(f"{command} is not installed")


def need_root():
    """Namespaces and mounts of the host are root's."""
    if os.geteuid() != 0:
        give_up("the runs with the host's kernel need root")


def enter_mount_namespace():
    """What is mounted from here on goes with this process, however it ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x20000) != 0:
        give_up("no mount namespace: " + os.strerror(ctypes.get_errno()))
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


def bound():
    """Seconds that one script may take."""
    return int(os.environ.get("LKL_SUITE_SECONDS", "60"))


def is_wanted(name):
    """Whether LKL_SUITE_ONLY, a pattern of the shell, lets it through."""
    return fnmatch.fnmatch(name, os.environ.get("LKL_SUITE_ONLY", "*"))


def run(command, seconds, **arguments):
    """(exit code, or None for one that was not over in time, and its output). All that it
    has started in its session ends with it."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True,
                          **arguments) as child:
        try:
            output = child.communicate(timeout=seconds)[0]
            code = child.returncode
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            output = child.communicate()[0]
            code = None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    return code, output.decode(errors="replace")


def build(source, work, commands):
    """A copy of the source in the directory `work`, where the commands are run."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(source, work, symlinks=True)
    for command in commands:
        code, output = run(command, 600, cwd=work)
        if code != 0:
            give_up(f"{source}: {' '.join(command)} fails:\n{output}")


class Results:
    """Name of a test -> kernel -> what became of it."""

    def __init__(self, suite, build_directory):
        self.suite = suite
        self.directory = pathlib.Path(build_directory) / "results" / "suites"
        self.found = {}
        shutil.rmtree(self.directory / suite, ignore_errors=True)
        self.directory.mkdir(parents=True, exist_ok=True)

    def add(self, name, kernel, status, log=""):
        """One result; what a test that did not pass has said is kept in a file."""
        self.found.setdefault(name, {})[kernel] = status
        if status in (FAIL, TIMEOUT):
            path = self.directory / self.suite / kernel / (re.sub("[/ ]", "_", name) + ".log")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(log, encoding="utf-8", errors="replace")

    def say(self, name):
        """A line of a test that has been run with all kernels."""
        print("  ".join(f"{kernel} {self.found[name].get(kernel, '-'):7}" for kernel in KERNELS)
              + "  " + name, flush=True)

    def is_worse(self, name):
        """It passes with the host's kernel alone."""
        kernels = self.found[name]
        return kernels.get(HOST) == PASS and kernels.get(OURS) != PASS

    def counts(self, kernel):
        """How many of each."""
        all_of_it = [kernels.get(kernel, "-") for kernels in self.found.values()]
        return ", ".join(f"{all_of_it.count(status)} {status}"
                         for status in (PASS, FAIL, TIMEOUT, SKIP) if status in all_of_it)

    def write(self):
        """The table in a file; returns the exit code of the suite."""
        worse = [name for name in self.found if self.is_worse(name)]
        lines = [f"# {self.suite}: our kernel, and the host's Linux {platform.release()}", "",
                 f"| | {len(self.found)} tests |", "|---|---|"]
        lines += [f"| {kernel} | {self.counts(kernel)} |" for kernel in KERNELS]
        lines += ["", "| test | ours | host |", "|---|---|---|"]
        lines += [f"| `{name}` | {kernels.get(OURS, '-')} | {kernels.get(HOST, '-')} |"
                  for name, kernels in sorted(self.found.items())]
        path = self.directory / (self.suite + ".md")
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        for kernel in KERNELS:
            print(f"{self.suite}, {kernel}: {self.counts(kernel)}")
        for name in worse:
            print(f"{self.suite}: with the host's kernel alone passes {name}")
        print(f"{self.suite}: {path}")
        if not self.found:
            give_up(f"{self.suite}: there is nothing to run")
        return FAILED if worse else 0
