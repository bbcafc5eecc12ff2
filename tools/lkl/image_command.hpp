// SPDX-License-Identifier: GPL-2.0-only
// A subcommand whose operands are files of images: IMAGE[:PATH] on the command line, a
// path of the open image in the shell.
#pragma once

#include <string>
#include <vector>

#include "lkl/command.hpp"
#include "lkl/image/image.hpp"
#include "lkl/output/output.hpp"
#include "lkl/output/problems.hpp"
#include "lkl/shell/shell_command.hpp"

namespace tools::lkl_tool {

// A file that a command is to work on.
struct Operand {
    Image* image;
    std::string path;   // in the image
    std::string shown;  // how output calls it
};

class ImageCommand : public Command, public ShellCommand {
public:
    // Opens the images, works, and puts what was written on stable storage.
    void run() final;
    void run_in(Image& image) final;

protected:
    enum class Access { read, write };
    // What becomes of the shell's patterns in operands.
    enum class Patterns { expanded, kept };

    explicit ImageCommand(Access access, Patterns patterns = Patterns::expanded)
        : access_(access), patterns_(patterns)
    {
    }

    // The operands on the command line; value: what --help calls them.
    void add_operands(Subcommand& command, const std::string& description,
                      const std::string& value = "IMAGE[:PATH]...");
    // Their texts, for commands whose first ones are something else: take these away
    // here. Throws ToolError, ExitCode::usage.
    virtual void take_arguments(std::vector<std::string>& arguments) { (void)arguments; }

    // operands: those of images that can be used; the others' have been told.
    virtual void work(const std::vector<Operand>& operands) = 0;
    // Operands depend on each other: where one's image cannot be used, or its pattern matches
    // nothing, there is no work.
    virtual bool needs_all() const { return false; }
    // More than one operand was given, some perhaps of images that cannot be used.
    bool several() const { return several_; }

    // Not in the shell, nor with -q.
    bool wants_progress() const { return wants_progress_; }

    Output& out() { return out_; }
    // What concerns one file of several.
    Problems& problems() { return problems_; }

private:
    void add_operand(std::vector<Operand>& operands, Image& image, const std::string& path,
                     const std::string& prefix);

    const Access access_;
    const Patterns patterns_;
    std::vector<std::string> arguments_;
    bool wants_progress_ = false;
    bool several_ = false;
    Output out_;
    Problems problems_{out_};
};

}  // namespace tools::lkl_tool
