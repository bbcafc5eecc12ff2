#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lkl shell on a terminal: Ctrl-C drops what was typed, also in the middle of a search, of a
# completion or of a key of several bytes, and is shown; the next line is run alone. While a
# command runs it ends that command, which leaves the image whole, and not the shell.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 python3

mkdir -p small/precious small/many
echo kept >small/precious/file
echo one >small/one
for i in $(seq 150); do
    echo "$i" >"small/many/$i"
done
make_image image 16M
truncate -s 64G small/long
mkfs.ext4 -q -d small image
rm -r small

cat >terminal.py <<'PY'
import os, pty, select, sys, time

class Shell:
    def __init__(self):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(XDG_STATE_HOME=os.getcwd() + "/state", TERM="dumb",
                              INPUTRC="/dev/null")
            os.execv(os.environ["LKL_BIN"] + "/lkl", ["lkl", "shell", "-w", "image"])
        self.seen = b""
        self.wait_for(b"lkl> ")

    # Returns what came before the text.
    def wait_for(self, text, seconds=60):
        end = time.time() + seconds
        while text not in self.seen:
            assert time.time() < end, (text, self.seen)
            if select.select([self.terminal], [], [], 1)[0]:
                self.seen += os.read(self.terminal, 4096)
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, keys):
        os.write(self.terminal, keys)

    # Presses Ctrl-C when the text, which the keys bring, is there.
    def drop(self, keys, text):
        self.type(keys)
        if text:
            self.wait_for(text)
        self.type(b"\x03")
        self.wait_for(b"^C")
        self.wait_for(b"lkl> ")

    def run(self, line):
        self.type(line + b"\n")
        self.wait_for(b"\n")
        return self.wait_for(b"lkl> ").replace(b"\r", b"")

    # The next line is run, and alone.
    def check(self):
        printed = self.run(b"cat /one")
        assert printed == b"one\n", printed

    # Runs what would take long, and presses Ctrl-C until it has ended.
    def interrupt(self, line):
        self.type(line + b"\n")
        self.wait_for(line + b"\r\n")
        end = time.time() + 60
        while b"lkl> " not in self.seen:
            assert time.time() < end, self.seen
            self.type(b"\x03")
            # Not at once again: it would take away what has just been printed.
            time.sleep(0.5)
            while select.select([self.terminal], [], [], 0)[0]:
                self.seen += os.read(self.terminal, 4096)
        return self.wait_for(b"lkl> ")

    def end(self):
        self.type(b"exit\n")
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
PY
export LKL_BIN PYTHONPATH=$PWD PYTHONDONTWRITEBYTECODE=1

python3 - <<'PY' || fail "a line that was dropped"
from terminal import Shell
shell = Shell()
shell.drop(b"rm -r /precious", b"rm -r /precious")
assert shell.run(b"") == b"", "something ran"
shell.drop(b"cat /o", b"cat /o")
shell.check()
# Twice, with nothing typed.
shell.drop(b"", b"")
shell.drop(b"", b"")
shell.check()
# A search backwards in the history: its line is not run, and the search is over.
shell.run(b"cat /precious/file")
shell.drop(b"\x12preci", b"cat /precious/file")
assert shell.run(b"") == b"", "what was found ran"
shell.check()
# The first byte of a key, and a line of the history that was changed.
shell.drop(b"x\x1b", b"x")
shell.check()
shell.drop(b"\x10\x10/changed", b"/changed")
shell.type(b"\x10\n")
shell.wait_for(b"one\r\n")
shell.wait_for(b"lkl> ")
# The question whether all candidates are to be shown, which Readline asks by itself.
shell.type(b"cat /many/\t\t")
shell.wait_for(b"possibilities? (y or n)")
shell.type(b"\x03")
shell.wait_for(b"^C")
shell.wait_for(b"lkl> ")
shell.check()
# A command that prints nothing meanwhile.
printed = shell.interrupt(b"sum /long")
assert b"interrupted" in printed, printed
# What was pressed too often drops nothing but an empty line.
shell.type(b"cat /one\n")
shell.wait_for(b"cat /one\r\none\r\n")
shell.wait_for(b"lkl> ")
# A program of the host gets it.
shell.type(b"!echo begun; exec sleep 600\n")
shell.wait_for(b"\nbegun")
shell.type(b"\x03")
shell.wait_for(b"lkl> ")
shell.check()
assert shell.end() == 0
PY
[ "$("$LKL_BIN/lkl" cat image:/precious/file)" = kept ] || fail "a dropped line was run"
