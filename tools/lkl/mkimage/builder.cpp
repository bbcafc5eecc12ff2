// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/builder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "common/destination.hpp"
#include "common/report.hpp"
#include "common/scratch_file.hpp"
#include "lkl/mkimage/identifiers.hpp"
#include "lkl/mkimage/sparse_copy.hpp"

namespace tools::mkimage {

namespace {

constexpr uint64_t volume_unit = 64 << 10;  // bytes: sizes of images without a table

class Builder {
public:
    Builder(ImageSpecification& image, const std::string& path, Context& context)
        : image_(image),
          context_(context),
          destination_(path, {"image", ".lkl-mkimage-", false, {}}),
          identifiers_(context.epoch)
    {
        context_.image = path;
        context_.unfinished = destination_.temporary();
        context_.scratch_directory = destination_.directory();
        context_.copy.unseen = host_identity(destination_.descriptor());
        summary_.image = path;
        summary_.table = image.table;
    }

    Summary run()
    {
        fill_in_identifiers();
        if (image_.table == Table::none)
            make_whole();
        else
            make_partitions();
        destination_.commit();
        return std::move(summary_);
    }

private:
    void fill_in_identifiers()
    {
        for (size_t i = 0; i < image_.partitions.size(); i++) {
            Volume& volume = image_.partitions[i].volume;
            const std::string number = std::to_string(i + 1);
            if (volume.uuid.empty())
                volume.uuid = identifiers_.of_volume(find_file_system(volume.type),
                                                     "volume " + number + ' ' + volume.label);
            PlacedPartition placed;
            placed.request = &image_.partitions[i];
            if (image_.table == Table::gpt)
                placed.uuid = placed.request->uuid.empty()
                                  ? identifiers_.uuid("partition " + number)
                                  : placed.request->uuid;
            summary_.partitions.push_back(std::move(placed));
        }
        summary_.uuid = image_.uuid;
        if (summary_.uuid.empty())
            summary_.uuid =
                image_.table == Table::mbr ? identifiers_.of_mbr() : identifiers_.uuid("table");
    }

    void make_whole()
    {
        const VolumePlace place{
            {destination_.descriptor(), escaped(context_.image)}, 0, volume_unit};
        Volume& volume = image_.partitions.front().volume;
        summary_.volumes.push_back(make_volume(context_, volume, place));
        summary_.size = summary_.volumes.front().size;
    }

    // The ones before that of size "rest", then those behind it, then itself.
    void make_partitions()
    {
        const auto is_rest = [](const PlacedPartition& placed) {
            return placed.request->volume.size.kind == SizeRequest::Kind::rest;
        };
        auto& all = summary_.partitions;
        const auto rest =
            static_cast<size_t>(std::find_if(all.begin(), all.end(), is_rest) - all.begin());
        summary_.volumes.resize(all.size());
        if (image_.size.kind == SizeRequest::Kind::fixed)
            set_size(image_.size.bytes);
        uint64_t end = partition_alignment;
        for (size_t i = 0; i < rest; i++)
            end = make_partition(i, end);
        if (rest < all.size())
            end = make_rest(rest, end);
        finish_table(end);
    }

    // Makes partition `index` at the offset; returns where it ends.
    uint64_t make_partition(size_t index, uint64_t offset)
    {
        PlacedPartition& placed = summary_.partitions[index];
        Volume& volume = image_.partitions[index].volume;
        if (volume.size.kind == SizeRequest::Kind::fixed)
            volume.size.bytes = aligned(volume.size.bytes);
        const std::string shown =
            escaped(context_.image) + ": partition " + std::to_string(index + 1);
        const Descriptor file = make_scratch_file(context_.scratch_directory);
        MadeVolume& made = summary_.volumes[index];
        made = make_volume(context_, volume, {{file.get(), shown}, offset, partition_alignment});
        placed.offset = offset;
        placed.size = made.size;
        if (image_.size.kind == SizeRequest::Kind::automatic)
            set_size(offset + made.size);
        else
            check_end(offset + made.size);
        copy_sparsely(file.get(), made.size, destination_.descriptor(), offset, shown);
        return offset + made.size;
    }

    // Those behind it are of fixed size, so that their places are known.
    uint64_t make_rest(size_t index, uint64_t offset)
    {
        uint64_t behind = 0;
        for (size_t i = index + 1; i < summary_.partitions.size(); i++) {
            const SizeRequest& size = image_.partitions[i].volume.size;
            if (size.kind != SizeRequest::Kind::fixed)
                throw ToolError(ExitCode::usage, "partition " + std::to_string(i + 1) +
                                                     ": needs a fixed size behind size=rest");
            behind += aligned(size.bytes);
        }
        const uint64_t limit = usable_end();
        if (limit < offset + behind + partition_alignment)
            throw ToolError(ExitCode::usage, "partition " + std::to_string(index + 1) +
                                                 ": size=rest: the others leave nothing");
        SizeRequest& size = image_.partitions[index].volume.size;
        size.kind = SizeRequest::Kind::fixed;
        size.bytes = limit - offset - behind;
        for (size_t i = index; i < summary_.partitions.size(); i++)
            offset = make_partition(i, offset);
        return offset;
    }

    void finish_table(uint64_t end)
    {
        if (image_.size.kind == SizeRequest::Kind::automatic)
            set_size(end + table_tail(image_.table));
        write_partition_table(destination_.descriptor(), escaped(context_.image), image_.table,
                              summary_.uuid, summary_.partitions);
    }

    static uint64_t aligned(uint64_t size)
    {
        return (size + partition_alignment - 1) / partition_alignment * partition_alignment;
    }

    // Where partitions must end, in an image of fixed size.
    uint64_t usable_end() const
    {
        const uint64_t tail = table_tail(image_.table);
        const uint64_t size = image_.size.bytes / partition_alignment * partition_alignment;
        return size > tail ? size - tail : 0;
    }

    void check_end(uint64_t end) const
    {
        if (end > usable_end())
            throw ToolError(ExitCode::usage, "--size: the partitions need " +
                                                 std::to_string(end + table_tail(image_.table)) +
                                                 " bytes at least");
    }

    void set_size(uint64_t size)
    {
        if (ftruncate(destination_.descriptor(), static_cast<off_t>(size)) != 0)
            throw ToolError(ExitCode::output,
                            escaped(context_.image) + ": cannot make it " + std::to_string(size) +
                                " bytes long: " + std::strerror(errno),
                            errno);
        summary_.size = size;
    }

    ImageSpecification& image_;
    Context& context_;
    Destination destination_;
    const Identifiers identifiers_;
    Summary summary_;
};

}  // namespace

Summary build_image(ImageSpecification& image, const std::string& path, Context context)
{
    return Builder(image, path, context).run();
}

}  // namespace tools::mkimage
