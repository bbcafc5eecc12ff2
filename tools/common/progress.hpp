// SPDX-License-Identifier: GPL-2.0-only
// A progress bar with rate and time left, on standard error if it is a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <lkl/file.hpp>

namespace tools {

// "4.2 MiB": three digits and a unit of 1024.
std::string format_size(uint64_t bytes);

// How much there is to do. 0 means not known.
struct ProgressTotals {
    uint64_t bytes = 0;  // of file data
    uint64_t files = 0;
    uint64_t input = 0;  // bytes of an archive, compressed perhaps, that all comes from
};

// Whether anybody sees a progress bar: `enabled`, and standard error is a terminal.
bool shows_progress(bool enabled);

// What is in these files and directories of the host, for who is going to show it: nothing
// unless `enabled` and standard error is a terminal.
ProgressTotals host_totals(bool enabled, const std::vector<std::string>& paths);

// What a file system of an image says it holds. Only a guide: nothing else rests on it.
ProgressTotals image_totals(const lkl::File& top);

// Of an archive from where the descriptor stands to its end; nothing of a pipe.
ProgressTotals archive_totals(int descriptor);

// One thread.
class Progress {
public:
    static constexpr auto interval = std::chrono::milliseconds(200);

    // Shows nothing unless shows_progress(enabled).
    Progress(bool enabled, const ProgressTotals& totals);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress();  // takes the bar away

    // Call often; the bar is drawn five times a second.
    void add_bytes(uint64_t count)
    {
        bytes_ += count;
        tick();
    }
    void add_file()
    {
        files_++;
        tick();
    }
    // The archive has been read so far, in bytes.
    void set_input(uint64_t position)
    {
        input_ = position;
        tick();
    }

    // Nothing new, but time has passed: the bar shows a new rate.
    void refresh() { tick(); }

    bool visible() const { return visible_; }

    // Takes the line away, until it is drawn again.
    void hide();

    uint64_t bytes() const { return bytes_; }
    uint64_t files() const { return files_; }
    // Seconds since the start.
    double elapsed() const;

private:
    using Clock = std::chrono::steady_clock;

    void tick()
    {
        if (visible_ && Clock::now() >= next_)
            draw();
    }
    void draw();
    double fraction() const;

    const bool visible_;
    const ProgressTotals totals_;
    const Clock::time_point start_ = Clock::now();
    Clock::time_point next_ = start_;
    uint64_t bytes_ = 0;
    uint64_t files_ = 0;
    uint64_t input_ = 0;
};

}  // namespace tools
