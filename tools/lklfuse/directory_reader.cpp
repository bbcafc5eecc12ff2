// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/directory_reader.hpp"

#include <cstring>

#include <lkl/linux/fs.h>

namespace tools::lklfuse {

namespace {

// struct linux_dirent64, of getdents64(2).
struct Record {
    uint64_t inode;
    int64_t next;
    uint16_t length;
    uint8_t type;
};
constexpr size_t name_offset = 19;

}  // namespace

const DirectoryName* DirectoryReader::at(int64_t place, long& result)
{
    result = 0;
    if (place != place_) {
        result = directory_.inner().call(__lkl__NR_lseek, directory_.get(), place, LKL_SEEK_SET);
        if (result < 0)
            return nullptr;
        place_ = place;
        position_ = filled_ = 0;
    }
    if (position_ == filled_) {
        result = directory_.inner().call(__lkl__NR_getdents64, directory_.get(), buffer_.data(),
                                         buffer_.size());
        if (result <= 0)
            return nullptr;
        position_ = 0;
        filled_ = static_cast<size_t>(result);
    }
    Record record;
    std::memcpy(&record, buffer_.data() + position_, name_offset);
    entry_.inode = record.inode;
    entry_.next = record.next;
    // DT_* are the type bits of a mode, moved down.
    entry_.type = static_cast<uint32_t>(record.type) << 12;
    entry_.name = reinterpret_cast<const char*>(buffer_.data() + position_ + name_offset);
    position_ += record.length;
    place_ = record.next;
    return &entry_;
}

}  // namespace tools::lklfuse
