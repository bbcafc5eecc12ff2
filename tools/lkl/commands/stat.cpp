// SPDX-License-Identifier: GPL-2.0-only
// lkl stat: all that statx(2) says of files, and their extended attributes.
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <lkl/linux/fcntl.h>
#include <lkl/linux/stat.h>

#include "common/tree/attribute_reader.hpp"
#include "lkl/image/users.hpp"
#include "lkl/image/walk.hpp"
#include "lkl/image_command.hpp"
#include "lkl/output/format.hpp"
#include "lkl/output/json.hpp"

namespace tools::lkl_tool {

namespace {

constexpr unsigned everything = identity_mask | LKL_STATX_BTIME | LKL_STATX_DIOALIGN;

struct FileAttribute {
    uint64_t bit;
    std::string_view name;
};
constexpr std::array file_attributes{
    FileAttribute{LKL_STATX_ATTR_COMPRESSED, "compressed"},
    FileAttribute{LKL_STATX_ATTR_IMMUTABLE, "immutable"},
    FileAttribute{LKL_STATX_ATTR_APPEND, "append"},
    FileAttribute{LKL_STATX_ATTR_NODUMP, "nodump"},
    FileAttribute{LKL_STATX_ATTR_ENCRYPTED, "encrypted"},
    FileAttribute{LKL_STATX_ATTR_AUTOMOUNT, "automount"},
    FileAttribute{LKL_STATX_ATTR_MOUNT_ROOT, "mount-root"},
    FileAttribute{LKL_STATX_ATTR_VERITY, "verity"},
    FileAttribute{LKL_STATX_ATTR_DAX, "dax"},
};

// Of those that the file system knows.
std::vector<std::string> names_of(uint64_t attributes)
{
    std::vector<std::string> names;
    for (const FileAttribute& attribute : file_attributes) {
        if ((attributes & attribute.bit) != 0)
            names.emplace_back(attribute.name);
    }
    return names;
}

std::string joined(const std::vector<std::string>& names)
{
    std::string text;
    for (const std::string& name : names)
        text += (text.empty() ? "" : " ") + name;
    return text.empty() ? "none" : text;
}

std::string device(uint32_t major, uint32_t minor)
{
    return std::to_string(major) + ':' + std::to_string(minor);
}

class Stat final : public ImageCommand {
public:
    explicit Stat(CLI::App& parent) : ImageCommand(Access::read)
    {
        Subcommand command(parent, "stat", "Print all there is to know of files");
        add_operands(command, "Files of images");
        command.flag("-L,--dereference", follow_, "What symbolic links lead to");
        command.flag("--json", json_, "As JSON");
        command.notes("Example: lkl stat --json disk.img:/etc/fstab");
    }

private:
    struct File {
        const Operand& operand;
        lkl::Stat stat{};
        std::string target;  // of a symbolic link
        std::vector<Attribute> attributes;
    };

    void work(const std::vector<Operand>& operands) override
    {
        JsonList json(out(), json_);
        for (const Operand& operand : operands) {
            problems().guarded([&] {
                File file{operand, {}, {}, {}};
                look_at(file);
                if (json_)
                    json.add(describe(file));
                else
                    print(file);
            });
        }
        json.finish();
    }

    void look_at(File& file);
    JsonObject describe(const File& file) const;
    void print(const File& file);

    bool follow_ = false;
    bool json_ = false;
};

void Stat::look_at(File& file)
{
    const Image& image = *file.operand.image;
    const std::string& path = file.operand.path;
    const auto check = [&](auto result) {
        if (!result)
            throw image.failure(result.error(), path);
        return *std::move(result);
    };
    file.stat = image.stat(path, follow_, everything);
    AttributeReader<lkl::File> reader;
    lkl::Result<void> read;
    const lkl::FileType type = file_type(file.stat);
    if (type == lkl::FileType::regular || type == lkl::FileType::directory) {
        read = reader.read(image.open(path, LKL_O_RDONLY), file.attributes);
    } else {
        const Place place = image.place(path);
        if (type == lkl::FileType::symbolic_link)
            file.target = check(place.directory.read_link_at(place.name.c_str()));
        read = reader.read_at(place.directory, place.name.c_str(), file.attributes);
    }
    if (!read)
        throw image.failure(read.error(), path);
}

JsonObject Stat::describe(const File& file) const
{
    const lkl::Stat& stat = file.stat;
    JsonObject object;
    object.set("path", file.operand.shown);
    set_stat(object, stat);
    if (file_type(stat) == lkl::FileType::symbolic_link)
        object.set("target", file.target);
    object.set("block_size", stat.stx_blksize);
    object.set("file_system_major", stat.stx_dev_major);
    object.set("file_system_minor", stat.stx_dev_minor);
    object.set("attributes", names_of(stat.stx_attributes));
    object.set("attributes_known", names_of(stat.stx_attributes_mask));
    if ((stat.stx_mask & LKL_STATX_DIOALIGN) != 0) {
        object.set("direct_memory_alignment", stat.stx_dio_mem_align);
        object.set("direct_offset_alignment", stat.stx_dio_offset_align);
    }
#ifdef LKL_STATX_SUBVOL
    if ((stat.stx_mask & LKL_STATX_SUBVOL) != 0)
        object.set("subvolume", stat.stx_subvol);
#endif
    std::vector<JsonObject> attributes;
    for (const Attribute& attribute : file.attributes) {
        JsonObject one;
        one.set("name", attribute.name);
        one.set("value", attribute.value);
        attributes.push_back(std::move(one));
    }
    object.set("extended_attributes", attributes);
    return object;
}

void Stat::print(const File& file)
{
    const lkl::Stat& stat = file.stat;
    Users users(*file.operand.image);
    std::string name = out().name(file.operand.shown);
    if (file_type(stat) == lkl::FileType::symbolic_link)
        name += " -> " + out().name(file.target);
    std::string type(type_name(stat.stx_mode));
    if (file_type(stat) == lkl::FileType::block_device ||
        file_type(stat) == lkl::FileType::character_device)
        type += ' ' + device(stat.stx_rdev_major, stat.stx_rdev_minor);
    Table table({Table::Align::left, Table::Align::left});
    table.add({"File:", name});
    table.add({"Type:", type});
    table.add({"Size:", std::to_string(stat.stx_size)});
    table.add({"Allocated:", std::to_string(stat.stx_blocks * 512)});
    table.add({"Mode:", octal_mode(stat.stx_mode) + ' ' + mode_text(stat.stx_mode)});
    table.add(
        {"User:", std::to_string(stat.stx_uid) + ' ' + out().name(users.user_name(stat.stx_uid))});
    table.add({"Group:",
               std::to_string(stat.stx_gid) + ' ' + out().name(users.group_name(stat.stx_gid))});
    table.add({"Links:", std::to_string(stat.stx_nlink)});
    table.add({"Inode:", std::to_string(stat.stx_ino)});
    table.add({"Device:", device(stat.stx_dev_major, stat.stx_dev_minor)});
    table.add({"Block size:", std::to_string(stat.stx_blksize)});
    table.add({"Accessed:", full_time(stat.stx_atime)});
    table.add({"Modified:", full_time(stat.stx_mtime)});
    table.add({"Changed:", full_time(stat.stx_ctime)});
    table.add({"Born:",
               (stat.stx_mask & LKL_STATX_BTIME) != 0 ? full_time(stat.stx_btime) : "not known"});
    table.add({"Attributes:", joined(names_of(stat.stx_attributes))});
    // Values may hold anything, on their way to a program as well.
    for (const Attribute& attribute : file.attributes)
        table.add({"Extended:", escaped(attribute.name) + '=' + escaped(attribute.value)});
    out().write(table.text());
}

}  // namespace

std::unique_ptr<Command> add_stat(CLI::App& parent)
{
    return std::make_unique<Stat>(parent);
}

}  // namespace tools::lkl_tool
