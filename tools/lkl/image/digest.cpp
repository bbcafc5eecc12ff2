// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/image/digest.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/if_alg.h>

#include "lkl/output/output.hpp"

namespace tools::lkl_tool {

namespace {

// Of socket(2), in no header of the user API.
constexpr int family = 38;  // AF_ALG
constexpr int seqpacket = 5;
// Of splice(2), likewise: more comes, so the digest is not at its end.
constexpr unsigned splice_more = 4;

constexpr size_t longest = 64;                        // bytes of a digest, SHA-512's
constexpr size_t wanted_pipe_size = size_t{1} << 20;  // bytes

lkl::Error failure(long result, const char* what)
{
    lkl::Error error;
    error.code = static_cast<int>(-result);
    error.what = std::string(what) + ": " + std::generic_category().message(error.code);
    return error;
}

std::string hexadecimal(std::span<const unsigned char> bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const unsigned char byte : bytes)
        text += {digits[byte >> 4], digits[byte & 15]};
    return text;
}

// All of the file, through a pipe, without a copy.
lkl::Result<void> move_pages(const lkl::File& file, const lkl::File& digest,
                             const std::function<void(uint64_t)>& passed)
{
    lkl::Kernel& kernel = file.kernel();
    std::array<int, 2> ends{};
    if (const long made = kernel.syscall(__lkl__NR_pipe2, ends.data(), 0); made < 0)
        return failure(made, "make a pipe");
    const lkl::File out = lkl::File::adopt(kernel, ends[0]);
    const lkl::File in = lkl::File::adopt(kernel, ends[1]);
    // A large one saves calls; any will do.
    (void)kernel.syscall(__lkl__NR_fcntl, in.descriptor(), LKL_F_SETPIPE_SZ, wanted_pipe_size);
    for (;;) {
        Output::throw_if_interrupted();
        long filled = kernel.syscall(__lkl__NR_splice, file.descriptor(), nullptr, in.descriptor(),
                                     nullptr, wanted_pipe_size, 0);
        if (filled < 0)
            return failure(filled, "read");
        if (filled == 0)
            return {};
        while (filled > 0) {
            const long taken = kernel.syscall(__lkl__NR_splice, out.descriptor(), nullptr,
                                              digest.descriptor(), nullptr, filled, splice_more);
            if (taken <= 0)
                return failure(taken == 0 ? -LKL_EIO : taken, "digest");
            filled -= taken;
            passed(static_cast<uint64_t>(taken));
        }
    }
}

}  // namespace

lkl::Result<Digest> Digest::open(lkl::Kernel& kernel, const std::string& algorithm)
{
    const long descriptor = kernel.syscall(__lkl__NR_socket, family, seqpacket, 0);
    if (descriptor < 0)
        return failure(descriptor, "make a digest");
    lkl::File socket = lkl::File::adopt(kernel, static_cast<int>(descriptor));
    struct lkl_sockaddr_alg address {};
    address.salg_family = family;
    std::memcpy(address.salg_type, "hash", sizeof "hash");
    algorithm.copy(reinterpret_cast<char*>(address.salg_name), sizeof address.salg_name - 1);
    const long bound = kernel.syscall(__lkl__NR_bind, descriptor, &address, sizeof address);
    if (bound < 0)
        return failure(bound, "make a digest");
    return Digest(std::move(socket));
}

lkl::Result<std::string> Digest::of(const lkl::File& file,
                                    const std::function<void(uint64_t)>& passed) const
{
    lkl::Kernel& kernel = file.kernel();
    const long descriptor =
        kernel.syscall(__lkl__NR_accept4, algorithm_.descriptor(), nullptr, nullptr, 0);
    if (descriptor < 0)
        return failure(descriptor, "make a digest");
    const lkl::File digest = lkl::File::adopt(kernel, static_cast<int>(descriptor));
    if (auto moved = move_pages(file, digest, passed); !moved)
        return std::move(moved).error();
    // Reading it ends it.
    std::array<unsigned char, longest> result{};
    const auto size = digest.read(std::as_writable_bytes(std::span(result)));
    if (!size)
        return size.error();
    return hexadecimal(std::span(result).first(*size));
}

}  // namespace tools::lkl_tool
