// SPDX-License-Identifier: GPL-2.0-only
// Where the packets of a network interface can go, and the interface itself.
//
//     auto tap = lkl::open_tap("tap0");
//     auto eth0 = lkl::NetDevice::add(kernel, *std::move(tap));
//     ... eth0->ifindex() ...
//
// Each function makes a back end for Kernel::add_net(). Errors come with a text that
// names the interface or the path. All may be called by any thread. None starts a thread
// unless it says so.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <lkl/kernel.hpp>
#include <lkl/packet.hpp>
#include <lkl/result.hpp>

namespace lkl {

// An interface of a running kernel, which must outlive it. Removed by the destructor.
// Any thread, one at a time.
class NetDevice {
public:
    // Errors: those of Kernel::add_net().
    static Result<NetDevice> add(Kernel& kernel, std::unique_ptr<NetBackend> backend,
                                 const NetOptions& options = {});

    NetDevice(NetDevice&& other) noexcept { *this = std::move(other); }
    NetDevice& operator=(NetDevice&& other) noexcept
    {
        std::swap(kernel_, other.kernel_);
        std::swap(id_, other.id_);
        return *this;
    }
    ~NetDevice() { (void)remove(); }

    NetId id() const noexcept { return id_; }
    int ifindex() const noexcept { return id_.ifindex; }

    // Plugs its cable in or out. ENODEV: it was removed.
    Result<void> set_link(bool up);
    // See Kernel::net_statistics(). ENODEV: it was removed.
    Result<NetDeviceStatistics> statistics() const;
    // At once; nothing happens the second time. Errors: those of Kernel::remove_net().
    Result<void> remove();

private:
    NetDevice(Kernel& kernel, NetId id) : kernel_(&kernel), id_(id) {}

    Kernel* kernel_ = nullptr;
    NetId id_;
};

struct TapOptions {
    // With more than one, the interface is made with IFF_MULTI_QUEUE; one that exists
    // must have it. With one, it may.
    uint16_t queue_pairs = 1;
};

// A tap interface of the host's: an existing one, or one that exists as long as the back
// end. A name with %d gets a number; empty is "tap%d". It needs CAP_NET_ADMIN, or an
// interface that belongs to the user. All offloads, as far as the host has them. Its
// MTU counts unless it is 1500. Errors: EINVAL (the name, or the number of queues),
// EBUSY, EPERM, ENOENT (no /dev/net/tun).
Result<std::unique_ptr<NetBackend>> open_tap(const std::string& name,
                                             const TapOptions& options = {});

// The same for a descriptor that is attached to an interface already; a duplicate is
// used, and made not to block. EINVAL: it is not attached, or to a tun interface.
Result<std::unique_ptr<NetBackend>> open_tap(int descriptor);

// Two back ends that are the ends of one cable, for two kernels in this process; each
// may be passed to another process as well. All offloads: what one kernel does not do is
// left undone by the other, and both must agree on them.
Result<std::pair<std::unique_ptr<NetBackend>, std::unique_ptr<NetBackend>>> make_net_pipe();

// One end of such a cable, from a descriptor: a socket of type SOCK_SEQPACKET or
// SOCK_DGRAM that is connected, each of whose messages is a virtio_net_hdr of 12 bytes
// and a frame. A duplicate is used, and made not to block. EINVAL: no such socket.
Result<std::unique_ptr<NetBackend>> open_net_socket(int descriptor);

// The same over two fifos, one for each direction, whose stream is frames of a length of
// 4 bytes (big endian), a virtio_net_hdr of 12 bytes, which the length counts, and a
// frame. Errors: those of open(2); EINVAL: no fifo.
Result<std::unique_ptr<NetBackend>> open_net_fifos(const std::string& read_path,
                                                   const std::string& write_path);

// A macvtap interface of the host's, by its name or by the path of its device
// (/dev/tap<ifindex>). The MAC address is the interface's.
Result<std::unique_ptr<NetBackend>> open_macvtap(const std::string& name);

// The same for a descriptor that is attached to it already; a duplicate is used, and made not
// to block.
Result<std::unique_ptr<NetBackend>> open_macvtap(int descriptor);

// An interface of the host that is shared with it: what it receives for any address,
// our kernel sees as well; what the host sends or our kernel sends it does not see. It
// needs CAP_NET_RAW. All offloads: a kernel that does without those of reception loses
// what the interface has put together. VLAN tags are lost at reception.
Result<std::unique_ptr<NetBackend>> open_raw(const std::string& name);

// The same for the packet socket of such a back end, by its poll_fd(); a duplicate is used.
// EINVAL: it is something else.
Result<std::unique_ptr<NetBackend>> open_raw(int descriptor);

// A switch of VDE, by the path of its directory or any URL of libvdeplug, which is loaded
// at this time. ENOTSUP: it is not installed.
Result<std::unique_ptr<NetBackend>> open_vde(const std::string& url);

struct PasstOptions {
    // Of a socket where passt, or what speaks its protocol (QEMU's stream socket:
    // frames with a length of 4 bytes), listens. Empty: passt is started.
    std::string socket = {};
    std::string program = "passt";            // found by PATH
    std::vector<std::string> arguments = {};  // of passt, besides those for the socket
    // Of passt, as NAME=VALUE; none: this process's own.
    std::optional<std::vector<std::string>> environment = {};
    uint16_t mtu = 65520;  // bytes: what passt says by DHCP unless it is told another
};

// The host's network without privileges, through passt: our kernel has the host's
// addresses, which it gets by DHCP. The process that is started ends when the back end is
// gone, which closes its socket. It is no child of this one: wait(2) does not see it.
// Errors: those of connect(2) and of starting a program.
Result<std::unique_ptr<NetBackend>> open_passt(const PasstOptions& options = {});

struct SlirpOptions {
    bool restricted = false;  // nothing but what is forwarded
    struct Forward {
        bool udp = false;
        std::string host_address = "127.0.0.1";
        uint16_t host_port = 0;
        uint16_t port = 0;  // of 10.0.2.15, our kernel
    };
    std::vector<Forward> forwards = {};
};

// The host's network without privileges, through libslirp, which is loaded at this time:
// our kernel is 10.0.2.15/24 or what DHCP says, the gateway 10.0.2.2 is the host as well,
// and 10.0.2.3 answers DNS. One thread, with all signals blocked. ENOTSUP: it is not
// installed; EADDRINUSE: a port to forward.
Result<std::unique_ptr<NetBackend>> open_slirp(const SlirpOptions& options = {});

// The other end of a network that is the program itself.
class UserLink {
public:
    virtual ~UserLink() = default;
    // A frame for the kernel, which is copied. False: too many wait, this one is lost;
    // or the device is gone. Any thread.
    virtual bool send(std::span<const std::byte> frame) = 0;
};

// `receive` gets each frame of the kernel, on the thread that carries it, on a stack of 32
// KiB: it must not block, and may not call the kernel; it may call UserLink::send().
std::pair<std::unique_ptr<NetBackend>, std::shared_ptr<UserLink>> make_user_net(
    std::function<void(std::span<const std::byte> frame)> receive);

struct PcapOptions {
    uint32_t snap_length = 262144;  // bytes of each packet at most
    // Goes on with a file that make_pcap() has made, in place of an empty one. Several
    // devices may write to it at once, so that it has the packets of all.
    bool append = false;
};

// Passes all packets on to `base`, and writes them to a file in the pcap format with
// nanoseconds (link type Ethernet); packets with segmentation are in it as they are.
// When the file cannot be written any more, packets are missing in it, and the network goes
// on; so it does when the reader of a fifo has left. While one is there the network goes at
// its pace. Errors: those of open(2); EINVAL: the file is to be gone on with, and is none of these.
Result<std::unique_ptr<NetBackend>> make_pcap(std::unique_ptr<NetBackend> base,
                                              const std::string& path,
                                              const PcapOptions& options = {});

}  // namespace lkl
