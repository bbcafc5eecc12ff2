#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# ctest: CASES TIMEOUT=90
"""Names are asked of the program's own name servers, whatever the host has to resolve them."""

import contextlib
import os
import socket
import subprocess
import sys
import threading

from run_lab import HOST, check, main, need, quiet

DAEMONS = ("/run/nscd/socket", "/run/systemd/resolve/io.systemd.Resolve",
           "/run/avahi-daemon/socket")
OTHER = "/run/other"  # of a daemon that resolves nothing

LOOK_UP = "import socket; print(socket.gethostbyname('www.test'))"

CONNECT = """
import errno, socket, sys
for path in sys.argv[1:]:
    with socket.socket(socket.AF_UNIX) as one:
        print(path, errno.errorcode.get(one.connect_ex(path), "connected"))
"""


@contextlib.contextmanager
def daemons(paths):
    """Stands for them; gives a list that gets the path of each that somebody has connected to."""
    asked = []

    def serve(listener, path):
        with contextlib.suppress(OSError):
            while True:
                with listener.accept()[0]:
                    asked.append(path)
    listeners = []
    for path in paths:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        listeners.append(listener)
        threading.Thread(target=serve, args=(listener, path), daemon=True).start()
    yield asked
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def daemons_of_the_host(lab):
    """Those that libc asks are not reached, and libc goes on to DNS; others are."""
    need("dnsmasq")
    quiet("mount", "-t", "tmpfs", "tmpfs", "/run")
    # It asks nscd for its user, so it comes before that.
    server = lab.start_host("dnsmasq", "-k", "--user=root", "--no-resolv", "--no-hosts",
                            "--bind-interfaces", "--pid-file=", f"--listen-address={HOST}",
                            f"--address=/www.test/{HOST}")
    lab.wait_for_port(HOST, 53, server)
    with daemons((*DAEMONS, OTHER)) as asked:
        text = lab.ours(sys.executable, "-c", LOOK_UP, options=["--dns", HOST])
        check(text == f"{HOST}\n", text)
        check(not asked, f"asked: {asked}")
        # The host's libc does ask, so that it is no wonder if it does not under lkl run.
        subprocess.run([sys.executable, "-c", LOOK_UP], check=False, capture_output=True,
                       timeout=60)
        check(DAEMONS[0] in asked, f"libc does not ask nscd: {asked}")
        old = ["/var" + path for path in DAEMONS if os.path.islink("/var/run")]
        text = lab.ours(sys.executable, "-c", CONNECT, *DAEMONS, *old, OTHER)
        lines = [f"{path} ECONNREFUSED" for path in (*DAEMONS, *old)]
        check(text.splitlines() == [*lines, f"{OTHER} connected"], text)


if __name__ == "__main__":
    main([daemons_of_the_host])
