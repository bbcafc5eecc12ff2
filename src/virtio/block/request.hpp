// SPDX-License-Identifier: GPL-2.0-only
// The requests of a virtio block device (VIRTIO 1.2, section 5.2.6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <lkl/block.hpp>
#include <virtio/queue.hpp>

namespace lkl::virtio {

constexpr uint64_t sector_size = 512;  // the unit of the protocol, whatever the block size

// At most in one request. Linux stays far below the first one; the others keep a
// single request from occupying a back end for long.
constexpr uint64_t max_transfer = 1ull << 30;
constexpr uint64_t max_discard = 2ull << 30;
constexpr uint64_t max_write_zeroes = 64ull << 20;

// The last byte of a request (5.2.6, virtio_blk_req).
enum class BlockStatus : uint8_t { ok = 0, io_error = 1, unsupported = 2 };

// What requests are checked against. Fixed while a queue is enabled, but for
// write_through.
struct BlockLimits {
    uint64_t capacity = 0;  // bytes
    bool read_only = false;
    bool discard = false;
    bool write_zeroes = false;
    bool write_through = false;  // writes are durable when they complete
};

enum class Verdict : uint8_t {
    submit,  // for the back end
    get_id,  // write the serial number into `data`
    refuse,  // complete it with `refusal`
    broken   // there is no place to put a status: the driver cannot be served
};

struct ParsedRequest {
    Verdict verdict = Verdict::broken;
    BlockStatus refusal = BlockStatus::io_error;
    BlockOp op = BlockOp::read;
    bool unmap = false;
    bool durable = false;
    uint64_t offset = 0;
    uint64_t length = 0;
    std::span<iovec> data;        // what to read or write
    std::byte* status = nullptr;  // where the status goes
    uint32_t written = 0;         // bytes written on success, with the status
};

// Reads a request of a driver that is not trusted. The buffers of the chain are
// used up: `data` is a part of them.
ParsedRequest parse_request(const Chain& chain, const BlockLimits& limits) noexcept;

// Writes the serial number, padded with zeroes to 20 bytes, as far as there is
// room (5.2.6, VIRTIO_BLK_T_GET_ID).
void write_serial(std::span<const iovec> to, const std::string& serial) noexcept;

}  // namespace lkl::virtio
