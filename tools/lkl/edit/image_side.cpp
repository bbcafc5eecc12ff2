// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/edit/image_side.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/stat.h>
#include <unistd.h>

#include "common/tree/attribute_reader.hpp"
#include "common/tree/failures.hpp"
#include "common/tree/settings_writer.hpp"
#include "lkl/image/images.hpp"

namespace tools::lkl_tool {

namespace {

constexpr size_t buffer_size = size_t{1} << 20;  // bytes

// A new file, and the name that it has until it takes another one's place.
struct NewFile {
    std::string name;
    lkl::File file;
};

Version version_of(const lkl::Stat& stat)
{
    const auto text = [](const struct lkl_statx_timestamp& time) {
        return ' ' + std::to_string(time.tv_sec) + '.' + std::to_string(time.tv_nsec);
    };
    return std::to_string(stat.stx_ino) + ' ' + std::to_string(stat.stx_size) +
           text(stat.stx_mtime) + text(stat.stx_ctime);
}

template <typename T>
T check(const Image& image, const std::string& path, lkl::Result<T> result)
{
    if (!result)
        throw image.failure(result.error(), path);
    if constexpr (!std::is_void_v<T>)
        return *std::move(result);
}

ToolError host_failure(const char* what)
{
    return {ExitCode::output, std::string("cannot ") + what + " the copy: " + std::strerror(errno)};
}

// All that the source has, from its position on.
void copy_in(const Image& image, const std::string& path, int source, const lkl::File& file)
{
    std::vector<std::byte> buffer(buffer_size);
    for (;;) {
        const ssize_t count = read(source, buffer.data(), buffer.size());
        if (count < 0)
            throw host_failure("read");
        if (count == 0)
            return;
        auto rest = std::span<const std::byte>(buffer).first(static_cast<size_t>(count));
        while (!rest.empty())
            rest = rest.subspan(check(image, path, file.write(rest)));
    }
}

Entry settings_of(const lkl::Stat& stat)
{
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    Entry entry;
    entry.mode = stat.stx_mode & 07777;
    entry.uid = stat.stx_uid;
    entry.gid = stat.stx_gid;
    entry.mtime = {now.tv_sec, static_cast<uint32_t>(now.tv_nsec)};
    entry.atime = entry.mtime;
    return entry;
}

// Beside the old one, under the first name that nothing has.
NewFile create_beside(const Image& image, const std::string& path, const Place& place)
{
    constexpr int most = 1000;  // names
    for (int number = 1;; number++) {
        std::string name = ".lkl-edit-" + std::to_string(number);
        auto file =
            place.directory.open_at(name.c_str(), LKL_O_WRONLY | LKL_O_CREAT | LKL_O_EXCL, 0600);
        if (file || file.error().code != LKL_EEXIST || number == most)
            return {std::move(name), check(image, path, std::move(file))};
    }
}

// Gives the new file all that the old one has but its contents, and those of the source.
void fill(Image& image, const std::string& path, const Place& place, const lkl::Stat& stat,
          int source, const lkl::File& file)
{
    Entry entry = settings_of(stat);
    const lkl::File old =
        check(image, path, place.directory.open_at(place.name.c_str(), LKL_O_RDONLY));
    check(image, path, AttributeReader<lkl::File>().read(old, entry.attributes));
    copy_in(image, path, source, file);
    WriteOptions options;
    Failures failures(true, false);
    check(image, path,
          SettingsWriter<lkl::File>(options, image.mounted(), failures)
              .apply(file, entry, {MadeAs::unknown_mode, true}, path));
    check(image, path, file.sync());
}

}  // namespace

Version take_out(const GlobalOptions& options, const std::string& image_name,
                 const std::string& path, int destination)
{
    Images images(options);
    images.want(image_name, false);
    images.shut_in();
    const Image& image = images.get(image_name);
    const lkl::File file = image.open(path, LKL_O_RDONLY | LKL_O_NONBLOCK);
    const lkl::Stat stat = check(image, path, file.stat());
    if ((stat.stx_mode & LKL_S_IFMT) != LKL_S_IFREG)
        throw ToolError(ExitCode::path,
                        escaped(image_name + ':' + path) + ": is not a regular file");
    if (stat.stx_nlink > 1 && !options.quiet)
        report(escaped(image_name + ':' + path) +
               ": has other names as well: these keep the old contents");
    std::vector<std::byte> buffer(buffer_size);
    for (;;) {
        const size_t count = check(image, path, file.read(buffer));
        if (count == 0)
            break;
        for (size_t done = 0; done < count;) {
            const ssize_t written = write(destination, buffer.data() + done, count - done);
            if (written <= 0)
                throw host_failure("write");
            done += static_cast<size_t>(written);
        }
    }
    return version_of(stat);
}

void put_back(const GlobalOptions& options, const std::string& image_name, const std::string& path,
              int source, const Version& version)
{
    Images images(options);
    images.want(image_name, true);
    images.shut_in();
    Image& image = images.get(image_name);
    {
        const Place place = image.resolve(path);
        const lkl::Stat stat = check(image, path, place.directory.stat_at(place.name.c_str()));
        if (version_of(stat) != version)
            throw ToolError(ExitCode::path, escaped(image_name + ':' + path) +
                                                ": was changed meanwhile by somebody else");
        const NewFile made = create_beside(image, path, place);
        try {
            fill(image, path, place, stat, source, made.file);
            check(
                image, path,
                place.directory.rename_at(made.name.c_str(), place.directory, place.name.c_str()));
        } catch (const ToolError&) {
            (void)place.directory.remove_at(made.name.c_str());
            throw;
        }
    }
    images.finish();
}

}  // namespace tools::lkl_tool
