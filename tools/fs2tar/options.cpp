// SPDX-License-Identifier: GPL-2.0-only
#include "fs2tar/options.hpp"

#include <array>
#include <string_view>

#include <unistd.h>

#include "common/command_line.hpp"
#include "common/named_descriptor.hpp"
#include "common/report.hpp"

namespace tools::fs2tar {

namespace {

struct Suffix {
    std::string_view text;
    Compression compression;
};

// As GNU tar's --auto-compress has them.
constexpr std::array suffixes{
    Suffix{".bz2", Compression::bzip2},  Suffix{".tbz", Compression::bzip2},
    Suffix{".tbz2", Compression::bzip2}, Suffix{".tz2", Compression::bzip2},
    Suffix{".gz", Compression::gzip},    Suffix{".taz", Compression::gzip},
    Suffix{".tgz", Compression::gzip},   Suffix{".lz4", Compression::lz4},
    Suffix{".tlz4", Compression::lz4},   Suffix{".xz", Compression::xz},
    Suffix{".txz", Compression::xz},     Suffix{".zst", Compression::zstd},
    Suffix{".tzst", Compression::zstd},
};

// What nobody would take for a plain archive.
constexpr std::array<std::string_view, 15> unsupported{
    ".7z", ".br",  ".lrz", ".lz", ".lzma", ".lzo", ".rar",  ".rz",
    ".sz", ".tlz", ".tzo", ".z",  ".zip",  ".zz",  ".zpaq",
};

struct Name {
    std::string_view text;
    Compression compression;
};

constexpr std::array names{
    Name{"none", Compression::none}, Name{"bzip2", Compression::bzip2},
    Name{"gzip", Compression::gzip}, Name{"lz4", Compression::lz4},
    Name{"xz", Compression::xz},     Name{"zstd", Compression::zstd},
};

std::string lower_case(std::string text)
{
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
}

Compression compression_for(const std::string& name, const std::string& archive)
{
    for (const Name& known : names) {
        if (name == known.text)
            return known.compression;
    }
    const std::string file = lower_case(archive);
    for (const Suffix& suffix : suffixes) {
        if (file.ends_with(suffix.text))
            return suffix.compression;
    }
    for (const std::string_view suffix : unsupported) {
        if (file.ends_with(suffix))
            throw ToolError(ExitCode::usage, escaped(archive) +
                                                 ": cannot compress like that: choose another "
                                                 "suffix, or -c none");
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
                   "zstd, gzip, xz, bzip2, lz4 or none; by the archive's suffix if not given")
        ->check(CLI::IsMember({"zstd", "gzip", "xz", "bzip2", "lz4", "none"}))
        ->option_text("NAME");
    app.add_option("--subdir", options.subdirectory, "Archive this directory only")
        ->option_text("DIR");
    line.add_exclude(options.exclude);
    line.add_json(options.json);
    app.add_option("-s,--selinux", options.label_file, "Write the SELinux labels to this file")
        ->option_text("FILE");
    line.add_examples({
        "fs2tar disk.img root.tar.zst            # the only file system, or that of -P",
        "fs2tar -P 2 disk.img - | tar -tvf -     # partition 2, to standard output",
        "fs2tar --subdir etc disk.img etc.tar    # one directory",
    });
    if (!line.parse(argc, argv))
        return std::nullopt;

    options.compression = compression_for(compression, options.archive);
    for (std::string* const path : {&options.archive, &options.label_file}) {
        if (named_descriptor(*path) == STDOUT_FILENO)
            *path = "-";
    }
    if (options.label_file == "-" && options.archive == "-")
        throw ToolError(ExitCode::usage, "-s -: the archive goes to standard output");
    if (options.json && (options.archive == "-" || options.label_file == "-"))
        throw ToolError(ExitCode::usage, "--json: standard output is taken by -");
    refuse_mount_option(options.image, "rw", "the image is never written");
    return options;
}

}  // namespace tools::fs2tar
