// SPDX-License-Identifier: GPL-2.0-only
#include "common/tar/byte_sink.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/report.hpp"

namespace tools {

namespace {

// The descriptor, and how far it is written.
class Output {
public:
    explicit Output(int descriptor) : descriptor_(descriptor)
    {
        struct stat status;
        regular_ = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    }

    // All of it; 0, or an errno.
    int write(std::span<const std::byte> data)
    {
        while (!data.empty()) {
            const ssize_t count = ::write(descriptor_, data.data(), data.size());
            if (count < 0) {
                if (errno == EINTR)
                    continue;
                return errno;
            }
            data = data.subspan(static_cast<size_t>(count));
            written_ += count;
        }
        // The host's disk starts early, so that the fsync at the end is short.
        if (regular_ && written_ - started_ >= behind) {
            (void)sync_file_range(descriptor_, started_, written_ - started_,
                                  SYNC_FILE_RANGE_WRITE);
            started_ = written_;
        }
        return 0;
    }

private:
    static constexpr off_t behind = off_t{8} << 20;

    const int descriptor_;
    bool regular_ = false;
    off_t written_ = 0;
    off_t started_ = 0;  // up to where the host was told to write
};

[[noreturn]] void fail(const std::string& name, const std::string& why)
{
    throw ToolError(ExitCode::output, escaped(name) + ": cannot write the archive: " + why);
}

class PlainByteSink final : public ByteSink {
public:
    PlainByteSink(int descriptor, std::string name) : output_(descriptor), name_(std::move(name)) {}

    void write(std::span<const std::byte> data) override
    {
        if (const int error = output_.write(data); error != 0)
            fail(name_, std::strerror(error));
    }

    void close() override {}

private:
    Output output_;
    const std::string name_;
};

// Not std::thread::hardware_concurrency(), for which the C library opens a file of /sys.
int usable_processors()
{
    cpu_set_t usable;
    CPU_ZERO(&usable);
    return sched_getaffinity(0, sizeof usable, &usable) == 0 ? std::max(1, CPU_COUNT(&usable)) : 1;
}

// libarchive's filters, around its "raw" format: the bytes of one nameless file.
class CompressedByteSink final : public ByteSink {
public:
    CompressedByteSink(int descriptor, Compression compression, std::string name)
        : output_(descriptor), name_(std::move(name)), archive_(archive_write_new())
    {
        if (!archive_)
            throw std::bad_alloc();
        const std::string threads = std::to_string(usable_processors());
        switch (compression) {
        case Compression::bzip2:
            check_filter(archive_write_add_filter_bzip2(get()), "bzip2");
            break;
        case Compression::gzip:
            check_filter(archive_write_add_filter_gzip(get()), "gzip");
            // No time stamp: the same image gives the same archive.
            check(archive_write_set_filter_option(get(), "gzip", "timestamp", nullptr));
            break;
        case Compression::lz4:
            check_filter(archive_write_add_filter_lz4(get()), "lz4");
            break;
        case Compression::xz:
            check_filter(archive_write_add_filter_xz(get()), "xz");
            check(archive_write_set_filter_option(get(), "xz", "threads", threads.c_str()));
            break;
        case Compression::zstd:
            check_filter(archive_write_add_filter_zstd(get()), "zstd");
            check(archive_write_set_filter_option(get(), "zstd", "threads", threads.c_str()));
            break;
        case Compression::none:
            break;
        }
        check(archive_write_set_format_raw(get()));
        check(archive_write_set_bytes_per_block(get(), block_size));
        check(archive_write_set_bytes_in_last_block(get(), 1));
        check(
            archive_write_open(get(), this, nullptr, &CompressedByteSink::write_callback, nullptr));

        const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(
            archive_entry_new(), &archive_entry_free);
        archive_entry_set_pathname(entry.get(), "archive");
        archive_entry_set_filetype(entry.get(), AE_IFREG);
        check(archive_write_header(get(), entry.get()));
    }

    // Freeing a libarchive writer finishes its output.
    ~CompressedByteSink() override { abandoned_ = true; }

    void write(std::span<const std::byte> data) override
    {
        while (!data.empty()) {
            const la_ssize_t written = archive_write_data(get(), data.data(), data.size());
            check(written > 0 ? ARCHIVE_OK : ARCHIVE_FATAL);
            data = data.subspan(static_cast<size_t>(written));
        }
    }

    void close() override { check(archive_write_close(get())); }

private:
    static constexpr int block_size = 1 << 20;

    struct FreeArchive {
        void operator()(archive* a) const { archive_write_free(a); }
    };

    archive* get() const { return archive_.get(); }

    void check(int result) const
    {
        if (write_error_ != 0)
            fail(name_, std::strerror(write_error_));
        if (result >= ARCHIVE_WARN)
            return;
        const char* const text = archive_error_string(get());
        fail(name_, text != nullptr ? text : "compression failed");
    }

    // Where it was built without a compression, libarchive starts a program of that name,
    // and warns.
    void check_filter(int result, const char* compression) const
    {
        if (result != ARCHIVE_OK)
            fail(name_, std::string("libarchive was built without ") + compression);
    }

    // libarchive is never told that a write failed: its filters leak their
    // memory then (3.6). check() finds out after each call.
    static la_ssize_t write_callback(archive*, void* self, const void* data, size_t length)
    {
        auto* const sink = static_cast<CompressedByteSink*>(self);
        if (sink->write_error_ == 0 && !sink->abandoned_)
            sink->write_error_ = sink->output_.write({static_cast<const std::byte*>(data), length});
        return static_cast<la_ssize_t>(length);
    }

    Output output_;
    const std::string name_;
    int write_error_ = 0;
    bool abandoned_ = false;  // what comes now is not to be written
    std::unique_ptr<archive, FreeArchive> archive_;
};

}  // namespace

std::unique_ptr<ByteSink> make_byte_sink(int descriptor, Compression compression, std::string name)
{
    if (compression == Compression::none)
        return std::make_unique<PlainByteSink>(descriptor, std::move(name));
    return std::make_unique<CompressedByteSink>(descriptor, compression, std::move(name));
}

}  // namespace tools
