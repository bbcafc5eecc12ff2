// SPDX-License-Identifier: GPL-2.0-only
#include "common/tar/gzip_source.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace tools {

bool GzipSource::is_next(ByteSource& source)
{
    constexpr std::byte reserved_flags{0xe0};
    const std::span<const std::byte> start = source.peek(4);
    return start.size() >= 4 && start[0] == std::byte{0x1f} && start[1] == std::byte{0x8b} &&
           start[2] == std::byte{Z_DEFLATED} && (start[3] & reserved_flags) == std::byte{0};
}

GzipSource::GzipSource(std::unique_ptr<ByteSource> packed) : packed_(std::move(packed))
{
    constexpr int gzip = 16;
    if (inflateInit2(&stream_, MAX_WBITS + gzip) != Z_OK)
        throw std::bad_alloc();
}

GzipSource::~GzipSource()
{
    (void)inflateEnd(&stream_);
}

size_t GzipSource::produce(std::span<std::byte> room)
{
    const auto wanted =
        static_cast<uInt>(std::min<size_t>(room.size(), std::numeric_limits<uInt>::max()));
    stream_.next_out = reinterpret_cast<Bytef*>(room.data());
    stream_.avail_out = wanted;
    while (stream_.avail_out > 0 && (in_member_ || next_member())) {
        const std::span<const std::byte> packed = packed_->peek();
        if (packed.empty()) {
            fail(packed_->error().empty() ? "gzip: ends too early" : packed_->error());
            break;
        }
        // zlib only reads them.
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
        stream_.avail_in = static_cast<uInt>(packed.size());
        const int result = inflate(&stream_, Z_NO_FLUSH);
        packed_->consume(packed.size() - stream_.avail_in);
        in_member_ = result != Z_STREAM_END;
        if (result != Z_OK && in_member_) {
            fail(std::string("gzip: ") + (stream_.msg != nullptr ? stream_.msg : zError(result)));
            break;
        }
    }
    return wanted - stream_.avail_out;
}

bool GzipSource::next_member()
{
    if (is_next(*packed_)) {
        in_member_ = true;
        return inflateReset(&stream_) == Z_OK;
    }
    if (!packed_->only_zeroes())
        fail(packed_->error().empty() ? "gzip: something else follows its end" : packed_->error());
    return false;
}

}  // namespace tools
