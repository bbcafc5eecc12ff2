// SPDX-License-Identifier: GPL-2.0-only
// lkl du: the space that directories take, as du(1) does; a file with several names counts
// once.
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "lkl/image/walk.hpp"
#include "lkl/image_command.hpp"
#include "lkl/output/format.hpp"
#include "lkl/output/json.hpp"

namespace tools::lkl_tool {

namespace {

struct DuStyle {
    bool summary = false;
    bool human = false;
    bool all = false;
    bool apparent = false;
    bool bytes = false;
    bool total = false;
    size_t depth = std::numeric_limits<size_t>::max();
};

using Seen = std::unordered_set<Identity, HashIdentity>;

class CountSpace final : public Visitor {
public:
    using Show = std::function<void(uint64_t bytes, const std::string& path)>;

    // All references are kept. seen: files that were counted before, of those with several
    // names; of all if the operand is one of `several`, which may overlap.
    CountSpace(const DuStyle& style, Seen& seen, bool several, Show show)
        : style_(style), seen_(seen), several_(several), show_(std::move(show))
    {
    }

    bool visit(const Visit& file) override
    {
        const bool directory = file_type(file.stat) == lkl::FileType::directory;
        const bool may_come_again = several_ || (!directory && file.stat.stx_nlink > 1);
        if (may_come_again && !seen_.insert(identity_of(file.stat)).second)
            return false;
        const uint64_t bytes = style_.apparent ? file.stat.stx_size : file.stat.stx_blocks * 512;
        total_ += bytes;
        if (directory) {
            sums_.resize(file.depth + 1);
            sums_.back() = bytes;
            return true;
        }
        if (file.depth > 0)
            sums_[file.depth - 1] += bytes;
        if (file.depth == 0 || (style_.all && file.depth <= style_.depth))
            show_(bytes, file.path);
        return false;
    }

    void leave(const Visit& directory) override
    {
        const uint64_t sum = sums_[directory.depth];
        if (directory.depth > 0)
            sums_[directory.depth - 1] += sum;
        if (directory.depth <= style_.depth)
            show_(sum, directory.path);
    }

    uint64_t total() const { return total_; }

private:
    const DuStyle& style_;
    Seen& seen_;
    const bool several_;
    const Show show_;
    std::vector<uint64_t> sums_;  // of the directories on the way, by depth
    uint64_t total_ = 0;
};

class Du final : public ImageCommand {
public:
    explicit Du(CLI::App& parent) : ImageCommand(Access::read)
    {
        Subcommand command(parent, "du", "Print the space that directories take");
        command.help_is_long();
        add_operands(command, "Files and directories of images");
        command.flag("-s,--summarize", style_.summary, "Operands alone");
        command.flag("-h,--human-readable", style_.human, "Sizes as 1.5K, 20M");
        command.flag("-a,--all", style_.all, "Files, too");
        command.flag("-c,--total", style_.total, "And the sum of all");
        command.option("-d,--max-depth", style_.depth, 0, "N", "So many levels down alone");
        command.flag("--apparent-size", style_.apparent, "Sizes of files, not space on disk");
        command.flag("-b,--bytes", style_.bytes, "As --apparent-size, in bytes, not KiB");
        command.flag("--json", json_, "As JSON, in bytes");
        command.notes("Example: lkl du -sh disk.img:/usr disk.img:/var");
    }

private:
    void work(const std::vector<Operand>& operands) override;
    std::string size_cell(uint64_t bytes) const;

    DuStyle style_;
    bool json_ = false;
};

std::string Du::size_cell(uint64_t bytes) const
{
    if (style_.human)
        return human_size(bytes);
    return std::to_string(style_.bytes ? bytes : (bytes + 1023) / 1024);
}

void Du::work(const std::vector<Operand>& operands)
{
    style_.apparent = style_.apparent || style_.bytes;
    if (style_.summary)
        style_.depth = 0;
    JsonList json(out(), json_);
    const auto show = [&](uint64_t bytes, const std::string& path) {
        if (!json_) {
            out().write(size_cell(bytes) + '\t' + out().name(path) + '\n');
            return;
        }
        JsonObject object;
        object.set("path", path);
        object.set("bytes", bytes);
        json.add(object);
    };
    uint64_t total = 0;
    Seen seen;
    const Image* image = nullptr;
    for (const Operand& operand : operands) {
        // Two images have files of the same numbers.
        if (image != operand.image)
            seen.clear();
        image = operand.image;
        problems().guarded([&] {
            CountSpace count(style_, seen, operands.size() > 1, show);
            Walk(*operand.image, count, problems())
                .run(operand.image->place(operand.path), operand.shown);
            total += count.total();
        });
    }
    if (style_.total && !json_)
        show(total, "total");
    json.finish();
}

}  // namespace

std::unique_ptr<Command> add_du(CLI::App& parent)
{
    return std::make_unique<Du>(parent);
}

}  // namespace tools::lkl_tool
