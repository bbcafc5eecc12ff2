#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# ctest: CASES TIMEOUT=60
"""Every type of network device of `lkl run`: an unmodified curl gets a file over each."""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

from run_lab import DEVICE, HOST, OURS, SKIP, check, main, need, quiet

# A second network, which a pair of veth devices joins: the host has FAR.
NEAR, FAR, THIRD = "198.51.100.2", "198.51.100.1", "198.51.100.3"
UNPRIVILEGED = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                "env", "HOME=/nonexistent")
# One that any user may run.
PYTHON = "/usr/bin/python3"


def text_file(lab):
    """A file to get, and what is in it."""
    text = os.urandom(200_000).hex()
    (lab.work / "data").write_text(text, encoding="ascii")
    lab.work.chmod(0o755)
    return text


def get(lab, url, options, **how):
    """What curl says that is at the URL, under `lkl run` with those options."""
    arguments = {name: how.pop(name) for name in ("pass_fds",) if name in how}
    # The other end may not be there yet: it refuses, or there is no route to it.
    return lab.run(lab.run_command("curl", "-sS", "-m", "20", "--retry", "15",
                                   "--retry-all-errors", "--retry-delay", "1", url,
                                   options=options, **how), timeout=50, **arguments)


def over_host(lab, url, options, **how):
    """Gets a file of a web server of the host's."""
    need("curl")
    text = text_file(lab)
    lab.web_server()
    check(get(lab, url, options, **how) == text, "other bytes")


def between_two(lab, near, far, near_fds=(), far_fds=()):
    """Gets a file of a web server that runs on another kernel of ours."""
    need("curl")
    text = text_file(lab)
    server = lab.start(lab.run_command(sys.executable, "-m", "http.server", "8000",
                                       options=["--net", far, "--ip", f"{FAR}/24"]),
                       pass_fds=far_fds)
    got = get(lab, f"http://{FAR}:8000/data", ["--net", near, "--ip", f"{NEAR}/24"],
              pass_fds=near_fds)
    check(got == text, f"other bytes: {lab.log(server)}")


def veth(*more):
    """The pair `near` and `far`, and what else ip(8) is to do."""
    for command in ("link add near type veth peer name far", "link set near up",
                    "link set far up", f"addr add {FAR}/24 dev far", *more):
        quiet("ip", *command.split())


def tap(lab):
    """A device that is there, and one that is made."""
    over_host(lab, f"http://{HOST}:8000/data",
              ["--net", f"tap:{DEVICE}", "--ip", f"{OURS}/24"])
    text = lab.run(lab.run_command("ip", "-br", "link", options=["--net", "tap:new0"]))
    check("eth0" in text and "UP" in text, text)


def macvtap(lab):
    """By the path of its device."""
    veth()
    if subprocess.run("ip link add link near name mv0 type macvtap mode bridge".split(),
                      check=False).returncode != 0:
        print("SKIP: the host has no macvtap")
        sys.exit(SKIP)
    quiet("ip", "link", "set", "mv0", "up")
    # The host makes no node for it in a namespace of its own.
    lab.host("sh", "-c", "mknod tap c $(cat /sys/class/net/mv0/tap*/dev | tr : ' ')")
    over_host(lab, f"http://{FAR}:8000/data", ["--net", "macvtap:./tap", "--ip", f"{NEAR}/24"])


def raw(lab):
    """An interface that is the host's as well."""
    veth()
    over_host(lab, f"http://{FAR}:8000/data", ["--net", "raw:near", "--ip", f"{NEAR}/24"])


def pipe(lab):
    """Two fifos between two programs, each with a kernel."""
    for name in ("one", "two"):
        os.mkfifo(lab.work / name)
    between_two(lab, "pipe:one|two", "pipe:two|one")


def socket_pair(lab):
    """Two ends of a pair of sockets, inherited."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with near, far:
        between_two(lab, f"socket:{near.fileno()}", f"socket:{far.fileno()}",
                    [near.fileno()], [far.fileno()])


def vde(lab):
    """Two ports of a switch."""
    need("vde_switch")
    # It ends with its input.
    lab.start_host("vde_switch", "-s", lab.work / "switch", "-n", "8", "-x",
                   stdin=subprocess.PIPE)
    for _ in range(100):
        if (lab.work / "switch" / "ctl").exists():
            break
        time.sleep(0.05)
    between_two(lab, "vde:./switch", "vde:./switch")


def passts():
    """The processes of passt in this network namespace."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "comm").read_text().startswith("passt") and (
                    os.readlink(process / "ns/net") == os.readlink("/proc/self/ns/net")):
                found.append(process.name)
    return found


def passt(lab):
    """Without privileges; passt says all addresses, and is gone afterwards."""
    need("passt", "setpriv", PYTHON)
    veth(f"addr add {THIRD}/24 dev near", f"route add default via {FAR} dev near")
    over_host(lab, f"http://{FAR}:8000/data", ["--net", "passt:-4 -t none -u none"],
              under=UNPRIVILEGED)
    # It is no child of the program, and the network is there with nothing else said.
    text = lab.run(lab.run_command(PYTHON, "-c", """
import os, socket
socket.socket()
try:
    os.wait()
except ChildProcessError:
    print("no child")
""", options=["--net", "passt"], under=UNPRIVILEGED))
    check(text == "no child\n", text)
    for _ in range(100):
        if not passts():
            return
        time.sleep(0.05)
    check(False, "passt is still there")


def slirp(lab):
    """Without privileges."""
    need("setpriv")
    over_host(lab, "http://10.0.2.2:8000/data", ["--net", "slirp"], under=UNPRIVILEGED)


def slirp_forwards(lab):
    """A server of ours at a port of the host's."""
    need("curl", "setpriv", PYTHON)
    text = text_file(lab)
    server = lab.start(lab.run_command(
        PYTHON, "-m", "http.server", "80",
        options=["--net", "slirp:hostfwd=tcp:127.0.0.1:8080-:80"], under=UNPRIVILEGED))
    lab.wait_for_port("127.0.0.1", 8080, server)
    # slirp takes the connection before the server in our kernel listens, and resets it then.
    got = lab.host("curl", "-sS", "-m", "20", "--retry", "20", "--retry-all-errors",
                   "--retry-max-time", "60", "http://127.0.0.1:8080/data")
    check(got == text, f"other bytes: {lab.log(server)}")


def dhcp_server(lab):
    """dnsmasq, which gives one address, for two minutes, and answers for www.test."""
    need("dnsmasq")
    server = lab.start_host(
        "dnsmasq", "-k", "--user=root", "--no-resolv", "--no-hosts", "--pid-file=",
        f"--interface={DEVICE}", "--bind-interfaces", "--no-ping", "--log-dhcp",
        "--log-facility=-", f"--dhcp-leasefile={lab.work}/leases", "--domain=test",
        "--dhcp-range=192.0.2.50,192.0.2.50,255.255.255.0,2m", f"--dhcp-option=3,{HOST}",
        f"--dhcp-option=6,{HOST}", "--dhcp-option=option:T1,3", f"--address=/www.test/{HOST}")
    lab.wait_for_port(HOST, 53, server)
    return server


def dhcp(lab):
    """Address, router and name server from dnsmasq; the lease is given back."""
    need("curl")
    server = dhcp_server(lab)
    text = text_file(lab)
    lab.web_server()
    options = ["--net", f"tap:{DEVICE}", "--dhcp"]
    check(get(lab, "http://www.test:8000/data", options) == text, "other bytes")
    # The server may not have read it yet.
    deadline = time.monotonic() + 10
    while (lab.work / "leases").read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    check((lab.work / "leases").read_text() == "", "the lease was not given back")
    # Whatever the program does first.
    told = lab.run(lab.run_command("cat", "/etc/resolv.conf", options=options))
    check(told == f"nameserver {HOST}\nsearch test\n", told)
    told = lab.run(lab.run_command("ip", "route", options=options))
    check(f"default via {HOST} dev eth0" in told, told)
    # What is given counts more.
    told = lab.run(lab.run_command("cat", "/etc/resolv.conf",
                                   options=[*options, "--dns", "192.0.2.53"]))
    check(told == "nameserver 192.0.2.53\n", told)
    check("DHCPRELEASE" in lab.log(server), lab.log(server))


def dhcp_is_renewed(lab):
    """A program that runs longer than the time to renew, of 3 s, keeps its address."""
    server = dhcp_server(lab)
    log = lab.log_file(lab.children.index(server))
    text = lab.run(lab.run_command(sys.executable, "-c", f"""
import socket, time
socket.socket()
start = time.monotonic()
while time.monotonic() < start + 4 or (time.monotonic() < start + 40 and
                                       open("{log}").read().count("DHCPREQUEST") < 2):
    time.sleep(0.1)
print(open("/proc/net/fib_trie").read())
""", options=["--net", f"tap:{DEVICE}", "--dhcp"]), timeout=50)
    check("192.0.2.50" in text, text)
    requests = len(re.findall("DHCPREQUEST", lab.log(server)))
    check(requests >= 2, f"{requests} requests\n{lab.log(server)}")


def capture(lab):
    """All packets of two devices and of two programs, one after the other, in one file."""
    need("curl", "tcpdump")
    text_file(lab)
    for command in ("tuntap add lkl1 mode tap", "link set lkl1 up", f"addr add {FAR}/24 dev lkl1"):
        quiet("ip", *command.split())
    lab.web_server()
    (lab.work / "two.json").write_text(json.dumps({"interfaces": [
        {"type": "tap", "param": DEVICE, "ip": OURS, "masklen": "24"},
        {"type": "tap", "param": "lkl1", "ip": NEAR, "masklen": "24"}]}), encoding="ascii")
    (lab.work / "packets").write_text("what was there before", encoding="ascii")
    lab.run(lab.run_command("sh", "-c", f"cd / && curl -sS -o /dev/null http://{HOST}:8000/data && "
                            f"curl -sS -o /dev/null http://{FAR}:8000/data",
                            options=["--config", "two.json", "--pcap", "packets"]))
    text = lab.host("tcpdump", "-nn", "-r", "packets", "tcp")
    for ours, theirs in ((OURS, HOST), (NEAR, FAR)):
        for one, other in ((f"{ours}.\\d+", f"{theirs}.8000"), (f"{theirs}.8000", f"{ours}.\\d+")):
            check(re.search(f"IP {one} > {other}: Flags \\[S", text), text)
        check(re.search(f"IP {ours}.* > {theirs}.8000: Flags \\[P", text), text)
    captured = sum(int(length) for length in
                   re.findall(rf"IP {FAR}\.8000 > .*length (\d+)", text))
    check(captured > 400_000, f"{captured} bytes of 400,000 were captured")


if __name__ == "__main__":
    main([tap, macvtap, raw, pipe, socket_pair, vde, passt, slirp, slirp_forwards, dhcp,
          dhcp_is_renewed, capture])
