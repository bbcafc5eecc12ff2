#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lkl ls has colours on a terminal that knows them, if nobody forbids it.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 python3

small_image image
# on_terminal VARIABLE=VALUE...: what ls prints there.
on_terminal() {
    python3 - "$LKL_BIN/lkl" "$@" <<'PY'
import os, pty, sys
os.environ.pop("NO_COLOR", None)
os.environ.update(word.split("=", 1) for word in sys.argv[2:])
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], ["lkl", "ls", "image"])
try:
    while data := os.read(terminal, 4096):
        sys.stdout.buffer.write(data)
except OSError:  # its end
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
}
escape=$'\e'
for variables in TERM=xterm "TERM=vt100 NO_COLOR="; do
    # shellcheck disable=SC2086 # words
    on_terminal $variables | grep -qF "${escape}[01;34mdirectory" || fail "$variables: no colours"
done
for variables in TERM=dumb "TERM=xterm NO_COLOR=1"; do
    # shellcheck disable=SC2086 # words
    on_terminal $variables >actual
    grep -q directory actual || fail "$variables: nothing"
    ! grep -qF "$escape" actual || fail "$variables: colours"
done
