// SPDX-License-Identifier: GPL-2.0-only
#include "fs2tar/label_list.hpp"

#include <cerrno>
#include <cstring>

#include "common/report.hpp"

namespace tools::fs2tar {

LabelList::LabelList(const std::string& path) : name_(path), file_(std::fopen(path.c_str(), "we"))
{
    if (!file_)
        fail();
}

void LabelList::add(std::string_view path, std::string_view label)
{
    const std::string line = escaped(path) + ' ' + escaped(label) + '\n';
    if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size())
        fail();
}

void LabelList::close()
{
    if (std::fclose(file_.release()) != 0)
        fail();
}

void LabelList::fail() const
{
    throw ToolError(ExitCode::output,
                    escaped(name_) + ": cannot write the labels: " + std::strerror(errno));
}

}  // namespace tools::fs2tar
