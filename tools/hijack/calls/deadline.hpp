// SPDX-License-Identifier: GPL-2.0-only
// How long a call that is made of several may take.
#pragma once

#include <cstdint>
#include <ctime>

namespace hijack {

inline constexpr timespec no_time{0, 0};

class Deadline {
public:
    static Deadline never() { return {}; }
    // Null: never.
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
            room->tv_nsec += 1'000'000'000;
            room->tv_sec--;
        }
        if (room->tv_sec < 0)
            *room = no_time;
        return room;
    }

private:
    Deadline() = default;
    Deadline(time_t seconds, long nanoseconds)
        : never_(false), now_(seconds == 0 && nanoseconds == 0)
    {
        if (now_)
            return;
        clock_gettime(CLOCK_MONOTONIC, &end_);
        end_.tv_sec += seconds;
        end_.tv_nsec += nanoseconds;
        if (end_.tv_nsec >= 1'000'000'000) {
            end_.tv_nsec -= 1'000'000'000;
            end_.tv_sec++;
        }
    }

    bool never_ = true;
    bool now_ = false;
    timespec end_{};
};

}  // namespace hijack
