// SPDX-License-Identifier: GPL-2.0-only
// lkl df: how full file systems are.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lkl/image/usage.hpp"
#include "lkl/image_command.hpp"
#include "lkl/output/format.hpp"
#include "lkl/output/json.hpp"

namespace tools::lkl_tool {

namespace {

std::string percent(const Usage& usage)
{
    const uint64_t whole = usage.used + usage.available;
    if (whole == 0)
        return "-";
    // Rounded up, without an overflow of large file systems.
    const auto part = static_cast<unsigned __int128>(usage.used) * 100;
    return std::to_string(static_cast<uint64_t>((part + whole - 1) / whole)) + '%';
}

class Df final : public ImageCommand {
public:
    explicit Df(CLI::App& parent) : ImageCommand(Access::read, Patterns::kept)
    {
        Subcommand command(parent, "df", "Print how full file systems are");
        command.help_is_long();
        add_operands(command, "Images");
        command.flag("-h,--human-readable", human_, "Sizes as 1.5K, 20M, not in KiB");
        command.flag("-i,--inodes", inodes_, "Inodes, not space");
        command.flag("--json", json_, "As JSON, in bytes");
        command.notes("Example: lkl df -h disk.img");
    }

private:
    void work(const std::vector<Operand>& operands) override;
    void add_row(Table& table, const Image& image, const lkl::FileSystemStat& stat) const;
    void add_object(JsonList& json, Image& image, const lkl::FileSystemStat& stat) const;
    std::string cell(uint64_t value) const
    {
        if (human_)
            return human_size(value);
        return std::to_string(inodes_ ? value : (value + 1023) / 1024);
    }

    bool human_ = false;
    bool inodes_ = false;
    bool json_ = false;
};

void Df::add_row(Table& table, const Image& image, const lkl::FileSystemStat& stat) const
{
    const Usage usage = inodes_ ? inode_usage(stat) : space_usage(stat);
    table.add({escaped(image.name()), image.type(), cell(usage.size), cell(usage.used),
               cell(usage.available), percent(usage)});
}

void Df::add_object(JsonList& json, Image& image, const lkl::FileSystemStat& stat) const
{
    const Usage bytes = space_usage(stat);
    const Usage files = inode_usage(stat);
    JsonObject object;
    object.set("image", image.name());
    object.set("type", image.type());
    object.set("size", bytes.size);
    object.set("used", bytes.used);
    object.set("available", bytes.available);
    object.set("inodes", files.size);
    object.set("inodes_used", files.used);
    object.set("inodes_available", files.available);
    json.add(object);
}

void Df::work(const std::vector<Operand>& operands)
{
    JsonList json(out(), json_);
    using enum Table::Align;
    Table table({left, left, right, right, right, right});
    const std::string unit = human_ ? "Size" : "1K-blocks";
    table.add({"Image", "Type", inodes_ ? "Inodes" : unit, inodes_ ? "IUsed" : "Used",
               inodes_ ? "IFree" : "Available", inodes_ ? "IUse%" : "Use%"});
    bool any = false;
    for (const Operand& operand : operands) {
        any |= problems().guarded([&] {
            const auto stat = operand.image->root().stat_file_system();
            if (!stat)
                throw operand.image->failure(stat.error(), "/");
            if (json_)
                add_object(json, *operand.image, *stat);
            else
                add_row(table, *operand.image, *stat);
        });
    }
    json.finish();
    if (!json_ && any)
        out().write(table.text());
}

}  // namespace

std::unique_ptr<Command> add_df(CLI::App& parent)
{
    return std::make_unique<Df>(parent);
}

}  // namespace tools::lkl_tool
