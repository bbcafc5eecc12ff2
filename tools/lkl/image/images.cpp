// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/image/images.hpp"

#include <ctime>
#include <utility>

#include "common/command_line.hpp"
#include "common/report.hpp"

namespace tools::lkl_tool {

void Images::want(const std::string& image, bool writable)
{
    Wanted& wanted = images_[image];
    const bool before = wanted.request.writable;
    wanted.request = options_.image;
    wanted.request.path = image;
    wanted.request.writable = writable || before;
}

void Images::shut_in(SandboxRules rules)
{
    for (auto& [path, wanted] : images_) {
        if (wanted.request.writable)
            refuse_mount_option(wanted.request, "ro", "the image is written");
        else
            refuse_mount_option(wanted.request, "rw", "the image is not written");
        wanted.opened = std::make_unique<OpenedImage>(open_for_mount(wanted.request));
    }
    // Times are shown as local ones: the C library reads its files now.
    tzset();
    rules.off = !options_.image.sandbox;
    enter_sandbox(rules);
}

Image& Images::get(const std::string& image)
{
    Wanted& wanted = images_.at(image);
    if (!wanted.image) {
        wanted.image = std::make_unique<Image>(wanted.request, std::move(*wanted.opened));
        wanted.opened.reset();
        if (wanted.image->mounted().journal_replayed() && !options_.quiet)
            report(escaped(image) + ": its journal was replayed in memory; the image is unchanged");
    }
    return *wanted.image;
}

void Images::finish()
{
    for (auto& [path, wanted] : images_) {
        if (wanted.image)
            wanted.image->finish();
    }
}

}  // namespace tools::lkl_tool
