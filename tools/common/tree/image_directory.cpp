// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/image_directory.hpp"

#include <lkl/asm/errno.h>

namespace tools {

lkl::Result<const lkl::DirectoryEntry*> ImageDirectory::next()
{
    auto entry = directory_.next();
    if (entry && *entry != nullptr && !repeated_.add((*entry)->inode, (*entry)->name))
        return lkl::Error{LKL_EFBIG,
                          "read directory: it has no end, the same names come over "
                          "and over: the file system is damaged"};
    return entry;
}

}  // namespace tools
