// SPDX-License-Identifier: GPL-2.0-only
// Fills the file system of images from a directory of the host, or lists it.
//
//   image_tree put  TYPE OPTIONS DIRECTORY IMAGE...
//   image_tree list TYPE OPTIONS IMAGE...
//
// OPTIONS is a list with commas, as for mount -o; it may be empty. The first image
// is mounted, the others are there for a file system that spans several. Standard
// output has a JSON object a line: what could not be written, or the entries. The
// kernel's log goes to standard error. Exit code 0 unless mounting or unmounting
// failed.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <lkl/disk.hpp>
#include <lkl/file.hpp>
#include <lkl/kernel.hpp>
#include <lkl/linux/fcntl.h>

#include "copy_in.hpp"
#include "json.hpp"
#include "listing.hpp"
#include "volume.hpp"

namespace {

int fail(const std::string& what)
{
    std::fprintf(stderr, "image_tree: %s\n", what.c_str());
    return 1;
}

lkl::Result<void> put(lkl::Kernel& kernel, const lkl::File& root, const char* directory)
{
    const int source = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (source < 0) {
        lkl::Error error;
        error.code = errno;
        error.what = std::string(directory) + ": " + std::strerror(errno);
        return error;
    }
    image_tree::CopyIn copy(kernel, root, [](const image_tree::CopyFailure& failure) {
        image_tree::JsonLine line;
        line.add("path", failure.path)
            .add("operation", failure.operation)
            .add("errno", failure.code);
        std::puts(line.text().c_str());
    });
    copy.run(source);
    close(source);
    return {};
}

int run(bool writing, int count, char** words)
{
    lkl::KernelOptions options;
    options.memory = uint64_t{128} << 20;
    options.log = [](std::string_view line) {
        std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
    };
    auto kernel = lkl::Kernel::start(options);
    if (!kernel)
        return fail(kernel.error().what);
    const char* const type = words[0];
    const char* const mount_options = words[1];
    const char* const directory = writing ? words[2] : nullptr;
    const int first = writing ? 3 : 2;

    auto volume = image_tree::Volume::open(*kernel, type, mount_options, !writing,
                                           {words + first, words + count});
    if (!volume)
        return fail(volume.error().what);
    auto root = lkl::File::open(*kernel, volume->path().c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY);
    if (!root)
        return fail(root.error().what);
    if (writing) {
        if (const auto done = put(*kernel, *root, directory); !done)
            return fail(done.error().what);
    } else {
        image_tree::list_tree(*kernel, *std::move(root),
                              [](const std::string& line) { std::puts(line.c_str()); });
    }
    *root = lkl::File();
    if (auto closed = volume->close(); !closed)
        return fail(closed.error().what);
    if (auto halted = kernel->halt(); !halted)
        return fail(halted.error().what);
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    const std::string_view action = argc > 1 ? argv[1] : "";
    if (!(action == "put" && argc >= 6) && !(action == "list" && argc >= 5)) {
        return fail("usage: put TYPE OPTIONS DIRECTORY IMAGE... | list TYPE OPTIONS IMAGE...");
    }
    return run(action == "put", argc - 2, argv + 2);
}
