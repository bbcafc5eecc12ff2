// SPDX-License-Identifier: GPL-2.0-only
#include "common/tar/filter_source.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <utility>

#include <archive_entry.h>

namespace tools {

namespace {

constexpr std::array filters{
    archive_read_support_filter_bzip2, archive_read_support_filter_compress,
    archive_read_support_filter_grzip, archive_read_support_filter_lrzip,
    archive_read_support_filter_lz4,   archive_read_support_filter_lzip,
    archive_read_support_filter_lzma,  archive_read_support_filter_lzop,
    archive_read_support_filter_rpm,   archive_read_support_filter_uu,
    archive_read_support_filter_xz,    archive_read_support_filter_zstd,
};

}  // namespace

FilterSource::FilterSource(std::unique_ptr<ByteSource> packed)
    : packed_(std::move(packed)), reader_(archive_read_new())
{
    if (!reader_)
        throw std::bad_alloc();
    for (const auto support : filters)
        support(reader_.get());
    // The "raw" format: the unpacked bytes as the data of one nameless file.
    archive_read_support_format_raw(reader_.get());
    archive_read_support_format_empty(reader_.get());
    archive_entry* entry = nullptr;
    int result = archive_read_open(reader_.get(), this, nullptr, &read_callback, nullptr);
    if (result >= ARCHIVE_WARN)
        result = archive_read_next_header(reader_.get(), &entry);
    at_end_ = result == ARCHIVE_EOF;
    if (result < ARCHIVE_WARN)
        fail_of_archive();
}

bool FilterSource::unpacks() const
{
    // Libarchive counts one that leaves all as it is.
    return archive_filter_count(reader_.get()) > 1;
}

la_ssize_t FilterSource::read_callback(archive* reader, void* self, const void** block)
{
    FilterSource& source = *static_cast<FilterSource*>(self);
    source.packed_->consume(std::exchange(source.lent_, 0));
    const std::span<const std::byte> bytes = source.packed_->peek();
    if (bytes.empty() && !source.packed_->error().empty()) {
        archive_set_error(reader, EIO, "%s", source.packed_->error().c_str());
        return -1;
    }
    source.lent_ = bytes.size();
    source.given_ += bytes.size();
    *block = bytes.data();
    return static_cast<la_ssize_t>(bytes.size());
}

void FilterSource::fail_of_archive()
{
    const char* const text = archive_error_string(reader_.get());
    fail(text != nullptr ? text : "damaged");
}

// What follows the end of bzip2 and others is left unread by libarchive. (The lines behind
// uuencode's may be the rest of a letter.)
void FilterSource::check_behind()
{
    if (!unpacks() || archive_filter_code(reader_.get(), 0) == ARCHIVE_FILTER_UU)
        return;
    const auto read = static_cast<uint64_t>(archive_filter_bytes(reader_.get(), -1));
    const auto unread = static_cast<size_t>(std::min<uint64_t>(given_ - read, lent_));
    packed_->consume(std::exchange(lent_, 0) - unread);
    if (!packed_->only_zeroes())
        fail(packed_->error().empty() ? archive_filter_name(reader_.get(), 0) +
                                            std::string(": something else follows its end")
                                      : packed_->error());
}

size_t FilterSource::produce(std::span<std::byte> room)
{
    while (block_.empty() && !at_end_ && error().empty()) {
        const void* bytes = nullptr;
        size_t length = 0;
        la_int64_t offset = 0;
        const int result = archive_read_data_block(reader_.get(), &bytes, &length, &offset);
        at_end_ = result == ARCHIVE_EOF;
        if (result == ARCHIVE_OK)
            block_ = {static_cast<const std::byte*>(bytes), length};
        else if (at_end_)
            check_behind();
        else
            fail_of_archive();
    }
    const size_t count = std::min(room.size(), block_.size());
    std::copy_n(block_.begin(), count, room.begin());
    block_ = block_.subspan(count);
    return count;
}

}  // namespace tools
