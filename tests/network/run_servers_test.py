#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# ctest: CASES TIMEOUT=90
"""Unmodified servers of Debian under `lkl run`, over a tap device to clients of the host."""

import json
import os
import pathlib
import re
import signal
import sys
import time

from run_lab import HOST, OURS, OURS6, check, main, need


def python_http_server(lab):
    """http.server with a thread for each request."""
    need("curl")
    file = lab.file("data", 2 << 20)
    server = lab.start_ours(sys.executable, "-m", "http.server", "8000", "--bind", "::")
    lab.wait_for_port(OURS, 8000, server)
    for address in (OURS, f"[{OURS6}]"):
        lab.host("curl", "-sS", "-o", "got", f"http://{address}:8000/data")
        check((lab.work / "got").read_bytes() == file.read_bytes(), f"{address}: other bytes")


def nginx(lab):
    """Files by sendfile(), and many connections of wrk."""
    need("nginx", "curl", "wrk")
    file = lab.file("data", 5 << 20)
    (lab.work / "small").write_text("small\n", encoding="utf-8")
    server = lab.start_ours("nginx", "-c",
                            lab.nginx_configuration("server { listen 80; listen [::]:80; }"))
    lab.wait_for_port(OURS, 80, server)
    for address in (OURS, f"[{OURS6}]"):
        lab.host("curl", "-sS", "-o", "got", f"http://{address}/data")
        check((lab.work / "got").read_bytes() == file.read_bytes(), f"{address}: other bytes")
    for connections in (1, 64):
        for _ in range(4):  # a machine that stops for seconds spoils one
            text = lab.host("wrk", "-t", "1", "-c", str(connections), "-d", "1s",
                            f"http://{OURS}/small")
            rate = float(re.search(r"Requests/sec: *([\d.]+)", text)[1])
            if rate > 50 and "Socket errors" not in text:
                break
        print(f"wrk, {connections} connections: {rate:.0f} requests/s")
        check(rate > 50 and "Non-2xx" not in text and "Socket errors" not in text, text)
    lab.stop(server)


def redis(lab):
    """redis-server answers redis-benchmark and saves its data in a forked child."""
    need("redis-server", "redis-benchmark", "redis-cli")
    server = lab.start_ours("redis-server", "--port", "6379", "--protected-mode", "no", "--save",
                            "", "--dir", lab.work)
    lab.wait_for_port(OURS, 6379, server)
    text = lab.host("redis-benchmark", "-h", OURS, "-q", "-n", "5000", "-c", "50", "-t", "set,get")
    print(" ".join(re.findall(r"\w+: [\d.]+ requests per second", text)))
    check(len(re.findall("requests per second", text)) == 2, text)
    check(lab.host("redis-cli", "-h", OURS, "set", "key", "value").strip() == "OK", "set")
    check("started" in lab.host("redis-cli", "-h", OURS, "bgsave"), "bgsave")
    check(lab.host("redis-cli", "-h", OURS, "get", "key").strip() == "value", "get after bgsave")
    lab.host("sh", "-c", f"for i in $(seq 50); do test -s {lab.work}/dump.rdb && exit 0; "
             "sleep 0.1; done; exit 1")
    lab.host("redis-cli", "-h", OURS, "shutdown", "nosave")
    server.wait(10)


def haproxy(lab):
    """haproxy with BBR before a web server of the host."""
    need("haproxy", "curl")
    file = lab.file("data", 2 << 20)
    lab.web_server()
    (lab.work / "haproxy.cfg").write_text(
        "global\n nbthread 1\ndefaults\n mode http\n timeout connect 5s\n timeout client 20s\n"
        f" timeout server 20s\nlisten web\n bind {OURS}:80\n server one {HOST}:8000\n",
        encoding="utf-8")
    # Above the library that is the stack, so that it asks that one.
    recorder = pathlib.Path(os.environ["LKL_TESTS"]) / "network" / "congestion_recorder.so"
    server = lab.start_ours("sh", "-c", f"LD_PRELOAD={recorder}:$LD_PRELOAD "
                            f"CONGESTION_RECORD={lab.work}/record "
                            f"exec haproxy -db -f {lab.work}/haproxy.cfg",
                            options=["--congestion", "bbr"])
    lab.wait_for_port(OURS, 80, server)
    lab.host("curl", "-sS", "-o", "got", f"http://{OURS}/data")
    check((lab.work / "got").read_bytes() == file.read_bytes(), "other bytes")
    lab.stop(server, signal.SIGUSR1)  # once its connections are closed
    text = (lab.work / "record").read_text(encoding="ascii")
    lines = [line.split() for line in text.splitlines()]
    check(all(name == "bbr" for _, name, _ in lines), f"not by BBR: {text}")
    # To the client of the proxy, and to the web server.
    check(any(port == "80" and int(bandwidth) > 0 for port, _, bandwidth in lines),
          f"BBR has measured nothing: {text}")
    check(any(port != "80" for port, _, _ in lines), f"no connection to the web server: {text}")


def haproxy_splices(lab):
    """haproxy moves what it passes on by splice(), and no byte is lost."""
    need("haproxy", "curl")
    file = lab.file("data", 24 << 20)
    lab.web_server()
    (lab.work / "haproxy.cfg").write_text(
        "global\n nbthread 1\ndefaults\n mode http\n option splice-auto\n"
        " option splice-response\n timeout connect 5s\n timeout client 20s\n"
        f" timeout server 20s\nlisten web\n bind {OURS}:80\n server one {HOST}:8000\n",
        encoding="utf-8")
    server = lab.start_ours("haproxy", "-db", "-f", lab.work / "haproxy.cfg")
    lab.wait_for_port(OURS, 80, server)
    for rate in ("1G", "12M"):  # and to a slow client, for whom it has to wait
        lab.host("curl", "-sS", "-m", "25", "--limit-rate", rate, "-o", "got",
                 f"http://{OURS}/data")
        check((lab.work / "got").read_bytes() == file.read_bytes(), "other bytes")


def iperf3_server(lab):
    """iperf3 as the server, both ways."""
    need("iperf3")
    server = lab.start_ours("iperf3", "-s")
    lab.wait_for_port(OURS, 5201, server)
    for options in ((), ("-R",)):
        # The server takes one client at a time, and who waited for its port was one; after
        # each it changes its socket, and refuses or resets who comes then.
        for _ in range(20):
            text = lab.host("iperf3", "-J", "-t", "1", "-c", OURS, *options)
            if "error" not in json.loads(text):
                break
            time.sleep(0.2)
        check("error" not in json.loads(text), text)
        rate = json.loads(text)["end"]["sum_received"]["bits_per_second"]
        print(f"iperf3 {' '.join(options)}: {rate / 1e9:.2f} Gbit/s")
        check(rate > 2e7, text)


def netcat_and_socat(lab):
    """Servers that take one stream."""
    need("nc", "socat")
    data = b"to a server of ours\n" * 5000
    server = lab.start_ours("socat", "-u", "TCP-LISTEN:9000,reuseaddr", f"CREATE:{lab.work}/got")
    lab.host("socat", "-u", "-", f"TCP:{OURS}:9000,retry=100,interval=0.1", input=data)
    server.wait(10)
    check((lab.work / "got").read_bytes() == data, "socat: other bytes")
    server = lab.start_ours("nc", "-l", "-N", "-p", "9001")
    lab.host("socat", "-u", "-", f"TCP:{OURS}:9001,retry=100,interval=0.1", input=data)
    server.wait(10)
    check(lab.log(server).encode() == data, "nc: other bytes")


if __name__ == "__main__":
    main([python_http_server, nginx, redis, haproxy, haproxy_splices, iperf3_server,
          netcat_and_socat])
