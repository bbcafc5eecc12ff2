// SPDX-License-Identifier: GPL-2.0-only
// lkl info: what an image holds: its partitions and file systems.
#include <algorithm>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/image_probe.hpp"
#include "common/kernel_partitions.hpp"
#include "common/mounted_image.hpp"
#include "common/progress.hpp"
#include "common/sandbox/sandbox.hpp"
#include "lkl/command.hpp"
#include "lkl/image/image_path.hpp"
#include "lkl/image/mount_state.hpp"
#include "lkl/image/partition_types.hpp"
#include "lkl/image/usage.hpp"
#include "lkl/output/format.hpp"
#include "lkl/output/json.hpp"
#include "lkl/output/output.hpp"
#include "lkl/output/problems.hpp"

namespace tools::lkl_tool {

namespace {

// Something at one place of an image: a file system, or what is none.
struct Volume {
    unsigned partition = 0;  // 0: the whole disk
    uint64_t offset = 0;     // bytes
    Content content;
    // Of a file system that could be mounted, in bytes.
    std::optional<uint64_t> size;
    std::optional<uint64_t> used;
    std::string state;
};

class Info final : public Command {
public:
    explicit Info(CLI::App& parent)
    {
        Subcommand command(parent, "info", "Print which partitions and file systems there are");
        command.operands(images_, "IMAGE...", "Disk images: files or block devices");
        command.flag("-n,--no-mount", no_mount_, "Without what a mount would tell: used, state");
        command.flag("--json", json_, "As JSON, in bytes");
        command.notes("Example: lkl info disk.img");
    }

    void run() override;

private:
    void look_at(const ImageRequest& request, OpenedImage opened, JsonList& json);
    void mount(const ImageRequest& request, ImageChoice& choice, Volume& volume);
    void print(const ImageRequest& request, const ImageContent& image,
               const std::vector<Volume>& volumes);

    std::vector<std::string> images_;
    bool no_mount_ = false;
    bool json_ = false;
    Output out_;
    Problems problems_{out_};
};

std::vector<Volume> volumes_of(const ImageContent& image)
{
    std::vector<Volume> volumes;
    const auto add = [&volumes](unsigned partition, uint64_t offset, const Content& content) {
        if (content.type.empty() && !content.ambiguous)
            return;
        Volume& volume = volumes.emplace_back();
        volume.partition = partition;
        volume.offset = offset;
        volume.content = content;
    };
    add(0, 0, image.whole);
    for (const PartitionContent& partition : image.partitions)
        add(partition.number, partition.offset, partition.content);
    return volumes;
}

// Text of the image in a cell of a table.
std::string cell(const std::string& text)
{
    return text.empty() ? "-" : escaped(text);
}

std::string size_cell(const std::optional<uint64_t>& bytes)
{
    return bytes ? format_size(*bytes) : "-";
}

std::string content_name(const Content& content)
{
    return content.ambiguous ? "several signatures" : content.type;
}

JsonObject describe_partition(const ImageContent& image, const PartitionContent& partition)
{
    JsonObject object;
    object.set("number", partition.number);
    object.set("start", partition.offset);
    object.set("size", partition.size);
    object.set("type", partition.type);
    object.set("type_name", partition_type_name(image.table, partition.type));
    object.set("name", partition.name);
    object.set("uuid", partition.uuid);
    object.set("bootable", partition.bootable);
    return object;
}

void set_or_null(JsonObject& object, const std::string& key, const std::string& text)
{
    if (text.empty())
        object.set_null(key);
    else
        object.set(key, text);
}

JsonObject describe_volume(const Volume& volume)
{
    JsonObject object;
    object.set("partition", volume.partition);
    object.set("type", content_name(volume.content));
    object.set("file_system", volume.content.file_system);
    object.set("label", volume.content.label);
    object.set("uuid", volume.content.uuid);
    object.set("size", volume.size);
    object.set("used", volume.used);
    set_or_null(object, "state", volume.state);
    return object;
}

JsonObject describe(const std::string& path, const ImageContent& image,
                    const std::vector<Volume>& volumes)
{
    JsonObject object;
    object.set("image", path);
    object.set("size", image.size);
    set_or_null(object, "table", image.table);
    set_or_null(object, "table_id", image.table_id);
    std::vector<JsonObject> partitions;
    for (const PartitionContent& partition : image.partitions)
        partitions.push_back(describe_partition(image, partition));
    object.set("partitions", partitions);
    std::vector<JsonObject> described;
    described.reserve(volumes.size());
    for (const Volume& volume : volumes)
        described.push_back(describe_volume(volume));
    object.set("volumes", described);
    return object;
}

std::string partition_table(const ImageContent& image)
{
    constexpr uint64_t sector = 512;
    using enum Table::Align;
    Table table({right, right, right, left, left, left}, 2);
    table.add({"Partition", "Start", "Size", "Boot", "Type", "Name"});
    for (const PartitionContent& partition : image.partitions) {
        table.add({std::to_string(partition.number), std::to_string(partition.offset / sector),
                   format_size(partition.size), partition.bootable ? "*" : "-",
                   cell(partition_type_name(image.table, partition.type)), cell(partition.name)});
    }
    return table.text();
}

std::string volume_table(const std::vector<Volume>& volumes)
{
    using enum Table::Align;
    Table table({right, left, left, left, right, right, left}, 2);
    table.add({"Volume", "Content", "Label", "UUID", "Size", "Used", "State"});
    for (const Volume& volume : volumes) {
        table.add({volume.partition == 0 ? "whole" : std::to_string(volume.partition),
                   cell(content_name(volume.content)), cell(volume.content.label),
                   cell(volume.content.uuid), size_cell(volume.size), size_cell(volume.used),
                   volume.state.empty() ? "-" : volume.state});
    }
    return table.text();
}

// It keeps the word in a file, $Volume, which the kernel has read.
std::string state_of_ntfs(MountedImage& image)
{
    const auto text = image.read_proc("fs/ntfs3/" + image.device_name() + "/volinfo");
    return text.find("\ndirty\n") == std::string::npos ? "clean" : "not cleanly unmounted";
}

// 0: the whole disk.
void keep_only(unsigned number, ImageContent& image, const ImageRequest& request)
{
    const bool there = number == 0 || std::ranges::any_of(image.partitions, [&](const auto& part) {
                           return part.number == number;
                       });
    if (!there)
        throw ToolError(ExitCode::partition,
                        escaped(request.path) + ": no partition " + std::to_string(number));
    std::erase_if(image.partitions, [&](const auto& part) { return part.number != number; });
    if (number != 0)
        image.whole = Content();
}

void Info::mount(const ImageRequest& request, ImageChoice& choice, Volume& volume)
{
    choice.partition = volume.partition;
    choice.type = request.type.empty() ? kernel_type(volume.content.type) : request.type;
    volume.state = "cannot be mounted";
    // Of what the image says by itself: a mount may change it, in memory.
    const std::string state = superblock_state(choice.image.get(), volume.offset, choice.type);
    MountedImage image(request, choice);
    volume.state = image.journal_replayed() ? "needs recovery"
                   : choice.type == "ntfs3" ? state_of_ntfs(image)
                                            : state;
    const auto stat = image.open_root().stat_file_system();
    if (!stat)
        throw image.failure(stat.error(), "/");
    const Usage usage = space_usage(*stat);
    volume.size = usage.size;
    volume.used = usage.used;
}

void Info::look_at(const ImageRequest& request, OpenedImage opened, JsonList& json)
{
    ImageContent image = probe_image(opened.image.get(), request.path);
    // A file system that is all of the disk has none, unless one is named.
    if (kernel_may_know_partitions(image) &&
        (!image.whole.file_system || request.partition.value_or(0) != 0))
        look_for_partitions(request, opened, image);
    if (request.partition)
        keep_only(*request.partition, image, request);
    std::vector<Volume> volumes = volumes_of(image);
    ImageChoice choice{std::move(opened), 0, {}, 0};
    for (Volume& volume : volumes) {
        choice.block_size = volume.partition == 0 ? 0 : image.table_block_size;
        if (volume.content.file_system && !no_mount_)
            problems_.guarded([&] { mount(request, choice, volume); });
    }
    if (json_)
        json.add(describe(request.path, image, volumes));
    else
        print(request, image, volumes);
}

void Info::print(const ImageRequest& request, const ImageContent& image,
                 const std::vector<Volume>& volumes)
{
    std::string head = escaped(request.path) + ": " + format_size(image.size) + " (" +
                       std::to_string(image.size) + " bytes), ";
    head += image.table.empty() ? "no partition table" : "partition table " + image.table;
    if (!image.table_id.empty())
        head += " " + escaped(image.table_id);
    out_.write(head + '\n');
    if (!image.partitions.empty())
        out_.write('\n' + partition_table(image));
    out_.write('\n' + (volumes.empty() ? "Nothing that is known.\n" : volume_table(volumes)));
}

void Info::run()
{
    struct Opened {
        ImageRequest request;
        OpenedImage image;
    };
    std::list<Opened> images;
    for (const std::string& path : images_) {
        problems_.guarded([&] {
            ImageRequest request = options().image;
            const PartitionName name = split_partition(path);
            request.path = name.file;
            if (name.partition)
                request.partition = name.partition;
            images.push_back({request, open_for_mount(request)});
        });
    }
    SandboxRules rules;
    rules.off = !options().image.sandbox;
    enter_sandbox(rules);
    JsonList json(out_, json_);
    for (Opened& opened : images) {
        if (&opened != &images.front() && !json_)
            out_.write("\n");
        problems_.guarded([&] { look_at(opened.request, std::move(opened.image), json); });
    }
    json.finish();
    out_.flush();
    problems_.throw_if_any();
}

}  // namespace

std::unique_ptr<Command> add_info(CLI::App& parent)
{
    return std::make_unique<Info>(parent);
}

}  // namespace tools::lkl_tool
