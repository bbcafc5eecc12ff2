#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Under lkl run no child of the program gets the host's network in silence: neither a forked
# one, nor a program that the library does not reach.
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/support/program.sh
. "$here/../support/program.sh"
need ip unshare cc setpriv ldd /usr/bin/python3

# Of the host's stack there is an interface that ours does not have.
alone() {
    # The program's words are its own shell's to expand.
    # shellcheck disable=SC2016
    timeout 90 unshare -n sh -c 'ip tuntap add hosts mode tap && exec "$@"' sh "$@"
}

alone "$LKL_BIN/lkl" run -- /usr/bin/python3 -B "$here/run_children.py" >output 2>error ||
    fail "a forked child: $(cat output error)"
grep -qx fine output || fail "it says: $(cat output)"
grep -q 'this process was forked' error || fail "no child was told: $(cat error)"

# So do the children of calls that libc's handlers are not behind, and nothing of theirs is
# their parent's; threads that libc makes by itself are the program's like others.
for words in '' '--no-dispatch'; do
    # shellcheck disable=SC2086  # none, or one
    alone "$LKL_BIN/lkl" run $words -- "$LKL_TESTS/network/raw_children" ${words:+libc} \
        >output 2>error || fail "other children $words: $(cat output error)"
    grep -qx fine output || fail "other children $words: $(cat output error)"
    grep -q 'this process was forked' error || fail "no other child was told: $(cat error)"
done

# A child that only closes what it inherited, as of subprocess.run(), has no use for the network,
# and is told nothing.
alone "$LKL_BIN/lkl" run -- /usr/bin/python3 -c '
import asyncio, subprocess
async def main():
    await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    said = subprocess.run(["true"], stderr=subprocess.PIPE, check=True).stderr
    assert not said, said
asyncio.run(main())' || fail "a child that closes an epoll"

# A program in the place of one that has the stack has its own; what the descriptors lose is
# told once, and an exec that fails changes nothing.
alone "$LKL_BIN/lkl" run -- /usr/bin/python3 -c '
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
listener.set_inheritable(True)
os.environ["PATH"] = "/no/such:/nor/this:" + os.environ["PATH"]
try:
    os.execv("no-such-program", ["none"])
except FileNotFoundError:
    client = socket.create_connection(listener.getsockname())
os.execvp("python3", ["python3", "-c", "import socket; socket.create_server((str(), 0))"])
' 2>error || fail "exec: $(cat error)"
[ "$(grep -c 'descriptor [0-9]* does not go with exec' error)" = 1 ] || fail "exec: $(cat error)"
alone "$LKL_BIN/lkl" run -- /usr/bin/python3 -c '
import os, socket
listener = socket.create_server(("127.0.0.1", 0))
os.execv("/bin/true", ["true"])' 2>error || fail "exec without a socket: $(cat error)"
[ ! -s error ] || fail "exec without a socket: $(cat error)"

cat >interfaces.c <<'END'
#include <net/if.h>
#include <stdio.h>
int main(void)
{
    struct if_nameindex *all = if_nameindex();
    for (struct if_nameindex *i = all; i && i->if_name; i++)
        puts(i->if_name);
    return 0;
}
END
cc -static interfaces.c -o static
cc interfaces.c -o dynamic
chmod 755 . static dynamic
mkdir rights
cp dynamic rights/more
chown 1:1 rights/more
chmod 6755 rights/more
printf '#!%s/static\n' "$PWD" >script
chmod 755 script

# refused WORD COMMAND...: no output, EACCES from the program's starter, and a line with WORD.
refused() {
    local word=$1
    shift
    alone "$LKL_BIN/lkl" run -- "$@" >output 2>error && fail "$* succeeds: $(cat output)"
    [ ! -s output ] || fail "$* runs: $(cat output)"
    grep -q "^lkl run: .*$word" error || fail "$*: $(cat error)"
    grep -qi 'permission denied' error || fail "$*: $(cat error)"
}
refused statically sh -c './static; exit $?'
refused statically sh -c 'exec ./script'
refused 'more rights' sh -c './rights/more; exit $?'
refused statically env PATH="$PWD" /usr/bin/env static
python=(/usr/bin/python3 -c)
refused statically "${python[@]}" 'import subprocess; subprocess.run(["./static"], check=True)'
refused statically "${python[@]}" 'import os; os.posix_spawn("./static", ["static"], os.environ)'
refused statically "${python[@]}" \
    'import os; os.environ["PATH"] = "."; os.posix_spawnp("static", ["static"], os.environ)'
refused statically "${python[@]}" 'import os; os.execve(os.open("static", 0), ["static"], os.environ)'

on_our_stack() {
    grep -qx lo output || fail "no interfaces: $(cat output error)"
    ! grep -qx hosts output || fail "it is on the host's stack: $(cat output error)"
}
# Who clears the variable wants the host's. What cannot get more rights is no danger.
alone "$LKL_BIN/lkl" run -- env -u LD_PRELOAD ./static >output || fail "without the library"
grep -qx hosts output || fail "it is not on the host's stack: $(cat output)"
alone "$LKL_BIN/lkl" run -- setpriv --no-new-privs sh -c ./rights/more >output 2>error ||
    fail "set-user-ID without effect: $(cat error)"
on_our_stack
# The loader is a program without an interpreter.
alone "$LKL_BIN/lkl" run -- ldd ./dynamic >output || fail "ldd"
grep -q 'liblkl-hijack.so' output || fail "ldd: $(cat output)"
alone "$LKL_BIN/lkl" run -- /lib64/ld-linux-x86-64.so.2 ./dynamic >output || fail "the loader"
on_our_stack

# A network namespace would be the host's.
libc='import ctypes, errno; libc = ctypes.CDLL(None, use_errno=True); call = libc.syscall'
for call in 'libc.unshare(0x40000000)' 'libc.setns((f := open("/proc/self/ns/net")).fileno(), 0)' \
    'libc.setns((f := open("/proc/self/ns/net")).fileno(), 0x40000000)' \
    'call(56, 0x40000011, 0, 0, 0, 0)' \
    'call(435, (ctypes.c_uint64 * 11)(0x40000000, 0, 0, 0, 17), 88)'; do
    alone "$LKL_BIN/lkl" run -- "${python[@]}" "$libc
assert $call == -1 and ctypes.get_errno() == errno.EOPNOTSUPP, ctypes.get_errno()" 2>error ||
        fail "$call: $(cat error)"
    grep -q 'lkl run: a network namespace' error || fail "$call: $(cat error)"
done
alone "$LKL_BIN/lkl" run -- "${python[@]}" "$libc
assert libc.unshare(0x04000000) == 0  # of UTS
assert libc.setns((f := open('/proc/self/ns/uts')).fileno(), 0) == 0" || fail "another namespace"

# A server with a process for its work says why that cannot be.
if command -v nginx >/dev/null; then
    cat >nginx.conf <<END
user root; daemon off; pid $PWD/pid; error_log stderr; worker_processes 1;
events {} http { access_log off; server { listen 127.0.0.1:8080; } }
END
    for limit in 5 40; do  # the second for a machine that stopped meanwhile
        status=0
        alone timeout "$limit" "$LKL_BIN/lkl" run -- nginx -p "$PWD" -c "$PWD/nginx.conf" 2>error ||
            status=$?
        ! grep -q 'epoll_ctl.*Network is down' error || break
    done
    grep -q 'lkl run: this process was forked' error || fail "nginx ($status): $(cat error)"
    grep -q 'epoll_ctl.*Network is down' error || fail "nginx ($status): $(cat error)"
fi
