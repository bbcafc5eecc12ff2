// SPDX-License-Identifier: GPL-2.0-only
#include "image_target.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <string_view>
#include <utility>

#include <lkl/asm-generic/unistd.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/mount.h>

#include "file_operations.hpp"

namespace lkl::fuzz {

namespace {

constexpr const char* mount_point = "/mnt";
constexpr size_t most_bases = 16;
constexpr int detach = 2;  // MNT_DETACH, of umount(2)

// What mount(2) may be given besides nothing; each brings other code to run.
const std::vector<std::string>& mount_options(const std::string& type)
{
    static const std::map<std::string, std::vector<std::string>, std::less<>> all{
        {"ext4", {"", "data=journal", "noload", "debug_want_extra_isize=32", "dax=never"}},
        {"xfs", {"", "norecovery", "nouuid,inode32", "logbufs=2,allocsize=64k"}},
        {"btrfs", {"", "compress-force=zstd", "nodatacow", "rescue=all", "space_cache=v1"}},
        {"f2fs",
         {"", "inline_xattr,inline_data", "background_gc=off", "disable_roll_forward", "mode=lfs"}},
        {"vfat", {"", "utf8=1", "shortname=mixed", "nfs=stale_rw", "flush"}},
        {"exfat", {"", "discard", "keep_last_dots"}},
        {"ntfs3", {"", "force", "sparse,showmeta", "acl,windows_names"}},
        {"iso9660", {"", "norock", "nojoliet,check=r", "block=512"}},
        {"jfs", {"", "nointegrity", "errors=continue"}},
        {"nilfs2", {"", "norecovery", "errors=continue,discard"}},
        {"udf", {"", "noadinicb", "undelete,unhide", "bs=2048,session=0"}},
        {"reiserfs", {"", "notail", "data=journal", "nolog"}},
        {"ocfs2", {"heartbeat=none", "heartbeat=none,data=writeback", "heartbeat=none,noacl"}},
        {"ufs", {"ufstype=44bsd", "ufstype=ufs2", "ufstype=old", "ufstype=sun"}},
    };
    static const std::vector<std::string> none{""};
    const auto found = all.find(type);
    return found == all.end() ? none : found->second;
}

// What mount(8) finds out by trying: types that are not written to want to be asked for a
// read-only mount.
unsigned long least_flags(const std::string& type)
{
    return type == "iso9660" || type == "ufs" ? LKL_MS_RDONLY : 0;
}

std::string node_of(size_t base)
{
    return "/disk" + std::to_string(base);
}

// The disk's statistics go by the clock, and take another way in each execution.
void stop_statistics(Kernel& kernel, size_t base)
{
    const std::string file =
        "/sys/block/vd" + std::string(1, static_cast<char>('a' + base)) + "/queue/iostats";
    const long fd = kernel.syscall(__lkl__NR_openat, LKL_AT_FDCWD, file.c_str(), LKL_O_WRONLY);
    if (fd < 0)
        return;
    kernel.syscall(__lkl__NR_write, fd, "0", 1);
    kernel.syscall(__lkl__NR_close, fd);
}

}  // namespace

Result<std::vector<std::string>> find_bases(const std::string& type)
{
    const char* const directory = std::getenv("LKL_FUZZ_BASES");
    if (!directory)
        return Error{EINVAL, "LKL_FUZZ_BASES names no directory of images (fuzz/corpus.py)"};
    std::vector<std::string> found;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(directory, failed)) {
        const std::string name = entry.path().filename().string();
        if (name.rfind(type + "-", 0) == 0 && entry.path().extension() == ".img")
            found.push_back(entry.path().string());
    }
    if (found.empty())
        return Error{ENOENT, std::string(directory) + ": no image " + type + "-*.img"};
    std::sort(found.begin(), found.end());
    return found;
}

Result<std::unique_ptr<ImageTarget>> ImageTarget::start(const std::string& type,
                                                        const std::vector<std::string>& bases)
{
    if (bases.empty() || bases.size() > most_bases)
        return Error{EINVAL, "fuzzing " + type + ": between 1 and 16 images"};
    std::unique_ptr<ImageTarget> target(new ImageTarget(type));
    target->bases_.reserve(bases.size());
    MachineOptions options;
    for (const std::string& path : bases) {
        auto base = BaseImage::load(path);
        if (!base)
            return std::move(base).error();
        target->bases_.push_back(std::move(*base));
        auto disk = target->bases_.back().disk();
        if (!disk)
            return std::move(disk).error();
        options.disks.push_back(std::move(*disk));
    }
    options.prepare = [&target](Kernel& kernel, const std::vector<DiskId>& disks) {
        return target->prepare(kernel, disks);
    };
    options.settled = [&target] {
        for (BaseImage& base : target->bases_)
            base.reset();
    };
    auto machine = Machine::start(std::move(options));
    if (!machine)
        return std::move(machine).error();
    target->machine_ = std::move(*machine);
    return target;
}

// Each base is used once before the snapshot: it has to be sound, and what the kernel
// makes only once (caches, threads, memory for them) need not be made each time.
Result<void> ImageTarget::prepare(Kernel& kernel, const std::vector<DiskId>& disks)
{
    kernel.syscall(__lkl__NR_mkdirat, LKL_AT_FDCWD, mount_point, 0755);
    const std::string& options = mount_options(type_).front();
    for (size_t i = 0; i < disks.size(); ++i) {
        const std::string node = node_of(i);
        stop_statistics(kernel, i);
        kernel.syscall(__lkl__NR_mknodat, LKL_AT_FDCWD, node.c_str(), 060600, disks[i].device);
        const long result = kernel.syscall(__lkl__NR_mount, node.c_str(), mount_point,
                                           type_.c_str(), least_flags(type_), options.c_str());
        if (result < 0)
            return Error{static_cast<int>(-result),
                         "fuzzing " + type_ + ": image " + std::to_string(i) +
                             " does not mount: " + std::strerror(static_cast<int>(-result))};
        kernel.syscall(__lkl__NR_umount2, mount_point, 0);
        constexpr std::array<uint8_t, 24> some{10, 8, 0, 0, 1, 3, 2, 2, 0, 1, 8, 1};
        Input input(some);
        use(kernel, i, options, least_flags(type_), input);
    }
    return {};
}

void ImageTarget::use(Kernel& kernel, size_t base, const std::string& options, unsigned long flags,
                      Input& input)
{
    if (kernel.syscall(__lkl__NR_mount, node_of(base).c_str(), mount_point, type_.c_str(), flags,
                       options.c_str()) != 0)
        return;
    if (machine_)
        machine_->count_coverage();
    run_file_operations(kernel, mount_point, input);
    if (machine_)
        machine_->count_coverage();
    kernel.syscall(__lkl__NR_umount2, mount_point, detach);
}

void ImageTarget::run(std::span<const uint8_t> bytes)
{
    Input input(bytes);
    const size_t base = input.byte() % bases_.size();
    const uint8_t how = input.byte();
    const auto& options = mount_options(type_);
    bases_[base].change(input);
    machine_->execute([&](Kernel& kernel) {
        use(kernel, base, options[(how & 0x7f) % options.size()],
            (how & 0x80 ? LKL_MS_RDONLY : 0) | least_flags(type_), input);
    });
    bases_[base].undo();
}

}  // namespace lkl::fuzz
