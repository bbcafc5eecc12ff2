// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/lost_files.hpp"

namespace tools {

void LostFiles::add(const std::string& path)
{
    const std::lock_guard guard(lock_);
    paths_.insert(path);
}

void LostFiles::remove(const std::string& path)
{
    if (paths_.empty())
        return;
    const std::lock_guard guard(lock_);
    paths_.erase(path);
}

bool LostFiles::contains(std::string_view path) const
{
    const std::lock_guard guard(lock_);
    if (paths_.empty())
        return false;
    for (size_t end = path.find('/');; end = path.find('/', end + 1)) {
        if (paths_.contains(std::string(path.substr(0, end))))
            return true;
        if (end == std::string_view::npos)
            return false;
    }
}

}  // namespace tools
