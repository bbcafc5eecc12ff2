// SPDX-License-Identifier: GPL-2.0-only
#include "common/scratch_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "common/report.hpp"

namespace tools {

Descriptor make_scratch_file(const std::string& directory)
{
    Descriptor file(open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600));
    if (!file) {
        // Not every file system has files without a name.
        std::string name = directory + "/.lkl-XXXXXX";
        file = Descriptor(mkostemp(name.data(), O_CLOEXEC));
        if (file)
            (void)unlink(name.c_str());
    }
    if (!file)
        throw ToolError(ExitCode::output, escaped(directory) + ": cannot make a temporary file: " +
                                              std::strerror(errno));
    return file;
}

}  // namespace tools
