#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# --mount shows a program the files of an image, to read and to write, and no call on them
# reaches the host's of that name.
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/support/program.sh
. "$here/../support/program.sh"
need unshare mkfs.ext4 mkfs.vfat fsck.vfat /usr/bin/python3 debugfs e2fsck losetup

mkdir -p tree/below
head -c 300000 /dev/urandom >tree/below/data
echo text >tree/file
mkfs.ext4 -q -d tree image 32M
run() {
    timeout 30 "$LKL_BIN/lkl" run --mount image:/image -- "$@"
}
[ "$(run cat /image/file)" = text ] || fail "cat"
run cmp /image/below/data tree/below/data || fail "cmp"
[ "$(run ls /image | tr '\n' ' ')" = "below file lost+found " ] || fail "ls"
run /usr/bin/python3 -c '
import mmap, os, socket
assert sorted(os.listdir("/image/below")) == ["data"]
assert os.stat("/image/below/data").st_size == 300000 and not os.path.exists("/image/none")
with open("/image/below/data", "rb") as file:
    with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ, flags=mmap.MAP_PRIVATE) as mapped:
        assert mapped[:] == open("tree/below/data", "rb").read()
os.mkdir("/image/new")
with open("/image/new/file", "w") as file:
    file.write("written")
os.rename("/image/new/file", "/image/new/renamed")
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
accepted = server.accept()[0]
with open("/image/below/data", "rb") as file:
    client.sendfile(file)
client.close()
received = b""
while data := accepted.recv(65536):
    received += data
assert received == open("tree/below/data", "rb").read()
os.unlink("/image/file")
' || fail "python3"
[ "$(debugfs -R 'cat /new/renamed' image 2>/dev/null)" = written ] || fail "not written"
e2fsck -fn image >check 2>&1 || fail "$(cat check)"
# A mount of a directory that the host does not have has a directory above it.
run ls -la /image >list || fail "ls -la: $(cat list)"
grep -q ' \.\.$' list || fail "no directory above: $(cat list)"

# A mount below another one is seen there, in whatever order they come, and the later one of
# two at one place.
mkdir -p second
echo second >second/name
mkfs.ext4 -q -d second other 16M
for order in "image:/image other:/image/below" "other:/image/below image:/image" \
    "image:/image/below other:/image/below"; do
    read -r first last <<<"$order"
    [ "$(timeout 30 "$LKL_BIN/lkl" run --mount "$first" --mount "$last" -- \
        cat /image/below/name)" = second ] || fail "mounts $order"
done

# It is unmounted at the end.
truncate -s 16M fat
mkfs.vfat fat >/dev/null
timeout 30 "$LKL_BIN/lkl" run --mount fat:/image -- cp tree/file /image/file || fail "cp to FAT"
fsck.vfat -n fat >check 2>&1 || fail "$(cat check)"
! grep -qi dirty check || fail "not unmounted: $(cat check)"
dumpe2fs -h image 2>/dev/null >check
! grep -q needs_recovery check || fail "not unmounted: $(cat check)"

# What finds no room at the end only is told, and is no success.
mkdir small
status=0
# shellcheck disable=SC2016  # the inner shell's
unshare -m sh -c 'mount -t tmpfs -o size=16M none small && truncate -s 64M small/image &&
    mkfs.ext4 -q small/image && head -c 20000000 /dev/urandom >big &&
    timeout 60 "$0" run --mount small/image:/image -- cp big /image/big' \
    "$LKL_BIN/lkl" 2>error || status=$?
[ "$status" = 6 ] || fail "what is lost: $status: $(cat error)"
grep -q 'small/image: not all that was written is in the image' error || fail "$(cat error)"
rm big

# A signal that ends the program loses nothing: with the host's kernel, what was written is there.
mkfs.ext4 -q ended 16M
for signal in HUP INT PIPE TERM USR1; do
    status=0
    # shellcheck disable=SC2016  # the inner shell's
    timeout 30 "$LKL_BIN/lkl" run --mount ended:/image -- \
        bash -c 'echo written >"/image/$0"; kill -"$0" $$; sleep 20' $signal || status=$?
    [ "$status" = $((128 + $(kill -l $signal))) ] || fail "$signal: $status"
    [ "$(timeout 30 "$LKL_BIN/lkl" run --mount ended:/image -- cat /image/$signal)" = written ] ||
        fail "lost by $signal"
done
timeout 30 "$LKL_BIN/lkl" run --mount ended:/image -- /usr/bin/python3 -c '
import os, signal, socket, threading, time
assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
signal.signal(signal.SIGALRM, lambda *arguments: None)
os.kill(os.getpid(), signal.SIGALRM)
signal.signal(signal.SIGALRM, signal.SIG_DFL)
assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
child = os.fork()
if child == 0:
    os.kill(os.getpid(), signal.SIGALRM)
assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGALRM
with open("/image/python", "w") as file:
    file.write("written")
# In the middle of a call of the kernel.
threading.Thread(target=lambda: (time.sleep(1), os.kill(os.getpid(), signal.SIGTERM))).start()
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", 1))
receiver.recv(1)' || status=$?
[ "$status" = 143 ] || fail "python3: $status"
[ "$(timeout 30 "$LKL_BIN/lkl" run --mount ended:/image -- cat /image/python)" = written ] ||
    fail "lost in the middle of a call"

# The host has no second writer.
loop=$(losetup -f --show other)
status=0
timeout 30 "$LKL_BIN/lkl" run --mount other:/image -- ls /image >list 2>error || status=$?
losetup -d "$loop"
[ "$status" != 0 ] || fail "an image that the host has is mounted"
grep -q "other: is attached to $loop of the host" error || fail "$(cat error)"

# What was written is there when another program has taken this one's place, and an exec that
# fails goes on.
mkfs.ext4 -q executes 16M
run_executes() {
    timeout 30 "$LKL_BIN/lkl" run --mount executes:/image -- "$@" 2>error || fail "exec: $(cat error)"
}
in_executes() {
    debugfs -R "cat $1" executes 2>/dev/null
}
run_executes sh -c 'echo written >/image/f; exec true'
[ "$(in_executes f)" = written ] || fail "lost by exec"
[ ! -s error ] || fail "exec: $(cat error)"
run_executes /usr/bin/python3 -c '
import os
one = open("/image/one", "w")
one.write("first ")
one.flush()
try:
    os.execv("/no/such/program", ["program"])
except FileNotFoundError:
    one.write("second")
one.flush()
os.set_inheritable(one.fileno(), True)
os.execve(os.open("/bin/true", os.O_RDONLY), ["true"], os.environ)'
[ "$(in_executes one)" = 'first second' ] || fail "lost by exec: $(in_executes one)"
grep -q 'descriptor [0-9]* does not go with exec' error || fail "exec: $(cat error)"

# Nothing goes to the host's directory of that name.
mkdir -p hosts/lower
cp "$(type -P true)" hosts/program
: >hosts/created
find hosts -printf '%p %M %s %T@ %C@\n' | sort >before
# Where mounts are nobody else's, should one succeed.
# shellcheck disable=SC2016  # the inner shell's "$@"
timeout 60 unshare -m sh -c 'umask 027 && exec "$@"' sh \
    "$LKL_BIN/lkl" run --mount "image:$PWD/hosts" -- \
    /usr/bin/python3 -B "$here/run_mounts_paths.py" "$PWD/hosts" >output 2>error ||
    fail "calls with paths: $(cat output error)"
grep -qx good output || fail "calls with paths: $(cat output error)"
find hosts -printf '%p %M %s %T@ %C@\n' | sort | diff before - || fail "the host's files are others"
status=0
timeout 30 "$LKL_BIN/lkl" run --mount "image:$PWD/hosts/" -- hosts/program 2>error || status=$?
[ "$status" = 1 ] || fail "the host's program in a mount is started: $status"
grep -q 'no program of an image' error || fail "$(cat error)"
run dd if=/dev/zero of=/image/zeroes bs=4096 count=4 oflag=direct 2>error || fail "$(cat error)"
e2fsck -fn image >check 2>&1 || fail "$(cat check)"
chmod a-w image
[ "$(run cat /image/new/renamed)" = written ] || fail "read again"
