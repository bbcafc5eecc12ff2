// SPDX-License-Identifier: GPL-2.0-only
#include "fs2tar/options.hpp"

#include <array>
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
    if (!line.parse(argc, argv))
        return std::nullopt;

    options.compression = compression_for(compression, options.archive);
    refuse_mount_option(options.image, "rw", "the image is never written");
    return options;
}

}  // namespace tools::fs2tar
