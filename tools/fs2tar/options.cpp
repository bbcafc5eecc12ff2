// SPDX-License-Identifier: GPL-2.0-only
#include "fs2tar/options.hpp"

#include <array>
#include <cstdint>
#include <iostream>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/report.hpp"

namespace tools::fs2tar {

namespace {

struct Suffix {
    std::string_view text;
    Compression compression;
};

constexpr std::array suffixes{
    Suffix{".zst", Compression::zstd}, Suffix{".tzst", Compression::zstd},
    Suffix{".gz", Compression::gzip},  Suffix{".tgz", Compression::gzip},
    Suffix{".xz", Compression::xz},    Suffix{".txz", Compression::xz},
};

struct Name {
    std::string_view text;
    Compression compression;
};

constexpr std::array names{
    Name{"none", Compression::none},
    Name{"gzip", Compression::gzip},
    Name{"xz", Compression::xz},
    Name{"zstd", Compression::zstd},
};

Compression compression_for(const std::string& name, const std::string& archive)
{
    for (const Name& known : names) {
        if (name == known.text)
            return known.compression;
    }
    for (const Suffix& suffix : suffixes) {
        if (archive.ends_with(suffix.text))
            return suffix.compression;
    }
    return Compression::none;
}

// An option of -o that asks for writing would be promised and not held.
void refuse_writing(const std::string& options)
{
    const std::string list = ',' + options + ',';
    if (list.find(",rw,") != std::string::npos)
        throw ToolError(ExitCode::usage, "-o rw: the image is never written");
}

}  // namespace

std::optional<Options> parse_command_line(int argc, char** argv)
{
    Options options;
    unsigned partition = 0;
    uint64_t memory_mib = 256;
    std::string compression;
    std::vector<std::string> exclude;

    CLI::App app(
        "Write the file system of a disk image as a tar archive, read-only and "
        "without root.",
        "fs2tar");
    app.add_option("IMAGE", options.image.path, "Disk image: a file or a block device")->required();
    app.add_option("ARCHIVE", options.archive, "Archive to write; - is standard output")
        ->required();
    const CLI::Option* const partition_given =
        app.add_option("-P,--partition", partition, "Partition number; 0 is the whole disk")
            ->option_text("N");
    app.add_option("-t,--type", options.image.type, "File system type; detected if not given")
        ->option_text("TYPE");
    app.add_option("-c,--compress", compression,
                   "zstd, gzip, xz or none; by the archive's suffix if not given")
        ->check(CLI::IsMember({"zstd", "gzip", "xz", "none"}))
        ->option_text("NAME");
    app.add_option("-o,--options", options.image.options, "Mount options, as for mount -o")
        ->option_text("LIST");
    app.add_option("--subdir", options.subdirectory, "Archive this directory only")
        ->option_text("DIR");
    app.add_option("-x,--exclude", exclude, "Leave out what matches; may be repeated")
        ->option_text("PATTERN")
        ->allow_extra_args(false)
        ->take_all();
    app.add_flag("-p,--print-log", options.image.show_log, "Print the kernel's log on stderr");
    app.add_option("-s,--selinux", options.label_file, "Write the SELinux labels to this file")
        ->option_text("FILE");
    app.add_option("-m,--memory", memory_mib, "Memory of the kernel, MiB")
        ->option_text("MIB")
        ->check(CLI::Range(uint64_t{32}, uint64_t{1} << 20))
        ->capture_default_str();
    app.add_flag("-q,--quiet", options.quiet, "No progress bar, no notes, no warnings");
    app.set_version_flag("-V,--version", "fs2tar " LKL_VERSION);
    app.footer("Exit status and details: man fs2tar");

    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& done) {
        app.exit(done);
        return std::nullopt;
    } catch (const CLI::ParseError& error) {
        throw ToolError(ExitCode::usage,
                        escaped(error.what()) + " (fs2tar --help shows the options)");
    }

    if (partition_given->count() > 0)
        options.image.partition = partition;
    options.image.memory = memory_mib << 20;
    options.compression = compression_for(compression, options.archive);
    for (const std::string& pattern : exclude)
        options.exclude.add(pattern);
    refuse_writing(options.image.options);
    return options;
}

}  // namespace tools::fs2tar
