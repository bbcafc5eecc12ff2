// SPDX-License-Identifier: GPL-2.0-only
// ImageTarget: a damaged image of one file system type, mounted, used and unmounted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <lkl/result.hpp>

#include "base_image.hpp"
#include "machine.hpp"

namespace lkl::fuzz {

// An input is:
//   1 byte    which base image
//   1 byte    which mount options; the highest bit: read-only
//   changes   see BaseImage::change()
//   the rest  operations, see run_file_operations()
class ImageTarget {
public:
    // type: the kernel's name of a file system. bases: its images, at least one and at
    // most 16. Errors: those of reading them and of starting a machine.
    static Result<std::unique_ptr<ImageTarget>> start(const std::string& type,
                                                      const std::vector<std::string>& bases);

    // Ends the process if the kernel dies, see Machine.
    void run(std::span<const uint8_t> input);

    Machine& machine() { return *machine_; }

private:
    explicit ImageTarget(std::string type) : type_(std::move(type)) {}
    Result<void> prepare(Kernel& kernel, const std::vector<DiskId>& disks);
    void use(Kernel& kernel, size_t base, const std::string& options, unsigned long flags,
             Input& input);

    const std::string type_;
    std::vector<BaseImage> bases_;
    std::unique_ptr<Machine> machine_;
};

// The images of a type: TYPE-*.img in the directory LKL_FUZZ_BASES, by name. Errors:
// ENOENT; EINVAL, the variable is not set.
Result<std::vector<std::string>> find_bases(const std::string& type);

}  // namespace lkl::fuzz
