// SPDX-License-Identifier: GPL-2.0-only
#include "fs2tar/options.hpp"

#include <array>
#include <cctype>
#include <string_view>

#include "common/command_line.hpp"
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

// What nobody expects to be an archive without compression.
constexpr std::array<std::string_view, 12> unknown_suffixes{
    ".bz2", ".tbz", ".tbz2", ".tb2", ".lz4", ".lz", ".tlz", ".lzma", ".lzo", ".z", ".taz", ".zip"};

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
    std::string lower = archive;
    for (char& c : lower)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (const Suffix& suffix : suffixes) {
        if (lower.ends_with(suffix.text))
            return suffix.compression;
    }
    for (const std::string_view other : unknown_suffixes) {
        if (name.empty() && lower.ends_with(other))
            throw ToolError(ExitCode::usage, escaped(archive) +
                                                 ": cannot be compressed as its "
                                                 "suffix says: name a compression (-c)");
    }
    return Compression::none;
}

}  // namespace

std::optional<Options> parse_command_line(int argc, char** argv)
{
    Options options;
    std::string compression;
    CommandLine line(
        "Write the file system of a disk image as a tar archive, read-only and "
        "without root.",
        "fs2tar");
    CLI::App& app = line.app();
    app.add_option("IMAGE", options.image.path, "Disk image: a file or a block device")->required();
    app.add_option("ARCHIVE", options.archive, "Archive to write; - is standard output")
        ->required();
    line.add_image_options(options.image, options.quiet);
    app.add_option("-c,--compress", compression,
                   "zstd, gzip, xz or none; by the archive's suffix if not given")
        ->check(CLI::IsMember({"zstd", "gzip", "xz", "none"}))
        ->option_text("NAME");
    app.add_option("--subdir", options.subdirectory, "Archive this directory only")
        ->option_text("DIR");
    line.add_exclude(options.exclude);
    app.add_option("-s,--selinux", options.label_file, "Write the SELinux labels to this file")
        ->option_text("FILE");
    line.add_examples({
        "fs2tar disk.img root.tar.zst            # the only file system, or that of -P",
        "fs2tar -P 2 disk.img - | tar -tvf -     # partition 2, to standard output",
        "fs2tar --subdir etc disk.img etc.tar    # one directory",
    });
    if (!line.parse(argc, argv))
        return std::nullopt;

    if (options.label_file == "-" && options.archive == "-")
        throw ToolError(ExitCode::usage, "-s -: the archive goes to standard output");
    options.compression = compression_for(compression, options.archive);
    refuse_mount_option(options.image, "rw", "the image is never written");
    return options;
}

}  // namespace tools::fs2tar
