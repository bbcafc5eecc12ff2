// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/mkfs.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "common/report.hpp"
#include "lkl/mkimage/program.hpp"

namespace tools::mkimage {

namespace {

constexpr uint64_t sector = 512;  // bytes

// "-m uuid={}" with the value in the place of the braces, as words.
void add_words(std::vector<std::string>& command, std::string_view words, std::string_view value)
{
    while (!words.empty()) {
        const size_t end = std::min(words.find(' '), words.size());
        std::string word(words.substr(0, end));
        if (const size_t place = word.find("{}"); place != std::string::npos)
            word.replace(place, 2, value);
        command.push_back(std::move(word));
        words.remove_prefix(std::min(end + 1, words.size()));
    }
}

void set_size(const VolumeFile& file, uint64_t size)
{
    if (ftruncate(file.descriptor, 0) != 0 ||
        ftruncate(file.descriptor, static_cast<off_t>(size)) != 0)
        throw ToolError(ExitCode::output,
                        file.shown + ": cannot make it " + std::to_string(size) +
                            " bytes long: " + std::strerror(errno),
                        errno);
}

// Inodes of ext, whose number does not grow: those of the contents, and as many for the
// free space as mke2fs would make.
void add_inodes(std::vector<std::string>& command, const MkfsRequest& request)
{
    constexpr uint64_t bytes_each = 16384;
    constexpr uint64_t reserved = 32;
    if (!request.contents)
        return;
    const uint64_t files = request.contents->files + request.contents->files / 50 + reserved;
    const bool fixed = request.volume.size.kind != SizeRequest::Kind::automatic;
    const uint64_t inodes =
        fixed ? std::max(files, request.size / bytes_each) : files + request.extra / bytes_each;
    command.insert(command.end(), {"-N", std::to_string(inodes)});
}

constexpr uint64_t fat_in_sector = 16;  // slots of a directory

// FAT 12 and 16 have a top directory of fixed size, 512 slots if nobody says more.
void add_top_slots(std::vector<std::string>& command, const MkfsRequest& request)
{
    constexpr uint64_t usual = 512;
    if (!request.contents)
        return;
    if (needs_fat32(*request.contents)) {
        command.insert(command.end(), {"-F", "32", "-s", "1"});
        return;
    }
    const uint64_t sectors = request.contents->top_slots / fat_in_sector + 2;
    if (sectors * fat_in_sector > usual)
        command.insert(command.end(), {"-r", std::to_string(sectors * fat_in_sector)});
}

// What depends on the contents and the place. What boots from FAT or NTFS adds the place of
// the partition to its own.
void adapt_arguments(std::vector<std::string>& command, const MkfsRequest& request)
{
    const std::string start = std::to_string(request.disk_offset / sector);
    if (request.type.is_ext()) {
        add_inodes(command, request);
    } else if (request.type.name == "vfat") {
        command.insert(command.end(), {"-h", start});
        add_top_slots(command, request);
    } else if (request.type.name == "ntfs") {
        // The geometry that every BIOS makes up.
        command.insert(command.end(), {"-p", start, "-H", "255", "-S", "63"});
    }
}

}  // namespace

std::vector<std::string> volume_arguments(const FileSystem& type, const Volume& volume)
{
    std::vector<std::string> words;
    if (!volume.label.empty())
        add_words(words, type.label, volume.label);
    if (!volume.uuid.empty())
        add_words(words, type.uuid, volume.uuid);
    words.insert(words.end(), volume.mkfs_options.begin(), volume.mkfs_options.end());
    return words;
}

bool needs_fat32(const Contents& contents)
{
    constexpr uint64_t most = 32767;  // that mkfs.fat makes
    return contents.top_slots + 2 * fat_in_sector > most;
}

std::string path_of(int descriptor)
{
    return "/proc/self/fd/" + std::to_string(descriptor);
}

void make_file_system(const Context& context, const MkfsRequest& request, const VolumeFile& file)
{
    set_size(file, request.size);
    if (request.type.program.empty())
        return;
    Program::Start start;
    start.command.push_back(find_program(request.type.program, request.type.package));
    add_words(start.command, request.type.arguments, {});
    adapt_arguments(start.command, request);
    for (std::string& word : volume_arguments(request.type, request.volume))
        start.command.push_back(std::move(word));
    start.command.push_back(path_of(file.descriptor));
    start.kept.push_back(file.descriptor);
    // mke2fs of Debian 12 does not know SOURCE_DATE_EPOCH.
    if (context.epoch)
        start.environment.push_back("E2FSPROGS_FAKE_TIME=" + std::to_string(*context.epoch));
    Program(start).wait(file.shown);
}

}  // namespace tools::mkimage
