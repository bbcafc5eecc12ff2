// SPDX-License-Identifier: GPL-2.0-only
#include "common/tar/archive_input.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/report.hpp"

namespace tools {

ArchiveInput::ArchiveInput(int descriptor, const std::string& name) : reader_(archive_read_new())
{
    if (!reader_)
        throw std::bad_alloc();
    struct stat status;
    // What stands in for a closed descriptor (tool.cpp) is one as well, for its place alone.
    const bool for_place = (fcntl(descriptor, F_GETFL) & O_PATH) != 0;
    if (!for_place && fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode))
        throw ToolError(ExitCode::archive, escaped(name) + ": is a directory, not an archive");
    // The "raw" format: the unpacked bytes as the data of one nameless file.
    archive_read_support_filter_all(reader_.get());
    archive_read_support_format_raw(reader_.get());
    archive_read_support_format_empty(reader_.get());
    archive_entry* entry = nullptr;
    int result = archive_read_open_fd(reader_.get(), descriptor, block_size);
    if (result >= ARCHIVE_WARN)
        result = archive_read_next_header(reader_.get(), &entry);
    at_end_ = result == ARCHIVE_EOF;
    if (result < ARCHIVE_WARN)
        throw ToolError(ExitCode::archive, escaped(name) + ": cannot read the archive: " +
                                               escaped(archive_error_string(reader_.get())));
}

bool ArchiveInput::next(const std::byte*& block, size_t& length)
{
    block = nullptr;
    length = 0;
    if (!error_.empty())
        return false;
    if (at_end_)
        return true;
    Block fresh;
    // The last two always stay: libarchive may look at the end of one and the start of
    // the other at the same time.
    while (blocks_.size() >= 2 &&
           !(keeping_ && blocks_.front().start + blocks_.front().bytes.size() > keep_from_)) {
        fresh = std::move(blocks_.front());
        blocks_.pop_front();
    }
    fresh.start = position_;
    fresh.bytes.resize(block_size);
    size_t filled = 0;
    while (filled < block_size) {
        const la_ssize_t count =
            archive_read_data(reader_.get(), fresh.bytes.data() + filled, block_size - filled);
        if (count < 0) {
            const char* const text = archive_error_string(reader_.get());
            error_ = text != nullptr ? text : "damaged";
        }
        if (count <= 0)
            break;
        filled += static_cast<size_t>(count);
    }
    // What came before an error is given out before the error is.
    if (!error_.empty() && filled == 0)
        return false;
    at_end_ = filled < block_size;
    fresh.bytes.resize(filled);
    position_ += filled;
    blocks_.push_back(std::move(fresh));
    block = filled > 0 ? blocks_.back().bytes.data() : nullptr;
    length = filled;
    return true;
}

bool ArchiveInput::only_zeroes()
{
    const auto zero = [](std::byte byte) { return byte == std::byte{0}; };
    for (const Block& block : blocks_) {
        if (!std::all_of(block.bytes.begin(), block.bytes.end(), zero))
            return false;
    }
    const std::byte* bytes = nullptr;
    size_t length = 0;
    do {
        if (!next(bytes, length) || !std::all_of(bytes, bytes + length, zero))
            return false;
    } while (length > 0);
    return true;
}

uint64_t ArchiveInput::raw_position() const
{
    const la_int64_t position = archive_filter_bytes(reader_.get(), -1);
    return position > 0 ? static_cast<uint64_t>(position) : 0;
}

void ArchiveInput::keep(uint64_t position)
{
    keep_from_ = position;
    keeping_ = true;
}

std::string ArchiveInput::kept(uint64_t position, size_t length) const
{
    std::string result;
    for (const Block& block : blocks_) {
        if (length == 0 || position < block.start)
            break;
        const uint64_t skipped = position - block.start;
        if (skipped >= block.bytes.size())
            continue;
        const auto count = std::min<size_t>(length, block.bytes.size() - skipped);
        result.append(reinterpret_cast<const char*>(block.bytes.data()) + skipped, count);
        position += count;
        length -= count;
    }
    return result;
}

}  // namespace tools
