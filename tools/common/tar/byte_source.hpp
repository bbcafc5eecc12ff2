// SPDX-License-Identifier: GPL-2.0-only
// Bytes that come in order, from one step of unpacking to the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tools {

bool is_zero(std::span<const std::byte> bytes);

// One thread. Its calls throw nothing, since libarchive makes some of them.
class ByteSource {
public:
    static constexpr size_t window = size_t{1} << 18;  // bytes

    ByteSource();
    ByteSource(const ByteSource&) = delete;
    ByteSource& operator=(const ByteSource&) = delete;
    virtual ~ByteSource() = default;

    // The next bytes, `least` of them where so many are left; at most `window`. They stay
    // where they are until the next call of peek() or read(). None: the end, or an error.
    std::span<const std::byte> peek(size_t least = 1);
    // Of those that peek() has shown.
    void consume(size_t count) { begin_ += count; }
    // The next bytes, as many as there is room for; fewer before the end or an error.
    size_t read(std::span<std::byte> room);
    // Reads to the end, unless something else comes: is there nothing but zeroes? False for an
    // error, too.
    bool only_zeroes();

    // Why no more bytes come; empty: it is the end, or has not come yet.
    const std::string& error() const { return error_; }

protected:
    void fail(const std::string& why) { error_ = why; }

private:
    // Some of the next bytes; none at the end, or after fail().
    virtual size_t produce(std::span<std::byte> room) = 0;
    size_t produce_more(std::span<std::byte> room);

    std::vector<std::byte> buffer_;
    size_t begin_ = 0;  // of what has been produced and not been taken
    size_t end_ = 0;
    bool ended_ = false;
    std::string error_;
};

// What a descriptor has, which stays the caller's.
class DescriptorSource final : public ByteSource {
public:
    explicit DescriptorSource(int descriptor) : descriptor_(descriptor) {}

    // How much has been read of it, in bytes.
    uint64_t position() const { return position_; }

private:
    size_t produce(std::span<std::byte> room) override;

    const int descriptor_;
    uint64_t position_ = 0;
};

}  // namespace tools
