// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/packing.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "common/child_process.hpp"
#include "common/report.hpp"
#include "common/tar/tar_sink.hpp"
#include "lkl/mkimage/mkfs.hpp"
#include "lkl/mkimage/program.hpp"

namespace tools::mkimage {

namespace {

// mksquashfs gets what the top directory is by options, and complains about a member of
// that name.
class WithoutTop final : public EntrySink {
public:
    explicit WithoutTop(EntrySink& sink) : sink_(sink) {}

    void begin(const Entry& entry) override
    {
        top_ = entry.path.empty();
        if (!top_)
            sink_.begin(entry);
    }
    void abandon() override { sink_.abandon(); }
    void end() override
    {
        if (!top_)
            sink_.end();
    }
    std::span<std::byte> space() override { return sink_.space(); }
    void data(uint64_t offset, size_t count) override { sink_.data(offset, count); }
    void align() override { sink_.align(); }

private:
    EntrySink& sink_;
    bool top_ = false;
};

// The contents as an archive, with all that was asked to be different; in a process that
// is shut in.
void write_archive(const Context& context, const Contents& contents, const Source& source, int pipe)
{
    (void)run_in_child([&] {
        if (context.kernel.sandbox) {
            SandboxRules rules;
            source.add_to(rules);
            enter_sandbox(rules);
        }
        Failures failures(context.copy.fail_fast, context.copy.quiet);
        {
            OutputStream out(make_byte_sink(pipe, Compression::none, "mksquashfs"));
            Progress progress(!context.copy.quiet, {contents.bytes, contents.files});
            TarSink archive(out);
            WithoutTop sink(archive);
            source.give(sink, context.copy, Source::Depth::all, Source::Order::by_name, failures,
                        progress);
            archive.finish();
        }
        failures.throw_if_any();
        return std::string();
    });
}

void add_top(std::vector<std::string>& command, const Contents::Top& top)
{
    std::array<char, 8> mode;
    (void)std::snprintf(mode.data(), mode.size(), "%o", top.mode & 07777);
    command.insert(command.end(), {"-root-mode", mode.data(), "-root-uid", std::to_string(top.uid),
                                   "-root-gid", std::to_string(top.gid)});
    if (top.known && top.seconds >= 0)
        command.insert(command.end(), {"-root-time", std::to_string(top.seconds)});
}

void pack_squashfs(const Context& context, const FileSystem& type, const Volume& volume,
                   const Contents& contents, const Source& source, const VolumeFile& file)
{
    if (contents.top.attributes && !context.copy.quiet)
        report(file.shown + ": extended attributes of the top directory are not kept");
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
        throw ToolError(ExitCode::internal, std::string("pipe: ") + std::strerror(errno));
    Descriptor in(ends[0]);
    Descriptor out(ends[1]);
    Program::Start start;
    start.command = {find_program(type.program, type.package),
                     "-",
                     path_of(file.descriptor),
                     "-tar",
                     "-noappend",
                     "-quiet",
                     "-no-progress"};
    add_top(start.command, contents.top);
    if (context.epoch && !contents.top.known)
        start.command.insert(start.command.end(), {"-root-time", std::to_string(*context.epoch)});
    for (std::string& word : volume_arguments(type, volume))
        start.command.push_back(std::move(word));
    start.kept.push_back(file.descriptor);
    start.input = in.get();
    Program program(start);
    (void)in.close();
    try {
        write_archive(context, contents, source, out.get());
    } catch (const ToolError& error) {
        // A program that gave up knows better why.
        (void)out.close();
        if (error.cause() == EPIPE)
            program.wait(file.shown);
        throw;
    }
    (void)out.close();
    program.wait(file.shown);
}

void pack_erofs(const Context& context, const FileSystem& type, const Volume& volume,
                const Source& source, const VolumeFile& file)
{
    Program::Start start;
    start.command = {find_program(type.program, type.package), "-d1", "--quiet"};
    if (context.copy.rewrite.owner) {
        start.command.push_back("--force-uid=" + std::to_string(context.copy.rewrite.owner->uid));
        start.command.push_back("--force-gid=" + std::to_string(context.copy.rewrite.owner->gid));
    }
    if (!context.copy.rewrite.attributes)
        start.command.emplace_back("-x-1");
    for (std::string& word : volume_arguments(type, volume))
        start.command.push_back(std::move(word));
    start.command.push_back(path_of(file.descriptor));
    start.command.push_back(source.directory());
    start.kept.push_back(file.descriptor);
    Program(start).wait(file.shown);
}

}  // namespace

void check_packing(const Context& context, const FileSystem& type, const Source& source)
{
    if (type.filling != Filling::erofs)
        return;
    if (source.is_archive())
        throw ToolError(ExitCode::usage,
                        "erofs: mkfs.erofs packs directories alone: unpack the archive first");
    const Rewrite& rewrite = context.copy.rewrite;
    if (!rewrite.ids.empty() || !rewrite.mode.empty() || !context.copy.exclude.empty())
        throw ToolError(ExitCode::usage, "erofs: mkfs.erofs knows no --map-users, --chmod and -x");
}

void pack(const Context& context, const FileSystem& type, const Volume& volume,
          const Contents& contents, const Source& source, const VolumeFile& file)
{
    if (ftruncate(file.descriptor, 0) != 0)
        throw ToolError(ExitCode::output, file.shown + ": cannot empty it: " + std::strerror(errno),
                        errno);
    if (type.filling == Filling::squashfs)
        pack_squashfs(context, type, volume, contents, source, file);
    else
        pack_erofs(context, type, volume, source, file);
}

}  // namespace tools::mkimage
