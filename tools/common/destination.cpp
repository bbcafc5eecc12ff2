// SPDX-License-Identifier: GPL-2.0-only
#include "common/destination.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/named_descriptor.hpp"
#include "common/report.hpp"
#include "common/same_storage.hpp"
#include "common/tool.hpp"
#include "common/umask.hpp"

namespace tools {

namespace {

mode_t new_file_mode()
{
    return 0666 & ~process_umask();
}

std::string directory_of(const std::string& path)
{
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}

void refuse_image(const std::string& path, const struct stat& status, const std::string& image)
{
    struct stat source;
    if (!image.empty() && stat(image.c_str(), &source) == 0 &&
        same_storage(path, status, image, source))
        throw ToolError(ExitCode::usage, escaped(path) + ": is the image itself");
}

}  // namespace

void refuse_standard_output(const std::string& image)
{
    struct stat output;
    if (fstat(STDOUT_FILENO, &output) == 0)
        refuse_image("/dev/stdout", output, image);
}

void Destination::fail(const std::string& what) const
{
    const int error = errno;
    throw ToolError(ExitCode::output,
                    escaped(name_) + ": cannot " + what + ' ' + what_ + ": " + std::strerror(error),
                    error);
}

Destination::Destination(const std::string& path, const Kind& kind)
    : what_(std::string("the ") + kind.what), name_(path)
{
    if (path.empty())
        throw ToolError(ExitCode::usage, what_ + " has no name");
    if (path == "-" && kind.stream) {
        standard_output_ = true;
        name_ = "standard output";
        refuse_standard_output(kind.image);
        if (isatty(STDOUT_FILENO) == 1)
            throw ToolError(ExitCode::usage,
                            std::string("standard output is a terminal: redirect it, or "
                                        "name an ") +
                                kind.what + " file");
        return;
    }

    if (const auto descriptor = named_descriptor(path)) {
        use_open(*descriptor, kind);
        return;
    }
    struct stat status;
    if (stat(path.c_str(), &status) != 0) {
        if (errno != ENOENT)
            fail("create");
        target_ = path;
        create_temporary(path, kind.prefix);
        fchmod(file_.get(), new_file_mode());
        return;
    }

    refuse_image(path, status, kind.image);
    if (!S_ISREG(status.st_mode)) {
        if (!kind.stream)
            throw ToolError(ExitCode::usage,
                            escaped(path) + ": is there already, and is no regular file");
        // A tape, a FIFO, /dev/null: to be written, not to be replaced by a file.
        file_ = Descriptor(open(path.c_str(), O_WRONLY | O_CLOEXEC));
        if (!file_)
            fail("open");
        return;
    }
    // A file with that name exists: it stays until the new one is complete. If
    // the name is a symbolic link, what it points to is replaced.
    const std::unique_ptr<char, decltype(&std::free)> resolved(realpath(path.c_str(), nullptr),
                                                               &std::free);
    if (!resolved)
        fail("create");
    target_ = resolved.get();
    if (access(target_.c_str(), W_OK) != 0)
        fail("replace");
    create_temporary(target_, kind.prefix);
    fchmod(file_.get(), status.st_mode & 07777);
}

// What is open already goes on from where it is; a name of its own is not to be had.
void Destination::use_open(int descriptor, const Kind& kind)
{
    if (!kind.stream)
        throw ToolError(ExitCode::usage, escaped(name_) + ": is an open descriptor, and no file");
    struct stat status;
    file_ = Descriptor(fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
    if (!file_ || fstat(file_.get(), &status) != 0)
        fail("open");
    refuse_image(name_, status, kind.image);
}

void Destination::create_temporary(const std::string& path, const char* prefix)
{
    // Not derived from the file's name, which may have 255 bytes already.
    directory_ = directory_of(path);
    std::string name = directory_ + prefix + "XXXXXX";
    doomed_.emplace();
    const CreationOfDoomedFile creation;
    file_ = Descriptor(mkostemp(name.data(), O_CLOEXEC));
    if (!file_)
        fail("create");
    temporary_ = std::move(name);
    open_directory_ = Descriptor(open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    doomed_->set(AT_FDCWD, temporary_);
}

bool Destination::same_file(const Destination& other) const
{
    const auto canonical = [](const std::string& path) {
        std::error_code error;
        return std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
    };
    return !temporary_.empty() && !other.temporary_.empty() &&
           canonical(target_) == canonical(other.target_);
}

Destination::~Destination()
{
    if (temporary_.empty())
        return;
    unlink(temporary_.c_str());
}

void Destination::complete()
{
    if (standard_output_)
        finish_standard_output();
    if (!file_)
        return;
    // A device or a FIFO may know nothing of fsync.
    if (fsync(file_.get()) != 0 && !(temporary_.empty() && (errno == EINVAL || errno == EROFS)))
        fail("write");
    if (file_.close() != 0)
        fail("write");
}

void Destination::commit()
{
    complete();
    if (temporary_.empty())
        return;
    if (rename(temporary_.c_str(), target_.c_str()) != 0)
        fail("rename the complete file of");
    temporary_.clear();
    doomed_.reset();
    // The name, too, survives a crash; where a directory cannot be synchronised
    // the archive is there all the same.
    if (open_directory_)
        (void)fsync(open_directory_.get());
}

}  // namespace tools
