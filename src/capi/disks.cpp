// SPDX-License-Identifier: GPL-2.0-only
#include "capi/disks.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include <fcntl.h>

#include <lkl.h>
#include <lkl/disk.hpp>

#include "capi/callback_disk.hpp"
#include "capi/default_kernel.hpp"
#include "capi/errors.hpp"
#include "capi/guarded.hpp"

namespace lkl::capi {

namespace {

// A disk in the file that the caller has open.
Result<std::unique_ptr<BlockBackend>> open_descriptor(int descriptor)
{
    const std::string name = "descriptor " + std::to_string(descriptor);
    const int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0)
        return Error{errno, "add disk: " + name + ": " + std::strerror(errno)};
    FileDiskOptions options;
    options.read_only = (flags & O_ACCMODE) == O_RDONLY;
    options.direct = (flags & O_DIRECT) != 0;
    return open_file_disk(descriptor, name, options);
}

// struct lkl_disk is passed by value: its `dev` is the address of the list's entry,
// which is only compared.
int remove_disk(const void* handle)
{
    State& own = state();
    const std::lock_guard lock(own.mutex);
    const auto entry = std::find_if(own.disks.begin(), own.disks.end(),
                                    [handle](const auto& disk) { return &disk == handle; });
    if (entry == own.disks.end())
        return fail(LKL_EINVAL, "remove disk: no such disk");
    Kernel* const kernel = default_kernel.load();
    if (kernel != nullptr && own.halted)
        return 0;
    if (!entry->waiting && !entry->id)
        return fail(LKL_EINVAL, "remove disk: it was removed before");
    Result<void> removed;
    if (entry->id) {
        own.mounts.forget_unmounted();
        removed = kernel->remove_disk(*entry->id);
        // It is gone where what was written could not be made durable.
        if (!removed && removed.error().code != LKL_EIO)
            return fail(removed.error());
    }
    *entry = {};
    return removed ? 0 : fail(removed.error());
}

}  // namespace

Result<DiskId> find_disk(unsigned number)
{
    State& own = state();
    const std::lock_guard lock(own.mutex);
    if (number >= own.disks.size() || !own.disks[number].id)
        return Error{LKL_EINVAL, "disk " + std::to_string(number) + ": no such disk"};
    return *own.disks[number].id;
}

Result<uint64_t> find_device(Kernel& kernel, unsigned number, unsigned part)
{
    const auto disk = find_disk(number);
    if (!disk)
        return disk.error();
    if (part == 0)
        return disk->device;
    const auto partitions = list_partitions(kernel, *disk);
    if (!partitions)
        return partitions.error();
    for (const Partition& partition : *partitions) {
        if (partition.number == part)
            return partition.device;
    }
    return Error{LKL_ENXIO,
                 "disk " + std::to_string(number) + ": no partition " + std::to_string(part)};
}

}  // namespace lkl::capi

using namespace lkl::capi;

extern "C" {

int lkl_disk_add(struct lkl_disk* disk)
{
    return guarded(__func__, {disk}, [&] {
        if (const auto accepts = check_accepts_devices(); !accepts)
            return fail(accepts.error());
        auto backend = disk->ops != nullptr ? make_callback_disk(*disk) : open_descriptor(disk->fd);
        if (!backend)
            return fail(backend.error());

        State& own = state();
        const std::lock_guard lock(own.mutex);
        DiskEntry entry;
        if (auto* const kernel = default_kernel.load()) {
            const auto added = kernel->add_disk(*std::move(backend));
            if (!added)
                return fail(added.error());
            entry.id = *added;
        } else {
            entry.waiting = *std::move(backend);
        }
        const size_t number = own.disks.size();
        own.disks.push_back(std::move(entry));
        disk->dev = &own.disks.back();
        return static_cast<int>(number);
    });
}

int lkl_disk_remove(struct lkl_disk disk)
{
    return guarded(__func__, {}, [&] { return remove_disk(disk.dev); });
}

int lkl_get_virtio_blkdev(int disk_id, unsigned int part, uint32_t* pdevid)
{
    return guarded(__func__, {pdevid}, [&] {
        const auto kernel = running_kernel();
        if (!kernel)
            return fail(kernel.error());
        const auto device = find_device(**kernel, static_cast<unsigned>(disk_id), part);
        if (!device)
            return fail(device.error());
        *pdevid = static_cast<uint32_t>(*device);
        return 0;
    });
}

}  // extern "C"
