// SPDX-License-Identifier: GPL-2.0-only
#include "common/tar/output_stream.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tools {

std::vector<OutputStream::Buffer> OutputStream::make_buffers()
{
    std::vector<Buffer> buffers(buffer_count);
    for (Buffer& buffer : buffers)
        buffer.memory = allocate_pages(buffer_size);
    return buffers;
}

OutputStream::OutputStream(std::unique_ptr<ByteSink> sink)
    : sink_(std::move(sink)),
      buffers_(
          make_buffers(),
          [this](Buffer& buffer) {
              sink_->write({buffer.memory.get(), buffer.filled});
              buffer.filled = 0;
          },
          [this](bool complete) {
              if (complete)
                  sink_->close();
          })
{
}

void OutputStream::show_waiting(Progress& progress)
{
    if (progress.visible())
        buffers_.call_while_waiting(Progress::interval, [&progress] { progress.refresh(); });
}

std::span<std::byte> OutputStream::space()
{
    if (buffers_.current().filled == buffer_size)
        hand_over();
    const Buffer& buffer = buffers_.current();
    return {buffer.memory.get() + buffer.filled, buffer_size - buffer.filled};
}

void OutputStream::commit(size_t count)
{
    buffers_.current().filled += count;
    position_ += count;
}

void OutputStream::write(std::span<const std::byte> data)
{
    while (!data.empty()) {
        const auto room = space();
        const size_t count = std::min(room.size(), data.size());
        std::memcpy(room.data(), data.data(), count);
        commit(count);
        data = data.subspan(count);
    }
}

void OutputStream::write_zeros(size_t count)
{
    while (count > 0) {
        const auto room = space();
        const size_t part = std::min(room.size(), count);
        std::memset(room.data(), 0, part);
        commit(part);
        count -= part;
    }
}

void OutputStream::align()
{
    if (buffers_.current().filled > 0)
        hand_over();
}

void OutputStream::hand_over()
{
    // No room, should it fail: the next call ends here again.
    try {
        buffers_.hand_over();
    } catch (...) {
        buffers_.current().filled = buffer_size;
        throw;
    }
}

void OutputStream::finish()
{
    buffers_.finish();
}

}  // namespace tools
