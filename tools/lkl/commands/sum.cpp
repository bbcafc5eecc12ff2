// SPDX-License-Identifier: GPL-2.0-only
// lkl sum: digests of files, in the format of sha256sum(1).
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <lkl/asm/errno.h>
#include <lkl/linux/fcntl.h>

#include "common/progress.hpp"
#include "common/tree/tree_totals.hpp"
#include "lkl/image/digest.hpp"
#include "lkl/image/walk.hpp"
#include "lkl/image_command.hpp"
#include "lkl/output/json.hpp"

namespace tools::lkl_tool {

namespace {

class Sum final : public ImageCommand, private Visitor {
public:
    explicit Sum(CLI::App& parent) : ImageCommand(Access::read)
    {
        Subcommand command(parent, "sum", "Print digests of files");
        add_operands(command, "Files of images");
        command.choice("-a,--algorithm", algorithm_,
                       {"md5", "sha1", "sha224", "sha256", "sha384", "sha512"}, "NAME",
                       "md5, sha1, sha224, sha256 (the usual one), sha384, sha512");
        command.flag("-r,--recursive", recursive_, "The regular files of directories");
        command.flag("-z,--zero", zero_, "Lines end in a zero byte, names are as they are");
        command.flag("--relative", relative_,
                     "Names begin with ./, not /, so that a copy can be "
                     "checked where it is");
        command.flag("--json", json_, "As JSON");
        command.notes("Example: lkl sum -r --relative disk.img:/ | (cd copy && sha256sum -c)");
    }

private:
    void work(const std::vector<Operand>& operands) override;
    bool visit(const Visit& file) override;
    ProgressTotals totals(const std::vector<Operand>& operands) const;
    void print(const lkl::File& file, const std::string& path, const std::string& shown);

    std::string algorithm_ = "sha256";
    bool recursive_ = false;
    bool zero_ = false;
    bool relative_ = false;
    bool json_ = false;

    const Image* image_ = nullptr;
    const Digest* digest_ = nullptr;
    std::unique_ptr<JsonList> list_;
    std::unique_ptr<Progress> progress_;
};

// A name with a backslash, newline or return as sha256sum(1) writes it: the line begins
// with a backslash.
std::string escaped_line(const std::string& digest, const std::string& name)
{
    std::string text;
    for (const char c : name) {
        if (c == '\\')
            text += "\\\\";
        else if (c == '\n')
            text += "\\n";
        else if (c == '\r')
            text += "\\r";
        else
            text += c;
    }
    return (text == name ? "" : "\\") + digest + "  " + text + '\n';
}

void Sum::print(const lkl::File& file, const std::string& path, const std::string& shown)
{
    const auto digest = digest_->of(file, [this](uint64_t count) { progress_->add_bytes(count); });
    progress_->add_file();
    if (!digest)
        throw image_->failure(digest.error(), path);
    // Its line and those of the output may be on the same terminal.
    if (out().terminal())
        progress_->hide();
    std::string name = shown;
    if (relative_)
        name = (name.starts_with('/') ? "." : "./") + name;
    if (json_) {
        JsonObject object;
        object.set("path", name);
        object.set(algorithm_, *digest);
        list_->add(object);
    } else if (zero_) {
        out().write(*digest + "  " + name + '\0');
    } else {
        out().write(out().terminal() ? *digest + "  " + escaped(name) + '\n'
                                     : escaped_line(*digest, name));
    }
}

bool Sum::visit(const Visit& file)
{
    if (file_type(file.stat) != lkl::FileType::regular)
        return true;
    const auto opened = file.directory.open_at(file.name, LKL_O_RDONLY | LKL_O_NOFOLLOW);
    if (!opened)
        throw image_->failure(opened.error(), file.path);
    print(*opened, file.path, file.path);
    return false;
}

// How much will be read, as far as that can be told beforehand.
ProgressTotals Sum::totals(const std::vector<Operand>& operands) const
{
    ProgressTotals totals;
    if (!shows_progress(wants_progress()))
        return totals;
    ReadOptions options;
    options.image = true;
    for (const Operand& operand : operands) {
        Image& image = *operand.image;
        try {
            const lkl::Stat stat = image.stat(operand.path, true, lkl::File::basic_stats);
            if (file_type(stat) != lkl::FileType::directory) {
                totals.bytes += stat.stx_size;
                continue;
            }
            const uint64_t below =
                tree_totals(options, image.mounted(),
                            [&](TreeReader<lkl::File>& reader, Failures& /*failures*/) {
                                reader.read_directory(
                                    image.open(operand.path, LKL_O_RDONLY | LKL_O_DIRECTORY), {},
                                    {});
                            })
                    .bytes;
            if (below == 0)
                return {};
            totals.bytes += below;
        } catch (const ToolError&) {
            // The work itself tells it.
            continue;
        }
    }
    return totals;
}

void Sum::work(const std::vector<Operand>& operands)
{
    progress_ = std::make_unique<Progress>(wants_progress(), totals(operands));
    list_ = std::make_unique<JsonList>(out(), json_);
    // This command outlives the kernel; what is here ends before it, whatever is thrown.
    std::optional<Digest> digest;
    for (const Operand& operand : operands) {
        problems().guarded([&] {
            Image& image = *operand.image;
            if (image_ != &image) {
                auto opened = Digest::open(image.mounted().kernel(), algorithm_);
                if (!opened)
                    throw ToolError(ExitCode::kernel, algorithm_ + ": " + opened.error().what);
                digest_ = &digest.emplace(*std::move(opened));
                image_ = &image;
            }
            const lkl::Stat stat = image.stat(operand.path, true, lkl::File::basic_stats);
            const bool directory = file_type(stat) == lkl::FileType::directory;
            if (directory && !recursive_)
                throw image.failure({LKL_EISDIR, "open"}, operand.path);
            if (directory)
                Walk(image, *this, problems()).run(image.inside(operand.path), operand.shown);
            else
                print(image.open(operand.path, LKL_O_RDONLY | LKL_O_NONBLOCK), operand.path,
                      operand.shown);
        });
    }
    progress_.reset();
    list_->finish();
}

}  // namespace

std::unique_ptr<Command> add_sum(CLI::App& parent)
{
    return std::make_unique<Sum>(parent);
}

}  // namespace tools::lkl_tool
