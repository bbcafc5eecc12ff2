// SPDX-License-Identifier: GPL-2.0-only
// The words of a queueing discipline's text, and the values that tc(8) knows. The first
// error is kept: all that is asked after it gives zeroes, and the caller looks at error()
// once, at the end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <lkl/result.hpp>

namespace lkl::qdisc {

class Words {
public:
    explicit Words(std::string_view text);

    bool at_end() const { return error_ || position_ == words_.size(); }
    // The next word, taken; empty at the end.
    std::string_view take();
    // Takes the next word if it is this one.
    bool accept(std::string_view word);
    // The next word can be the value of an option: it begins with a digit or a point.
    bool value_follows() const;

    // The value of the option that was taken last.
    uint32_t number();
    uint32_t number_base16();
    int32_t signed_number();
    // Nanoseconds: "10ms", "1.5s", "20us", "100ns"; a bare number is microseconds.
    uint64_t time();
    // Microseconds, up to 71 minutes.
    uint32_t time_us();
    // Bytes: "1500", "32k", "1mb" (1024 each), "10kbit".
    uint32_t size();
    // Bytes per second: "10mbit" (1000 each), "100kbps" (bytes), "1gibit"; a bare number
    // is bits per second.
    uint64_t rate();
    // "0.5%": a part of UINT32_MAX.
    uint32_t share();

    // "netem: unknown word \"dealy\"", of the word taken last.
    void unknown();
    void fail(std::string what);
    const std::optional<Error>& error() const { return error_; }

private:
    struct Unit {
        std::string_view name;
        double factor;
    };
    // A number with one of the units, up to `limit` after its factor.
    template <size_t count>
    double scaled(const Unit (&units)[count], const char* what, double limit);
    double scaled(const Unit* units, size_t count, const char* what, double limit);
    int64_t integer(int base, int64_t least, int64_t most);
    std::string_view option() const
    {
        return position_ == 0 ? std::string_view() : words_[position_ - 1];
    }

    std::vector<std::string> words_;
    size_t position_ = 0;
    std::optional<Error> error_;
};

}  // namespace lkl::qdisc
