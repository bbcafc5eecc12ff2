// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/image/images.hpp"

#include <algorithm>
#include <ctime>
#include <set>
#include <utility>

#include "common/command_line.hpp"
#include "common/report.hpp"
#include "lkl/image/image_path.hpp"

namespace tools::lkl_tool {

void Images::want(const std::string& image, bool writable)
{
    Wanted& wanted = images_[image];
    const bool before = wanted.request.writable;
    const PartitionName name = split_partition(image);
    wanted.request = options_.image;
    wanted.request.path = name.file;
    wanted.request.name = image;
    if (name.partition)
        wanted.request.partition = name.partition;
    wanted.request.writable = writable || before;
}

void Images::open_file(std::vector<Wanted*> file)
{
    const auto writes = [](const Wanted* wanted) { return wanted->request.writable; };
    // Else two kernels that know nothing of each other would be on the same bytes.
    std::set<unsigned> partitions;
    for (const Wanted* const wanted : file)
        partitions.insert(wanted->request.partition.value_or(0));
    if (file.size() > 1 && std::any_of(file.begin(), file.end(), writes) &&
        (partitions.contains(0) || partitions.size() < file.size()))
        throw ToolError(ExitCode::usage, escaped(file.front()->request.path) +
                                             ": is written, so each of its partitions needs its "
                                             "number, and one name (IMAGE@N)");
    // What is open for writing is so for reading.
    std::stable_partition(file.begin(), file.end(), writes);
    const OpenedImage* first = nullptr;
    for (Wanted* const wanted : file) {
        try {
            wanted->opened = std::make_unique<OpenedImage>(open_for_mount(wanted->request, first));
            if (first == nullptr)
                first = wanted->opened.get();
        } catch (const ToolError& error) {
            // Others can be worked on.
            wanted->failure = error;
        }
    }
}

void Images::shut_in(SandboxRules rules)
{
    std::map<std::string, std::vector<Wanted*>> files;
    for (auto& [name, wanted] : images_) {
        if (wanted.request.writable)
            refuse_mount_option(wanted.request, "ro", "the image is written");
        else
            refuse_mount_option(wanted.request, "rw", "the image is not written");
        files[wanted.request.path].push_back(&wanted);
    }
    for (auto& [path, file] : files)
        open_file(file);
    // Times are shown as local ones: the C library reads its files now.
    tzset();
    rules.off = !options_.image.sandbox;
    enter_sandbox(rules);
}

void Images::mount(const std::string& name, Wanted& wanted)
{
    try {
        wanted.image = std::make_unique<Image>(wanted.request, std::move(*wanted.opened));
    } catch (const ToolError& error) {
        wanted.failure = error;
        throw;
    }
    wanted.opened.reset();
    if (wanted.image->mounted().journal_replayed() && !options_.quiet)
        report(escaped(name) + ": its journal was replayed in memory; the image is unchanged");
}

Image& Images::get(const std::string& image)
{
    Wanted& wanted = images_.at(image);
    if (wanted.failure)
        throw ToolError(*wanted.failure);
    if (!wanted.image)
        mount(image, wanted);
    return *wanted.image;
}

void Images::finish()
{
    std::optional<ToolError> first;
    for (auto& [name, wanted] : images_) {
        try {
            if (wanted.image)
                wanted.image->finish();
        } catch (const ToolError& error) {
            if (first)
                report(error.what());
            else
                first = error;
        }
    }
    if (first)
        throw ToolError(*first);
}

}  // namespace tools::lkl_tool
