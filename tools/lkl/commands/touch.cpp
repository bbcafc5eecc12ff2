// SPDX-License-Identifier: GPL-2.0-only
// lkl touch: changes times, and makes empty files.
#include <array>
#include <charconv>
#include <ctime>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>
#include <sys/stat.h>

#include "lkl/image_command.hpp"

namespace tools::lkl_tool {

namespace {

using KernelTime = struct ::__lkl__kernel_timespec;

constexpr long long nanoseconds_per_second = 1'000'000'000;

// The host's clock, since that of the kernel inside is only an image's.
KernelTime now()
{
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return {time.tv_sec, time.tv_nsec};
}

// The nanoseconds behind a dot. False: there is something else.
bool parse_fraction(std::string_view text, long long& nanoseconds)
{
    nanoseconds = 0;
    if (text.empty())
        return true;
    if (text.front() != '.' || text.size() < 2 || text.size() > 10)
        return false;
    std::string digits(text.substr(1));
    digits.resize(9, '0');
    const char* const end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, nanoseconds);
    return error == std::errc() && rest == end && nanoseconds >= 0;
}

// "@SECONDS[.FRACTION]" since 1970; "YYYY-MM-DD[ HH:MM[:SS[.FRACTION]]][Z]", with T in
// the place of the blank as well: local time, or with a Z universal time.
bool parse_time(const std::string& text, KernelTime& time)
{
    if (text.starts_with('@')) {
        long long seconds = 0;
        const char* const end = text.data() + text.size();
        const auto [rest, error] = std::from_chars(text.data() + 1, end, seconds);
        if (error != std::errc() ||
            !parse_fraction({rest, static_cast<size_t>(end - rest)}, time.tv_nsec))
            return false;
        // The sign is the fraction's too, while nanoseconds count forwards.
        if (text.starts_with("@-") && time.tv_nsec > 0) {
            if (seconds == std::numeric_limits<long long>::min())
                return false;
            seconds--;
            time.tv_nsec = nanoseconds_per_second - time.tv_nsec;
        }
        time.tv_sec = seconds;
        return true;
    }
    std::string copy = text;
    const bool universal = copy.ends_with('Z');
    if (universal)
        copy.pop_back();
    for (const char* const format : {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M",
                                     "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
        tm calendar{};
        calendar.tm_isdst = -1;
        const char* const rest = strptime(copy.c_str(), format, &calendar);
        if (rest == nullptr || !parse_fraction(rest, time.tv_nsec))
            continue;
        const int month = calendar.tm_mon, day = calendar.tm_mday;
        const bool leap_second = calendar.tm_sec >= 60;
        time.tv_sec = universal ? timegm(&calendar) : mktime(&calendar);
        // A day that its month does not have became one of the next month.
        return leap_second || (calendar.tm_mon == month && calendar.tm_mday == day);
    }
    return false;
}

class Touch final : public ImageCommand {
public:
    explicit Touch(CLI::App& parent) : ImageCommand(Access::write, Patterns::kept)
    {
        Subcommand command(parent, "touch", "Change times of files, make empty ones");
        command.help_is_long();
        add_operands(command, "Files of images");
        command.off("-c,--no-create", create_, "What does not exist is not made");
        command.flag("-a", access_, "The time of access alone");
        command.flag("-m", modification_, "The time of modification alone");
        command.off("-h,--no-dereference", follow_,
                    "Symbolic links themselves, not what they lead to");
        command.option("-d,--date", date_, "TIME",
                       "This time, not now: 2024-02-29 12:00:00.5 or @0");
        command.option("-r,--reference", reference_, "PATH", "The times of this file of the image");
        command.excludes("--date", "--reference");
        command.notes("Example: lkl touch -d 2024-01-01T00:00:00Z disk.img:/etc/hosts");
    }

private:
    void work(const std::vector<Operand>& operands) override;
    lkl::FileTimes times_for(const Image& image) const;
    void touch(const Image& image, const std::string& path);

    bool create_ = true;
    bool access_ = false;
    bool modification_ = false;
    bool follow_ = true;
    std::string date_;
    std::string reference_;
};

lkl::FileTimes Touch::times_for(const Image& image) const
{
    lkl::FileTimes times{now(), {}};
    if (!date_.empty() && !parse_time(date_, times[0]))
        throw ToolError(ExitCode::usage, "-d " + escaped(date_) + ": is no time");
    times[1] = times[0];
    if (!reference_.empty()) {
        const lkl::Stat stat = image.stat(reference_, true, lkl::File::basic_stats);
        times[0] = {stat.stx_atime.tv_sec, stat.stx_atime.tv_nsec};
        times[1] = {stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec};
    }
    if (modification_ && !access_)
        times[0].tv_nsec = UTIME_OMIT;
    if (access_ && !modification_)
        times[1].tv_nsec = UTIME_OMIT;
    return times;
}

void Touch::touch(const Image& image, const std::string& path)
{
    const lkl::FileTimes times = times_for(image);
    const auto check = [&](const lkl::Result<void>& result) {
        if (!result)
            throw image.failure(result.error(), path);
    };
    const int flags = LKL_O_PATH | (follow_ ? 0 : LKL_O_NOFOLLOW);
    const auto existing = image.root().open_in_root(image.absolute(path).c_str(), flags);
    if (!existing && existing.error().code != LKL_ENOENT)
        throw image.failure(existing.error(), path);
    if (existing) {
        const Place place = follow_ ? image.resolve(path) : image.place(path);
        check(place.directory.set_times_at(place.name.c_str(), times));
    } else if (create_) {
        const Place place = image.resolve_missing(path);
        constexpr unsigned usual_mode = 0644;
        const auto made = place.directory.open_at(
            place.name.c_str(), LKL_O_WRONLY | LKL_O_CREAT | LKL_O_EXCL | LKL_O_NOFOLLOW,
            usual_mode);
        if (!made)
            throw image.failure(made.error(), path);
        check(made->set_times(times));
    }
}

void Touch::work(const std::vector<Operand>& operands)
{
    for (const Operand& operand : operands)
        problems().guarded([&] { touch(*operand.image, operand.path); });
}

}  // namespace

std::unique_ptr<Command> add_touch(CLI::App& parent)
{
    return std::make_unique<Touch>(parent);
}

}  // namespace tools::lkl_tool
