# SPDX-License-Identifier: GPL-2.0-only
"""A network namespace with a tap device, for tests of `lkl run`.

The host's stack has one end, 192.0.2.1 and fd00::1, and the program under test the other,
192.0.2.2 and fd00::2. The test itself is in the namespace, and all that it starts: the
namespace goes with them.
"""

import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HOST, HOST6 = "192.0.2.1", "fd00::1"
OURS, OURS6 = "192.0.2.2", "fd00::2"
DEVICE = "lkl0"
SKIP = 77


class Failure(Exception):
    """The test has failed; the text says why."""


def check(condition, text):
    """Fails with the text unless the condition holds."""
    if not condition:
        raise Failure(text)


def need(*commands):
    """Skips the test where one of them is missing."""
    for command in commands:
        if not shutil.which(command, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            print(f"SKIP: {command} is not installed")
            sys.exit(SKIP)


def quiet(*command):
    """Runs it; fails if it does."""
    subprocess.run(command, check=True, capture_output=True, timeout=20)


def enter_new_namespace():
    """A network namespace, and mounts in which /sys shows it; Python has it from 3.12 on."""
    new_mounts, new_network = 0x20000, 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(new_mounts | new_network) != 0:
        print("SKIP: needs root")
        sys.exit(SKIP)
    quiet("mount", "--make-rprivate", "/")
    quiet("mount", "-t", "sysfs", "sysfs", "/sys")


class Lab:
    """The namespace, a directory of files, and the processes in both."""

    def __init__(self):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="lkl-run-"))
        self.children = []

    def __enter__(self):
        enter_new_namespace()
        for command in ("link set lo up", f"tuntap add {DEVICE} mode tap",
                        f"link set {DEVICE} up", f"addr add {HOST}/24 dev {DEVICE}",
                        f"addr add {HOST6}/64 dev {DEVICE} nodad"):
            quiet("ip", *command.split())
        return self

    def __exit__(self, *_):
        for child in self.children:
            # With what it has started: each is a session of its own.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        shutil.rmtree(self.work, ignore_errors=True)

    def host_command(self, *command):
        """A command line that runs on the host's stack."""
        return list(map(str, command))

    def run_command(self, *command, options=(), under=()):
        """A command line of `lkl run` with those options; `under` starts it."""
        return self.host_command(*under, pathlib.Path(os.environ["LKL_BIN"]) / "lkl", "run",
                                 *options, "--", *command)

    def our_command(self, *command, options=()):
        """A command line that runs on our stack."""
        return self.run_command(*command, options=[
            "--net", f"tap:{DEVICE}", "--ip", f"{OURS}/24", "--ip6", f"{OURS6}/64", *options])

    def run(self, command, **arguments):
        """Its standard output; fails if it does."""
        arguments.setdefault("timeout", 30)
        done = subprocess.run(command, capture_output=True, check=False, cwd=self.work,
                              **arguments)
        text = done.stdout.decode(errors="replace")
        errors = done.stderr.decode(errors="replace")
        check(done.returncode == 0, f"{' '.join(command)}: exit code {done.returncode}\n"
              f"{text}\n{errors}")
        return text

    def host(self, *command, **arguments):
        """Runs it on the host's stack."""
        return self.run(self.host_command(*command), **arguments)

    def ours(self, *command, options=(), **arguments):
        """Runs it on our stack."""
        return self.run(self.our_command(*command, options=options), **arguments)

    def start(self, command, **arguments):
        """Starts it in the background; its output goes to its log_file()."""
        log = open(self.log_file(len(self.children)), "wb")
        arguments.setdefault("stdin", subprocess.DEVNULL)
        child = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.work,
                                 start_new_session=True, **arguments)
        self.children.append(child)
        return child

    def log_file(self, number):
        """Where the child of that number says what it does."""
        return self.work / f"{number}.log"

    def log(self, child):
        """What it has said so far."""
        return self.log_file(self.children.index(child)).read_text(errors="replace")

    def start_host(self, *command, **arguments):
        """Starts it on the host's stack."""
        return self.start(self.host_command(*command), **arguments)

    def start_ours(self, *command, options=(), **arguments):
        """Starts it on our stack."""
        return self.start(self.our_command(*command, options=options), **arguments)

    def stop(self, child, sent=signal.SIGTERM):
        """Asks it to end and waits."""
        child.send_signal(sent)
        try:
            child.wait(10)
        except subprocess.TimeoutExpired as error:
            raise Failure(f"does not end: {self.log(child)}") from error

    def wait_for_port(self, address, port, child):
        """Until a TCP server listens there."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                socket.create_connection((address, port), 1).close()
                return
            check(child.poll() is None, f"the server has ended: {self.log(child)}")
            time.sleep(0.02)
        raise Failure(f"no server at {address} port {port}: {self.log(child)}")

    def file(self, name, size):
        """A file of random bytes."""
        path = self.work / name
        path.write_bytes(os.urandom(size))
        return path

    def certificate(self):
        """A self-signed certificate and its key, for TLS."""
        key, cert = self.work / "key.pem", self.work / "cert.pem"
        quiet("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
              "-nodes", "-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", "/CN=test")
        return cert, key

    def nginx_configuration(self, servers):
        """A configuration of nginx in one process, whose files are the work directory's."""
        scratch = "".join(f"{kind}_temp_path {self.work}/scratch; "
                          for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        path = self.work / "nginx.conf"
        path.write_text(
            f"daemon off; master_process off; user root; pid {self.work}/nginx.pid;\n"
            f"error_log {self.work}/error.log; events {{ worker_connections 1024; }}\n"
            f"http {{ access_log off; root {self.work}; sendfile on; {scratch}\n{servers} }}\n",
            encoding="utf-8")
        return path

    def web_server(self, port=8000):
        """python3 -m http.server on the host's stack."""
        server = self.start_host(sys.executable, "-m", "http.server", "--bind", "::", port)
        self.wait_for_port(HOST, port, server)
        return server


def main(cases):
    """--list prints the names of the cases, --case NAME runs one."""
    named = {case.__name__: case for case in cases}
    if "--list" in sys.argv:
        print("\n".join(named))
        return
    chosen = sys.argv[sys.argv.index("--case") + 1:] if "--case" in sys.argv else list(named)
    need("ip")
    for name in chosen:
        with Lab() as lab:
            try:
                named[name](lab)
            except Failure as failure:
                print(f"FAIL: {name}: {failure}")
                sys.exit(1)
        print(f"{name}: good")
