// SPDX-License-Identifier: GPL-2.0-only
#include <virtio/block/request.hpp>

#include <algorithm>
#include <array>
#include <cstring>

#include <virtio/buffers.hpp>

namespace lkl::virtio {

namespace {

// 5.2.6: the head of every request.
struct Header {
    uint32_t type;
    uint32_t reserved;
    uint64_t sector;
};
static_assert(sizeof(Header) == 16);

// The range of a discard or write-zeroes request.
struct Range {
    uint64_t sector;
    uint32_t sectors;
    uint32_t flags;
};
static_assert(sizeof(Range) == 16);

constexpr uint32_t type_in = 0;
constexpr uint32_t type_out = 1;
constexpr uint32_t type_flush = 4;
constexpr uint32_t type_get_id = 8;
constexpr uint32_t type_discard = 11;
constexpr uint32_t type_write_zeroes = 13;

constexpr uint32_t range_unmap = 1;

// Sectors to bytes; false when that is not inside of the disk.
bool locate(ParsedRequest& request, uint64_t sector, uint64_t length, uint64_t capacity) noexcept
{
    if (length > capacity || sector > (capacity - length) / sector_size)
        return false;
    request.offset = sector * sector_size;
    request.length = length;
    return true;
}

bool parse_transfer(ParsedRequest& request, uint64_t sector, const BlockLimits& limits) noexcept
{
    const uint64_t length = total(request.data);
    return length != 0 && length % sector_size == 0 && length <= max_transfer &&
           locate(request, sector, length, limits.capacity);
}

bool parse_range(ParsedRequest& request, std::span<iovec> buffers, uint64_t limit,
                 const BlockLimits& limits) noexcept
{
    Range range{};
    // One range: the configuration allows no more (max_discard_seg and the like).
    if (!take(buffers, range) || !buffers.empty())
        return false;
    // 5.2.6.2: flags that are not known, and unmap in a discard, are unsupported.
    const bool zeroes = request.op == BlockOp::write_zeroes;
    if ((range.flags & ~range_unmap) || (!zeroes && (range.flags & range_unmap))) {
        request.refusal = BlockStatus::unsupported;
        return false;
    }
    request.unmap = zeroes && (range.flags & range_unmap);
    const uint64_t length = range.sectors * sector_size;
    return length != 0 && length <= limit && locate(request, range.sector, length, limits.capacity);
}

}  // namespace

ParsedRequest parse_request(const Chain& chain, const BlockLimits& limits) noexcept
{
    ParsedRequest request;
    std::span<iovec> readable = chain.readable;
    std::span<iovec> writable = chain.writable;

    // The status is the very last byte that may be written.
    if (writable.empty())
        return request;
    iovec& last = writable.back();
    --last.iov_len;
    request.status = static_cast<std::byte*>(last.iov_base) + last.iov_len;
    if (last.iov_len == 0)
        writable = writable.first(writable.size() - 1);

    request.verdict = Verdict::refuse;
    request.written = 1;
    Header header{};
    if (!take(readable, header))
        return request;

    bool good = false;
    switch (header.type) {
    case type_in:
        request.op = BlockOp::read;
        request.data = writable;
        good = readable.empty() && parse_transfer(request, header.sector, limits);
        if (good)
            request.written = static_cast<uint32_t>(request.length) + 1;
        break;
    case type_out:
        request.op = BlockOp::write;
        request.data = readable;
        good = !limits.read_only && parse_transfer(request, header.sector, limits);
        break;
    case type_flush:
        request.op = BlockOp::flush;
        good = true;
        break;
    case type_get_id:
        request.data = writable;
        request.written = static_cast<uint32_t>(std::min<uint64_t>(total(writable), 20)) + 1;
        if (!writable.empty())
            request.verdict = Verdict::get_id;
        return request;
    case type_discard:
    case type_write_zeroes: {
        const bool zeroes = header.type == type_write_zeroes;
        request.op = zeroes ? BlockOp::write_zeroes : BlockOp::discard;
        if (!(zeroes ? limits.write_zeroes : limits.discard)) {
            request.refusal = BlockStatus::unsupported;
            return request;
        }
        good = !limits.read_only &&
               parse_range(request, readable, zeroes ? max_write_zeroes : max_discard, limits);
        break;
    }
    default:
        request.refusal = BlockStatus::unsupported;
        break;
    }
    if (good) {
        request.verdict = Verdict::submit;
        request.durable = limits.write_through;
    }
    return request;
}

void write_serial(std::span<const iovec> to, const std::string& serial) noexcept
{
    std::array<char, 20> id{};
    std::memcpy(id.data(), serial.data(), std::min(serial.size(), id.size()));
    size_t done = 0;
    for (const iovec& buffer : to) {
        const size_t part = std::min(id.size() - done, buffer.iov_len);
        std::memcpy(buffer.iov_base, id.data() + done, part);
        done += part;
        if (done == id.size())
            return;
    }
}

}  // namespace lkl::virtio
