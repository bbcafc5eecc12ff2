// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/plain_sink.hpp"

#include <algorithm>
#include <cstring>

#include "common/report.hpp"

namespace tools::mkimage {

namespace {

// What SquashFS holds: whole seconds from 1970 to 2106, one of them a file.
void fit_time(Time& time)
{
    time = {std::clamp<int64_t>(time.seconds, 0, 0xffffffff), 0};
}

}  // namespace

void PlainSink::begin(const Entry& entry)
{
    top_ = entry.path.empty();
    if (top_)
        return;
    if (entry.type == EntryType::hard_link && entry.size > 0)
        throw ToolError(ExitCode::archive, escaped(entry.path) +
                                               ": has the data of a file with an earlier name, "
                                               "which SquashFS cannot be made of");
    entry_ = entry;
    entry_.sparse = false;
    entry_.extents.clear();
    fit_time(entry_.mtime);
    entry_.atime = entry_.ctime = entry_.mtime;
    position_ = 0;
    sink_.begin(entry_);
}

// The next bytes of the file; null: zeros.
void PlainSink::give(const std::byte* bytes, uint64_t count)
{
    while (count > 0) {
        const std::span<std::byte> room = sink_.space();
        const auto part = static_cast<size_t>(std::min<uint64_t>(room.size(), count));
        if (bytes != nullptr) {
            std::memcpy(room.data(), bytes, part);
            bytes += part;
        } else {
            std::memset(room.data(), 0, part);
        }
        sink_.data(position_, part);
        position_ += part;
        count -= part;
    }
}

void PlainSink::data(uint64_t offset, size_t count)
{
    if (offset > position_)
        give(nullptr, offset - position_);
    give(buffer_.data(), count);
}

void PlainSink::abandon()
{
    if (!top_)
        sink_.abandon();
}

void PlainSink::end()
{
    if (top_)
        return;
    if (entry_.type == EntryType::regular && entry_.size > position_)
        give(nullptr, entry_.size - position_);
    sink_.end();
}

}  // namespace tools::mkimage
