// SPDX-License-Identifier: GPL-2.0-only
// lkl edit: a file of an image in an editor of the host.
//
// The editor cannot be shut in, so it runs in the process that never looks at the image:
// two others do, one before and one after it.
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>

#include "common/report.hpp"
#include "common/tree/sources.hpp"
#include "lkl/command.hpp"
#include "lkl/edit/host_copy.hpp"
#include "lkl/edit/image_side.hpp"
#include "lkl/image/image_path.hpp"
#include "lkl/process/child.hpp"
#include "lkl/shell/channel.hpp"

namespace tools::lkl_tool {

namespace {

class Edit final : public Command {
public:
    explicit Edit(CLI::App& parent)
    {
        Subcommand command(parent, "edit", "Change a file in an editor");
        command.operands(operands_, "IMAGE:PATH", "A file of an image");
        command.notes(
            "The editor is $VISUAL, $EDITOR or vi. The image is free meanwhile.\n"
            "Example: EDITOR=nano lkl edit disk.img:/etc/fstab");
    }

    void run() override;

private:
    // The version of the file, of which the copy is one.
    Version take_copy(const ImagePath& file, const HostCopy& copy);
    // Has the user edit it; whether it is another one then.
    static bool change_copy(HostCopy& copy);
    void put_copy(const ImagePath& file, HostCopy& copy, const Version& version);

    std::vector<std::string> operands_;
};

// A child has told why.
void check(int code)
{
    if (code != 0)
        throw ToolError(static_cast<ExitCode>(code), {});
}

Version Edit::take_copy(const ImagePath& file, const HostCopy& copy)
{
    const Descriptor destination = copy.open(O_WRONLY);
    // No structured binding: clang 14 lets no lambda take one.
    auto ends = Channel::make_pair();
    Channel &here = ends.first, &there = ends.second;
    Child child(
        [&] { (void)there.send(take_out(options(), file.image, file.path, destination.get())); });
    there = Channel(Descriptor());
    const auto version = here.receive();
    check(child.wait());
    return version.value_or("");
}

// The user's work, which is not in the image, stays in the copy.
void keep(HostCopy& copy)
{
    copy.keep();
    report("what was edited is in " + escaped(copy.path()));
}

bool differs(const HostCopy& copy, const std::string& before)
{
    try {
        return copy.contents() != before;
    } catch (const std::exception&) {
        return true;
    }
}

bool Edit::change_copy(HostCopy& copy)
{
    const std::string before = copy.contents();
    try {
        copy.edit();
        return copy.contents() != before;
    } catch (const std::exception&) {
        if (differs(copy, before))
            keep(copy);
        throw;
    }
}

void Edit::put_copy(const ImagePath& file, HostCopy& copy, const Version& version)
{
    const Descriptor source = copy.open(O_RDONLY);
    try {
        check(Child([&] {
                  put_back(options(), file.image, file.path, source.get(), version);
              }).wait());
    } catch (const ToolError&) {
        keep(copy);
        throw;
    }
}

void Edit::run()
{
    if (operands_.size() != 1)
        throw ToolError(ExitCode::usage, "one file is needed (lkl edit --help shows the options)");
    const ImagePath file = parse_image_path(operands_.front());
    if (!file.has_path || file.path.empty())
        throw ToolError(ExitCode::usage, "a path in the image is needed: IMAGE:PATH");
    const std::string name = split_source(file.path).name;
    HostCopy copy(name.empty() ? "file" : name);
    const Version version = take_copy(file, copy);
    if (change_copy(copy))
        put_copy(file, copy, version);
    else if (!options().quiet)
        report("nothing was changed");
}

}  // namespace

std::unique_ptr<Command> add_edit(CLI::App& parent)
{
    return std::make_unique<Edit>(parent);
}

}  // namespace tools::lkl_tool
