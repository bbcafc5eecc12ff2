// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/packing.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "common/child_process.hpp"
#include "common/report.hpp"
#include "common/tar/tar_sink.hpp"
#include "lkl/mkimage/mkfs.hpp"
#include "lkl/mkimage/plain_sink.hpp"
#include "lkl/mkimage/program.hpp"

namespace tools::mkimage {

namespace {

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
        Failures failures(context.copy.fail_fast, context.copy.quiet, context.result);
        {
            OutputStream out(make_byte_sink(pipe, Compression::none, "mksquashfs"));
            Progress progress(!context.copy.quiet, {contents.bytes, contents.files, 0});
            TarSink archive(out);
            PlainSink sink(archive);
            source.give(sink, context.copy, Source::Depth::all, Source::Order::by_name, failures,
                        progress);
            archive.finish();
        }
        failures.throw_if_any();
        return std::string();
    });
}

bool is_unchanged(const CopyChoices& copy)
{
    const Rewrite& rewrite = copy.rewrite;
    return copy.exclude.empty() && !rewrite.owner && rewrite.ids.empty() && rewrite.mode.empty() &&
           rewrite.attributes;
}

// Of the top directory, mksquashfs 4.5 takes the permissions alone from its options, if the
// rest comes as an archive.
void add_top(const Context& context, std::vector<std::string>& command, const Contents::Top& top,
             const std::string& shown)
{
    std::array<char, 8> mode;
    (void)std::snprintf(mode.data(), mode.size(), "%o", top.mode & 07777);
    command.insert(command.end(), {"-root-mode", mode.data()});
    const Failures failures(false, context.copy.quiet, context.result);
    if (top.uid != 0 || top.gid != 0)
        failures.warn(shown + ": mksquashfs gives the top directory to root, not to " +
                      std::to_string(top.uid) + ':' + std::to_string(top.gid));
    if (top.attributes)
        failures.warn(shown + ": mksquashfs drops extended attributes of the top directory");
}

// The name, below the source, of the image that is being made; empty: it is elsewhere.
std::string name_in(const Source& source, const Context& context)
{
    namespace fs = std::filesystem;
    if (context.unfinished.empty())
        return {};
    const fs::path path(context.unfinished);
    std::error_code error;
    const fs::path directory =
        fs::canonical(path.has_parent_path() ? path.parent_path() : ".", error);
    if (error)
        return {};
    const std::string name = (directory / path.filename()).lexically_relative(source.directory());
    return name.starts_with("../") ? std::string() : name;
}

void pack_archive(const Context& context, Program::Start& start, const Contents& contents,
                  const Source& source, const std::string& shown)
{
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
        throw ToolError(ExitCode::internal, std::string("pipe: ") + std::strerror(errno));
    Descriptor in(ends[0]);
    Descriptor out(ends[1]);
    start.input = in.get();
    Program program(start);
    (void)in.close();
    try {
        write_archive(context, contents, source, out.get());
    } catch (const ToolError& error) {
        // A program that gave up knows better why.
        (void)out.close();
        if (error.code() == ExitCode::output)
            program.wait(shown);
        throw;
    }
    (void)out.close();
    program.wait(shown);
}

// A directory as it is, by mksquashfs alone; all else as an archive, on its way to which
// what was asked for is changed.
void pack_squashfs(const Context& context, const FileSystem& type, const Volume& volume,
                   const Contents& contents, const Source& source, const VolumeFile& file)
{
    const bool direct = !goes_by_archive(context, type, source);
    Program::Start start;
    start.kept.push_back(file.descriptor);
    start.command = {find_program(type.program, type.package),
                     direct ? source.directory() : std::string("-"),
                     path_of(file.descriptor),
                     "-noappend",
                     "-quiet",
                     "-no-progress",
                     "-exit-on-error"};
    if (!direct) {
        start.command.emplace_back("-tar");
        add_top(context, start.command, contents.top, file.shown);
    }
    for (std::string& word : volume_arguments(type, volume))
        start.command.push_back(std::move(word));
    // mksquashfs knows its output, which a partition's contents are not yet part of.
    if (const std::string name = direct ? name_in(source, context) : std::string(); !name.empty())
        start.command.insert(start.command.end(), {"-e", name});
    if (direct)
        Program(start).wait(file.shown);
    else
        pack_archive(context, start, contents, source, file.shown);
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
    if (const std::string name = name_in(source, context); !name.empty())
        start.command.push_back("--exclude-path=" + name);
    start.command.push_back(path_of(file.descriptor));
    start.command.push_back(source.directory());
    start.kept.push_back(file.descriptor);
    Program(start).wait(file.shown);
}

}  // namespace

bool goes_by_archive(const Context& context, const FileSystem& type, const Source& source)
{
    return type.filling == Filling::squashfs &&
           (source.is_archive() || !is_unchanged(context.copy));
}

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
