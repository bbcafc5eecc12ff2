// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/specification.hpp"

#include <algorithm>

#include <uuid/uuid.h>

#include "common/report.hpp"
#include "lkl/mkimage/file_system_table.hpp"

namespace tools::mkimage {

namespace {

constexpr uint64_t sector = 512;  // bytes
constexpr size_t most_mbr_partitions = 4;
constexpr size_t most_gpt_partitions = 128;
constexpr size_t longest_gpt_name = 36;  // UTF-16 units

[[noreturn]] void fail(const std::string& text)
{
    throw ToolError(ExitCode::usage, text);
}

bool parse_flag(const std::string& value, const std::string& where)
{
    if (value.empty() || value == "yes" || value == "true")
        return true;
    if (value != "no" && value != "false")
        fail(where + ": bootable is yes or no, not " + escaped(value));
    return false;
}

// The text up to a comma that no backslash stands before; takes both away.
std::string take_part(std::string_view& text)
{
    std::string part;
    while (!text.empty()) {
        const char c = text.front();
        text.remove_prefix(1);
        if (c == ',')
            break;
        if (c == '\\' && !text.empty() && (text.front() == ',' || text.front() == '\\')) {
            part += text.front();
            text.remove_prefix(1);
        } else {
            part += c;
        }
    }
    return part;
}

void check_uuid(const std::string& text, const std::string& where)
{
    uuid_t uuid;
    if (!text.empty() && uuid_parse(text.c_str(), uuid) != 0)
        fail(where + ' ' + escaped(text) + ": is no UUID");
}

void check_volume(const Volume& volume, const std::string& where)
{
    const FileSystem& type = find_file_system(volume.type);
    if (!volume.label.empty()) {
        if (type.label.empty())
            fail(where + std::string(type.name) + " has no label");
        if (volume.label.size() > type.label_limit)
            fail(where + "label " + escaped(volume.label) + ": " + std::string(type.name) +
                 " has room for " + std::to_string(type.label_limit) + " bytes");
    }
    if (!volume.uuid.empty())
        check_volume_uuid(type, volume.uuid, where);
    const bool packed = type.filling == Filling::squashfs || type.filling == Filling::erofs;
    const bool empty = type.filling == Filling::nothing;
    if (packed && volume.source.empty())
        fail(where + std::string(type.name) + " is made of its contents: a source is needed");
    if (empty && !volume.source.empty())
        fail(where + std::string(type.name) + " has no contents");
    if (empty && volume.size.kind == SizeRequest::Kind::automatic)
        fail(where + std::string(type.name) + " needs a size");
    if (volume.size.kind == SizeRequest::Kind::fixed && volume.size.bytes % sector != 0)
        fail(where + "size " + std::to_string(volume.size.bytes) + ": is no multiple of 512 bytes");
    if (type.program.empty() && !volume.mkfs_options.empty())
        fail(where + "no program makes " + std::string(type.name));
}

void check_table(const ImageSpecification& image)
{
    if (image.partitions.empty())
        fail("no partition is described");
    if (image.table == Table::gpt && image.partitions.size() > most_gpt_partitions)
        fail("a GPT has at most 128 partitions");
    if (image.table == Table::mbr && image.partitions.size() > most_mbr_partitions)
        fail("an MBR has at most 4 partitions here: --gpt has more");
    check_uuid(image.table == Table::gpt ? image.uuid : std::string(), "uuid");
    const auto rest =
        std::count_if(image.partitions.begin(), image.partitions.end(), [](const auto& partition) {
            return partition.volume.size.kind == SizeRequest::Kind::rest;
        });
    if (rest > 1)
        fail("size=rest: one partition alone can have the rest");
    if (rest == 1 && image.size.kind != SizeRequest::Kind::fixed)
        fail("size=rest: needs the size of the image (--size)");
    if (image.size.bytes % sector != 0)
        fail("--size: is no multiple of 512 bytes");
    if (image.size.kind == SizeRequest::Kind::rest ||
        (image.size.kind == SizeRequest::Kind::automatic &&
         (image.size.bytes > 0 || image.size.percent > 0)))
        fail("--size: with partitions, it is auto or fixed; free space is for the partitions");
}

}  // namespace

void set_property(PartitionRequest& partition, std::string_view name, const std::string& value,
                  const std::string& where)
{
    Volume& volume = partition.volume;
    if (name == "fs")
        volume.type = find_file_system(value).name;
    else if (name == "size")
        volume.size = SizeRequest::parse(value, where + ": size");
    else if (name == "label")
        volume.label = value;
    else if (name == "uuid")
        volume.uuid = value;
    else if (name == "mkfs-option")
        volume.mkfs_options.push_back(value);
    else if (name == "source")
        volume.source = value;
    else if (name == "name")
        partition.name = value;
    else if (name == "type")
        partition.partition_type = value;
    else if (name == "partuuid")
        partition.uuid = value;
    else if (name == "bootable")
        partition.bootable = parse_flag(value, where);
    else
        fail(where + ": " + escaped(name) + " is no property of a partition");
}

PartitionRequest parse_partition(std::string_view text)
{
    const std::string where = "--partition " + escaped(text);
    PartitionRequest partition;
    while (!text.empty()) {
        const std::string part = take_part(text);
        const size_t equals = part.find('=');
        const bool has_value = equals != std::string::npos;
        if (!has_value && part != "bootable")
            fail(where + ": " + escaped(part) + ": has no value");
        set_property(partition, std::string_view(part).substr(0, equals),
                     has_value ? part.substr(equals + 1) : std::string(), where);
    }
    return partition;
}

Table parse_table(std::string_view text, const std::string& where)
{
    if (text == "gpt")
        return Table::gpt;
    if (text != "mbr")
        fail(where + ": table is gpt or mbr, not " + escaped(text));
    return Table::mbr;
}

void check(const ImageSpecification& image)
{
    if (image.table == Table::none) {
        const Volume& volume = image.partitions.front().volume;
        if (volume.size.kind == SizeRequest::Kind::rest)
            fail("--size rest: is for partitions");
        check_volume(volume, {});
        return;
    }
    check_table(image);
    size_t inputs = 0;
    for (size_t i = 0; i < image.partitions.size(); i++) {
        const PartitionRequest& partition = image.partitions[i];
        const std::string where = "partition " + std::to_string(i + 1) + ": ";
        check_volume(partition.volume, where);
        if (image.table == Table::mbr && !(partition.name.empty() && partition.uuid.empty()))
            fail(where + "an MBR holds no names and UUIDs of partitions");
        if (partition.name.size() > longest_gpt_name)
            fail(where + "name " + escaped(partition.name) + ": is longer than 36 bytes");
        check_uuid(partition.uuid, where + "partuuid");
        inputs += partition.volume.source == "-" ? 1 : 0;
    }
    if (inputs > 1)
        fail("source=-: standard input is there once");
}

}  // namespace tools::mkimage
