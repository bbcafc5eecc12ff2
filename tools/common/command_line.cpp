// SPDX-License-Identifier: GPL-2.0-only
#include "common/command_line.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "common/report.hpp"

namespace tools {

namespace {

[[noreturn]] void fail(const std::string& text)
{
    throw ToolError(ExitCode::usage, text);
}

}  // namespace

void refuse_mount_option(const ImageRequest& image, const std::string& option,
                         const std::string& why)
{
    if ((',' + image.options + ',').find(',' + option + ',') != std::string::npos)
        fail("-o " + option + ": " + why);
}

CommandLine::CommandLine(const std::string& description, const std::string& name)
    : app_(description, name)
{
    app_.set_version_flag("-V,--version", name + " " LKL_VERSION);
    app_.footer("Exit status and details: man " + name);
}

void CommandLine::add_examples(std::initializer_list<const char*> examples)
{
    std::string text = "Examples:\n";
    for (const char* example : examples)
        text += std::string("  ") + example + '\n';
    app_.footer(text + '\n' + app_.get_footer());
}

namespace {

constexpr unsigned most_partitions = 255;  // the kernel's DISK_MAX_PARTS, less the disk

// CLI11's own word for what is no number names no range.
std::string check_partition(const std::string& text)
{
    unsigned number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc() && rest == end && number <= most_partitions)
        return {};
    return text + ": no number from 0 to " + std::to_string(most_partitions);
}

}  // namespace

void CommandLine::add_image_options(ImageRequest& image, bool& quiet)
{
    image_ = &image;
    partition_given_ =
        app_.add_option("-P,--partition", partition_, "Partition number; 0 is the whole disk")
            ->option_text("N")
            ->check(check_partition);
    app_.add_option("-t,--type", image.type, "File system type; detected if not given")
        ->option_text("TYPE");
    app_.add_option("-o,--options", image.options, "Mount options, as for mount -o")
        ->option_text("LIST");
    app_.add_flag("-p,--print-log", image.show_log, "Print the kernel's log on stderr");
    app_.add_option("-m,--memory", memory_mib_, "Memory of the kernel, MiB")
        ->option_text("MIB")
        ->check(CLI::Range(uint64_t{32}, uint64_t{1} << 20))
        ->capture_default_str();
    app_.add_flag_callback(
        "--no-sandbox", [&image] { image.sandbox = false; },
        "For debugging: let a crafted image do all that you may");
    app_.add_flag("-q,--quiet", quiet, "No progress bar, no notes, no warnings");
}

void CommandLine::fail_parse(const std::string& why) const
{
    fail(escaped(why) + " (" + app_.get_name() + " --help shows the options)");
}

bool CommandLine::parse(int argc, char** argv)
{
    try {
        app_.parse(argc, argv);
    } catch (const CLI::Success& done) {
        app_.exit(done);
        return false;
    } catch (const CLI::RequiredError& error) {
        // What is not known says more than what is missing.
        const std::vector<std::string> rest = app_.remaining(true);
        const auto unknown = std::find_if(rest.begin(), rest.end(), [](const std::string& word) {
            return word.size() > 1 && word.front() == '-';
        });
        fail_parse(unknown == rest.end() ? error.what() : *unknown + ": no such option");
    } catch (const CLI::ParseError& error) {
        fail_parse(error.what());
    }
    if (image_ != nullptr) {
        if (partition_given_->count() > 0)
            image_->partition = partition_;
        image_->memory = memory_mib_ << 20;
    }
    copy_options_.take();
    return true;
}

}  // namespace tools
