// SPDX-License-Identifier: GPL-2.0-only
// FramesTarget: frames from the network, into a kernel that has addresses, sockets that
// answer, and one connection.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <lkl/net.hpp>
#include <lkl/result.hpp>

#include "input.hpp"
#include "machine.hpp"
#include "peer.hpp"
#include "station.hpp"

namespace lkl::fuzz {

// How a frame is written in an input: a byte of flags, its length in 2 bytes (little
// endian; modulo 2048), and itself. Without flags it gets past the first checks: its
// lengths and checksums are made right, and its addresses and numbers of TCP are made to
// fit (Peer).
namespace frame_flags {
constexpr uint8_t keep_lengths = 1;
constexpr uint8_t keep_sums = 2;
constexpr uint8_t keep_aim = 4;
constexpr uint8_t with_next = 8;     // the kernel gets it together with the next one
constexpr unsigned zeros_shift = 4;  // above: how many hundreds of zeroes follow it
}  // namespace frame_flags
constexpr size_t frame_zeros = 100;
constexpr size_t longest_frame = 2047;  // in an input, without the zeroes

// Where the connection is that exists before the first frame, of IPv4 and without options.
constexpr uint16_t established_port = 9000;  // of the peer, to echo_port

// An input is up to 64 frames.
class FramesTarget {
public:
    // Errors: those of starting a machine, and of setting up its network.
    static Result<std::unique_ptr<FramesTarget>> start();

    // Ends the process if the kernel dies, see Machine.
    void run(std::span<const uint8_t> input);

    Machine& machine() { return *machine_; }

    // What the kernel sent in the last run.
    struct Answer {
        uint16_t type;     // EtherType
        uint8_t protocol;  // IPPROTO_*, or 0
        uint8_t flags;     // of TCP; of ICMP its type; or 0
        size_t length;     // of the frame

        friend bool operator==(const Answer&, const Answer&) = default;
    };
    const std::vector<Answer>& answers() const { return answers_; }

private:
    FramesTarget() = default;

    Result<void> prepare(Kernel& kernel);
    void note(std::span<const std::byte> frame);
    void put(Input& input);
    void send(std::span<const uint8_t> frame);
    void flush();

    std::unique_ptr<NetBackend> backend_;  // until it is the kernel's
    std::shared_ptr<UserLink> link_;
    MacAddress mac_;
    std::vector<uint8_t> frame_;
    std::vector<Answer> answers_;
    size_t waiting_ = 0;  // frames that the kernel has not been asked to take
    // As they were at the snapshot, and as they are.
    Peer peer_before_, peer_;
    std::optional<Station> station_before_, station_;
    std::unique_ptr<Machine> machine_;
};

}  // namespace lkl::fuzz
