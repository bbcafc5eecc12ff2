// SPDX-License-Identifier: GPL-2.0-only
#include "common/kernel_partitions.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <lkl/mount.hpp>

#include "common/image_kernel.hpp"
#include "common/report.hpp"

namespace tools {

namespace {

constexpr std::string_view dynamic_disk = "ldm";

// Types of an MBR's own partitions that hold others which libblkid does not find: those of a
// dynamic disk, of Solaris and of UnixWare.
bool holds_others(const PartitionContent& partition)
{
    return partition.number <= 4 &&
           (partition.type == "0x42" || partition.type == "0xbf" || partition.type == "0x63");
}

// The kernel tells the kind in its log alone, "vda: RDSK (512) vda1 vda2", and not of all.
std::string table_name(const KernelLog& log, const std::string& disk)
{
    using namespace std::string_view_literals;
    static constexpr std::array kinds{
        std::pair{" RDSK "sv, "amiga"sv},    std::pair{" AIX LVM "sv, "aix"sv},
        std::pair{" [LDM]"sv, dynamic_disk}, std::pair{" [ICS]"sv, "acorn"sv},
        std::pair{"sysV68:"sv, "sysv68"sv},
    };
    const std::string start = ' ' + disk + ':';
    const std::string line = log.line(start);
    for (const auto& [word, name] : kinds) {
        if (line.find(word) == start.size())
            return std::string(name);
    }
    return {};
}

}  // namespace

bool kernel_may_know_partitions(const ImageContent& image)
{
    return image.partitions.empty() ||
           (image.table == "dos" && std::ranges::any_of(image.partitions, holds_others));
}

void look_for_partitions(const ImageRequest& request, const OpenedImage& opened,
                         ImageContent& image)
{
    ImageKernel kernel(request, opened);
    kernel.log().clear();
    const lkl::DiskId disk = kernel.add_disk(opened, image.table_block_size, false);
    const auto found = lkl::list_partitions(kernel.kernel(), disk);
    kernel.throw_if_crashed();
    if (!found)
        throw ToolError(ExitCode::kernel,
                        escaped(request.shown()) + ": cannot " + escaped(found.error().what));
    if (found->empty())
        return;
    const std::string table = table_name(kernel.log(), ImageKernel::disk_name(disk));
    std::vector<PartitionContent> known = std::exchange(image.partitions, {});
    if (table == dynamic_disk) {
        known.clear();
        image.table_id.clear();
    }
    if (!table.empty())
        image.table = table;
    else if (image.table.empty())
        image.table = "known to the kernel only";
    for (const lkl::Partition& one : *found) {
        PartitionContent& partition = image.partitions.emplace_back();
        const auto same = std::ranges::find(known, one.offset, &PartitionContent::offset);
        if (same != known.end()) {
            partition = std::move(*same);
            known.erase(same);
        } else {
            partition.offset = one.offset;
            partition.size = one.size;
            partition.content =
                probe_content(opened.image.get(), request.path, one.offset, one.size);
        }
        partition.number = one.number;
    }
}

}  // namespace tools
