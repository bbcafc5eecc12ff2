#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lkl shell -w: what it has reported as done is in the image when its terminal is closed or a
# signal ends it, alone or with all of its process group; a command that runs is ended, and
# leaves the image whole.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 python3
ulimit -c 0

mkdir small
truncate -s 64G small/long
make_image before 16M
mkfs.ext4 -q -d small before
rm -r small
echo text >xx

# killed.py SIGNAL all|one [busy|queued]
cat >killed.py <<'PY'
import os, signal, subprocess, sys, time
from threading import Timer

lkl = os.environ["LKL_BIN"] + "/lkl"
shell = subprocess.Popen([lkl, "shell", "-w", "image"], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, bufsize=0, start_new_session=True)

def wait_for(line):
    seen = b""
    while line not in seen.splitlines():
        got = os.read(shell.stdout.fileno(), 4096)
        assert got, (line, seen)
        seen += got

shell.stdin.write(b"put xx /\nmv /xx /yy\ncat /yy\n")
wait_for(b"text")
slow = b"sum /long\nmv /yy /zz\n"
if "busy" in sys.argv:
    shell.stdin.write(b"!echo begun\n" + slow)
    wait_for(b"begun")
    time.sleep(0.5)
if "queued" in sys.argv:
    # The process that has the image has not seen the command yet when the shell is ended.
    shell.stdin.write(b"!echo idle\n")
    wait_for(b"idle")
    worker = int(open(f"/proc/{shell.pid}/task/{shell.pid}/children").read().split()[0])
    os.kill(worker, signal.SIGSTOP)
    shell.stdin.write(slow)
    time.sleep(0.5)
    Timer(0.5, os.kill, (worker, signal.SIGCONT)).start()
which = getattr(signal, sys.argv[1])
(os.killpg if sys.argv[2] == "all" else os.kill)(shell.pid, which)
assert shell.wait(60) == -which, shell.returncode
if which != signal.SIGKILL:
    # The image is free, and complete.
    listed = subprocess.run([lkl, "ls", "image:/"], stdout=subprocess.PIPE, check=True).stdout
    assert b"yy" in listed.split(), listed
# Until nobody has its standard output any more: no process of it is left.
while os.read(shell.stdout.fileno(), 4096):
    pass
PY
export LKL_BIN

killed() {
    cp --sparse=always before image
    timeout 120 python3 killed.py "$@" || fail "$*"
    check_clean ext4 image
    [ "$("$LKL_BIN/lkl" cat image:/yy)" = text ] || fail "$*: what was done is not there"
}

for signal in SIGHUP SIGTERM SIGQUIT; do
    killed $signal all
    killed $signal one
done
# Nobody waits then for the process that has the image, which goes on to its end.
killed SIGKILL one
# What would have followed the command that ran is not done.
killed SIGTERM one busy
killed SIGKILL one busy
killed SIGTERM one queued
killed SIGKILL one queued

# As nohup(1) has it.
cp --sparse=always before image
(
    trap '' HUP
    # shellcheck disable=SC2016  # the shell's program expands it
    printf '%s\n' '!kill -HUP $PPID' 'put xx /' 'cat /xx' | "$LKL_BIN/lkl" shell -w image >actual
) || fail "what is ignored ended it"
grep -qx text actual || fail "what is ignored ended a command"
