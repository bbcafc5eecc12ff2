// SPDX-License-Identifier: GPL-2.0-only
// Digests of files, computed by the image's own kernel (AF_ALG): the data never leave its
// page cache.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include <lkl/file.hpp>
#include <lkl/kernel.hpp>
#include <lkl/result.hpp>

namespace tools::lkl_tool {

// A kind of digest, "sha256" for instance, in one kernel. One thread.
class Digest {
public:
    // ENOENT: the kernel does not know it.
    static lkl::Result<Digest> open(lkl::Kernel& kernel, const std::string& algorithm);

    // Of what can be read from the file from its position on, in hexadecimal. passed(count)
    // is called after each part, of so many bytes.
    lkl::Result<std::string> of(const lkl::File& file,
                                const std::function<void(uint64_t)>& passed) const;

private:
    explicit Digest(lkl::File algorithm) : algorithm_(std::move(algorithm)) {}

    lkl::File algorithm_;  // a socket
};

}  // namespace tools::lkl_tool
