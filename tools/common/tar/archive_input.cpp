// SPDX-License-Identifier: GPL-2.0-only
#include "common/tar/archive_input.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include "common/report.hpp"
#include "common/tar/filter_source.hpp"
#include "common/tar/gzip_source.hpp"

namespace tools {

ArchiveInput::ArchiveInput(int descriptor, const std::string& name)
{
    struct stat status;
    // What stands in for a closed descriptor (tool.cpp) is one as well, for its place alone.
    const bool for_place = (fcntl(descriptor, F_GETFL) & O_PATH) != 0;
    if (!for_place && fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode))
        throw ToolError(ExitCode::archive, escaped(name) + ": is a directory, not an archive");
    auto file = std::make_unique<DescriptorSource>(descriptor);
    file_ = file.get();
    source_ = std::move(file);
    unpack();
    if (!source_->error().empty() && source_->peek().empty())
        throw ToolError(ExitCode::archive,
                        escaped(name) + ": cannot read the archive: " + escaped(source_->error()));
}

// Puts one step of unpacking upon the other, until what comes is not packed.
void ArchiveInput::unpack()
{
    constexpr int most = 25;  // as libarchive does
    for (int count = 0; count < most; count++) {
        const bool gzip = GzipSource::is_next(*source_);
        if (gzip)
            source_ = std::make_unique<GzipSource>(std::move(source_));
        auto filter = std::make_unique<FilterSource>(std::move(source_));
        packed_ = packed_ || gzip || filter->unpacks();
        source_ = std::move(filter);
        if (!GzipSource::is_next(*source_))
            return;
    }
}

bool ArchiveInput::next(const std::byte*& block, size_t& length)
{
    block = nullptr;
    length = 0;
    if (at_end_)
        return error().empty();
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
    const size_t filled = source_->read(fresh.bytes);
    at_end_ = filled < block_size;
    // What came before an error is given out before the error is.
    if (filled == 0 && !error().empty())
        return false;
    fresh.bytes.resize(filled);
    position_ += filled;
    blocks_.push_back(std::move(fresh));
    block = filled > 0 ? blocks_.back().bytes.data() : nullptr;
    length = filled;
    return true;
}

bool ArchiveInput::only_zeroes(uint64_t position)
{
    for (const Block& block : blocks_) {
        const uint64_t before = position > block.start ? position - block.start : 0;
        if (before < block.bytes.size() && !is_zero(std::span(block.bytes).subspan(before)))
            return false;
    }
    return source_->only_zeroes();
}

bool ArchiveInput::read_rest()
{
    std::vector<std::byte> rest(block_size);
    while (packed_ && source_->read(rest) > 0) {}
    return error().empty();
}

uint64_t ArchiveInput::raw_position() const
{
    return file_->position();
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
