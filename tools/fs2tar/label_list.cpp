// SPDX-License-Identifier: GPL-2.0-only
#include "fs2tar/label_list.hpp"

#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "common/report.hpp"

namespace tools::fs2tar {

LabelList::LabelList(const std::string& path, const std::string& image)
    : destination_(path, {"labels", ".fs2tar-", true, image}),
      file_(fdopen(dup(destination_.descriptor()), "w"))
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

void LabelList::commit()
{
    if (std::fclose(file_.release()) != 0)
        fail();
    destination_.commit();
}

void LabelList::fail() const
{
    throw ToolError(ExitCode::output, escaped(destination_.name()) +
                                          ": cannot write the labels: " + std::strerror(errno));
}

}  // namespace tools::fs2tar
