// SPDX-License-Identifier: GPL-2.0-only
#include "common/progress.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/report.hpp"

namespace tools {

namespace {

unsigned terminal_width()
{
    winsize size{};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

std::string format_duration(double seconds)
{
    const auto whole = static_cast<unsigned long>(std::clamp(seconds, 0.0, 359999.0));
    std::array<char, 64> text;
    if (whole >= 3600)
        std::snprintf(text.data(), text.size(), "%lu:%02lu:%02lu", whole / 3600, whole / 60 % 60,
                      whole % 60);
    else
        std::snprintf(text.data(), text.size(), "%lu:%02lu", whole / 60, whole % 60);
    return text.data();
}

}  // namespace

bool shows_progress(bool enabled)
{
    return enabled && isatty(STDERR_FILENO) == 1;
}

std::string format_size(uint64_t bytes)
{
    constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    auto value = static_cast<double>(bytes);
    size_t unit = 0;
    while (value >= 1000 && unit + 1 < units.size()) {
        value /= 1024;
        unit++;
    }
    std::array<char, 32> text;
    const int digits = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    std::snprintf(text.data(), text.size(), "%.*f %s", digits, value, units[unit]);
    return text.data();
}

ProgressTotals host_totals(bool enabled, const std::vector<std::string>& paths)
{
    namespace fs = std::filesystem;
    ProgressTotals totals;
    if (!shows_progress(enabled))
        return totals;
    // What cannot be looked at is reported by the copy.
    std::error_code error;
    const auto count = [&totals](const fs::directory_entry& entry) {
        std::error_code none;
        totals.files++;
        const bool data = !entry.is_symlink(none) && entry.is_regular_file(none);
        const uint64_t size = data ? entry.file_size(none) : 0;
        totals.bytes += none ? 0 : size;
    };
    for (const std::string& path : paths) {
        const fs::directory_entry top(path, error);
        count(top);
        if (top.is_symlink(error) || !top.is_directory(error))
            continue;
        fs::recursive_directory_iterator entry(path, fs::directory_options::skip_permission_denied,
                                               error);
        for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error))
            count(*entry);
    }
    return totals;
}

ProgressTotals image_totals(const lkl::File& top)
{
    ProgressTotals totals;
    const auto stat = top.stat_file_system();
    if (!stat)
        return totals;
    const auto used = [](auto all, auto free) {
        return all > free && free >= 0 ? static_cast<uint64_t>(all - free) : 0;
    };
    totals.files = used(stat->f_files, stat->f_ffree);
    const uint64_t block = stat->f_bsize > 0 ? static_cast<uint64_t>(stat->f_bsize) : 0;
    if (__builtin_mul_overflow(used(stat->f_blocks, stat->f_bfree), block, &totals.bytes))
        totals.bytes = 0;
    return totals;
}

ProgressTotals archive_totals(int descriptor)
{
    ProgressTotals totals;
    struct stat status;
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
        return totals;
    const off_t start = lseek(descriptor, 0, SEEK_CUR);
    if (start >= 0 && start < status.st_size)
        totals.input = static_cast<uint64_t>(status.st_size - start);
    return totals;
}

Progress::Progress(bool enabled, const ProgressTotals& totals)
    : visible_(shows_progress(enabled)), totals_(totals)
{
}

Progress::~Progress()
{
    hide();
}

void Progress::hide()
{
    if (visible_)
        show_status_line({});
}

double Progress::elapsed() const
{
    return std::chrono::duration<double>(Clock::now() - start_).count();
}

// The part that is done, 0 to 1, or less than 0 when it cannot be told. Bytes
// tell more than files, but a file system that compresses knows only how many
// bytes it uses: when more have been read than that, files must do.
double Progress::fraction() const
{
    // Of an archive, what is in it is not known before its end.
    if (totals_.input > 0)
        return std::min(1.0, static_cast<double>(input_) / static_cast<double>(totals_.input));
    if (totals_.bytes > 0 && bytes_ <= totals_.bytes)
        return static_cast<double>(bytes_) / static_cast<double>(totals_.bytes);
    if (totals_.files > 0 && files_ <= totals_.files)
        return static_cast<double>(files_) / static_cast<double>(totals_.files);
    return -1;
}

void Progress::draw()
{
    const Clock::time_point now = Clock::now();
    next_ = now + interval;
    const double seconds = elapsed();
    const double done = fraction();

    std::string text;
    std::array<char, 64> part;
    if (done >= 0) {
        std::snprintf(part.data(), part.size(), "%3.0f%% ", done * 100);
        text += part.data();
    }
    std::string figures = format_size(bytes_) + ", " + std::to_string(files_) + " files";
    if (seconds > 0.5)
        figures +=
            ", " + format_size(static_cast<uint64_t>(static_cast<double>(bytes_) / seconds)) + "/s";
    if (done > 0.005 && seconds > 1)
        figures += ", " + format_duration(seconds / done - seconds) + " left";

    // The bar takes what is left of the line, which must not wrap.
    const size_t width = terminal_width();
    const size_t used = text.size() + figures.size() + 4;
    if (done >= 0 && used + 10 <= width) {
        const size_t room = std::min<size_t>(width - used, 40);
        const auto full = static_cast<size_t>(done * static_cast<double>(room));
        text += '[' + std::string(full, '#') + std::string(room - full, '.') + "] ";
    }
    text += figures;
    if (text.size() >= width)
        text.resize(width > 0 ? width - 1 : 0);
    show_status_line(text);
}

}  // namespace tools
