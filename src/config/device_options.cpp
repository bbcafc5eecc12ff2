// SPDX-License-Identifier: GPL-2.0-only
#include "config/device_options.hpp"

#include <cerrno>
#include <charconv>

#include "config/addresses.hpp"

namespace lkl::config {

namespace {

// VIRTIO 1.2, 5.1.3: feature bits of a network device, and what they are to us.
struct Feature {
    unsigned bit;
    uint32_t transmit, receive;
};
constexpr Feature features[] = {
    {0, lkl::NetOffload::checksum, 0}, {1, 0, lkl::NetOffload::checksum},
    {7, 0, lkl::NetOffload::tso4},     {8, 0, lkl::NetOffload::tso6},
    {9, 0, lkl::NetOffload::ecn},      {11, lkl::NetOffload::tso4, 0},
    {12, lkl::NetOffload::tso6, 0},    {13, lkl::NetOffload::ecn, 0},
    {54, 0, lkl::NetOffload::uso},     {55, 0, lkl::NetOffload::uso},
    {56, lkl::NetOffload::uso, 0},
};
constexpr unsigned mergeable_buffers = 15;

lkl::Result<void> choose_offloads(const std::string& text, lkl::NetOptions& options)
{
    const size_t start = text.starts_with("0x") || text.starts_with("0X") ? 2 : 0;
    const char* const end = text.data() + text.size();
    uint64_t bits = 0;
    const auto [rest, error] = std::from_chars(text.data() + start, end, bits, 16);
    if (error != std::errc() || rest != end)
        return lkl::Error{EINVAL, "offload \"" + text + "\": no hexadecimal number"};
    options.transmit_offload = options.receive_offload = 0;
    for (const Feature& feature : features) {
        if (!(bits >> feature.bit & 1))
            continue;
        options.transmit_offload |= feature.transmit;
        options.receive_offload |= feature.receive;
    }
    options.mergeable_buffers = bits >> mergeable_buffers & 1;
    return {};
}

}  // namespace

lkl::Result<lkl::NetOptions> device_options(const Interface& interface)
{
    lkl::NetOptions options;
    if (!interface.mtu.empty()) {
        const auto mtu = parse_number("mtu", interface.mtu, 68, 65535);
        if (!mtu)
            return mtu.error();
        options.mtu = static_cast<uint16_t>(*mtu);
    }
    if (!interface.offload.empty())
        if (auto chosen = choose_offloads(interface.offload, options); !chosen)
            return chosen.error();
    return options;
}

}  // namespace lkl::config
