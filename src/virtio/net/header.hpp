// SPDX-License-Identifier: GPL-2.0-only
// Features and the packet header of the virtio network device (VIRTIO 1.2, section 5.1;
// UDP segmentation is of version 1.3).
#pragma once

#include <cstdint>

namespace lkl::virtio {

// 5.1.3, feature bits.
constexpr uint64_t net_csum = 1ull << 0;
constexpr uint64_t net_guest_csum = 1ull << 1;
constexpr uint64_t net_ctrl_guest_offloads = 1ull << 2;
constexpr uint64_t net_mtu = 1ull << 3;
constexpr uint64_t net_mac = 1ull << 5;
constexpr uint64_t net_guest_tso4 = 1ull << 7;
constexpr uint64_t net_guest_tso6 = 1ull << 8;
constexpr uint64_t net_guest_ecn = 1ull << 9;
constexpr uint64_t net_host_tso4 = 1ull << 11;
constexpr uint64_t net_host_tso6 = 1ull << 12;
constexpr uint64_t net_host_ecn = 1ull << 13;
constexpr uint64_t net_mrg_rxbuf = 1ull << 15;
constexpr uint64_t net_status = 1ull << 16;
constexpr uint64_t net_ctrl_vq = 1ull << 17;
constexpr uint64_t net_mq = 1ull << 22;
constexpr uint64_t net_guest_uso4 = 1ull << 54;
constexpr uint64_t net_guest_uso6 = 1ull << 55;
constexpr uint64_t net_host_uso = 1ull << 56;

// 5.1.6, struct virtio_net_hdr.
struct NetHeader {
    uint8_t flags;
    uint8_t gso_type;
    uint16_t hdr_len;
    uint16_t gso_size;
    uint16_t csum_start;
    uint16_t csum_offset;
    uint16_t num_buffers;
};
static_assert(sizeof(NetHeader) == 12);

constexpr uint8_t header_needs_csum = 1;
constexpr uint8_t header_data_valid = 2;

constexpr uint8_t gso_none = 0;
constexpr uint8_t gso_tcpv4 = 1;
constexpr uint8_t gso_tcpv6 = 4;
constexpr uint8_t gso_udp_l4 = 5;
constexpr uint8_t gso_ecn = 0x80;

constexpr uint64_t ethernet_header = 14;
// Segmented packets are as long as IP allows, with one VLAN tag.
constexpr uint64_t max_frame = 65535 + ethernet_header + 4;

// NetOffload, of the features for either direction.
uint32_t host_offload(uint64_t features) noexcept;
uint32_t guest_offload(uint64_t features) noexcept;
// The features for what a back end offers.
uint64_t host_features(uint32_t offload) noexcept;
uint64_t guest_features(uint32_t offload) noexcept;

// Whether a packet asks for no more than what was agreed on (NetOffload).
bool header_agreed(const NetHeader& header, uint32_t offload) noexcept;

}  // namespace lkl::virtio
