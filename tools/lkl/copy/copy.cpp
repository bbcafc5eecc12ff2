// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/copy/copy.hpp"

#include <utility>

#include <lkl/linux/fcntl.h>
#include <lkl/linux/stat.h>

#include "common/progress.hpp"
#include "common/report.hpp"
#include "common/tree/host_sources.hpp"
#include "common/tree/image_sources.hpp"
#include "common/tree/image_writer.hpp"
#include "common/tree/tree_reader.hpp"
#include "common/tree/tree_totals.hpp"
#include "lkl/output/output.hpp"

namespace tools::lkl_tool {

namespace {

bool is_directory(const lkl::Stat& stat)
{
    return (stat.stx_mode & LKL_S_IFMT) == LKL_S_IFDIR;
}

ToolError needs_recursion(const std::string& path)
{
    return ToolError(ExitCode::path, escaped(path) + ": is a directory: copied with -r alone")
        .about(path);
}

// On its way, files can be given up: by Ctrl-C in the shell. Of one that is not complete
// nothing stays.
class InterruptibleSink final : public EntrySink {
public:
    explicit InterruptibleSink(EntrySink& sink) : sink_(sink) {}

    void begin(const Entry& entry) override
    {
        Output::throw_if_interrupted();
        sink_.begin(entry);
    }
    void abandon() override { sink_.abandon(); }
    void end() override { sink_.end(); }
    std::span<std::byte> space() override { return sink_.space(); }
    void data(uint64_t offset, size_t count) override
    {
        Output::throw_if_interrupted();
        sink_.data(offset, count);
    }
    void align() override { sink_.align(); }
    bool is_behind() const override { return sink_.is_behind(); }
    uint64_t begun() const override { return sink_.begun(); }
    bool made(const std::string& path, uint64_t number) override
    {
        return sink_.made(path, number);
    }
    uint64_t share(const lkl::File& source, const Extent& extent) override
    {
        return sink_.share(source, extent);
    }

private:
    EntrySink& sink_;
};

// The sources that can be copied, from the top of the image.
std::vector<std::string> choose_sources(const Image& from, const std::vector<std::string>& sources,
                                        const CopyOptions& options, Failures& failures)
{
    std::vector<std::string> chosen;
    for (const std::string& source : sources) {
        try {
            for (const std::string& path : from.expand(source)) {
                if (!options.recursive && is_directory(from.stat(path, false, identity_mask)))
                    failures.add_source(needs_recursion(path));
                else
                    chosen.push_back(path);
            }
        } catch (const ToolError& error) {
            failures.add_source(error);
        }
    }
    return chosen;
}

// The directory and all that it is in.
std::vector<Identity> chain(const Image& image, const lkl::File& directory)
{
    std::vector<Identity> identities;
    lkl::File next;
    const auto top = image.root().stat(identity_mask);
    for (const lkl::File* current = &directory;;) {
        const auto stat = current->stat(identity_mask);
        if (!top || !stat)
            break;
        identities.push_back(identity_of(*stat));
        if (identities.back() == identity_of(*top))
            break;
        auto above = current->open_at("..", LKL_O_PATH | LKL_O_DIRECTORY);
        if (!above)
            break;
        next = *std::move(above);
        current = &next;
    }
    return identities;
}

// A directory into itself would have no end, and a file on itself has no sense.
bool is_into_itself(const Image& image, const std::string& source, const ImageTop& top,
                    const std::vector<Identity>& above)
{
    const Identity identity = identity_of(image.stat(source, false, identity_mask));
    for (const Identity& other : above) {
        if (identity == other)
            return true;
    }
    const std::string name = top.name.empty() ? split_source(source).name : top.name;
    if (name.empty())
        return false;
    const auto there = top.directory.stat_at(name.c_str(), identity_mask);
    return there && identity_of(*there) == identity;
}

std::vector<std::string> without_itself(const Image& image, std::vector<std::string> sources,
                                        const ImageTop& top, Failures& failures)
{
    const std::vector<Identity> above = chain(image, top.directory);
    std::erase_if(sources, [&](const std::string& source) {
        if (!is_into_itself(image, source, top, above))
            return false;
        failures.add_source(
            ToolError(ExitCode::path, escaped(source) + ": cannot be copied into itself")
                .about(source));
        return true;
    });
    return sources;
}

void read_image(Image& from, const std::vector<std::string>& sources, const GivenName& name,
                const CopyOptions& options, Failures& failures, EntrySink& sink)
{
    ReadOptions read_options;
    read_options.image = true;
    ProgressTotals totals;
    if (shows_progress(!options.quiet))
        totals = tree_totals(
            read_options, from.mounted(), [&](TreeReader<lkl::File>& reader, Failures& uncounted) {
                read_image_sources(reader, from.mounted(), from.root(), sources, name, uncounted);
            });
    Progress progress(!options.quiet, totals);
    InterruptibleSink interruptible(sink);
    TreeReader<lkl::File> reader(read_options, from.mounted(), failures, progress, interruptible);
    read_image_sources(reader, from.mounted(), from.root(), sources, name, failures);
}

}  // namespace

void copy_from_host(const std::vector<std::string>& paths, Image& to,
                    const std::string& destination, const CopyOptions& options, Failures& failures)
{
    std::vector<std::string> chosen;
    for (const std::string& path : paths) {
        const auto file = HostFile::open(path.c_str(), LKL_O_PATH | LKL_O_NOFOLLOW);
        const auto stat = file ? file->stat() : lkl::Result<lkl::Stat>(file.error());
        if (!options.recursive && stat && is_directory(*stat))
            failures.add_source(needs_recursion(path));
        else
            chosen.push_back(path);
    }
    ImageTop top = open_image_top(to.mounted(), to.absolute(destination), paths.size() > 1);
    const GivenName name = top.given_name();
    const HostErrorTexts texts({}, ExitCode::path);
    ReadOptions read_options;
    // Copying the image into itself would have no end.
    read_options.leave_out = to.host_file();
    write_into(to.mounted(), std::move(top), false, failures, [&](EntrySink& sink) {
        Progress progress(!options.quiet, host_totals(!options.quiet, chosen));
        InterruptibleSink interruptible(sink);
        TreeReader<HostFile> reader(read_options, texts, failures, progress, interruptible);
        read_host_sources(reader, chosen, name, failures);
    });
}

void copy_to_host(Image& from, const std::vector<std::string>& sources, HostTop top,
                  const CopyOptions& options, Failures& failures)
{
    const std::vector<std::string> chosen = choose_sources(from, sources, options, failures);
    const GivenName name = top.given_name();
    write_host(std::move(top), from.mounted().host_files(), failures,
               [&](EntrySink& sink) { read_image(from, chosen, name, options, failures, sink); });
}

void copy_between(Image& from, const std::vector<std::string>& sources, Image& to,
                  const std::string& destination, const CopyOptions& options, Failures& failures)
{
    std::vector<std::string> chosen = choose_sources(from, sources, options, failures);
    ImageTop top = open_image_top(to.mounted(), to.absolute(destination),
                                  sources.size() > 1 || chosen.size() > 1);
    const GivenName name = top.given_name();
    const auto give = [&](EntrySink& sink) {
        read_image(from, chosen, name, options, failures, sink);
    };
    if (&from != &to) {
        write_into(to.mounted(), std::move(top), false, failures, give);
        return;
    }
    chosen = without_itself(from, std::move(chosen), top, failures);
    write_within(to.mounted(), std::move(top), failures, give);
}

}  // namespace tools::lkl_tool
