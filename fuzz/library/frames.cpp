// SPDX-License-Identifier: GPL-2.0-only
#include "frames.hpp"

#include <algorithm>
#include <cerrno>
#include <tuple>
#include <utility>

#include <netinet/in.h>

namespace lkl::fuzz {

namespace {

constexpr int most_frames = 64;

// An IPv4 packet from the peer to the kernel, without options, data and repairs.
std::vector<uint8_t> make_packet(uint8_t protocol, size_t header, uint16_t from, uint16_t to)
{
    constexpr size_t transport = 34;
    std::vector<uint8_t> frame(transport + header);
    frame[5] = 2;  // the kernel's and the peer's address of hardware
    frame[6] = 2;
    frame[11] = 1;
    frame[0] = 2;
    frame[12] = 0x08;
    frame[14] = 0x45;
    frame[22] = 64;
    frame[23] = protocol;
    put32(frame, 26, 0x0a090001);  // 10.9.0.1, 10.9.0.2
    put32(frame, 30, 0x0a090002);
    put16(frame, transport, from);
    put16(frame, transport + 2, to);
    return frame;
}

std::vector<uint8_t> make_segment(uint8_t flags)
{
    auto frame = make_packet(IPPROTO_TCP, 20, established_port, echo_port);
    frame[34 + 12] = 0x50;
    frame[34 + 13] = flags;
    put16(frame, 34 + 14, 0xffff);
    return frame;
}

// What no protocol takes: EtherType 0xffff.
std::vector<uint8_t> make_filler()
{
    std::vector<uint8_t> frame(60);
    frame[0] = frame[6] = 2;
    frame[5] = 2;
    frame[11] = 1;
    frame[12] = frame[13] = 0xff;
    return frame;
}

}  // namespace

// On the thread that carries the kernel: that of run(), as long as no timer sends.
void FramesTarget::note(std::span<const std::byte> frame)
{
    const std::span bytes(reinterpret_cast<const uint8_t*>(frame.data()), frame.size());
    peer_.note(bytes);
    const auto packet = find_packet(bytes);
    if (!packet)
        return;
    Answer answer{packet->type, packet->protocol.value_or(0), 0, bytes.size()};
    const size_t at = packet->transport;
    if (answer.protocol == IPPROTO_TCP && at + 13 < bytes.size())
        answer.flags = bytes[at + 13];
    else if ((answer.protocol == IPPROTO_ICMP || answer.protocol == IPPROTO_ICMPV6) &&
             at < bytes.size())
        answer.flags = bytes[at];
    answers_.push_back(answer);
}

void FramesTarget::send(std::span<const uint8_t> frame)
{
    waiting_ += link_->send(std::as_bytes(frame)) ? 1 : 0;
}

// In pairs, see Station::receive().
void FramesTarget::flush()
{
    if (waiting_ % 2 != 0)
        send(make_filler());
    for (; waiting_ > 1; waiting_ -= 2)
        station_->receive();
    station_->serve();
}

void FramesTarget::put(Input& input)
{
    const uint8_t flags = input.byte();
    const auto bytes = input.take(input.word() % (longest_frame + 1));
    frame_.assign(bytes.begin(), bytes.end());
    frame_.resize(frame_.size() + (flags >> frame_flags::zeros_shift) * frame_zeros);
    if (!(flags & frame_flags::keep_aim))
        peer_.aim(frame_, mac_);
    if (!(flags & frame_flags::keep_lengths))
        repair_lengths(frame_);
    if (!(flags & frame_flags::keep_sums))
        repair_sums(frame_);
    send(frame_);
    if (!(flags & frame_flags::with_next))
        flush();
}

Result<void> FramesTarget::prepare(Kernel& kernel)
{
    station_.emplace(kernel);
    if (auto done = station_->connect(std::move(backend_), station_addresses, peer_addresses);
        !done)
        return done;
    if (auto done = station_->listen(); !done)
        return done;
    const auto put = [this](std::vector<uint8_t>&& frame) {
        peer_.aim(frame, mac_);
        repair_lengths(frame);
        repair_sums(frame);
        send(frame);
    };
    put(make_packet(IPPROTO_UDP, 8, established_port, discard_port));
    if (auto done = station_->take_over(); !done)
        return done;
    waiting_ = 0;
    for (const uint8_t flags : {0x02 /* SYN */, 0x10 /* ACK */}) {
        put(make_segment(flags));
        flush();
    }
    const Answer accepted{0x0800, IPPROTO_TCP, 0x12, 58};
    if (std::find(answers_.begin(), answers_.end(), accepted) == answers_.end())
        return Error{EIO, "fuzzing frames: no connection"};
    // What the kernel tells of its own accord, see Station.
    for (size_t before = 0, quiet = 0; quiet < 50; ++quiet) {
        station_->wait();
        if (std::exchange(before, answers_.size()) != before)
            quiet = 0;
    }
    station_before_.emplace(*station_);
    peer_before_ = peer_;
    return {};
}

Result<std::unique_ptr<FramesTarget>> FramesTarget::start()
{
    std::unique_ptr<FramesTarget> target(new FramesTarget);
    auto mac = MacAddress::parse(station_addresses.mac);
    if (!mac)
        return std::move(mac).error();
    target->mac_ = *mac;
    std::tie(target->backend_, target->link_) =
        make_user_net([to = target.get()](auto frame) { to->note(frame); });
    MachineOptions options;
    options.prepare = [to = target.get()](Kernel& kernel, const auto&) {
        return to->prepare(kernel);
    };
    auto machine = Machine::start(std::move(options));
    if (!machine)
        return std::move(machine).error();
    target->machine_ = std::move(*machine);
    return target;
}

void FramesTarget::run(std::span<const uint8_t> bytes)
{
    Input input(bytes);
    peer_ = peer_before_;
    station_.emplace(*station_before_);
    answers_.clear();
    waiting_ = 0;
    machine_->execute([&](Kernel&) {
        for (int i = 0; i < most_frames && !input.empty(); ++i)
            put(input);
        flush();
    });
}

}  // namespace lkl::fuzz
