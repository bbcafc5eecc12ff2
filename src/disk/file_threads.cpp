// SPDX-License-Identifier: GPL-2.0-only
// The engine for hosts without io_uring: calls that block, on a few threads.
#include <disk/file_engine.hpp>
#include <disk/worker_pool.hpp>

namespace lkl::disk {

namespace {

constexpr unsigned threads = 8;

class ThreadsDisk final : public BlockBackend {
public:
    explicit ThreadsDisk(OpenFile& open)
        : file_(std::move(open.file)),
          info_(std::move(open.info)),
          pool_(*file_, threads, writers(*file_, threads))
    {
    }

    BlockInfo info() const override { return info_; }

    void submit(std::span<BlockRequest* const> requests) noexcept override
    {
        RequestList later;
        for (BlockRequest* const request : requests) {
            std::optional<int> result;
            if (!file_->worth_a_thread(*request))
                result = file_->run_now(*request);
            if (result)
                request->complete(*result);
            else
                later.push(*request);
        }
        pool_.add(std::move(later));
    }

private:
    const std::unique_ptr<HostFile> file_;
    const BlockInfo info_;
    WorkerPool pool_;
};

}  // namespace

unsigned writers(const HostFile& file, unsigned threads) noexcept
{
    return file.shape().block_device || file.shape().direct ? threads : 1;
}

std::unique_ptr<BlockBackend> make_threads_disk(OpenFile& open)
{
    return std::make_unique<ThreadsDisk>(open);
}

}  // namespace lkl::disk
