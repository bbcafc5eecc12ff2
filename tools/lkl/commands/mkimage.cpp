// SPDX-License-Identifier: GPL-2.0-only
// lkl mkimage: a directory or an archive into a new disk image.
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "common/report.hpp"
#include "common/sandbox/sandbox.hpp"
#include "common/tree/copy_result.hpp"
#include "common/tree/failures.hpp"
#include "lkl/command.hpp"
#include "lkl/mkimage/builder.hpp"
#include "lkl/mkimage/options.hpp"
#include "lkl/output/output.hpp"

namespace tools::lkl_tool {

namespace {

// SOURCE_DATE_EPOCH, as reproducible-builds.org/specs/source-date-epoch has it.
std::optional<int64_t> source_date_epoch()
{
    const char* const text = std::getenv("SOURCE_DATE_EPOCH");
    if (text == nullptr || *text == '\0')
        return std::nullopt;
    int64_t seconds = 0;
    const char* const end = text + std::strlen(text);
    const auto [rest, error] = std::from_chars(text, end, seconds);
    // What the superblocks have room for.
    if (error != std::errc() || rest != end || seconds < 0 || seconds > 0xffffffffLL)
        throw ToolError(ExitCode::usage,
                        "SOURCE_DATE_EPOCH " + escaped(text) + ": is no number of seconds");
    return seconds;
}

class MakeImage final : public Command {
public:
    explicit MakeImage(CLI::App& parent)
        : command_line_(
              *parent.add_subcommand("mkimage", "Make a disk image of a directory or archive"))
    {
    }

    void run() override
    {
        const GlobalOptions& global = options();
        if (global.image.partition || !global.image.type.empty())
            throw ToolError(ExitCode::usage,
                            "mkimage: -P and -t are for images that are there: --fs is the type");
        mkimage::ImageSpecification image = command_line_.specification();
        mkimage::Context context;
        context.kernel = global.image;
        context.copy = command_line_.copy();
        context.copy.quiet = global.quiet;
        context.epoch = source_date_epoch();
        context.copy.rewrite.latest_time = context.epoch;
        // The processes that look at contents shut themselves in, or not; it is told once.
        if (!global.image.sandbox) {
            SandboxRules off;
            off.off = true;
            enter_sandbox(off);
        }
        make(image, std::move(context));
    }

private:
    void make(mkimage::ImageSpecification& image, mkimage::Context context)
    {
        const std::string path = command_line_.image();
        if (!command_line_.json()) {
            warn_of_types(image, context);
            (void)mkimage::build_image(image, path, std::move(context));
            return;
        }
        CopyResult result;
        result.share();
        context.result = &result;
        JsonObject object;
        try {
            warn_of_types(image, context);
            object = mkimage::to_json(mkimage::build_image(image, path, std::move(context)));
        } catch (const ToolError& error) {
            if (error.code() != ExitCode::incomplete)
                result.add_failure(error);
            object.set("image", path);
            print(object, result, error.code());
            throw;
        }
        print(object, result, ExitCode::ok);
    }

    static void print(JsonObject& object, const CopyResult& result, ExitCode code)
    {
        result.set_messages(object, code);
        Output out;
        out.write(object.text() + '\n');
        out.flush();
    }

    static void warn_of_types(const mkimage::ImageSpecification& image,
                              const mkimage::Context& context)
    {
        if (!context.epoch)
            return;
        const Failures failures(false, context.copy.quiet, context.result);
        for (const mkimage::PartitionRequest& partition : image.partitions) {
            const mkimage::FileSystem& type = mkimage::find_file_system(partition.volume.type);
            if (!type.reproducible)
                failures.warn("SOURCE_DATE_EPOCH: " + std::string(type.name) +
                              " is made with the times of now and will differ each time");
        }
    }

    mkimage::Options command_line_;
};

}  // namespace

std::unique_ptr<Command> add_mkimage(CLI::App& parent)
{
    return std::make_unique<MakeImage>(parent);
}

}  // namespace tools::lkl_tool
