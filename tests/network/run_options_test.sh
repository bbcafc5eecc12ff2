#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Options, variables and the JSON file make the same network; what is wrong, or cannot
# work, is one line.
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/support/program.sh
. "$here/../support/program.sh"
need ip unshare /usr/bin/python3

# alone COMMAND...: in a network namespace of its own, where a tap device can be made.
alone() {
    timeout 30 unshare -n "$@"
}
show=(sh -c 'ip -o addr show; ip route; ip -6 route; cat /proc/sys/net/ipv4/tcp_congestion_control')
expect_network() {
    grep -q 'inet 192.0.2.2/24 ' "$1" || fail "$1: no IPv4 address: $(cat "$1")"
    grep -q 'inet6 fd00::2/64 ' "$1" || fail "$1: no IPv6 address"
    grep -q 'default via 192.0.2.1 ' "$1" || fail "$1: no route"
    grep -q 'default via fd00::1 ' "$1" || fail "$1: no IPv6 route"
    grep -qx 'reno' "$1" || fail "$1: no setting"
}

alone "$LKL_BIN/lkl" run --net tap:t0 --ip 192.0.2.2/24 --ip6 fd00::2/64 --gateway 192.0.2.1 \
    --gateway6 fd00::1 --congestion reno -- "${show[@]}" >options
expect_network options

export LKL_HIJACK_NET_IFTYPE=tap LKL_HIJACK_NET_IFPARAMS=t0 LKL_HIJACK_NET_IP=192.0.2.2 \
    LKL_HIJACK_NET_NETMASK_LEN=24 LKL_HIJACK_NET_IPV6=fd00::2 LKL_HIJACK_NET_NETMASK6_LEN=64 \
    LKL_HIJACK_NET_GATEWAY=192.0.2.1 LKL_HIJACK_NET_GATEWAY6=fd00::1 \
    LKL_HIJACK_SYSCTL='net.ipv4.tcp_congestion_control=reno'
alone "$LKL_BIN/lkl-hijack.sh" "${show[@]}" >variables
expect_network variables
# The library alone, as it always was used.
alone env LD_PRELOAD="$LKL_LIB/liblkl-hijack.so" "${show[@]}" >library
expect_network library
unset "${!LKL_HIJACK_@}"

cat >settings.json <<'END'
{"gateway": "192.0.2.1", "gateway6": "fd00::1", "debug": "0", "singlecpu": "1",
 "sysctl": "net.ipv4.tcp_congestion_control=reno",
 "interfaces": [{"type": "tap", "param": "t0", "ip": "192.0.2.2", "masklen": "24",
                 "ipv6": "fd00::2", "masklen6": "64", "mac": "02:00:00:00:00:07", "mtu": "1400",
                 "neigh": "192.0.2.9|02:00:00:00:00:09;fd00::9|02:00:00:00:00:09",
                 "qdisc": "root|fq_codel"}]}
END
alone "$LKL_BIN/lkl" run --config settings.json -- "${show[@]}" >json
expect_network json
LKL_HIJACK_CONFIG_FILE=settings.json alone "$LKL_BIN/lkl-hijack.sh" sh -c \
    'ip link; ip neigh; tc qdisc' >details
grep -q '02:00:00:00:00:07' details || fail "no MAC address: $(cat details)"
grep -q 'mtu 1400' details || fail "no MTU"
[ "$(grep -c 'lladdr 02:00:00:00:00:09 PERMANENT' details)" = 2 ] || fail "no neighbours"
grep -q 'qdisc fq_codel' details || fail "no qdisc"
# Options count more than variables, and these more than the file.
LKL_HIJACK_NET_MTU=1300 alone "$LKL_BIN/lkl" run --config settings.json --mac 02:00:00:00:00:08 \
    -- ip link >details
grep -q 'mtu 1300' details || fail "the variable does not overrule the file"
grep -q '02:00:00:00:00:08' details || fail "the option does not overrule the file"

alone "$LKL_BIN/lkl" run --net tap:t0 --mtu 1280 --qdisc 'netem delay 10ms' \
    --sysctl net.ipv4.tcp_congestion_control=reno --sysctl net.ipv4.ip_default_ttl=33 -- sh -c \
    'ip link; tc qdisc; cat /proc/sys/net/ipv4/tcp_congestion_control \
     /proc/sys/net/ipv4/ip_default_ttl' >details
grep -q 'eth0: .*mtu 1280' details || fail "--mtu: $(cat details)"
grep -q 'netem .*delay 10ms' details || fail "--qdisc: $(cat details)"
[ "$(tail -n 2 details | tr '\n' ' ')" = 'reno 33 ' ] || fail "--sysctl: $(cat details)"

# Name servers are what the program reads.
alone "$LKL_BIN/lkl" run --dns 192.0.2.53,fd00::53 -- cat /etc/resolv.conf >resolv
printf 'nameserver 192.0.2.53\nnameserver fd00::53\n' | diff - resolv || fail "resolv.conf"
alone "$LKL_BIN/lkl" run --dns 192.0.2.53,fd00::53 -- sh -c 'cd /etc && exec cat resolv.conf' |
    diff - resolv || fail "resolv.conf, by a relative path"
alone "$LKL_BIN/lkl" run --dns 192.0.2.53,fd00::53 -- cat /etc//./resolv.conf | diff - resolv ||
    fail "resolv.conf, by another spelling"

# The kernel's log is lines of the kernel's.
alone "$LKL_BIN/lkl" run --net none --kernel-log -- ip link >output 2>log || fail "--kernel-log"
grep -q 'Linux version' log || fail "--kernel-log: $(cat log)"
! grep -n '^$' log || fail "--kernel-log: empty lines: $(cat log)"

# wrong TEXT ARGUMENT...: refused with one line that has the text in it, and with exit code
# $expected.
expected=1
wrong() {
    local text=$1
    shift
    status=0
    alone "$LKL_BIN/lkl" run "$@" >output 2>error || status=$?
    [ "$status" = "$expected" ] || fail "lkl run $*: exit code $status, not $expected"
    [ "$(wc -l <error)" = 1 ] || fail "lkl run $*: $(cat error)"
    grep -qF -- "$text" error || fail "lkl run $*: $(cat error)"
}
wrong 'program is needed' --net none
wrong 'no such type' --net token-ring -- true
wrong 'dpdk: not built in' --net dpdk -- true
wrong 'needs a parameter' --net raw -- true
wrong 'needs a parameter' --net macvtap: -- true
wrong 'READ|WRITE' --net pipe:one -- true
wrong 'no number' --net socket:three -- true
wrong 'restrict=on or hostfwd' --net slirp:hostforward=tcp::80-:80 -- true
wrong 'tcp:ADDRESS:PORT-:PORT' --net slirp:hostfwd=sctp::80-:80 -- true
wrong 'port "65536"' --net slirp:hostfwd=tcp::65536-:80 -- true
wrong 'no parameter' --net none:lo -- true
wrong 'dhcp' --net none --dhcp -- true
wrong 'ip "192.0.2.2/24": "none" is no device' --net none --ip 192.0.2.2/24 -- true
wrong 'ip6 "fd00::1/64": "none" is no device' --net none --ip6 fd00::1/64 -- true
wrong 'mtu "1400": "none" is no device' --net none --mtu 1400 -- true
wrong 'qdisc "root|fq": "none" is no device' --net none --qdisc fq -- true
wrong 'mac "02:00"' --net none --mac 02:00 -- true
wrong '192.0.2' --net none --ip 192.0.2 -- true
wrong 'other version' --net none --ip fd00::1/64 -- true
wrong 'ip "192.0.2.2": how long its prefix is' --net none --ip 192.0.2.2 -- true
wrong 'as fd00::1/64' --net none --ip6 fd00::1 -- true
wrong 'no device whose packets' --net none --pcap none.pcap -- true
wrong 'no device whose packets' --pcap none.pcap -- true
[ ! -e none.pcap ] || fail "a capture of nothing is there"
wrong 'mtu' --net none --mtu 12 -- true
wrong 'IPv6 (ip6 "fd00::1/64") needs 1280' --net none --ip6 fd00::1/64 --mtu 1279 -- true
wrong 'longer than a name' --net tap:verylonginterfacename0 -- true
wrong 'longer than a name' --net macvtap:verylonginterfacename0 -- true
wrong 'no name of an interface' --net raw:a/b -- true
wrong 'mac "01:00:5e:00:00:01": of a group' --net none --mac 01:00:5e:00:00:01 -- true
wrong 'of a group or nobody' --net none --mac 00:00:00:00:00:00 -- true
wrong 'is not ADDRESS|MAC' --net none --neighbour 'x|y' -- true
wrong 'mem=abc: not a size' --kernel-memory abc -- true
wrong 'memory of 1048576 bytes: at least 16 MiB' --kernel-memory 1M -- true
wrong 'memory of 0 bytes' --boot mem=0 -- true
wrong 'at most 4 TiB' --boot 'quiet mem=5000G' -- true
wrong 'command line longer than 3072' --boot "$(printf 'a%.0s' {1..3073})" -- true
wrong 'no value' --sysctl net.ipv4.ip_forward -- true
wrong 'IMAGE:DIRECTORY' --mount image -- true
wrong 'mount "image:/image": needs the system calls' --no-dispatch --mount image:/image -- true
echo '{"dispatch": "0", "images": ["image:/image"]}' >bad.json
wrong '--no-dispatch' --config bad.json -- true
expected=8
wrong 'not found' -- no-such-program
wrong 'not found' -- ''
mkdir -p directories/ip
PATH=$PWD/directories:$PATH alone "$LKL_BIN/lkl" run -- ip link >output ||
    fail "a directory of PATH is taken for the program"
wrong 'No such file' -- ./no-such-program
expected=6
wrong 'no-such-directory' --net tap:t0 --pcap no-such-directory/file -- true
expected=1
wrong 'no-such-file' --config no-such-file -- true
echo '{"colour": "red"}' >bad.json
wrong 'unknown key "colour"' --config bad.json -- true
echo '{"interfaces": [{"type": "tap", "param": "t0", "descriptor": "3"}]}' >bad.json
wrong 'unknown key "descriptor"' --config bad.json -- true
echo '{"interfaces": [{"ip": 3}]}' >bad.json
wrong 'no string' --config bad.json -- true
echo '{' >bad.json
wrong 'bad.json' --config bad.json -- true
echo '{"interfaces": [{"type": "none", "offload": "zz"}]}' >bad.json
wrong 'offload "zz": no hexadecimal' --config bad.json -- true
wrong '/dev/zero: longer than 1 MiB' --config /dev/zero -- true
alone "$LKL_BIN/lkl" run --config <(cat settings.json) -- ip link >details
grep -q '02:00:00:00:00:07' details || fail "settings from a pipe: $(cat details)"

# What is found when the network is first used is told in one line as well.
down() {
    local text=$1
    shift
    alone "$LKL_BIN/lkl" run "$@" -- /usr/bin/python3 -c '
import errno, socket
for _ in range(2):
    try:
        socket.socket()
    except OSError as error:
        assert error.errno == errno.ENETDOWN, error
    else:
        raise SystemExit("there is a network")' 2>error || fail "lkl run $*: $(cat error)"
    [ "$(wc -l <error)" = 1 ] || fail "lkl run $*: $(cat error)"
    grep -qF -- "no network: $text" error || fail "lkl run $*: $(cat error)"
}
down 'raw interface none0: No such device' --net raw:none0
down 'macvtap none0: No such device' --net macvtap:none0
down "network fifo $PWD/one: No such file" --net 'pipe:one|two'
down 'descriptor 77: Bad file descriptor' --net socket:77
down "VDE switch $PWD/no-such-switch: " --net vde:./no-such-switch
down "passt socket $PWD/no-such-socket: No such file" --net passt:./no-such-socket
down 'sysctl net.ipv4.tcp_congestion_control' --congestion bogus
down 'gateway fe80::1: no interface is up' --net none --gateway6 fe80::1
cat >two.json <<'END'
{"interfaces": [{"type": "tap", "param": "t0"}, {"type": "tap", "param": "t1"}]}
END
down 'gateway fe80::1: a link-local address, which may be on any of eth0, eth1' --config two.json \
    --gateway6 fe80::1
down 'set qdisc ' --net tap:t0 --qdisc no-such-discipline

# On a host without syscall user dispatch, what follows from it is told.
old_host=(/usr/bin/python3 -B "$here/without_dispatch.py")
alone "${old_host[@]}" "$LKL_BIN/lkl" run --net none -- sh -c '/bin/true; "$@"' sh \
    /usr/bin/python3 -c '
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())' 2>error ||
    fail "without dispatch: $(cat error)"
[ "$(wc -l <error)" = 1 ] || fail "without dispatch: $(cat error)"
grep -q '^lkl run: this host does not hand system calls over' error || fail "$(cat error)"
status=0
alone "${old_host[@]}" "$LKL_BIN/lkl" run --mount image:/image -- true 2>error || status=$?
[ "$status" = 1 ] || fail "--mount without dispatch: exit code $status"
grep -q -- '--mount needs a host' error || fail "--mount without dispatch: $(cat error)"

# What no library can be laid under.
echo 'int main(void) { return 0; }' | cc -static -x c - -o static
wrong 'statically' -- ./static
cp "$(type -P true)" set-user-id
chown 1:1 set-user-id
chmod 6755 set-user-id
wrong 'more rights' -- ./set-user-id
printf '#!%s/static\n' "$PWD" >script
chmod +x script
wrong 'statically' -- ./script

# The program has the signals that it would have without us.
status=0
# shellcheck disable=SC2016  # the inner shell's arguments
alone bash -c '"$1" run -- yes | head -n 1 >/dev/null; exit "${PIPESTATUS[0]}"' bash "$LKL_BIN/lkl" \
    2>error || status=$?
[ "$status" = 141 ] || fail "yes does not end by SIGPIPE: exit code $status"
[ ! -s error ] || fail "SIGPIPE is ignored: $(cat error)"

# One process of a run has the stack; another one is told, and so is a forked child.
alone "$LKL_BIN/lkl" run -- /usr/bin/python3 -c '
import os, socket, subprocess, sys
mine = socket.socket()
child = subprocess.run([sys.executable, "-c", "import socket; socket.socket()"],
                       capture_output=True, text=True)
assert child.returncode != 0 and "Network is down" in child.stderr, child.stderr
assert "another process of this run has the network stack" in child.stderr, child.stderr
if os.fork() == 0:
    try:
        mine.listen()
    except OSError as error:
        os._exit(error.errno)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 100
' 2>error || fail "several processes: $(cat error)"
grep -q 'this process was forked' error || fail "a forked child is not told: $(cat error)"
# One after the other is fine.
alone "$LKL_BIN/lkl" run -- sh -c 'ip -o addr >one; ip -o addr >two' || fail "one after the other"
cmp one two || fail "the second program has another network"
