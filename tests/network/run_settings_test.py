#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# ctest: TIMEOUT=300
"""Each option, variable and JSON key of `lkl run` does what the table of docs/run.md says.

A row is one setting in its forms and what a program sees of it. Each form is tried alone,
on top of the same file; what is seen with it is not seen without it. All names of the table
in docs/run.md have to occur here.
"""

import dataclasses
import json
import os
import pathlib
import re
import subprocess

from run_lab import Failure, check, main, need

LKL = os.environ.get("LKL_BIN", "") + "/lkl"
SOURCE = pathlib.Path(os.environ.get("LKL_SOURCE", ""))
PYTHON = "/usr/bin/python3"
BASE = {"type": "tap", "param": "t0", "ip": "192.0.2.2", "masklen": "24", "ipv6": "fd00::2",
        "masklen6": "64"}
# Whether the device does TCP's segmentation, which is one of its offloads.
SEGMENTATION = (PYTHON, "-c", """
import array, fcntl, socket, struct
value = array.array("B", struct.pack("II", 0x1e, 0))
request = struct.pack("16sP", b"eth0", value.buffer_info()[0])
fcntl.ioctl(socket.socket(), 0x8946, request)
print("tso", struct.unpack("II", value)[1])""")
TCP_MEMORY = ("cat", "/proc/sys/net/ipv4/tcp_mem")
ADDRESSES = ("ip", "-o", "addr")
ROUTES = ("sh", "-c", "ip rule; ip -6 rule; ip route show table all; ip -6 route show table all")


@dataclasses.dataclass
class Setting:
    """A setting, and how a program sees that it is there."""
    seen: str  # a regular expression for the program's output and the messages
    program: tuple
    options: tuple = ()
    variables: dict = dataclasses.field(default_factory=dict)
    keys: dict = dataclasses.field(default_factory=dict)  # of the whole
    device: dict = dataclasses.field(default_factory=dict)  # of the interface
    base: dict = dataclasses.field(default_factory=lambda: BASE)
    status: int = 0


NO_ADDRESS = {"type": "tap", "param": "t0"}
SLIRP = {"type": "slirp", "ip": "10.0.2.77", "masklen": "24"}
SETTINGS = [
    Setting("inet6? (192.0.2.2/24|fd00::2/64) .*eth0|eth0 .*inet6? 192.0.2.2/24", ADDRESSES,
            ("--net", "tap:t1", "--ip", "192.0.2.2/24"),
            {"NET_IFTYPE": "tap", "NET_IFPARAMS": "t1", "NET_IP": "192.0.2.2",
             "NET_NETMASK_LEN": "24"}, {}, BASE, {"type": "none"}),
    Setting("eth0", ("ip", "link"), (), {"NET_TAP": "t1"}, {}, {}, {"type": "none"}),
    Setting(r"inet 192\.0\.2\.9/25 ", ADDRESSES, ("--ip", "192.0.2.9/25"),
            {"NET_IP": "192.0.2.9", "NET_NETMASK_LEN": "25"},
            {}, {"ip": "192.0.2.9", "masklen": "25"}, NO_ADDRESS),
    Setting(r"inet6 fd00::9/80 ", ADDRESSES, ("--ip6", "fd00::9/80"),
            {"NET_IPV6": "fd00::9", "NET_NETMASK6_LEN": "80"},
            {}, {"ipv6": "fd00::9", "masklen6": "80"}, NO_ADDRESS),
    Setting(r"from 192\.0\.2\.2 lookup 1\d+[\s\S]*default via 192\.0\.2\.7 dev eth0 table 1\d+",
            ROUTES, (), {"NET_IFGATEWAY": "192.0.2.7"}, {}, {"ifgateway": "192.0.2.7"}),
    Setting(r"from fd00::2 lookup 1\d+[\s\S]*default via fd00::7 dev eth0 table 1\d+",
            ROUTES, (), {"NET_IFGATEWAY6": "fd00::7"}, {}, {"ifgateway6": "fd00::7"}),
    Setting(r"inet 10\.0\.2\.15/24 ", ADDRESSES, ("--dhcp",), {}, {}, {"dhcp": "1"}, SLIRP),
    Setting("02:00:00:00:00:07", ("ip", "link"), ("--mac", "02:00:00:00:00:07"),
            {"NET_MAC": "02:00:00:00:00:07"}, {}, {"mac": "02:00:00:00:00:07"}),
    Setting("eth0: .*mtu 1333 ", ("ip", "link"), ("--mtu", "1333"), {"NET_MTU": "1333"},
            {}, {"mtu": "1333"}),
    Setting("192.0.2.8 dev eth0 lladdr 02:00:00:00:00:08 PERMANENT", ("ip", "neigh"),
            ("--neighbour", "192.0.2.8|02:00:00:00:00:08"),
            {"NET_NEIGHBOR": "192.0.2.8|02:00:00:00:00:08"},
            {}, {"neigh": "192.0.2.8|02:00:00:00:00:08"}),
    Setting("qdisc fq [0-9a-f]+: dev eth0 root", ("tc", "qdisc"), ("--qdisc", "fq"),
            {"NET_QDISC": "root|fq"}, {}, {"qdisc": "root|fq"}),
    Setting("tso 0", SEGMENTATION, (), {"OFFLOAD": "0"}, {}, {"offload": "0"}),
    Setting("default via 192.0.2.6 dev eth0", ROUTES, ("--gateway", "192.0.2.6"),
            {"NET_GATEWAY": "192.0.2.6"}, {"gateway": "192.0.2.6"}),
    Setting("default via fd00::6 dev eth0", ROUTES, ("--gateway6", "fd00::6"),
            {"NET_GATEWAY6": "fd00::6"}, {"gateway6": "fd00::6"}),
    Setting("default via fe80::6 dev eth0", ROUTES, ("--gateway6", "fe80::6"),
            {"NET_GATEWAY6": "fe80::6"}, {"gateway6": "fe80::6"}),
    Setting("nameserver 192.0.2.53\nnameserver fd00::53", ("cat", "/etc/resolv.conf"),
            ("--dns", "192.0.2.53,fd00::53"), {}, {"nameserver": "192.0.2.53,fd00::53"}),
    Setting("^33\n", ("cat", "/proc/sys/net/ipv4/ip_default_ttl"),
            ("--sysctl", "net.ipv4.ip_default_ttl=33"), {"SYSCTL": "net.ipv4.ip_default_ttl|33"},
            {"sysctl": "net.ipv4.ip_default_ttl=33"}),
    Setting("^reno\n", ("cat", "/proc/sys/net/ipv4/tcp_congestion_control"),
            ("--congestion", "reno"), {}, {"congestion": "reno"}),
    Setting("cat: .*if_inet6", ("cat", "/proc/net/if_inet6"), ("--boot", "ipv6.disable=1"),
            {"BOOT_CMDLINE": "ipv6.disable=1"}, {"boot_cmdline": "ipv6.disable=1"}, {},
            {"type": "none"}, 1),
    # Its limits are shares of the kernel's memory, in pages of 4096 bytes; kernels that check
    # themselves have more of it by default, but not so much.
    Setting(r"^\d{5}\t", TCP_MEMORY, ("--kernel-memory", "1G"), {"BOOT_CMDLINE": "mem=1G"},
            {"boot_cmdline": "mem=1G"}),
    Setting("no network: mount no-such-type: No such device", (PYTHON, "-c", """
import socket
try:
    socket.socket()
except OSError:
    pass"""), (), {"MOUNT": "tmpfs,no-such-type"}, {"mount": "tmpfs,no-such-type"}),
    Setting("^of the image\n", ("cat", "/image/file"), ("--mount", "image:/image"), {},
            {"images": ["image:/image"]}),
    Setting("Linux version 6", ("ip", "link"), ("--kernel-log",), {"DEBUG": "1"}, {"debug": "1"}),
    Setting('{"dump":"1","interfaces":', ("ip", "link"), (), {"DUMP": "1"}, {"dump": "1"}),
    Setting("at the host's", ("sh", "-c", '"$LKL_TESTS/network/raw_calls" >/dev/null 2>&1 || '
                              "echo at the host\\'s"), ("--no-dispatch",), {}, {"dispatch": "0"}),
]


def with_file(lab, setting, keys=None, device=None):
    """Writes settings.json, on top of what the row begins with."""
    text = dict(keys or {}, interfaces=[dict(setting.base, **(device or {}))])
    (lab.work / "settings.json").write_text(json.dumps(text), encoding="ascii")


def output(lab, setting, options=(), variables=None, program=None, status=None):
    """What the program and the messages say, alone in a network namespace."""
    given = {f"LKL_HIJACK_{name}": value for name, value in (variables or {}).items()}
    command = ["unshare", "-n", LKL, "run", "--config", "settings.json", *options, "--",
               *(program or setting.program)]
    ran = subprocess.run(command, cwd=lab.work, env={**os.environ, **given}, text=True,
                         capture_output=True, timeout=30, check=False)
    if status is not None:
        check(ran.returncode == status, f"{command} {given}: exit code {ran.returncode}\n"
              f"{ran.stdout}{ran.stderr}")
    return ran.stdout + ran.stderr


def forms(setting):
    """Options, variables and keys, each alone."""
    if setting.options:
        yield " ".join(setting.options), {}, {"options": setting.options}
    if setting.variables:
        yield " ".join(setting.variables), {}, {"variables": setting.variables}
    if setting.keys or setting.device:
        yield (" ".join((*setting.keys, *setting.device)),
               {"keys": setting.keys, "device": setting.device}, {})


def every_setting(lab):
    """With each form of it, and without."""
    need("ip", "tc", "unshare", "mkfs.ext4")
    (lab.work / "tree").mkdir()
    (lab.work / "tree/file").write_text("of the image\n", encoding="ascii")
    subprocess.run(["mkfs.ext4", "-q", "-d", "tree", "image", "16M"], cwd=lab.work, check=True,
                   capture_output=True, timeout=30)
    wrong = []
    for setting in SETTINGS:
        with_file(lab, setting)
        without = output(lab, setting)
        if re.search(setting.seen, without):
            wrong.append(f"{setting.seen}: seen without it:\n{without}")
        for name, file, given in forms(setting):
            with_file(lab, setting, **file)
            text = output(lab, setting, status=setting.status, **given)
            if not re.search(setting.seen, text):
                wrong.append(f"{name}: no {setting.seen}:\n{text}")
    if wrong:
        raise Failure("\n".join(wrong))


def capture_and_what_has_no_effect(lab):
    """A file of packets; and settings that are taken, and change nothing."""
    setting = Setting("", ("ip", "-o", "addr"))
    for name, file, options in (("one", {"keys": {"pcap": "one"}}, ()),
                                ("two", {}, ("--pcap", "two"))):
        with_file(lab, setting, **file)
        output(lab, setting, options, status=0,
               program=(PYTHON, "-c", "import socket; socket.socket(socket.AF_INET, "
                        "socket.SOCK_DGRAM).sendto(b'x' * 77, ('192.0.2.77', 7))"))
        packets = (lab.work / name).read_bytes()
        check(packets[:4] == b"\x4d\x3c\xb2\xa1" and len(packets) >= 24 + 16 + 42,
              f"{name}: {packets!r}")
    with_file(lab, setting)
    usual = output(lab, setting, status=0)
    with_file(lab, setting, {"singlecpu": "1", "delay_main": "100"})
    check(output(lab, setting, variables={"SINGLE_CPU": "1"}, status=0).count("\n") ==
          usual.count("\n"), "singlecpu, delay_main")
    # The file that is found by its variable, and by its name.
    (lab.work / "settings.json").rename(lab.work / "lkl-hijack.json")
    for variables in ({}, {"LKL_HIJACK_CONFIG_FILE": "other.json"}):
        (lab.work / "other.json").write_text('{"interfaces": [{"type": "none"}]}', "ascii")
        ran = subprocess.run(["unshare", "-n", LKL, "run", "--", *ADDRESSES], cwd=lab.work,
                             env={**os.environ, **variables}, text=True, capture_output=True,
                             timeout=30, check=True)
        check(("192.0.2.2/24" in ran.stdout) == (not variables), f"{variables}: {ran.stdout}")


# What is tried in capture_and_what_has_no_effect().
ELSEWHERE = {"--config", "--pcap", "pcap", "SINGLE_CPU", "singlecpu", "delay_main"}


def nothing_is_left_out(lab):
    """All names of the first three columns of the documented table."""
    text = (SOURCE / "docs/run.md").read_text(encoding="utf-8")
    table = text[text.index("| option | variable | key | |"):]
    names = set()
    for line in table[:table.index("\n\n")].splitlines()[2:]:
        for cell in line.split("|")[1:4]:
            names |= {name.split()[0] for name in re.findall("`([^`]+)`", cell)}
    tried = set(ELSEWHERE)
    for setting in SETTINGS:
        tried |= {word for word in setting.options if word.startswith("--")}
        tried |= set(setting.variables) | set(setting.keys) | set(setting.device)
    check(len(names) > 60, f"the table has {len(names)} names")
    check(not names - tried, f"not tried: {sorted(names - tried)}")


if __name__ == "__main__":
    main([every_setting, capture_and_what_has_no_effect, nothing_is_left_out])
