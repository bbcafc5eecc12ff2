// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/source.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <lkl/linux/fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/report.hpp"
#include "common/scratch_file.hpp"
#include "common/tar/archive_reader.hpp"
#include "common/tree/host_file.hpp"
#include "common/tree/tree_reader.hpp"

namespace tools::mkimage {

namespace {

[[noreturn]] void fail(ExitCode code, const std::string& name, const char* what)
{
    throw ToolError(code, escaped(name) + ": " + what + ": " + std::strerror(errno));
}

void write_all(int file, const char* bytes, size_t count)
{
    while (count > 0) {
        const ssize_t written = write(file, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            throw ToolError(ExitCode::output,
                            std::string("cannot keep the archive: ") + std::strerror(errno), errno);
        bytes += written;
        count -= static_cast<size_t>(written);
    }
}

}  // namespace

Source::Source(const std::string& path) : name_(path)
{
    if (path == "-") {
        name_ = "standard input";
        if (isatty(STDIN_FILENO) == 1)
            throw ToolError(ExitCode::usage,
                            "standard input is a terminal: redirect it, or name a source");
        archive_ = Descriptor(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
        if (!archive_)
            fail(ExitCode::archive, name_, "cannot read it");
        return;
    }
    struct stat status;
    if (stat(path.c_str(), &status) != 0)
        fail(ExitCode::path, path, "cannot read the source");
    if (!S_ISDIR(status.st_mode)) {
        archive_ = Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!archive_)
            fail(ExitCode::archive, path, "cannot open the archive");
        return;
    }
    const std::unique_ptr<char, decltype(&std::free)> resolved(realpath(path.c_str(), nullptr),
                                                               &std::free);
    if (!resolved)
        fail(ExitCode::path, path, "cannot read the source");
    directory_ = resolved.get();
}

void Source::make_rereadable(const std::string& scratch_directory)
{
    if (!is_archive() || lseek(archive_.get(), 0, SEEK_CUR) >= 0)
        return;
    Descriptor copy = make_scratch_file(scratch_directory);
    std::array<char, 65536> buffer;
    for (;;) {
        const ssize_t count = read(archive_.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            fail(ExitCode::archive, name_, "cannot read it");
        if (count == 0)
            break;
        write_all(copy.get(), buffer.data(), static_cast<size_t>(count));
    }
    archive_ = std::move(copy);
    (void)lseek(archive_.get(), 0, SEEK_SET);
}

ProgressTotals Source::totals() const
{
    if (!is_archive())
        return {};
    // A pipe is where it is.
    (void)lseek(archive_.get(), 0, SEEK_SET);
    return archive_totals(archive_.get());
}

void Source::add_to(SandboxRules& rules) const
{
    if (is_archive())
        rules.read_archive = true;
    else
        rules.read.push_back(directory_);
}

void Source::give(EntrySink& sink, const CopyChoices& choices, Depth depth, Order order,
                  Failures& failures, Progress& progress) const
{
    if (!is_archive()) {
        give_directory(sink, choices, depth, order, failures, progress);
        return;
    }
    // A pipe is where it is.
    (void)lseek(archive_.get(), 0, SEEK_SET);
    ArchiveOptions options;
    options.exclude = choices.exclude;
    options.rewrite = choices.rewrite;
    options.data = depth == Depth::all;
    ArchiveReader(archive_.get(), name_, options, failures, progress).run(sink);
}

void Source::give_directory(EntrySink& sink, const CopyChoices& choices, Depth depth, Order order,
                            Failures& failures, Progress& progress) const
{
    ReadOptions options;
    options.exclude = choices.exclude;
    options.rewrite = choices.rewrite;
    options.unseen = choices.unseen;
    options.data = depth == Depth::all;
    options.links = depth != Depth::lengths;
    options.by_name = order == Order::by_name;
    auto top = HostFile::open(directory_.c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY);
    if (!top)
        throw ToolError(ExitCode::path, escaped(name_) + ": cannot " + escaped(top.error().what));
    const HostErrorTexts texts({}, ExitCode::path);
    TreeReader<HostFile>(options, texts, failures, progress, sink)
        .read_directory(*std::move(top), {}, name_);
}

}  // namespace tools::mkimage
