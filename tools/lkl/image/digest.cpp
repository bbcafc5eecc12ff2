// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/image/digest.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/if_alg.h>

namespace tools::lkl_tool {

namespace {

// Of socket(2), in no header of the user API.
constexpr int family = 38;  // AF_ALG
constexpr int seqpacket = 5;
constexpr int more = 0x8000;  // MSG_MORE

constexpr size_t longest = 64;                 // bytes of a digest, SHA-512's
constexpr size_t buffer_size = size_t{1} << 18;  // bytes

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

}  // namespace

lkl::Result<Digest> Digest::open(lkl::Kernel& kernel, const std::string& algorithm)
{
    const long descriptor = kernel.syscall(__lkl__NR_socket, family, seqpacket, 0);
    if (descriptor < 0)
        return failure(descriptor, "make a digest");
    lkl::File socket = lkl::File::adopt(kernel, static_cast<int>(descriptor));
    struct lkl_sockaddr_alg address{};
    address.salg_family = family;
    std::strcpy(reinterpret_cast<char*>(address.salg_type), "hash");
    algorithm.copy(reinterpret_cast<char*>(address.salg_name), sizeof address.salg_name - 1);
    const long bound =
        kernel.syscall(__lkl__NR_bind, socket.descriptor(), &address, sizeof address);
    if (bound < 0)
        return failure(bound, "make a digest");
    return Digest(std::move(socket));
}

lkl::Result<std::string> Digest::of(const lkl::File& file) const
{
    lkl::Kernel& kernel = file.kernel();
    const long descriptor =
        kernel.syscall(__lkl__NR_accept4, algorithm_.descriptor(), nullptr, nullptr, 0);
    if (descriptor < 0)
        return failure(descriptor, "make a digest");
    const lkl::File digest = lkl::File::adopt(kernel, static_cast<int>(descriptor));
    std::vector<std::byte> buffer(buffer_size);
    for (;;) {
        const auto count = file.read(buffer);
        if (!count)
            return count.error();
        // The last one, of no bytes, ends the digest.
        const long sent = kernel.syscall(__lkl__NR_sendto, digest.descriptor(), buffer.data(),
                                         *count, *count > 0 ? more : 0, nullptr, 0);
        if (sent < 0)
            return failure(sent, "digest");
        if (static_cast<size_t>(sent) != *count)
            return failure(-LKL_EIO, "digest");
        if (*count == 0)
            break;
    }
    std::array<unsigned char, longest> result{};
    const auto size = digest.read(std::as_writable_bytes(std::span(result)));
    if (!size)
        return size.error();
    return hexadecimal(std::span(result).first(*size));
}

}  // namespace tools::lkl_tool
