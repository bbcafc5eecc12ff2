#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lkl shell: commands from a pipe, working directories of image and host, get and put,
# programs of the host outside of the sandbox; and on a terminal, completion and history.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 python3

small_image image
before=$(digest image)
run 0 "$LKL_BIN/lkl" shell image:/directory >actual <<'SHELL'
# nothing
pwd
ls
cd deeper
pwd
cat three.txt
cd ..
cat 'two' "../one"
find . -name 't*' -type f
!echo host $((1 + 1))
exit
cat one
SHELL
cat >expected <<'TEXT'
/directory
deeper
two
/directory/deeper
three
two
one
./deeper/three.txt
./two
host 2
TEXT
diff expected actual || fail "the shell prints something else"
[ "$(digest image)" = "$before" ] || fail "a shell without -w changed the image"

# Failures are told and do not end it; the first gives the exit code.
run 8 "$LKL_BIN/lkl" shell image >actual <<'SHELL'
cat none
nonsense
rm one
cat "one
cat one
SHELL
grep -qx one actual || fail "a failure ended the shell"
[ "$(wc -l <stderr)" = 4 ] || fail "a failure is not one line"
says "start the shell with -w"
[ "$(digest image)" = "$before" ] || fail "a shell without -w changed the image"

mkdir -p there/sub
echo "from the host" >"there/a file"
run 0 "$LKL_BIN/lkl" shell -w image >actual <<'SHELL'
mkdir -p /new/dir
cd new
lcd there
put "a file"
put sub/ dir
get ../directory
get ../one sub/renamed
mv "a file" moved
rm -r /other
!pwd
ls -R
SHELL
[ "$(head -n1 actual)" = "$PWD/there" ] || fail "lcd"
[ "$(cat there/directory/deeper/three.txt)" = three ] || fail "get"
[ "$(cat there/sub/renamed)" = one ] || fail "get to a name"
[ "$("$LKL_BIN/lkl" cat image:/new/moved)" = "from the host" ] || fail "put"
[ "$("$LKL_BIN/lkl" find image:/ -name 'four*' -o -name sub)" = /new/dir/sub ] || fail "rm or put"
check_clean ext4 image

# There is a way out of a directory that is no more, and none through one that never was.
run 8 "$LKL_BIN/lkl" shell -w image >actual <<'SHELL'
mkdir -p /gone/deeper
cd gone/deeper
rm -r /gone/deeper
cd ..
pwd
cd nowhere/..
cd deeper/../..
pwd
cd ./../gone//
pwd
cd ../../..
pwd
SHELL
printf '%s\n' /gone /gone /gone / | diff - actual || fail "cd"
[ "$(grep -c "No such file" stderr)" = 2 ] || fail "cd to nowhere"

# Outside of the host's directory nothing can be written.
mkdir outside
run 6 "$LKL_BIN/lkl" shell --host-directory there image <<'SHELL'
get one ../outside/escaped
SHELL
[ ! -e outside/escaped ] || fail "get wrote outside of the host's directory"

# On a terminal: Tab completes commands and paths; the history is kept.
mkdir state
python3 - "$LKL_BIN/lkl" <<'PY'
import os, pty, select, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.environ.update(XDG_STATE_HOME=os.getcwd() + "/state", TERM="dumb", INPUTRC="/dev/null")
    os.execv(sys.argv[1], ["lkl", "shell", "image"])
seen = b""
def wait_for(text):
    global seen
    end = time.time() + 20
    while text not in seen:
        assert time.time() < end, (text, seen)
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 4096)
    seen = seen[seen.index(text) + len(text):]
wait_for(b"lkl> ")
os.write(terminal, b"ca\tdirec\tdee\tthr\t\n")
wait_for(b"cat directory/deeper/three.txt")
wait_for(b"three\r\n")
wait_for(b"lkl> ")
os.write(terminal, b"exit\n")
assert os.waitpid(pid, 0)[1] == 0
PY
grep -qx 'cat directory/deeper/three.txt *' state/lkl/history || fail "no history"
[ "$(stat -c %a state/lkl/history)" = 600 ] || fail "others can read the history"
