// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/options.hpp"

#include "common/report.hpp"
#include "lkl/mkimage/file_system_table.hpp"
#include "lkl/mkimage/layout_file.hpp"
#include "lkl/mkimage/partition_table.hpp"

namespace tools::mkimage {

namespace {

[[noreturn]] void fail(const std::string& text)
{
    throw ToolError(ExitCode::usage, text + " (lkl mkimage --help shows the options)");
}

}  // namespace

Options::Options(CLI::App& app)
{
    app.add_option("PATH", paths_,
                   "A directory or an archive (- is standard input), and the image to make; with "
                   "--partition or --layout the image alone")
        ->option_text("[SOURCE] IMAGE")
        ->required();
    type_given_ = app.add_option("--fs", volume_.type, "File system: " + file_system_names())
                      ->option_text("TYPE")
                      ->capture_default_str();
    app.add_option("--size", size_, "Size: 64M, or auto, auto+64M, auto+10%: what is needed")
        ->option_text("SIZE");
    app.add_option("--label", volume_.label, "Label of the file system")->option_text("TEXT");
    app.add_option("--uuid", volume_.uuid, "UUID of the file system")->option_text("UUID");
    app.add_option("--mkfs-option", volume_.mkfs_options,
                   "Argument for the mkfs program; may be repeated")
        ->option_text("ARG")
        ->allow_extra_args(false)
        ->take_all();
    CLI::Option* const gpt = app.add_flag("--gpt", gpt_, "With a partition table, GPT");
    app.add_flag("--mbr", mbr_, "With a partition table, MBR")->excludes(gpt);
    app.add_option("--partition", partitions_,
                   "A partition: fs=TYPE,size=SIZE,label=TEXT,uuid=UUID,mkfs-option=ARG,"
                   "source=PATH,name=TEXT,type=TYPE,partuuid=UUID,bootable; may be repeated")
        ->option_text("KEY=VALUE,...")
        ->allow_extra_args(false)
        ->take_all();
    app.add_option("--layout", layout_, "Partitions as a JSON file says")->option_text("FILE");
    app.add_flag("--json", json_, "Print what was made");
    copy_options_.add_exclude(app, exclude_);
    copy_options_.add_rewrite(app, rewrite_, fail_fast_);
}

CopyChoices Options::copy() const
{
    CopyChoices choices;
    choices.exclude = exclude_;
    choices.rewrite = rewrite_;
    choices.fail_fast = fail_fast_;
    return choices;
}

ImageSpecification Options::specification()
{
    copy_options_.take();
    if (!layout_.empty() && (!partitions_.empty() || gpt_ || mbr_))
        fail("--layout says all of partitions: neither --partition nor --gpt nor --mbr");
    ImageSpecification result = layout_.empty() ? ImageSpecification() : read_layout(layout_);
    if (layout_.empty())
        result.table = gpt_ ? Table::gpt : mbr_ ? Table::mbr : Table::none;
    for (const std::string& text : partitions_)
        result.partitions.push_back(parse_partition(text));
    if (!partitions_.empty() && result.table == Table::none)
        fail("--partition needs --gpt or --mbr");
    take_paths(result);
    check(result);
    for (size_t i = 0; result.table != Table::none && i < result.partitions.size(); i++)
        check_partition_type(result.table, result.partitions[i],
                             "partition " + std::to_string(i + 1) + ": ");
    return result;
}

void Options::take_paths(ImageSpecification& result)
{
    image_ = paths_.back();
    // It is written to and fro.
    if (image_ == "-")
        fail("-: an image cannot go to standard output: name a file");
    if (!described()) {
        if (paths_.size() != 2)
            fail("a source and an image are needed");
        take_volume(result.partitions.emplace_back().volume);
        return;
    }
    if (paths_.size() != 1)
        fail("with partitions, the image alone is named: source= is for their contents");
    if (type_given_->count() > 0 || !volume_.label.empty() || !volume_.uuid.empty() ||
        !volume_.mkfs_options.empty())
        fail("with partitions, --fs, --label, --uuid and --mkfs-option are for each of them");
    if (!size_.empty())
        result.size = SizeRequest::parse(size_, "--size");
}

void Options::take_volume(Volume& volume)
{
    volume = volume_;
    volume.type = find_file_system(volume.type).name;
    volume.source = paths_.front();
    if (!size_.empty())
        volume.size = SizeRequest::parse(size_, "--size");
}

}  // namespace tools::mkimage
