// SPDX-License-Identifier: GPL-2.0-only
// Unpacks all that libarchive does, but gzip (gzip_source.hpp); what is not packed comes as
// it is.
#pragma once

#include <memory>

#include <archive.h>

#include "common/tar/byte_source.hpp"

namespace tools {

struct FreeArchiveReader {
    void operator()(archive* reader) const { archive_read_free(reader); }
};
using ArchiveHandle = std::unique_ptr<archive, FreeArchiveReader>;

class FilterSource final : public ByteSource {
public:
    // Looks at the first bytes. Throws std::bad_alloc.
    explicit FilterSource(std::unique_ptr<ByteSource> packed);

    // Whether there is something to unpack.
    bool unpacks() const;

private:
    size_t produce(std::span<std::byte> room) override;
    static la_ssize_t read_callback(archive* reader, void* self, const void** block);
    void fail_of_archive();
    void check_behind();

    const std::unique_ptr<ByteSource> packed_;
    size_t lent_ = 0;     // bytes of it that libarchive looks at
    uint64_t given_ = 0;  // bytes that it has got, with these
    ArchiveHandle reader_;
    std::span<const std::byte> block_;  // unpacked, and not given out yet
    bool at_end_ = false;
};

}  // namespace tools
