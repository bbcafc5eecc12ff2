#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# ctest: CASES TIMEOUT=90
"""Unmodified clients of Debian under `lkl run`, over a tap device to servers of the host."""

import hashlib
import importlib.util
import json
import pathlib
import resource
import subprocess
import sys
import time

from run_lab import DEVICE, HOST, HOST6, OURS, OURS6, SKIP, check, main, need, quiet


def curl(lab):
    """HTTP/1.1 over IPv4 and IPv6, a name by DNS."""
    need("curl", "dnsmasq")
    file = lab.file("data", 3 << 20)
    lab.web_server()
    for address in (HOST, f"[{HOST6}]"):
        lab.ours("curl", "-sS", "-o", "got", f"http://{address}:8000/data")
        check((lab.work / "got").read_bytes() == file.read_bytes(), f"{address}: other bytes")
    lab.start_host("dnsmasq", "-k", "--no-resolv", "--no-hosts", "--bind-interfaces",
                   "--pid-file=", f"--listen-address={HOST}", f"--address=/www.test/{HOST}")
    text = lab.ours("curl", "-sS", "-w", "%{http_code} %{remote_ip} %{local_ip}", "-o", "got",
                    "--retry", "5", "--retry-connrefused", "http://www.test:8000/data",
                    options=["--dns", HOST])
    check(text == f"200 {HOST} {OURS}", text)


def curl_http2(lab):
    """HTTP/2 over TLS."""
    need("curl", "nginx", "openssl")
    cert, key = lab.certificate()
    file = lab.file("data", 2 << 20)
    configuration = lab.nginx_configuration(
        f"server {{ listen 443 ssl http2; ssl_certificate {cert}; "
        f"ssl_certificate_key {key}; }}")
    server = lab.start_host("nginx", "-c", configuration)
    lab.wait_for_port(HOST, 443, server)
    text = lab.ours("curl", "-sS", "-k", "--http2", "-o", "got", "-w", "%{http_version} %{http_code}",
                    f"https://{HOST}/data")
    check(text == "2 200", text)
    check((lab.work / "got").read_bytes() == file.read_bytes(), "other bytes")


def wget(lab):
    """HTTP over IPv4 and IPv6."""
    need("wget")
    file = lab.file("data", 1 << 20)
    lab.web_server()
    for address in (HOST, f"[{HOST6}]"):
        lab.ours("wget", "-q", "-O", "got", f"http://{address}:8000/data")
        check((lab.work / "got").read_bytes() == file.read_bytes(), f"{address}: other bytes")


def wget_tls(lab):
    """HTTP/1.1 over TLS, two files by one connection; the name by DNS, IPv4 and IPv6."""
    need("wget", "nginx", "openssl", "dnsmasq")
    cert, key = lab.certificate()
    file = lab.file("data", 1 << 20)
    configuration = lab.nginx_configuration(
        f"server {{ listen 443 ssl; listen [::]:443 ssl; ssl_certificate {cert}; "
        f"ssl_certificate_key {key}; }}")
    server = lab.start_host("nginx", "-c", configuration)
    lab.wait_for_port(HOST, 443, server)
    # The certificate's name.
    lab.start_host("dnsmasq", "-k", "--no-resolv", "--no-hosts", "--bind-interfaces",
                   "--pid-file=", f"--listen-address={HOST}", f"--address=/test/{HOST}",
                   f"--address=/test/{HOST6}")
    for family, address in (("-4", HOST), ("-6", HOST6)):
        text = lab.ours("sh", "-c", 'exec wget "$@" 2>&1', "wget", family, "-S", "--tries=5",
                        "--retry-on-host-error", f"--ca-certificate={cert}", "-O", "got",
                        "https://test/data", "https://test/data", options=["--dns", HOST])
        check(text.count("HTTP/1.1 200 OK") == 2, text)
        check(text.count(f"|{address}|:443... connected") == 1, text)
        check("Reusing existing connection to" in text, text)
        check((lab.work / "got").read_bytes() == 2 * file.read_bytes(), f"{family}: other bytes")


def python_urllib(lab):
    """urllib, several requests at once."""
    file = lab.file("data", 1 << 20)
    lab.web_server()
    text = lab.ours(sys.executable, "-c", f"""
import concurrent.futures, hashlib, urllib.request
def get(_):
    return hashlib.sha256(urllib.request.urlopen("http://{HOST}:8000/data").read()).hexdigest()
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print(*set(pool.map(get, range(24))))
""")
    check(text.split() == [hashlib.sha256(file.read_bytes()).hexdigest()], text)


# A server of the host that answers a POST with its body, chunk by chunk.
ECHO = """
import http.server
class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("X-Port", str(self.client_address[1]))
        self.end_headers()
        for part in (body[:100], body[100:], b""):
            self.wfile.write(b"%x\\r\\n%s\\r\\n" % (len(part), part))
http.server.ThreadingHTTPServer(("192.0.2.1", 8001), Echo).serve_forever()
"""


def python_requests(lab):
    """requests of Python: files, and a session that posts over one connection."""
    if importlib.util.find_spec("requests") is None:
        print("SKIP: python3-requests is not installed")
        sys.exit(SKIP)
    file = lab.file("data", 1 << 20)
    lab.web_server()
    echo = lab.start_host(sys.executable, "-c", ECHO)
    lab.wait_for_port(HOST, 8001, echo)
    text = lab.ours(sys.executable, "-c", f"""
import hashlib, os, requests
for address in ("{HOST}", "[{HOST6}]"):
    got = requests.get("http://" + address + ":8000/data", timeout=20)
    print(got.status_code, hashlib.sha256(got.content).hexdigest())
with requests.Session() as session:
    ports = set()
    for size in (101, 300_000, 70_000):
        body = os.urandom(size)
        answer = session.post("http://{HOST}:8001/", data=body, timeout=20)
        assert answer.content == body, len(answer.content)
        ports.add(answer.headers["X-Port"])
    print(len(ports))
try:
    requests.get("http://{HOST}:1/", timeout=20)
except requests.exceptions.ConnectionError as error:
    print("refused" in str(error))
""")
    got = f"200 {hashlib.sha256(file.read_bytes()).hexdigest()}"
    check(text.splitlines() == [got, got, "1", "True"], text)


def netcat(lab):
    """Bytes both ways, and the end of the stream."""
    need("nc")
    sent = lab.file("sent", 2 << 20)
    with open(lab.work / "got", "wb") as got:
        server = subprocess.Popen(lab.host_command("nc", "-l", "-N", "-p", "9000"), stdout=got,
                                  stdin=subprocess.DEVNULL, start_new_session=True)
        lab.children.append(server)
        # It listens; not tried by a connection, of which it takes one.
        tcp = pathlib.Path(f"/proc/{server.pid}/net/tcp")
        for _ in range(400):
            if ":2328 00000000:0000 0A" in tcp.read_text("ascii"):
                break
            time.sleep(0.05)
        with open(sent, "rb") as data:
            subprocess.run(lab.our_command("nc", "-N", HOST, "9000"), stdin=data, check=True,
                           timeout=30)
        server.wait(20)
    check((lab.work / "got").read_bytes() == sent.read_bytes(), "other bytes")


def ping(lab):
    """Echo requests of both versions."""
    need("ping")
    for address in (HOST, HOST6):
        # It fails if that many do not come back.
        lab.ours("ping", "-c", "3", "-w", "20", "-i", "0.2", address)


def ping_ipv6(lab):
    """ICMPv6, by both names of the program."""
    need("ping", "ping6")
    for command in (("ping", "-6"), ("ping6",)):
        text = lab.ours(*command, "-c", "3", "-w", "20", "-i", "0.2", HOST6)
        check(f"64 bytes from {HOST6}" in text, text)


# The rules from text, by the library that nft(8) is made of; and two servers and who asks them.
NFTABLES = """
import ctypes, socket
nft = ctypes.CDLL("libnftables.so.1")
nft.nft_ctx_new.restype = ctypes.c_void_p
context = ctypes.c_void_p(nft.nft_ctx_new(0))
rules = b"table inet t { chain c { type filter hook input priority 0; tcp dport 81 drop; }; }"
print("result", nft.nft_run_cmd_from_buffer(context, rules))
servers = [socket.create_server(("127.0.0.1", port)) for port in (80, 81)]
for port in (80, 81):
    try:
        socket.create_connection(("127.0.0.1", port), 1)
        print(port, "connected")
    except TimeoutError:
        print(port, "dropped")
"""


def nftables(lab):
    """Rules from text, by nft(8) and by libnftables, are our kernel's alone."""
    need("nft")
    # By lines, each a transaction of its own: nft does not list what is in the same one.
    text = lab.ours("nft", "-i", input=b"table inet filter { chain input { type filter hook input "
                    b"priority 0; tcp dport { 80, 443 } counter accept; }; }\nlist ruleset\n")
    check("tcp dport { 80, 443 } counter packets 0 bytes 0 accept" in text, text)
    # The system's Python, which finds the system's libraries.
    text = lab.ours("/usr/bin/python3", "-c", NFTABLES)
    check(text.split("\n")[:3] == ["result 0", "80 connected", "81 dropped"], text)
    check(lab.host("nft", "list", "ruleset") == "", "the host has the rules")


def dig(lab):
    """A name server asked by UDP and TCP."""
    need("dig", "dnsmasq")
    lab.start_host("dnsmasq", "-k", "--no-resolv", "--no-hosts", "--bind-interfaces",
                   "--pid-file=", f"--listen-address={HOST}", "--address=/www.test/203.0.113.7")
    lab.wait_for_port(HOST, 53, lab.children[-1])
    for transport in ("+notcp", "+tcp"):
        text = lab.ours("dig", f"@{HOST}", "+short", transport, "www.test")
        check(text.strip() == "203.0.113.7", text)


def socat(lab):
    """A stream through socat on our stack."""
    need("socat")
    echo = lab.start_host("socat", "TCP6-LISTEN:9000,fork,reuseaddr", "EXEC:cat")
    lab.wait_for_port(HOST, 9000, echo)
    data = b"there and back\n" * 1000
    text = lab.ours("socat", "-t", "5", "-", f"TCP6:[{HOST6}]:9000", input=data)
    check(text.encode() == data, f"{len(text)} bytes came back")


def iperf3(lab):
    """TCP both ways and UDP."""
    need("iperf3")
    server = lab.start_host("iperf3", "-s")
    lab.wait_for_port(HOST, 5201, server)
    for options in ((), ("-R",), ("-u", "-b", "50M")):
        # After each client the server changes its socket, and refuses or resets who comes then.
        for _ in range(20):
            text = lab.ours("iperf3", "-J", "-t", "1", "-c", HOST, *options)
            result = json.loads(text)
            if "error" not in result:
                break
            time.sleep(0.2)
        check("error" not in result, text)
        rate = result["end"]["sum" if options[:1] == ("-u",) else "sum_received"]
        print(f"iperf3 {' '.join(options)}: {rate['bits_per_second'] / 1e9:.2f} Gbit/s")
        check(rate["bits_per_second"] > 2e7, text)


def ssh(lab):
    """A command and a file over ssh, to a server of this machine."""
    need("ssh", "sshd", "ssh-keygen")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", lab.work / name],
                       check=True)
    (lab.work / "authorized").write_bytes((lab.work / "user.pub").read_bytes())
    (lab.work / "sshd").write_text(
        f"HostKey {lab.work}/host\nAuthorizedKeysFile {lab.work}/authorized\nStrictModes no\n"
        f"PidFile none\nUsePAM no\nPermitRootLogin yes\nListenAddress {HOST}:2222\n"
        "Subsystem sftp internal-sftp\n", encoding="utf-8")
    subprocess.run(["mkdir", "-p", "/run/sshd"], check=True)
    server = lab.start_host("/usr/sbin/sshd", "-D", "-e", "-f", lab.work / "sshd")
    lab.wait_for_port(HOST, 2222, server)
    options = ["-F", "none", "-i", lab.work / "user", "-o", "StrictHostKeyChecking=no", "-o",
               "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
    text = lab.ours("ssh", *options, "-p", "2222", f"root@{HOST}", "echo $SSH_CLIENT")
    check(text.startswith(f"{OURS} "), text)
    data = lab.file("data", 4 << 20)
    text = lab.ours("ssh", *options, "-p", "2222", f"root@{HOST}", "sha256sum",
                    input=data.read_bytes())
    check(text.split()[0] == hashlib.sha256(data.read_bytes()).hexdigest(), text)


def ip_command(lab):
    """ip(8) shows our stack and not the host's."""
    text = lab.ours("ip", "addr")
    check(OURS in text and OURS6 in text and HOST not in text, text)
    check(HOST in lab.host("ip", "addr"), "the host's own address has gone")


def interfaces_by_name(lab):
    """An interface's name is that of ours, on whatever socket it is asked for."""
    need("curl", "ping")
    local = "fe80::1"
    quiet("ip", "addr", "add", f"{local}/64", "dev", DEVICE, "nodad")
    file = lab.file("data", 1 << 20)
    lab.web_server()
    lab.ours("curl", "-sS", "-m", "20", "-o", "got", f"http://[{local}%25eth0]:8000/data")
    check((lab.work / "got").read_bytes() == file.read_bytes(), "other bytes")
    for arguments in ((f"{local}%eth0",), ("-I", "eth0", HOST)):
        lab.ours("ping", "-c", "2", "-w", "20", "-i", "0.2", *arguments)
    # The host has an interface of that name as well.
    quiet("ip", "tuntap", "add", "eth0", "mode", "tap")
    text = lab.ours(sys.executable, "-c", """
import fcntl, socket, struct
index = socket.if_nametoindex("eth0")
print(index == int(open("/sys/class/net/eth0/ifindex").read()), socket.if_indextoname(index))
one = socket.socket(socket.AF_UNIX)
request = struct.pack("16si20x", b"eth0", 1300)
fcntl.ioctl(one, 0x8922, request)  # SIOCSIFMTU
print(struct.unpack_from("i", fcntl.ioctl(one, 0x8921, request), 16)[0])
print(open("/sys/class/net/eth0/mtu").read().strip())
""")
    check(text.split() == ["True", "eth0", "1300", "1300"], text)
    text = lab.host("ip", "-o", "link", "show", "eth0")
    check("mtu 1500" in text and "lkl" not in text, text)


# Connections with data that nobody reads at either end, as many as there are descriptors for.
UNREAD = """
import contextlib, errno, resource, socket
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
listener = socket.create_server(("127.0.0.1", 80), backlog=1000)
kept = []
try:
    while True:
        near = socket.create_connection(listener.getsockname())
        kept += [near, listener.accept()[0]]
        for end in kept[-2:]:
            end.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                end.send(bytes(200000))
except OSError as error:
    print(errno.errorcode[error.errno])
kept[1].settimeout(5)
print(len(kept[1].recv(1)))
"""


def connections_without_reader(lab):
    """Memory is enough for the descriptors that there may be, whatever they hold."""
    for memory in ("24M", "28M", "32M", "256M"):
        text = lab.ours("/usr/bin/python3", "-c", UNREAD, options=["--kernel-memory", memory])
        check(text == "EMFILE\n1\n", f"{memory}: {text}")


# Sockets without end; and that the stack is still there.
ENDLESS = """
import errno, resource, socket
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
listener = socket.create_server(("127.0.0.1", 80))
for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
    kept = []
    try:
        while len(kept) < hard - 100:
            kept.append(socket.socket(socket.AF_INET, kind))
    except OSError as error:
        print(errno.errorcode[error.errno], 200 < len(kept) <= 216)
kept.clear()
near = socket.create_connection(listener.getsockname())
listener.accept()[0].send(b"there")
print(near.recv(9))
"""


def sockets_without_end(lab):
    """They end with an error before the kernel's memory does, and it is told once."""
    child = lab.start_ours("/usr/bin/python3", "-c", ENDLESS, options=["--kernel-memory", "32M"])
    check(child.wait(60) == 0, lab.log(child))
    lines = lab.log(child).splitlines()
    check([line for line in lines if not line.startswith("lkl run: ")] ==
          ["EMFILE True", "EMFILE True", "b'there'"], lab.log(child))
    told = [line for line in lines if line.startswith("lkl run: ")]
    check(len(told) == 1 and "--kernel-memory" in told[0], lab.log(child))


# Both ends of 5,000 connections, each of which is used.
MANY = """
import resource, socket
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
listener = socket.create_server(("127.0.0.1", 80))
kept = []
for number in range(5000):
    near = socket.create_connection(listener.getsockname())
    kept.append((near, listener.accept()[0]))
for number, (near, far) in enumerate(kept):
    near.send(b"%d" % number)
print(all(far.recv(9) == b"%d" % number for number, (near, far) in enumerate(kept)))
"""


def ten_thousand_connections(lab):
    """The memory that docs/run.md says is enough for 10,000 descriptors."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 10_100:
        print("SKIP: the limit of descriptors is too low")
        sys.exit(SKIP)
    text = lab.ours("/usr/bin/python3", "-c", MANY, options=["--kernel-memory", "660M"],
                    timeout=80)
    check(text == "True\n", text)


if __name__ == "__main__":
    main([curl, curl_http2, wget, wget_tls, python_urllib, python_requests, netcat, ping, ping_ipv6,
          nftables, dig, socat, iperf3, ssh, ip_command, interfaces_by_name,
          connections_without_reader, sockets_without_end, ten_thousand_connections])
