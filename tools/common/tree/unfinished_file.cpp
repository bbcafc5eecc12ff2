// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/unfinished_file.hpp"

#include <array>
#include <cinttypes>
#include <cstdio>
#include <random>
#include <system_error>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>

namespace tools {

namespace {

constexpr int create_new = LKL_O_WRONLY | LKL_O_CREAT | LKL_O_EXCL | LKL_O_NOFOLLOW;

std::string make_name()
{
    std::random_device random;
    std::array<char, 32> name;
    std::snprintf(name.data(), name.size(), ".lkl-%08" PRIx32 "%08" PRIx32,
                  static_cast<uint32_t>(random()), static_cast<uint32_t>(random()));
    return name.data();
}

}  // namespace

lkl::Result<HostFile> UnfinishedFile::create(const HostFile& directory, const char* name,
                                             unsigned mode, bool at_once)
{
    const CreationOfDoomedFile creation;
    if (at_once) {
        auto made = directory.open_at(name, create_new, mode);
        if (made) {
            hidden_ = false;
            doomed_.set(directory.descriptor(), name);
        }
        if (made || made.error().code != LKL_EEXIST)
            return made;
    }
    auto made = create_hidden(directory, mode);
    if (made)
        doomed_.set(directory.descriptor(), hidden_name_);
    else
        made.error().what = "create: " + std::generic_category().message(made.error().code);
    return made;
}

lkl::Result<HostFile> UnfinishedFile::create_hidden(const HostFile& directory, unsigned mode)
{
    hidden_ = true;
    if (hidden_name_.empty())
        hidden_name_ = make_name();
    auto made = directory.open_at(hidden_name_.c_str(), create_new, mode);
    // The image may have the name as well, by chance or since somebody has seen it.
    while (!made && made.error().code == LKL_EEXIST) {
        hidden_name_ = make_name();
        made = directory.open_at(hidden_name_.c_str(), create_new, mode);
    }
    return made;
}

lkl::Result<void> UnfinishedFile::finish(const HostFile& directory, const char* name)
{
    if (hidden_) {
        if (auto renamed = directory.rename_at(hidden_name_.c_str(), directory, name); !renamed)
            return renamed;
    }
    doomed_.clear();
    return {};
}

void UnfinishedFile::remove(const HostFile& directory, const char* name)
{
    (void)directory.remove_at(hidden_ ? hidden_name_.c_str() : name);
    doomed_.clear();
}

}  // namespace tools
