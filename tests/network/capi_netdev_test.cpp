// SPDX-License-Identifier: GPL-2.0-only
// Network devices of the C interface: the library's, and a program's own.
// ctest: TIMEOUT=60
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <lkl.h>
#include <lkl/net.hpp>

#include "capi/default_kernel.hpp"
#include "common/default_kernel.hpp"
#include "common/host_network.hpp"
#include "common/stack.hpp"
#include "common/transfer.hpp"
#include "support/kernel.hpp"
#include "support/must.hpp"

namespace lkl::test {
namespace {

constexpr const char* far_address = "10.9.0.1";
constexpr const char* our_address = "10.9.0.2";
constexpr uint64_t some_bytes = 16 << 20;
constexpr uint64_t few_bytes = 4 << 20;  // what a third program copies

// A second kernel, which has the other end of a cable.
struct FarKernel {
    explicit FarKernel(Result<std::unique_ptr<NetBackend>> end)
        : device(must(NetDevice::add(kernel, must(std::move(end)))))
    {
        EXPECT_EQ(stack->configure("eth0", far_address), 0);
    }

    Kernel kernel = boot();
    const NetDevice device;
    const std::unique_ptr<Stack> stack = our_stack(kernel);
};

class CNetdev : public DefaultKernel {
protected:
    void SetUp() override
    {
        DefaultKernel::SetUp();
        if (!IsSkipped() && !HasFatalFailure())
            ours = our_stack(*capi::default_kernel.load());
    }

    // Adds a device, whose interface gets an address. Its number, or a negative one.
    int add(lkl_netdev* device, const char* address = our_address)
    {
        EXPECT_TRUE(device) << lkl_error_message();
        if (!device)
            return -1;
        const int id = lkl_netdev_add(device, nullptr);
        EXPECT_GE(id, 0) << lkl_error_message();
        EXPECT_EQ(ours->configure(ours->name_of(lkl_netdev_get_ifindex(id)), address), 0);
        return id;
    }

    // Bytes both ways, and no error of the device.
    void carry(int id, Stack& far, uint64_t bytes = some_bytes)
    {
        EXPECT_EQ(transfer(*ours, far, far_address, bytes), "");
        EXPECT_EQ(transfer(far, *ours, our_address, bytes), "");
        lkl_netdev_stats stats{};
        EXPECT_EQ(lkl_netdev_get_stats(id, &stats), 0) << lkl_error_message();
        EXPECT_GT(stats.rx_bytes, bytes);
        EXPECT_GT(stats.tx_bytes, bytes);
        EXPECT_EQ(stats.rx_errors, 0u);
        EXPECT_EQ(stats.tx_errors, 0u);
    }

    static void end(int id, lkl_netdev* device)
    {
        lkl_netdev_remove(id);
        lkl_netdev_free(device);
    }

    std::unique_ptr<Stack> host = host_stack();
    std::unique_ptr<Stack> ours;
};

TEST_F(CNetdev, TapIsAddedAndRemoved)
{
    lkl_netdev* const tap = lkl_netdev_tap_create("ctap", LKL_NETDEV_OFFLOAD_ALL);
    ASSERT_TRUE(tap) << lkl_error_message();
    ASSERT_EQ(host->configure("ctap", far_address), 0);
    uint8_t mac[6] = {2, 0, 0, 1, 2, 3};
    lkl_netdev_args args{mac, LKL_NETDEV_OFFLOAD_ALL};
    const int id = lkl_netdev_add(tap, &args);
    ASSERT_EQ(id, 0) << lkl_error_message();
    EXPECT_EQ(lkl_netdev_add(tap, &args), -LKL_EBUSY);
    const int ifindex = lkl_netdev_get_ifindex(id);
    ASSERT_GT(ifindex, 0);

    const std::string name = ours->name_of(ifindex);
    ifreq request{};
    std::strcpy(request.ifr_name, name.c_str());
    const long fd = ours->socket(AF_INET, SOCK_DGRAM, 0);
    ASSERT_EQ(ours->ioctl(fd, SIOCGIFHWADDR, &request), 0);
    EXPECT_EQ(std::memcmp(request.ifr_hwaddr.sa_data, mac, sizeof mac), 0);
    ours->close(fd);

    ASSERT_EQ(ours->configure(name, our_address), 0);
    EXPECT_EQ(transfer(*ours, *host, far_address, some_bytes), "");
    EXPECT_EQ(transfer(*host, *ours, our_address, some_bytes), "");

    // All that was transferred, and headers; what the host refuses are none of these.
    lkl_netdev_stats stats{};
    ASSERT_EQ(lkl_netdev_get_stats(id, &stats), 0) << lkl_error_message();
    EXPECT_GT(stats.rx_bytes, some_bytes);
    EXPECT_GT(stats.tx_bytes, some_bytes);
    EXPECT_GE(stats.rx_frames, some_bytes / 65536);
    EXPECT_GE(stats.tx_frames, some_bytes / 65536);
    EXPECT_EQ(stats.rx_errors, 0u);
    EXPECT_EQ(stats.tx_errors, 0u);
    EXPECT_EQ(stats.tx_dropped, 0u);
    // A tap that is down refuses everything.
    ASSERT_TRUE(run("ip link set ctap down"));
    sockaddr_in nobody{};
    nobody.sin_family = AF_INET;
    nobody.sin_port = htons(9);
    ::inet_pton(AF_INET, far_address, &nobody.sin_addr);
    const long unheard = ours->socket(AF_INET, SOCK_DGRAM, 0);
    ASSERT_EQ(ours->connect(unheard, &nobody, sizeof nobody), 0);
    for (int i = 0; i < 100 && stats.tx_errors == 0; ++i) {
        EXPECT_EQ(ours->send(unheard, "?", 1), 1);
        ::usleep(20'000);
        ASSERT_EQ(lkl_netdev_get_stats(id, &stats), 0) << lkl_error_message();
    }
    EXPECT_GT(stats.tx_errors, 0u) << "an interface that is down";
    ours->close(unheard);

    lkl_netdev_remove(id);
    EXPECT_EQ(lkl_netdev_get_ifindex(id), -LKL_ENODEV);
    stats.rx_frames = 4711;
    EXPECT_EQ(lkl_netdev_get_stats(id, &stats), -LKL_ENODEV);
    EXPECT_EQ(stats.rx_frames, 4711u);
    lkl_netdev_remove(id);
    lkl_netdev_free(tap);
    // A thread may be in poll(2) for it still.
    for (int i = 0; i < 1000 && host->flags_of("ctap") != 0; ++i)
        ::usleep(20'000);
    EXPECT_EQ(host->flags_of("ctap"), 0) << "the host's interface is gone";
}

TEST_F(CNetdev, TapByItsPathWithoutOffload)
{
    ifreq request{};
    std::strcpy(request.ifr_name, "ptap");
    request.ifr_flags = 0x1002;  // IFF_TAP, IFF_NO_PI: no header either
    lkl_netdev* const tap = lkl_netdev_tap_init("/dev/net/tun", 0, &request);
    ASSERT_TRUE(tap) << lkl_error_message();
    EXPECT_EQ(tap->has_vnet_hdr, 0);
    ASSERT_EQ(host->configure("ptap", far_address), 0);
    const int id = lkl_netdev_add(tap, nullptr);
    ASSERT_GE(id, 0) << lkl_error_message();
    ASSERT_EQ(ours->configure(ours->name_of(lkl_netdev_get_ifindex(id)), our_address), 0);
    EXPECT_EQ(transfer(*ours, *host, far_address, some_bytes), "");
    EXPECT_EQ(transfer(*host, *ours, our_address, some_bytes), "");
    lkl_netdev_remove(id);
    lkl_netdev_free(tap);
}

TEST_F(CNetdev, TapOfSeveralQueuePairs)
{
    lkl_netdev* const tap = lkl_netdev_tap_create_mq("qtap", LKL_NETDEV_OFFLOAD_ALL, 3);
    ASSERT_TRUE(tap) << lkl_error_message();
    const int id = lkl_netdev_add(tap, nullptr);
    ASSERT_GE(id, 0) << lkl_error_message();
    const std::string name = ours->name_of(lkl_netdev_get_ifindex(id));
    const long fd = ours->socket(AF_INET, SOCK_DGRAM, 0);
    ethtool_channels channels{};
    channels.cmd = ETHTOOL_GCHANNELS;
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_data = reinterpret_cast<char*>(&channels);
    EXPECT_EQ(ours->ioctl(fd, SIOCETHTOOL, &request), 0);
    EXPECT_EQ(channels.max_combined, 3u);
    channels.cmd = ETHTOOL_SCHANNELS;
    channels.combined_count = 3;
    EXPECT_EQ(ours->ioctl(fd, SIOCETHTOOL, &request), 0);
    ours->close(fd);

    ASSERT_EQ(host->configure("qtap", far_address), 0);
    ASSERT_EQ(ours->configure(name, our_address), 0);
    EXPECT_EQ(transfer(*ours, *host, far_address, some_bytes), "");
    EXPECT_EQ(transfer(*host, *ours, our_address, some_bytes), "");
    lkl_netdev_remove(id);
    lkl_netdev_free(tap);
    EXPECT_FALSE(lkl_netdev_tap_create_mq("qtap0", 0, 0));
    EXPECT_TRUE(std::strstr(lkl_error_message(), "no queues")) << lkl_error_message();
}

TEST_F(CNetdev, LinkIsPluggedOutAndIn)
{
    lkl_netdev* const tap = lkl_netdev_tap_create("ltap", LKL_NETDEV_OFFLOAD_ALL);
    ASSERT_TRUE(tap) << lkl_error_message();
    const int id = lkl_netdev_add(tap, nullptr);
    ASSERT_GE(id, 0) << lkl_error_message();
    ASSERT_EQ(host->configure("ltap", far_address), 0);
    const std::string name = ours->name_of(lkl_netdev_get_ifindex(id));
    ASSERT_EQ(ours->configure(name, our_address), 0);
    const auto runs = [&](bool wanted) {
        for (int i = 0; i < 250; ++i) {
            if (((ours->flags_of(name) & IFF_RUNNING) != 0) == wanted)
                return true;
            ::usleep(20'000);
        }
        return false;
    };
    EXPECT_TRUE(runs(true));
    EXPECT_EQ(lkl_netdev_set_link(id, 0), 0) << lkl_error_message();
    EXPECT_TRUE(runs(false));
    EXPECT_EQ(lkl_netdev_set_link(id, 1), 0) << lkl_error_message();
    EXPECT_TRUE(runs(true));
    EXPECT_EQ(transfer(*ours, *host, far_address, some_bytes), "");
    lkl_netdev_remove(id);
    lkl_netdev_free(tap);
    EXPECT_EQ(lkl_netdev_set_link(id, 1), -LKL_ENODEV);
    EXPECT_EQ(lkl_netdev_set_link(-1, 1), -LKL_ENODEV);
}

TEST_F(CNetdev, RawInterfaceCarriesTcp)
{
    ASSERT_TRUE(make_wire());
    ASSERT_EQ(host->configure("far", far_address), 0);
    lkl_netdev* const raw = lkl_netdev_raw_create("near");
    const int id = add(raw);
    ASSERT_GE(id, 0);
    carry(id, *host);
    end(id, raw);
    EXPECT_TRUE(host->flags_of("near") & IFF_UP) << "it is the host's still";
}

std::array<unsigned char, 6> hardware_address(Stack& stack, const std::string& interface)
{
    ifreq request{};
    interface.copy(request.ifr_name, IFNAMSIZ - 1);
    const long fd = stack.socket(AF_INET, SOCK_DGRAM, 0);
    EXPECT_EQ(stack.ioctl(fd, SIOCGIFHWADDR, &request), 0) << interface;
    stack.close(fd);
    std::array<unsigned char, 6> address;
    std::memcpy(address.data(), request.ifr_hwaddr.sa_data, address.size());
    return address;
}

// A macvtap interface of the host, with its device's node.
class CMacvtap : public CNetdev {
protected:
    void SetUp() override
    {
        CNetdev::SetUp();
        if (IsSkipped() || HasFatalFailure())
            return;
        ASSERT_TRUE(make_wire());
        ASSERT_EQ(host->configure("far", far_address), 0);
        if (!run(add_macvtap) || !make_macvtap_node(node))
            GTEST_SKIP() << "the host has no macvtap";
    }

    const Directory directory;
    const std::string node = directory.path("tap");
};

TEST_F(CMacvtap, CarriesTcp)
{
    lkl_netdev* const macvtap = lkl_netdev_macvtap_create(node.c_str(), LKL_NETDEV_OFFLOAD_ALL);
    const int id = add(macvtap);
    ASSERT_GE(id, 0);
    EXPECT_EQ(hardware_address(*ours, ours->name_of(lkl_netdev_get_ifindex(id))),
              hardware_address(*host, "mv0"));
    carry(id, *host);
    lkl_netdev_stats stats{};
    ASSERT_EQ(lkl_netdev_get_stats(id, &stats), 0) << lkl_error_message();
    EXPECT_LT(stats.rx_frames, some_bytes / 1500) << "no segments together";
    EXPECT_LT(stats.tx_frames, some_bytes / 1500) << "no segments together";
    end(id, macvtap);
}

TEST_F(CMacvtap, CarriesTcpWithoutOffload)
{
    lkl_netdev* const macvtap = lkl_netdev_macvtap_create(node.c_str(), 0);
    const int id = add(macvtap);
    ASSERT_GE(id, 0);
    carry(id, *host);
    lkl_netdev_stats stats{};
    ASSERT_EQ(lkl_netdev_get_stats(id, &stats), 0) << lkl_error_message();
    EXPECT_GT(stats.rx_frames, some_bytes / 1500);
    EXPECT_GT(stats.tx_frames, some_bytes / 1500);
    end(id, macvtap);
}

TEST_F(CNetdev, PipesCarryTcp)
{
    const Directory directory;
    const std::string one = directory.path("one"), two = directory.path("two");
    ASSERT_EQ(::mkfifo(one.c_str(), 0600), 0);
    ASSERT_EQ(::mkfifo(two.c_str(), 0600), 0);
    FarKernel far(open_net_fifos(two, one));
    lkl_netdev* const pipes =
        lkl_netdev_pipe_create((one + "|" + two).c_str(), LKL_NETDEV_OFFLOAD_ALL);
    const int id = add(pipes);
    ASSERT_GE(id, 0);
    carry(id, *far.stack);
    end(id, pipes);
}

TEST_F(CNetdev, VdeSwitchCarriesTcp)
{
    if (!has_program("vde_switch"))
        GTEST_SKIP() << "vde_switch is not installed";
    if (const std::string reason = why_no_vde(); !reason.empty())
        GTEST_SKIP() << reason;
    const Directory directory;
    const std::string path = directory.path("switch");
    const auto program = start_switch(path);
    FarKernel far(open_vde(path));
    lkl_netdev* const vde = lkl_netdev_vde_create(path.c_str());
    const int id = add(vde);
    ASSERT_GE(id, 0);
    carry(id, *far.stack, few_bytes);
    end(id, vde);
}

class CSlirp : public CNetdev {
protected:
    void SetUp() override
    {
        if (const auto tried = open_slirp(); !tried && tried.error().code == EOPNOTSUPP)
            GTEST_SKIP() << tried.error().what;
        CNetdev::SetUp();
    }
};

TEST_F(CSlirp, ReachesTheHost)
{
    lkl_netdev* const slirp = lkl_netdev_slirp_create(nullptr);
    const int id = add(slirp, "10.0.2.15");
    ASSERT_GE(id, 0);
    EXPECT_EQ(transfer(*ours, *host, {"127.0.0.1", "10.0.2.2"}, few_bytes), "");
    lkl_netdev_stats stats{};
    EXPECT_EQ(lkl_netdev_get_stats(id, &stats), 0) << lkl_error_message();
    EXPECT_GT(stats.tx_bytes, few_bytes);
    end(id, slirp);
}

TEST_F(CSlirp, ForwardsAPortOfTheHost)
{
    uint16_t port = 0;
    const long listener = ours->listen_on("0.0.0.0", port);
    ASSERT_GE(listener, 0);
    const std::string number = std::to_string(port);
    lkl_netdev* const slirp =
        lkl_netdev_slirp_create(("hostfwd=tcp:127.0.0.1:" + number + "-:" + number).c_str());
    const int id = add(slirp, "10.0.2.15");
    ASSERT_GE(id, 0);
    const long there = host->connect_to("127.0.0.1", port);
    ASSERT_GE(there, 0);
    const long here = ours->accept(listener);
    ASSERT_GE(here, 0);
    char got[5] = {};
    EXPECT_TRUE(host->send_all(there, "there", sizeof got));
    EXPECT_TRUE(ours->recv_all(here, got, sizeof got));
    EXPECT_EQ(std::string(got, sizeof got), "there");
    EXPECT_TRUE(ours->send_all(here, "hello", sizeof got));
    EXPECT_TRUE(host->recv_all(there, got, sizeof got));
    EXPECT_EQ(std::string(got, sizeof got), "hello");
    host->close(there);
    ours->close(here);
    ours->close(listener);
    end(id, slirp);
}

TEST_F(CNetdev, ErrorsSayWhat)
{
    const auto fails = [](lkl_netdev* made, const char* text) {
        EXPECT_FALSE(made);
        EXPECT_TRUE(std::strstr(lkl_error_message(), text)) << lkl_error_message();
    };
    fails(lkl_netdev_dpdk_create("dpdk0", 0, nullptr), "DPDK");
    fails(lkl_netdev_pipe_create("/nothing", 0), "READ|WRITE, two fifos");
    fails(lkl_netdev_pipe_create("/no/1|/no/2", 0), "/no/1");
    fails(lkl_netdev_raw_create("nosuch0"), "nosuch0");
    fails(lkl_netdev_macvtap_create("nosuch0", 0), "nosuch0");
    if (!*why_no_vde())
        fails(lkl_netdev_vde_create("/no/switch"), "/no/switch");
    fails(lkl_netdev_tap_create("a-name-that-is-too-long", 0), "too long");
    lkl_netdev nothing{};
    EXPECT_EQ(lkl_netdev_add(&nothing, nullptr), -LKL_EINVAL);
    EXPECT_EQ(lkl_netdev_get_ifindex(7), -LKL_ENODEV);
}

// A program's device over one end of a cable, whose other end another kernel has.
struct OwnDevice {
    lkl_netdev device{};
    int socket = -1;
    int hup = -1;
    std::atomic<bool> full{false};
    bool freed = false;

    static OwnDevice& of(lkl_netdev* device) { return *reinterpret_cast<OwnDevice*>(device); }
};

int own_tx(lkl_netdev* device, iovec* iov, int count)
{
    const ssize_t sent = ::writev(OwnDevice::of(device).socket, iov, count);
    if (sent < 0)
        OwnDevice::of(device).full = true;
    return static_cast<int>(sent);
}

int own_rx(lkl_netdev* device, iovec* iov, int count)
{
    return static_cast<int>(::readv(OwnDevice::of(device).socket, iov, count));
}

int own_poll(lkl_netdev* device)
{
    OwnDevice& own = OwnDevice::of(device);
    for (;;) {
        pollfd fds[] = {{own.socket, POLLIN, 0}, {own.hup, POLLIN, 0}};
        ::poll(fds, 2, own.full ? 1 : -1);
        if (fds[1].revents)
            return LKL_DEV_NET_POLL_HUP;
        int found = fds[0].revents & POLLIN ? LKL_DEV_NET_POLL_RX : 0;
        if (own.full) {
            own.full = false;
            found |= LKL_DEV_NET_POLL_TX;
        }
        if (found)
            return found;
    }
}

void own_hup(lkl_netdev* device)
{
    ::eventfd_write(OwnDevice::of(device).hup, 1);
}

void own_free(lkl_netdev* device)
{
    OwnDevice::of(device).freed = true;
}

TEST_F(CNetdev, AProgramsOwnDeviceCarriesTcp)
{
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
    lkl_dev_net_ops ops{own_tx, own_rx, own_poll, own_hup, own_free};
    OwnDevice own;
    own.device.ops = &ops;
    own.device.has_vnet_hdr = 1;
    own.socket = ends[0];
    own.hup = ::eventfd(0, 0);

    FarKernel far(open_net_socket(ends[1]));
    ::close(ends[1]);

    const int id = lkl_netdev_add(&own.device, nullptr);
    ASSERT_GE(id, 0) << lkl_error_message();
    EXPECT_EQ(own.device.id, id);
    ASSERT_EQ(ours->configure(ours->name_of(lkl_netdev_get_ifindex(id)), our_address), 0);
    EXPECT_EQ(transfer(*ours, *far.stack, far_address, some_bytes), "");
    EXPECT_EQ(transfer(*far.stack, *ours, our_address, some_bytes), "");
    lkl_netdev_remove(id);
    lkl_netdev_free(&own.device);
    EXPECT_TRUE(own.freed);
    ::close(own.socket);
    ::close(own.hup);
}

// Halting takes the device along; a second kernel begins anew.
TEST_F(CNetdev, HaltWithDevicesAndStartAgain)
{
    lkl_netdev* const tap = lkl_netdev_tap_create("htap", LKL_NETDEV_OFFLOAD_ALL);
    ASSERT_TRUE(tap) << lkl_error_message();
    ASSERT_EQ(lkl_netdev_add(tap, nullptr), 0);
    EXPECT_EQ(lkl_sys_halt(), 0);
    lkl_netdev_remove(0);
    lkl_netdev_free(tap);
    lkl_cleanup();
    ASSERT_EQ(lkl_init(&lkl_host_ops), 0);
    ASSERT_EQ(lkl_start_kernel("mem=64M"), 0);
    EXPECT_EQ(lkl_netdev_get_ifindex(0), -LKL_ENODEV);
    lkl_netdev* const again = lkl_netdev_tap_create("htap", LKL_NETDEV_OFFLOAD_ALL);
    ASSERT_TRUE(again) << lkl_error_message();
    EXPECT_EQ(lkl_netdev_add(again, nullptr), 0);
    lkl_sys_halt();
    lkl_netdev_free(again);
}

}  // namespace
}  // namespace lkl::test
