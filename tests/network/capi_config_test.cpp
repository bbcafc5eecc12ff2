// SPDX-License-Identifier: GPL-2.0-only
// A kernel's settings from JSON and variables, in the C interface; and the devices that a
// setting can name.
// ctest: TIMEOUT=120
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <lkl.h>
#include <lkl/net.hpp>
#include <lkl/netlink.hpp>
#include <lkl_config.h>

#include "capi/default_kernel.hpp"
#include "common/default_kernel.hpp"
#include "common/host_network.hpp"
#include "common/program.hpp"
#include "common/stack.hpp"
#include "common/transfer.hpp"
#include "unit/temp_file.hpp"

namespace lkl::test {
namespace {

constexpr uint64_t some_bytes = 1 << 20;

std::string read_inside(const char* path)
{
    char text[4096] = {};
    lkl_mount_fs("proc");
    const long fd = lkl_sys_open(path, LKL_O_RDONLY, 0);
    const long length = lkl_sys_read(static_cast<int>(fd), text, sizeof text - 1);
    lkl_sys_close(static_cast<unsigned>(fd));
    return length < 0 ? std::string() : std::string(text, static_cast<size_t>(length));
}

std::string printed;

class CConfig : public testing::Test {
protected:
    void SetUp() override
    {
        if (!enter_new_namespace())
            GTEST_SKIP() << "needs root";
        printed.clear();
        lkl_host_ops.print = [](const char* text, int length) {
            printed.append(text, static_cast<size_t>(length));
        };
        ASSERT_EQ(lkl_init(&lkl_host_ops), 0);
    }
    void TearDown() override
    {
        lkl_unload_config(&config);
        lkl_sys_halt();
        lkl_cleanup();
        lkl_host_ops.print = nullptr;
        for (const char* name : {"NET_MTU", "NET_TAP", "SYSCTL", "BOOT_CMDLINE", "NET_IP"})
            ::unsetenv((std::string("LKL_HIJACK_") + name).c_str());
    }
    int start() const { return lkl_start_kernel("%s", config.boot_cmdline); }

    lkl_config config{};
};

constexpr const char* all_of_it = R"({
  "gateway": "10.9.0.9", "gateway6": "fd09::9", "mount": "debugfs,proc",
  "sysctl": "net.ipv4.ip_default_ttl=33;net.ipv4.tcp_retries2|7", "congestion": "reno",
  "boot_cmdline": "mem=1G loglevel=8", "dump": "1", "debug": "1", "nameserver": "10.9.0.53",
  "interfaces": [
    {"type": "tap", "param": "cfg0", "mac": "02:00:00:00:00:07", "mtu": "1400",
     "ip": "10.9.0.2", "masklen": "24", "ipv6": "fd09::2", "masklen6": "64",
     "ifgateway": "10.9.0.1", "ifgateway6": "fd09::1",
     "neigh": "10.9.0.8|02:00:00:00:00:08", "qdisc": "root|fq_codel", "offload": "0"},
    {"type": "none"}]})";

TEST_F(CConfig, EverySettingReachesTheKernel)
{
    ASSERT_EQ(lkl_load_config_json(&config, all_of_it), 0) << lkl_error_message();
    EXPECT_STREQ(config.nameserver, "10.9.0.53");
    EXPECT_EQ(lkl_load_config_post(&config), -LKL_ESHUTDOWN);
    ASSERT_EQ(lkl_load_config_pre(&config), 0) << lkl_error_message();
    EXPECT_EQ(lkl_load_config_pre(&config), -LKL_EBUSY);
    ASSERT_EQ(start(), 0) << lkl_error_message();
    EXPECT_TRUE(printed.starts_with("{\"boot_cmdline\":\"mem=1G")) << "not dumped: " << printed;
    EXPECT_NE(printed.find("loglevel=8"), std::string::npos) << "not booted with it: " << printed;
    const std::string memory = read_inside("/proc/meminfo");
    const long kib = std::strtol(memory.c_str() + std::strlen("MemTotal:"), nullptr, 10);
    // More than any kernel has by default, those that check themselves included.
    EXPECT_GT(kib, 900 << 10) << memory;
    const auto host = host_stack();
    ASSERT_EQ(host->configure("cfg0", "10.9.0.1"), 0);
    ASSERT_EQ(lkl_load_config_post(&config), 0) << lkl_error_message();

    Kernel& kernel = *capi::default_kernel.load();
    const auto ours = our_stack(kernel);
    EXPECT_EQ(transfer(*ours, *host, "10.9.0.1", some_bytes), "");
    EXPECT_EQ(transfer(*host, *ours, "10.9.0.2", some_bytes), "");
    auto net = Netlink::open(kernel);
    ASSERT_TRUE(net);
    const int index = lkl_netdev_get_ifindex(config.ifaces->id);
    const auto link = net->link(index);
    ASSERT_TRUE(link) << link.error().what;
    EXPECT_EQ(link->mtu, 1400u);
    EXPECT_EQ(link->mac, *MacAddress::parse("02:00:00:00:00:07"));
    EXPECT_EQ(link->qdisc, "fq_codel");
    const auto addresses = net->addresses(index);
    ASSERT_TRUE(addresses);
    const auto has_address = [&](const char* prefix) {
        for (const Address& one : *addresses)
            if (one.prefix == *IpPrefix::parse(prefix))
                return true;
        return false;
    };
    EXPECT_TRUE(has_address("10.9.0.2/24"));
    EXPECT_TRUE(has_address("fd09::2/64"));
    const auto neighbours = net->neighbours(index);
    ASSERT_TRUE(neighbours);
    bool known = false;
    for (const Neighbour& one : *neighbours)
        known |= one.address == *IpAddress::parse("10.9.0.8") &&
                 one.mac == *MacAddress::parse("02:00:00:00:00:08");
    EXPECT_TRUE(known) << "no neighbour";
    EXPECT_EQ(read_inside("/proc/sys/net/ipv4/ip_default_ttl"), "33\n");
    EXPECT_EQ(read_inside("/proc/sys/net/ipv4/tcp_retries2"), "7\n");
    EXPECT_EQ(read_inside("/proc/sys/net/ipv4/tcp_congestion_control"), "reno\n");
    EXPECT_NE(read_inside("/proc/mounts").find(" /debugfs debugfs "), std::string::npos);
    const std::string routes = read_inside("/proc/net/route");
    EXPECT_NE(routes.find("eth0\t00000000\t0900090A"), std::string::npos) << routes;

    EXPECT_EQ(lkl_unload_config(&config), 0);
    EXPECT_FALSE(config.ifaces);
    EXPECT_FALSE(config.boot_cmdline);
    EXPECT_EQ(lkl_ifname_to_ifindex("eth0"), -LKL_ENODEV);
    for (int i = 0; i < 1000 && host->flags_of("cfg0") != 0; ++i)
        ::usleep(20'000);
    EXPECT_EQ(host->flags_of("cfg0"), 0) << "the host's interface is gone";
}

TEST_F(CConfig, VariablesCountMoreThanJson)
{
    ::setenv("LKL_HIJACK_NET_MTU", "1300", 1);
    ::setenv("LKL_HIJACK_NET_TAP", "cfg1", 1);
    ::setenv("LKL_HIJACK_BOOT_CMDLINE", "mem=80M", 1);
    ::setenv("LKL_HIJACK_SYSCTL", "net.ipv4.ip_default_ttl=44", 1);
    ASSERT_EQ(lkl_load_config_json(&config, all_of_it), 0) << lkl_error_message();
    ASSERT_EQ(lkl_load_config_env(&config), 0);
    EXPECT_STREQ(config.ifaces->ifmtu_str, "1300");
    EXPECT_STREQ(config.ifaces->ifparams, "cfg1");
    EXPECT_STREQ(config.ifaces->ifip, "10.9.0.2");
    EXPECT_STREQ(config.ifaces->next->iftype, "none");
    EXPECT_STREQ(config.boot_cmdline, "mem=80M");
    EXPECT_STREQ(config.sysctls, "net.ipv4.ip_default_ttl=44");
    // A second text goes over the first.
    ASSERT_EQ(lkl_load_config_json(&config, R"({"interfaces": [{"type": "none"}]})"), 0);
    EXPECT_STREQ(config.ifaces->iftype, "none");
    EXPECT_FALSE(config.ifaces->ifmtu_str);
    EXPECT_FALSE(config.ifaces->next);
    EXPECT_STREQ(config.boot_cmdline, "mem=80M");
    ASSERT_EQ(lkl_load_config_pre(&config), 0) << lkl_error_message();
    ASSERT_EQ(start(), 0);
    // The gateways would have no link.
    std::free(std::exchange(config.gateway, nullptr));
    std::free(std::exchange(config.gateway6, nullptr));
    ASSERT_EQ(lkl_load_config_post(&config), 0) << lkl_error_message();
    EXPECT_EQ(read_inside("/proc/sys/net/ipv4/ip_default_ttl"), "44\n");
}

TEST_F(CConfig, NothingIsASetting)
{
    ASSERT_EQ(lkl_load_config_env(&config), 0);
    ASSERT_EQ(lkl_load_config_pre(&config), 0);
    EXPECT_STREQ(config.boot_cmdline, "");
    ASSERT_EQ(start(), 0);
    EXPECT_EQ(lkl_load_config_post(&config), 0) << lkl_error_message();
    printed.clear();
    lkl_show_config(&config);
    EXPECT_EQ(printed, "{}\n");
}

TEST_F(CConfig, WhatIsWrongIsNamedAndChangesNothing)
{
    constexpr struct {
        const char* json;
        int error;
        const char* text;
    } wrong[] = {
        {"{", -LKL_EINVAL, "configuration: "},
        {R"({"colour": "red"})", -LKL_EINVAL, "\"colour\""},
        {R"({"gateway": 1})", -LKL_EINVAL, "\"gateway\" is no string"},
        {R"({"interfaces": [{"colour": "red"}]})", -LKL_EINVAL, "interface 0: "},
        {R"({"interfaces": [{"descriptor": "3"}]})", -LKL_EINVAL, "unknown key \"descriptor\""},
        {R"({"images": ["image:/mnt"]})", -LKL_EOPNOTSUPP, "\"images\""},
    };
    for (const auto& one : wrong) {
        EXPECT_EQ(lkl_load_config_json(&config, one.json), one.error) << one.json;
        EXPECT_TRUE(std::strstr(lkl_error_message(), one.text)) << lkl_error_message();
        EXPECT_FALSE(config.ifaces);
        EXPECT_FALSE(config.gateway);
    }
    constexpr struct {
        const char* json;
        const char* text;
    } bad_settings[] = {
        {R"({"interfaces": [{"type": "none", "ip": "10.0.0.1"}]})", "how long its prefix is"},
        {R"({"interfaces": [{"type": "none", "mac": "02"}]})", "mac \"02\""},
        {R"({"interfaces": [{"type": "dpdk"}]})", "dpdk: not built in"},
        {R"({"gateway": "here"})", "gateway \"here\""},
        {R"({"interfaces": [{"type": "none"}], "gateway": "", "pcap": "/file"})", "pcap"},
    };
    for (const auto& one : bad_settings) {
        lkl_unload_config(&config);
        ASSERT_EQ(lkl_load_config_json(&config, one.json), 0) << lkl_error_message();
        EXPECT_EQ(lkl_load_config_pre(&config), -LKL_EINVAL) << one.json;
        EXPECT_TRUE(std::strstr(lkl_error_message(), one.text)) << lkl_error_message();
    }
}

// The first device is closed again when the second cannot be opened.
TEST_F(CConfig, AFailureLeavesNoDeviceOpen)
{
    ASSERT_EQ(lkl_load_config_json(&config, R"({"interfaces": [
        {"type": "tap", "param": "cfg2"}, {"type": "raw", "param": "nosuch0"}]})"),
              0);
    EXPECT_EQ(lkl_load_config_pre(&config), -LKL_ENODEV);
    EXPECT_TRUE(std::strstr(lkl_error_message(), "nosuch0")) << lkl_error_message();
    EXPECT_FALSE(config.ifaces->nd);
    EXPECT_EQ(host_stack()->flags_of("cfg2"), 0);
}

// The host's network as passt is to find it: near has our address, and its gateway is the
// host for who is behind passt.
void make_hosts_network()
{
    ASSERT_TRUE(
        run("ip link add near type veth peer name far && ip link set near up && "
            "ip link set far up && ip addr add 10.9.0.3/24 dev near && "
            "ip route add default via 10.9.0.254 dev near"));
}

// What a server has given an interface.
struct Given {
    std::string address, router;  // "" where there is none
    uint32_t mtu = 0;
    bool lasts = false;  // for good
};

Given given_to(const lkl_config_iface& one)
{
    Given given;
    auto net = Netlink::open(*capi::default_kernel.load());
    const int index = lkl_netdev_get_ifindex(one.id);
    EXPECT_GT(index, 0);
    const auto addresses = net->addresses(index);
    for (const Address& found : *addresses) {
        if (found.prefix.address.is_v6())
            continue;
        EXPECT_EQ(given.address, "") << "a second one";
        given.address = found.prefix.text();
        given.lasts = found.valid == Address::forever;
    }
    if (const auto route = net->route_to(*IpAddress::parse("203.0.113.1")))
        if (route->hops.at(0).gateway)
            given.router = route->hops.at(0).gateway->text();
    given.mtu = net->link(index)->mtu;
    return given;
}

// Skips the test where the library has no slirp.
class CConfigSlirp : public CConfig {
protected:
    void start_with(const char* settings)
    {
        ASSERT_EQ(lkl_load_config_json(&config, settings), 0);
        if (const int error = lkl_load_config_pre(&config); error == -LKL_EOPNOTSUPP)
            GTEST_SKIP() << lkl_error_message();
        else
            ASSERT_EQ(error, 0) << lkl_error_message();
        ASSERT_EQ(start(), 0) << lkl_error_message();
        ASSERT_EQ(lkl_load_config_post(&config), 0) << lkl_error_message();
    }
};

// Without an address, slirp's server gives one.
TEST_F(CConfigSlirp, GivesTheAddress)
{
    start_with(R"({"interfaces": [{"type": "slirp"}]})");
    if (IsSkipped() || HasFatalFailure())
        return;
    const Given given = given_to(*config.ifaces);
    EXPECT_EQ(given.address, "10.0.2.15/24");
    EXPECT_EQ(given.router, "10.0.2.2");
    EXPECT_FALSE(given.lasts) << "a lease ends";
    const auto ours = our_stack(*capi::default_kernel.load());
    EXPECT_EQ(transfer(*ours, *host_stack(), {"127.0.0.1", "10.0.2.2"}, some_bytes), "");
}

// With one, nobody is asked, and what a setting says is done with this one too.
TEST_F(CConfigSlirp, WithAnAddressIsNotAsked)
{
    start_with(R"({"gateway": "10.0.2.2", "interfaces": [
        {"type": "slirp", "ip": "10.0.2.77/24", "param": "hostfwd=tcp:127.0.0.1:9077-:9077"}]})");
    if (IsSkipped() || HasFatalFailure())
        return;
    const Given given = given_to(*config.ifaces);
    EXPECT_EQ(given.address, "10.0.2.77/24");
    EXPECT_EQ(given.router, "10.0.2.2");
    EXPECT_TRUE(given.lasts);
    const auto ours = our_stack(*capi::default_kernel.load());
    EXPECT_EQ(transfer(*ours, *host_stack(), {"127.0.0.1", "10.0.2.2"}, some_bytes), "");
}

TEST_F(CConfig, PasstGivesTheAddress)
{
    if (!has_program("passt"))
        GTEST_SKIP() << "passt is not installed";
    make_hosts_network();
    ASSERT_EQ(lkl_load_config_json(&config, R"({"interfaces": [
        {"type": "passt", "param": "-4 -t none -u none", "mtu": "9000"}]})"),
              0);
    ASSERT_EQ(lkl_load_config_pre(&config), 0) << lkl_error_message();
    ASSERT_EQ(start(), 0) << lkl_error_message();
    ASSERT_EQ(lkl_load_config_post(&config), 0) << lkl_error_message();
    const Given given = given_to(*config.ifaces);
    EXPECT_EQ(given.address, "10.9.0.3/24");
    EXPECT_EQ(given.router, "10.9.0.254");
    EXPECT_EQ(given.mtu, 9000u) << "the setting counts more than the server's word";
    const auto ours = our_stack(*capi::default_kernel.load());
    EXPECT_EQ(transfer(*ours, *host_stack(), {"127.0.0.1", "10.9.0.254"}, some_bytes), "");
}

// dnsmasq's server, over a tap device.
TEST_F(CConfig, ADhcpServerGivesTheAddress)
{
    if (!has_program("dnsmasq"))
        GTEST_SKIP() << "dnsmasq is not installed";
    ASSERT_EQ(lkl_load_config_json(&config, R"({"interfaces": [
        {"type": "tap", "param": "cfg4", "dhcp": "1", "mac": "02:00:00:00:00:44"}]})"),
              0);
    ASSERT_EQ(lkl_load_config_pre(&config), 0) << lkl_error_message();
    const auto host = host_stack();
    ASSERT_EQ(host->configure("cfg4", "10.9.4.1"), 0);
    const TempFile leases(0);
    // It need not be there yet when it is asked first.
    const Program server({"dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0",
                          "--interface=cfg4", "--bind-interfaces",
                          "--dhcp-range=10.9.4.40,10.9.4.49,1h",
                          "--dhcp-host=02:00:00:00:00:44,10.9.4.44", "--dhcp-option=3,10.9.4.9",
                          "--dhcp-option=26,1280", "--dhcp-authoritative", "--user=root",
                          "--no-ping", "--pid-file=", "--dhcp-leasefile=" + leases.path()});
    ASSERT_EQ(start(), 0) << lkl_error_message();
    ASSERT_EQ(lkl_load_config_post(&config), 0) << lkl_error_message();
    const Given given = given_to(*config.ifaces);
    EXPECT_EQ(given.address, "10.9.4.44/24");
    EXPECT_EQ(given.router, "10.9.4.9");
    EXPECT_EQ(given.mtu, 1280u);
    EXPECT_FALSE(given.lasts);
    const auto ours = our_stack(*capi::default_kernel.load());
    EXPECT_EQ(transfer(*ours, *host, "10.9.4.1", some_bytes), "");
    EXPECT_EQ(transfer(*host, *ours, "10.9.4.44", some_bytes), "");
}

// It is waited for, and then said; the interface stays until the configuration goes.
TEST_F(CConfig, NoDhcpServerIsAnError)
{
    ASSERT_EQ(lkl_load_config_json(&config, R"({"interfaces": [
        {"type": "tap", "param": "cfg5", "dhcp": "1"}]})"),
              0);
    ASSERT_EQ(lkl_load_config_pre(&config), 0) << lkl_error_message();
    ASSERT_EQ(host_stack()->configure("cfg5", "10.9.5.1"), 0);
    ASSERT_EQ(start(), 0) << lkl_error_message();
    EXPECT_EQ(lkl_load_config_post(&config), -LKL_ETIMEDOUT);
    EXPECT_TRUE(std::strstr(lkl_error_message(), "no server answered")) << lkl_error_message();
    EXPECT_GT(lkl_netdev_get_ifindex(config.ifaces->id), 0);
    EXPECT_EQ(lkl_unload_config(&config), 0);
    EXPECT_EQ(lkl_ifname_to_ifindex("eth0"), -LKL_ENODEV);
}

// Of what the host does not have to be root for.
class CDevices : public DefaultKernel {};

TEST_F(CDevices, SocketCarriesTcpAndPcapHasIt)
{
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    TempFile capture(0);
    lkl_netdev* const cable =
        lkl_netdev_pcap_create(lkl_netdev_socket_create(ends[0]), capture.path().c_str());
    ASSERT_TRUE(cable) << lkl_error_message();
    ::close(ends[0]);
    const int id = lkl_netdev_add(cable, nullptr);
    ASSERT_GE(id, 0) << lkl_error_message();
    const auto ours = our_stack(*capi::default_kernel.load());
    ASSERT_EQ(ours->configure(ours->name_of(lkl_netdev_get_ifindex(id)), "10.9.0.2"), 0);

    auto second = Kernel::start();
    ASSERT_TRUE(second) << second.error().what;
    auto end = open_net_socket(ends[1]);
    ASSERT_TRUE(end) << end.error().what;
    ::close(ends[1]);
    const auto device = NetDevice::add(*second, *std::move(end));
    ASSERT_TRUE(device) << device.error().what;
    const auto far = our_stack(*second);
    ASSERT_EQ(far->configure("eth0", "10.9.0.1"), 0);
    EXPECT_EQ(transfer(*ours, *far, "10.9.0.1", some_bytes), "");
    lkl_netdev_remove(id);
    lkl_netdev_free(cable);

    std::ifstream file(capture.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    ASSERT_GT(bytes.size(), some_bytes);
    EXPECT_EQ(bytes.substr(0, 4), "\x4d\x3c\xb2\xa1");
}

// A process of passt(1) that the function starts, and one that listens.
TEST_F(CDevices, PasstCarriesTcp)
{
    if (!has_program("passt"))
        GTEST_SKIP() << "passt is not installed";
    make_hosts_network();
    std::string directory = testing::TempDir() + "/lkl-passt-XXXXXX";
    ASSERT_TRUE(::mkdtemp(directory.data()));
    // passt works as nobody.
    ASSERT_EQ(::chmod(directory.c_str(), 0777), 0);
    const std::string socket = directory + "/socket";
    const Program listening({"passt", "--foreground", "--one-off", "--quiet", "-4", "-t", "none",
                             "-u", "none", "--socket", socket});
    EXPECT_TRUE(appears(socket));
    const auto ours = our_stack(*capi::default_kernel.load());
    for (const std::string& parameter : {std::string("-4 -t none -u none"), socket}) {
        SCOPED_TRACE(parameter);
        lkl_netdev* const passt = lkl_netdev_passt_create(parameter.c_str());
        ASSERT_TRUE(passt) << lkl_error_message();
        const int id = lkl_netdev_add(passt, nullptr);
        ASSERT_GE(id, 0) << lkl_error_message();
        ASSERT_EQ(ours->configure(ours->name_of(lkl_netdev_get_ifindex(id)), "10.9.0.3"), 0);
        EXPECT_EQ(transfer(*ours, *host_stack(), {"127.0.0.1", "10.9.0.254"}, some_bytes), "");
        lkl_netdev_stats stats{};
        EXPECT_EQ(lkl_netdev_get_stats(id, &stats), 0);
        EXPECT_GT(stats.tx_bytes, some_bytes);
        EXPECT_EQ(stats.tx_errors, 0u);
        EXPECT_EQ(stats.rx_errors, 0u);
        lkl_netdev_remove(id);
        lkl_netdev_free(passt);
    }
    EXPECT_TRUE(run("rm -r " + directory));
}

TEST_F(CDevices, ErrorsSayWhat)
{
    const auto fails = [](lkl_netdev* made, const char* text) {
        EXPECT_FALSE(made);
        EXPECT_TRUE(std::strstr(lkl_error_message(), text)) << lkl_error_message();
    };
    fails(lkl_netdev_socket_create(-1), "descriptor -1");
    fails(lkl_netdev_passt_create("/no/socket"), "/no/socket");
    fails(lkl_netdev_slirp_create("hostforward=tcp::80-:80"), "restrict=on or hostfwd");
    lkl_netdev* const tap = lkl_netdev_tap_create("cfg3", LKL_NETDEV_OFFLOAD_ALL);
    ASSERT_TRUE(tap) << lkl_error_message();
    fails(lkl_netdev_pcap_create(tap, "/no/file"), "/no/file");
    EXPECT_EQ(host_stack()->flags_of("cfg3"), 0) << "the device is not ended";
    EXPECT_FALSE(lkl_netdev_pcap_create(nullptr, "/no/file"));
}

}  // namespace
}  // namespace lkl::test
