// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/volume_maker.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/child_process.hpp"
#include "common/report.hpp"
#include "common/tree/entry_pipe.hpp"
#include "lkl/mkimage/ext_writer.hpp"
#include "lkl/mkimage/mkfs.hpp"
#include "lkl/mkimage/packing.hpp"
#include "lkl/mkimage/space.hpp"

namespace tools::mkimage {

namespace {

class Maker {
public:
    Maker(const Context& context, const Volume& volume, const VolumePlace& place)
        : context_(context),
          volume_(volume),
          place_(place),
          type_(find_file_system(volume.type)),
          automatic_(volume.size.kind == SizeRequest::Kind::automatic)
    {
    }

    MadeVolume run()
    {
        if (!volume_.source.empty())
            source_.emplace(volume_.source);
        const bool packed = type_.filling != Filling::kernel && source_;
        if (packed)
            check_packing(context_, type_, *source_);
        // Walking a directory costs little; reading an archive twice is for those that
        // have to be known.
        if (source_ && (automatic_ || packed || !source_->is_archive()))
            measure();
        else if (!source_)
            contents_ = ContentsSink().finish();
        if (packed)
            return made(pack_all());
        if (!automatic_)
            return made(make_fixed());
        return made(make_fitting());
    }

private:
    bool reproducible() const { return context_.epoch && type_.is_ext(); }

    void measure()
    {
        source_->make_rereadable(context_.scratch_directory);
        const std::string answer = run_in_child([this] {
            if (context_.kernel.sandbox) {
                SandboxRules rules;
                source_->add_to(rules);
                enter_sandbox(rules);
            }
            // What is only worth a warning comes again when it is copied.
            Failures failures(context_.copy.fail_fast, true, context_.result);
            Progress progress(false, {});
            ContentsSink sink(!goes_by_archive(context_, type_, *source_));
            // Who reads a link may give it a new time of access. mksquashfs has no use for
            // times of access, but takes two names of a link for two links if that happens
            // while it looks at them: it is to happen before.
            const Source::Depth depth = type_.filling == Filling::squashfs
                                            ? Source::Depth::without_data
                                            : Source::Depth::lengths;
            source_->give(sink, context_.copy, depth, Source::Order::fast, failures, progress);
            failures.throw_if_any();
            const Contents contents = sink.finish();
            return std::string(reinterpret_cast<const char*>(&contents), sizeof contents);
        });
        contents_.emplace();
        std::memcpy(&*contents_, answer.data(), sizeof *contents_);
    }

    void make_empty(uint64_t size, uint64_t extra)
    {
        make_file_system(context_, {type_, volume_, contents_, size, extra, place_.disk_offset},
                         place_.file);
    }

    uint64_t make_fixed()
    {
        make_empty(volume_.size.bytes, 0);
        fill();
        return volume_.size.bytes;
    }

    // Where the estimate was too small after all, with more room.
    uint64_t make_fitting()
    {
        constexpr int most_tries = 5;
        uint64_t margin = 0;
        for (int tries = 1;; tries++) {
            const uint64_t size = fit(margin);
            try {
                fill();
                return size;
            } catch (const ToolError& error) {
                if (error.cause() != ENOSPC || tries == most_tries)
                    throw;
                margin = margin * 2 + size / 16;
            }
        }
    }

    uint64_t rounded(uint64_t size) const { return (size + place_.unit - 1) & ~(place_.unit - 1); }

    uint64_t minimum() const
    {
        // Less has not the 65,525 clusters that tell FAT 32 from the others.
        constexpr uint64_t least_fat32 = 34 << 20;  // bytes
        const bool fat32 = type_.name == "vfat" && needs_fat32(*contents_);
        return fat32 ? std::max(least_fat32, type_.minimum) : type_.minimum;
    }

    // Makes the smallest empty file system in which there is room for the contents, the
    // free space that was asked for, and the margin. The real program says how large that
    // is: it is run on a file without data, and the kernel asked what is free then.
    uint64_t fit(uint64_t margin)
    {
        constexpr int most_tries = 6;
        constexpr uint64_t least_slack = 256 << 10;  // bytes
        const uint64_t first = needed_bytes(type_, *contents_, 4096);
        uint64_t size = rounded(minimum() + first + extra_bytes(volume_.size, first) + margin);
        uint64_t too_small = rounded(minimum()) - place_.unit;
        uint64_t stride = place_.unit;
        for (int tries = 1;; tries++) {
            const uint64_t extra = extra_bytes(volume_.size, first) + margin;
            make_empty(size, extra);
            const Room room = ask_for_room(context_, type_, place_.file);
            const uint64_t needed = needed_bytes(type_, *contents_, room.block_size);
            const uint64_t wanted = needed + extra_bytes(volume_.size, needed) + margin;
            if (room.free < wanted) {
                too_small = size;
                const uint64_t missing = wanted - room.free;
                // Some take room in large steps: then longer strides find the next one.
                size = rounded(size + missing + missing / 32 + stride);
                stride *= 2;
                continue;
            }
            const uint64_t excess = room.free - wanted;
            const uint64_t smaller =
                std::max(rounded(size - std::min(excess, size)), too_small + place_.unit);
            if (size - smaller <= std::max(least_slack, wanted / 128) || tries >= most_tries) {
                // Mounting has left its traces.
                if (reproducible())
                    make_empty(size, extra);
                return size;
            }
            size = smaller;
        }
    }

    void fill()
    {
        if (type_.filling != Filling::kernel || !source_)
            return;
        if (reproducible()) {
            fill_reproducibly();
            return;
        }
        fill_by_kernel(context_, type_, place_.file, *source_, totals());
    }

    ProgressTotals totals() const
    {
        return contents_ ? ProgressTotals{contents_->bytes, contents_->files, 0}
                         : source_->totals();
    }

    void fill_reproducibly()
    {
        (void)run_in_child([this] {
            Failures failures(context_.copy.fail_fast, context_.copy.quiet, context_.result);
            ExtWriter writer(place_.file.descriptor, place_.file.shown, *context_.epoch,
                             volume_.uuid, failures);
            if (context_.kernel.sandbox) {
                SandboxRules rules;
                source_->add_to(rules);
                enter_sandbox(rules);
            }
            {
                Progress progress(!context_.copy.quiet, totals());
                EntryPipe pipe(writer);
                source_->give(pipe, context_.copy, Source::Depth::all, Source::Order::by_name,
                              failures, progress);
                pipe.finish();
            }
            failures.throw_if_any();
            return std::string();
        });
    }

    uint64_t pack_all()
    {
        pack(context_, type_, volume_, *contents_, *source_, place_.file);
        struct stat status;
        if (fstat(place_.file.descriptor, &status) != 0)
            fail_with_errno("cannot look at it");
        const auto packed = static_cast<uint64_t>(status.st_size);
        uint64_t size = rounded(packed + extra_bytes(volume_.size, packed));
        if (!automatic_) {
            size = volume_.size.bytes;
            if (packed > size)
                throw ToolError(ExitCode::output,
                                place_.file.shown + ": the contents need " +
                                    std::to_string(packed) + " bytes, and its size is " +
                                    std::to_string(size),
                                ENOSPC);
        }
        if (ftruncate(place_.file.descriptor, static_cast<off_t>(size)) != 0)
            fail_with_errno("cannot make it longer");
        return size;
    }

    [[noreturn]] void fail_with_errno(const char* what) const
    {
        throw ToolError(ExitCode::output,
                        place_.file.shown + ": " + what + ": " + std::strerror(errno), errno);
    }

    MadeVolume made(uint64_t size) const
    {
        if (!contents_ || !source_)
            return {size};
        return {size,
                contents_->files,
                contents_->bytes,
                contents_->directory_count,
                contents_->symlinks,
                contents_->others};
    }

    const Context& context_;
    const Volume& volume_;
    const VolumePlace& place_;
    const FileSystem& type_;
    const bool automatic_;
    std::optional<Source> source_;
    std::optional<Contents> contents_;
};

// The host's file system has no room. To the kernel inside, that is an error of its disk.
bool host_is_full(int descriptor)
{
    constexpr uint64_t little = 1 << 20;  // bytes
    struct statvfs status;
    return fstatvfs(descriptor, &status) == 0 && status.f_bavail * status.f_frsize < little;
}

}  // namespace

MadeVolume make_volume(const Context& context, const Volume& volume, const VolumePlace& place)
{
    try {
        return Maker(context, volume, place).run();
    } catch (const ToolError& error) {
        if (error.code() == ExitCode::usage || !host_is_full(place.file.descriptor))
            throw;
        throw ToolError(ExitCode::output,
                        std::string(error.what()) + " (no space is left in " +
                            escaped(context.scratch_directory) + ")",
                        ENOSPC);
    }
}

}  // namespace tools::mkimage
