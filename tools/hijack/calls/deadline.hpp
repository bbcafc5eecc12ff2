// SPDX-License-Identifier: GPL-2.0-only
// How long a call that is made of several may take.
#pragma once

#include <ctime>
#include <limits>

namespace hijack {

inline constexpr timespec no_time{0, 0};

class Deadline {
public:
    static Deadline never() { return {}; }
    // Whether the kernel would take it for one; others are EINVAL. Null is one.
    static bool is_time(const timespec* time)
    {
        return !time ||
               (time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < nanoseconds_of_second);
    }
    // A time, see above. Null: never.
    static Deadline after(const timespec* time)
    {
        return time ? Deadline(time->tv_sec, time->tv_nsec) : never();
    }
    // Negative: never.
    static Deadline after_ms(int milliseconds)
    {
        if (milliseconds < 0)
            return never();
        return Deadline(milliseconds / 1000, milliseconds % 1000 * 1'000'000l);
    }

    // It was to return at once.
    bool is_now() const { return now_; }

    bool has_passed() const
    {
        timespec room;
        const timespec* const rest = left(&room);
        return rest && rest->tv_sec == 0 && rest->tv_nsec == 0;
    }

    // What is left, in *room; null: no end.
    const timespec* left(timespec* room) const
    {
        if (never_)
            return nullptr;
        *room = no_time;
        if (now_)
            return room;
        timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        room->tv_sec = end_.tv_sec - now.tv_sec;
        room->tv_nsec = end_.tv_nsec - now.tv_nsec;
        if (room->tv_nsec < 0) {
            room->tv_nsec += nanoseconds_of_second;
            room->tv_sec--;
        }
        if (room->tv_sec < 0)
            *room = no_time;
        return room;
    }

private:
    static constexpr long nanoseconds_of_second = 1'000'000'000;

    Deadline() = default;
    Deadline(time_t seconds, long nanoseconds)
        : never_(false), now_(seconds == 0 && nanoseconds == 0)
    {
        if (now_)
            return;
        clock_gettime(CLOCK_MONOTONIC, &end_);
        // Later than any clock shows, as in the kernel.
        constexpr time_t last = std::numeric_limits<time_t>::max();
        if (seconds > last - end_.tv_sec - 1) {
            end_ = {last, 0};
            return;
        }
        end_.tv_sec += seconds;
        end_.tv_nsec += nanoseconds;
        if (end_.tv_nsec >= nanoseconds_of_second) {
            end_.tv_nsec -= nanoseconds_of_second;
            end_.tv_sec++;
        }
    }

    bool never_ = true;
    bool now_ = false;
    timespec end_{};
};

}  // namespace hijack
