// SPDX-License-Identifier: GPL-2.0-only
// An image, mounted in a kernel of its own.
//
// For reading, the image is never written: where its file system has to replay a
// journal first, that happens in memory, over the image. For writing, nobody else
// that respects locks has the image at the same time, and what was written counts
// only once unmount() has returned.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <lkl/file.hpp>
#include <lkl/kernel.hpp>
#include <lkl/mount.hpp>

#include "common/image_kernel.hpp"
#include "common/kernel_trace.hpp"
#include "common/opened_image.hpp"
#include "common/report.hpp"
#include "common/tree/error_texts.hpp"
#include "common/tree/identity.hpp"

namespace tools {

// Which file system is meant, and the open image.
struct ImageChoice : OpenedImage {
    unsigned partition = 0;
    std::string type;
    uint32_t block_size = 0;  // that the disk has to have at least, bytes; 0: its own
};

// Looks at the image and decides. Throws ToolError: ExitCode::image,
// ExitCode::partition (with the list of partitions in lines of its own before),
// ExitCode::file_system.
ImageChoice choose_file_system(const ImageRequest& request, OpenedImage opened);

class MountedImage final : public ErrorTexts {
public:
    // Starts a kernel and mounts. Throws ToolError, ExitCode::usage for a type that is asked
    // for and needs no disk (proc, tmpfs); for writing also when the image
    // is in use (ExitCode::image), or the file system is one that can only be read
    // (ExitCode::file_system).
    MountedImage(const ImageRequest& request, const ImageChoice& choice);
    MountedImage(const MountedImage&) = delete;
    MountedImage& operator=(const MountedImage&) = delete;
    ~MountedImage() override;

    lkl::Kernel& kernel() { return kernel_.kernel(); }
    // Where the file system is, in the kernel.
    const std::string& root() const { return mount_->path(); }
    const std::string& type() const { return type_; }
    // What the kernel calls the device that is mounted: "vda1".
    const std::string& device_name() const { return device_name_; }
    const std::vector<Identity>& host_files() const { return host_files_; }
    // The journal was replayed, in memory.
    bool journal_replayed() const { return replayed_; }
    // A file of the kernel's /proc. Throws ToolError.
    std::string read_proc(const std::string& name);

    // ExitCode::damaged, when mounted for writing ExitCode::output, and
    // ExitCode::kernel when the kernel has crashed. where: the name inside the image.
    ToolError failure(const lkl::Error& error, std::string_view where) const override;
    ToolError damaged(std::string_view where, std::string_view why) const override;

    // The file system's top directory. Throws ToolError.
    lkl::File open_root();

    // Writes everything back, unmounts and has the host put it on stable storage;
    // then the image is whole. All files in it must be closed. Throws ToolError,
    // ExitCode::output, when any write since the mount has failed, and
    // ExitCode::kernel when the kernel has crashed. Without this call the
    // destructor unmounts, and tells nobody of errors.
    void unmount();

private:
    void require_disk_type(const ImageRequest& request);
    // Mounts once; false and `error` when that fails.
    bool try_mount(const ImageChoice& choice, const lkl::MountOptions& options, bool overlay,
                   lkl::Error& error);
    [[noreturn]] void throw_mount_error(const ImageRequest& request, const ImageChoice& choice,
                                        const lkl::Error& error);
    void require_writable(const ImageRequest& request);

    const std::shared_ptr<KernelTrace> trace_;
    std::string image_;
    std::string type_;
    std::string disk_name_;    // in the kernel's messages: "vda"
    std::string device_name_;  // with its partition
    const std::vector<Identity> host_files_;
    bool writable_ = false;
    bool replayed_ = false;
    ImageKernel kernel_;
    std::optional<lkl::Mount> mount_;
};

}  // namespace tools
