// SPDX-License-Identifier: GPL-2.0-only
// Fills the file system of images from a directory of the host, or lists it.
//
//   image_tree put [EXTRA...] TYPE OPTIONS DIRECTORY IMAGE...
//   image_tree list TYPE OPTIONS IMAGE...
//
// OPTIONS is a list with commas, as for mount -o; it may be empty. The first image
// is mounted, the others are there for a file system that spans several. EXTRA is
//
//   --compress            the top directory is marked as compressed before it is filled
//   --subvolume=PATH      the directory PATH is made as a subvolume of Btrfs
//   --snapshot=PATH:NAME  at last the subvolume PATH is to be seen as NAME, read-only
//
// Standard output has a JSON object a line: what could not be written, or the entries.
// The kernel's log goes to standard error. Exit code 0 unless mounting, unmounting or an
// EXTRA failed.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <lkl/disk.hpp>
#include <lkl/file.hpp>
#include <lkl/kernel.hpp>
#include <lkl/linux/fcntl.h>

#include "copy_in.hpp"
#include "inode_ioctl.hpp"
#include "json.hpp"
#include "listing.hpp"
#include "volume.hpp"

namespace {

int fail(const std::string& what)
{
    std::fprintf(stderr, "image_tree: %s\n", what.c_str());
    return 1;
}

// What `put` does beside copying.
struct Extras {
    bool compress = false;
    std::set<std::string> subvolumes;
    std::vector<std::pair<std::string, std::string>> snapshots;  // path, name

    // False: no such word.
    bool add(std::string_view word)
    {
        constexpr std::string_view subvolume = "--subvolume=";
        constexpr std::string_view snapshot = "--snapshot=";
        if (word == "--compress") {
            compress = true;
        } else if (word.starts_with(subvolume)) {
            subvolumes.emplace(word.substr(subvolume.size()));
        } else if (word.starts_with(snapshot) && word.find(':') != word.npos) {
            word.remove_prefix(snapshot.size());
            const size_t colon = word.find(':');
            snapshots.emplace_back(word.substr(0, colon), word.substr(colon + 1));
        } else {
            return false;
        }
        return true;
    }
};

lkl::Result<void> put(lkl::Kernel& kernel, const lkl::File& root, const char* directory,
                      const Extras& extras)
{
    if (extras.compress) {
        if (auto set = image_tree::set_compressed(kernel, root); !set)
            return set;
    }
    const int source = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (source < 0) {
        lkl::Error error;
        error.code = errno;
        error.what = std::string(directory) + ": " + std::strerror(errno);
        return error;
    }
    image_tree::CopyIn copy(kernel, root, extras.subvolumes,
                            [](const image_tree::CopyFailure& failure) {
                                image_tree::JsonLine line;
                                line.add("path", failure.path)
                                    .add("operation", failure.operation)
                                    .add("errno", failure.code);
                                std::puts(line.text().c_str());
                            });
    copy.run(source);
    close(source);
    for (const auto& [path, name] : extras.snapshots) {
        const auto subvolume = root.open_at(path.c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY);
        if (!subvolume)
            return subvolume.error();
        if (auto made = image_tree::make_snapshot(kernel, *subvolume, root, name.c_str()); !made)
            return made;
    }
    return {};
}

int run(bool writing, const Extras& extras, int count, char** words)
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
        if (const auto done = put(*kernel, *root, directory, extras); !done)
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
    const bool writing = action == "put";
    Extras extras;
    int first = 2;
    while (writing && first < argc && extras.add(argv[first]))
        ++first;
    const int count = argc - first;
    if (!(writing && count >= 4) && !(action == "list" && count >= 3)) {
        return fail(
            "usage: put [EXTRA...] TYPE OPTIONS DIRECTORY IMAGE... | list TYPE OPTIONS IMAGE...");
    }
    return run(writing, extras, count, argv + first);
}
