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

namespace tools::lkl_tool {

// A file that a command is to work on.
struct Operand {
    Image* image;
    std::string path;   // in the image
    std::string shown;  // how output calls it
};

class ImageCommand : public Command {
public:
    // Opens the images, works, and puts what was written on stable storage.
    void run() final;
    // The same in the shell, with an image that is open and stays so.
    void run_in(Image& image);

protected:
    enum class Access { read, write };
    // What becomes of the shell's patterns in operands.
    enum class Patterns { expanded, kept };

    explicit ImageCommand(Access access, Patterns patterns = Patterns::expanded)
        : access_(access), patterns_(patterns)
    {
    }

    // The operands on the command line: one at least.
    CLI::Option* add_operands(CLI::App& app, const std::string& description);
    // Their texts, for commands whose first ones are something else: take these away
    // here. Throws ToolError, ExitCode::usage.
    virtual void take_arguments(std::vector<std::string>& arguments) { (void)arguments; }

    virtual void work(const std::vector<Operand>& operands) = 0;

    Output& out() { return out_; }
    // What concerns one file of several.
    Problems& problems() { return problems_; }

private:
    void add_operand(std::vector<Operand>& operands, Image& image, const std::string& path,
                     const std::string& prefix);

    const Access access_;
    const Patterns patterns_;
    std::vector<std::string> arguments_;
    Output out_;
    Problems problems_{out_};
};

}  // namespace tools::lkl_tool
