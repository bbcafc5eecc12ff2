// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/tree_totals.hpp"

#include <array>
#include <chrono>

namespace tools {

namespace {

// Thrown by the sink: counting costs more than it is worth.
struct TakesTooLong {};

class CountingSink final : public EntrySink {
public:
    void begin(const Entry& entry) override
    {
        if (Clock::now() > end_)
            throw TakesTooLong();
        totals_.files++;
        if (entry.type != EntryType::regular)
            return;
        if (!entry.sparse)
            totals_.bytes += entry.size;
        else
            for (const Extent& extent : entry.extents)
                totals_.bytes += extent.length;
    }
    void abandon() override {}
    void end() override {}
    std::span<std::byte> space() override { return buffer_; }
    void data(uint64_t, size_t) override {}
    void align() override {}

    const ProgressTotals& totals() const { return totals_; }

private:
    using Clock = std::chrono::steady_clock;

    const Clock::time_point end_ = Clock::now() + std::chrono::seconds(1);
    ProgressTotals totals_;
    std::array<std::byte, 4096> buffer_;
};

}  // namespace

ProgressTotals tree_totals(const ReadOptions& options, const ErrorTexts& texts,
                           const std::function<void(TreeReader<lkl::File>&, Failures&)>& read)
{
    ReadOptions without_data;
    without_data.image = options.image;
    without_data.data = false;
    without_data.exclude = options.exclude;
    without_data.rewrite.attributes = false;
    // The first failure ends it, and nothing is told.
    Failures failures(true, true);
    Progress progress(false, {});
    CountingSink sink;
    TreeReader<lkl::File> reader(without_data, texts, failures, progress, sink);
    try {
        read(reader, failures);
        return sink.totals();
    } catch (const ToolError&) {
        return {};
    } catch (const TakesTooLong&) {
        return {};
    }
}

}  // namespace tools
