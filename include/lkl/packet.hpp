// SPDX-License-Identifier: GPL-2.0-only
// The interface between the virtio network device and what carries its packets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <sys/types.h>
#include <sys/uio.h>

#include <lkl/ip_address.hpp>

namespace lkl {

// What one side leaves for the other to do with a packet. Bits of a set. TCP and UDP
// segmentation mean packets of up to 64 KiB; all of them need the checksum offload.
struct NetOffload {
    static constexpr uint32_t checksum = 1;
    static constexpr uint32_t tso4 = 2;
    static constexpr uint32_t tso6 = 4;
    static constexpr uint32_t ecn = 8;   // segmentation of packets with ECN
    static constexpr uint32_t uso = 16;  // UDP segmentation
    static constexpr uint32_t all = 31;
};

// What a back end offers.
struct NetInfo {
    std::string name = {};          // for error texts: "tap0"
    MacAddress mac{};               // all zero: the device makes one up
    uint16_t mtu = 0;               // bytes without the Ethernet header; 0: not known
    uint16_t queue_pairs = 1;       // at most that many
    uint8_t header = 0;             // bytes of the virtio_net_hdr before each packet: 0, 10, 12
    uint32_t transmit_offload = 0;  // NetOffload: what it does for packets of the kernel
    uint32_t receive_offload = 0;   // NetOffload: what it may leave to the kernel
};

// One Ethernet frame, without its checksum; before it, in the first element alone, a
// header of NetInfo::header bytes, laid out as VIRTIO 1.2 says (5.1.6; 10 bytes are
// those without num_buffers). The back end may change the elements, not the memory.
using NetPacket = std::span<iovec>;

// What the back end calls when no descriptor tells it: from any thread, with no lock
// held that the functions of NetBackend take.
class NetEvents {
public:
    // receive() has something. False: there is no room for it; the device asks by
    // itself when there is.
    virtual bool readable(unsigned queue) noexcept = 0;
    // transmit() takes packets again.
    virtual void writable(unsigned queue) noexcept = 0;

protected:
    ~NetEvents() = default;
};

// Carries the packets of one device.
//
// Threads: transmit() is called by one thread at a time for each queue, and so is
// receive(); both run beside each other and beside other queues. They are called on
// the thread that carries the kernel, on a kernel stack of 32 KiB, or on its
// background thread, and must not wait.
class NetBackend {
public:
    // Elements of a packet to send or of the room to receive into, at most.
    static constexpr size_t max_elements = 1024;

    virtual ~NetBackend() = default;

    // Constant.
    virtual NetInfo info() const = 0;

    // What kernel and back end have agreed on, before the first packet and whenever
    // it changes: a part of NetInfo::receive_offload.
    virtual void set_receive_offload(uint32_t /*offload*/) noexcept {}
    // How many queues are used from now on; 1 at first.
    virtual void set_queue_pairs(unsigned /*count*/) noexcept {}

    // From here on, until stop() returns, `events` may be called.
    virtual void start(NetEvents& /*events*/) noexcept {}
    virtual void stop() noexcept {}

    // Sends packets in the given order. Returns how many it is done with: sent, or
    // lost as a network may lose them. Fewer than all: it is full, and write_fd()
    // polls writable, or NetEvents::writable() is called, when it is not; the others
    // come first the next time.
    virtual size_t transmit(unsigned queue, std::span<const NetPacket> packets) noexcept = 0;

    // What transmit() was not done with will not come again.
    virtual void forget(unsigned /*queue*/) noexcept {}

    // Packets that transmit() was done with and that the host refused, since the beginning.
    // Any thread.
    virtual uint64_t refused() const noexcept { return 0; }

    // Receives one packet, header first, into `into`, whose first element is as long
    // as the header where there is one. Returns its length with the header; 0: there
    // is none at present; -EMSGSIZE: there was one, which did not fit and is gone; any
    // other negative errno: there will never be one again. The memory may be changed
    // in any case.
    virtual ssize_t receive(unsigned queue, std::span<const iovec> into) noexcept = 0;

    // For snapshots of the kernel (lkl/snapshot.hpp): whether nothing outside is left wrong
    // by a kernel that goes back. Constant. Such a back end is never full and never ends,
    // and loses what it has for receive() when the kernel goes back.
    virtual bool restorable() const noexcept { return false; }

    // A descriptor that polls readable while receive() has something, or -1.
    virtual int poll_fd(unsigned /*queue*/) const noexcept { return -1; }
    // One that polls writable while transmit() takes packets, or -1.
    virtual int write_fd(unsigned queue) const noexcept { return poll_fd(queue); }
};

}  // namespace lkl
