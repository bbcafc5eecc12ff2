#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# ctest: CASES TIMEOUT=90
"""Programs under `lkl run` that give up rights, before they have sockets or after."""

import grp
import os
import pathlib
import pwd
import sys

from run_lab import DEVICE, HOST, OURS, check, main, need, quiet

NOBODY = pwd.getpwnam("nobody")
GROUP = grp.getgrgid(NOBODY.pw_gid).gr_name


def is_nobody(child):
    """Whether each thread of the process has that user and group."""
    for status in pathlib.Path(f"/proc/{child.pid}/task").glob("*/status"):
        ids = [line.split()[1:] for line in status.read_text().splitlines()
               if line.startswith(("Uid:", "Gid:"))]
        if ids != [[str(NOBODY.pw_uid)] * 4, [str(NOBODY.pw_gid)] * 4]:
            return False
    return True


def calls(lab):
    """Each call that libc makes in all threads: one that waits in our kernel, and ours."""
    lab.ours(sys.executable, "-c", """
import os, pathlib, select, socket, threading
a, b = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
a.bind(("127.0.0.1", 0))
waiting = threading.Thread(target=a.recv, args=(1,))
waiting.start()
# Waits for both sides, with the thread that watches.
read, write = os.pipe()
poll = select.poll()
poll.register(b)
poll.register(read)
poll.poll(0)
os.setgroups([65533])
os.initgroups("nobody", 65534)
os.setegid(65533)
os.seteuid(0)
os.setregid(65533, 65533)
os.setresgid(65534, 65534, 65534)
os.setreuid(0, 0)
os.setuid(65534)
for status in pathlib.Path("/proc/self/task").glob("*/status"):
    text = status.read_text()
    assert "Uid:\\t65534\\t65534\\t65534\\t65534" in text, text
    assert "Gid:\\t65534\\t65534\\t65534\\t65534" in text, text
assert waiting.is_alive()
b.sendto(b"x", a.getsockname())
waiting.join()
""")


def signals_of_libc(lab):
    """A program can neither block them nor take them, as on the host."""
    lab.ours(sys.executable, "-c", """
import ctypes, os, signal, socket, threading
socket.socket()
libc = ctypes.CDLL(None, use_errno=True)
everything = ctypes.create_string_buffer(b"\\xff" * 128)
for change in libc.pthread_sigmask, libc.sigprocmask:
    assert change(signal.SIG_SETMASK, everything, None) == 0
libc.sigaction.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
for number in 32, 33:
    action = ctypes.create_string_buffer(152)
    assert libc.sigaction(number, action, None) == -1, number
end = threading.Event()
waiting = threading.Thread(target=end.wait)  # with the mask of this thread
waiting.start()
os.setgid(65534)
end.set()
waiting.join()
""")


def haproxy(lab):
    """haproxy binds as root and serves as another user."""
    need("haproxy", "curl")
    file = lab.file("data", 2 << 20)
    lab.web_server()
    (lab.work / "haproxy.cfg").write_text(
        f"global\n nbthread 1\n user nobody\n group {GROUP}\n"
        "defaults\n mode http\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n"
        f"listen web\n bind {OURS}:80\n server one {HOST}:8000\n", encoding="utf-8")
    server = lab.start_ours("haproxy", "-db", "-f", lab.work / "haproxy.cfg")
    lab.wait_for_port(OURS, 80, server)
    lab.host("curl", "-sS", "-m", "20", "-o", "got", f"http://{OURS}/data")
    check((lab.work / "got").read_bytes() == file.read_bytes(), "other bytes")
    check(is_nobody(server), "it is not nobody")


def dnsmasq(lab):
    """dnsmasq answers as another user."""
    need("dnsmasq", "dig")
    server = lab.start_ours("dnsmasq", "-k", "--user=nobody", f"--group={GROUP}",
                            "--no-resolv", "--no-hosts", "--pid-file=",
                            f"--address=/www.test/{HOST}", "--conf-file=/dev/null")
    # Over TCP it forks a process for each question.
    text = lab.host("dig", "+short", "+tries=20", "+timeout=1", f"@{OURS}", "www.test")
    check(text.split()[-1:] == [HOST], text)  # behind what it says of tries
    check(is_nobody(server), "it is not nobody")


def socat(lab):
    """socat's su=: as soon as somebody is connected."""
    need("socat")
    data = os.urandom(300_000)
    target = lab.work / "got"
    target.touch()
    target.chmod(0o666)
    lab.work.chmod(0o755)
    server = lab.start_ours("socat", "-u", "TCP-LISTEN:9000,reuseaddr,su=nobody", f"OPEN:{target}")
    lab.host("socat", "-u", "-", f"TCP:{OURS}:9000,retry=100,interval=0.1", input=data)
    server.wait(10)
    check(target.read_bytes() == data, lab.log(server))


def devices_without_rights(lab):
    """The device is opened with the rights of `lkl run`: whoever uses it has none left."""
    need("ping", "setpriv")
    quiet("ip", "link", "del", DEVICE)
    nobody = ["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups",
              "--bounding-set=-all", "--inh-caps=-all"]
    show = ["/usr/bin/python3", "-c", "import socket; print(dict(socket.if_nameindex()).values())"]
    # Each program of a run, the second of which is started by one that closes all it can.
    text = lab.ours("sh", "-c", '"$@" && exec /usr/bin/python3 -c "import os, subprocess, sys\n'
                    'os.closerange(3, 1100)\nsubprocess.run(sys.argv[1:], check=True)" "$@"',
                    "sh", *nobody, *show)
    check(text.count("'eth0'") == 2, text)
    # ping gives its own up before its first socket.
    check("1 received" in lab.ours("ping", "-c", "1", OURS), "ping")
    quiet("ip", "tuntap", "add", "below", "mode", "tap")
    text = lab.run(lab.run_command(*nobody, *show, options=["--net", "raw:below"]))
    check("'eth0'" in text, text)


if __name__ == "__main__":
    main([calls, signals_of_libc, haproxy, dnsmasq, socat, devices_without_rights])
