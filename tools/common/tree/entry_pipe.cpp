// SPDX-License-Identifier: GPL-2.0-only
#include "common/tree/entry_pipe.hpp"

namespace tools {

std::vector<EntryPipe::Batch> EntryPipe::make_batches()
{
    std::vector<Batch> batches(batch_count);
    for (Batch& batch : batches) {
        batch.buffer = allocate_pages(buffer_size);
        batch.steps.reserve(max_steps);
    }
    return batches;
}

EntryPipe::EntryPipe(EntryConsumer& consumer)
    : consumer_(consumer),
      batches_(
          make_batches(), [this](Batch& batch) { consume(batch); },
          // What was made up to a failure is finished all the same.
          [this](bool /*complete*/) { consumer_.finish(); })
{
}

void EntryPipe::add(Step step)
{
    std::vector<Step>& steps = batches_.current().steps;
    steps.push_back(step);
    if (steps.size() >= max_steps)
        batches_.hand_over();
}

void EntryPipe::begin(const Entry& entry)
{
    begun_++;
    Batch& batch = batches_.current();
    if (batch.entry_count == batch.entries.size())
        batch.entries.emplace_back();
    batch.entries[batch.entry_count] = entry;
    add({Step::Kind::begin, batch.entry_count++, 0, 0, 0});
}

void EntryPipe::abandon()
{
    add({Step::Kind::abandon, 0, 0, 0, 0});
}

void EntryPipe::end()
{
    add({Step::Kind::end, 0, 0, 0, 0});
}

std::span<std::byte> EntryPipe::space()
{
    if (batches_.current().filled == buffer_size)
        batches_.hand_over();
    const Batch& batch = batches_.current();
    return {batch.buffer.get() + batch.filled, buffer_size - batch.filled};
}

void EntryPipe::data(uint64_t offset, size_t count)
{
    Batch& batch = batches_.current();
    const size_t start = batch.filled;
    batch.filled += count;
    // Parts that follow each other in the file and in the buffer are one write.
    if (!batch.steps.empty()) {
        Step& last = batch.steps.back();
        if (last.kind == Step::Kind::data && last.offset + last.count == offset) {
            last.count += count;
            return;
        }
    }
    add({Step::Kind::data, 0, offset, start, count});
}

void EntryPipe::align()
{
    if (batches_.current().filled > 0)
        batches_.hand_over();
}

bool EntryPipe::made(const std::string& path, uint64_t number)
{
    if (ended_ < number)
        batches_.empty_all();
    return consumer_.made(path);
}

void EntryPipe::finish()
{
    batches_.finish();
}

// The file that begins with this step comes to its end in the same batch.
bool EntryPipe::ends(const Batch& batch, size_t begin)
{
    for (size_t next = begin + 1; next < batch.steps.size(); next++) {
        if (batch.steps[next].kind != Step::Kind::data)
            return batch.steps[next].kind == Step::Kind::end;
    }
    return false;
}

void EntryPipe::consume(Batch& batch)
{
    for (size_t number = 0; number < batch.steps.size(); number++) {
        const Step& step = batch.steps[number];
        switch (step.kind) {
        case Step::Kind::begin:
            if (ends(batch, number))
                consumer_.begin_whole(batch.entries[step.entry]);
            else
                consumer_.begin(batch.entries[step.entry]);
            break;
        case Step::Kind::data:
            consumer_.data(step.offset, {batch.buffer.get() + step.start, step.count});
            break;
        case Step::Kind::abandon:
            consumer_.abandon();
            ended_++;
            break;
        case Step::Kind::end:
            consumer_.end();
            ended_++;
            break;
        }
    }
    batch.filled = 0;
    batch.steps.clear();
    batch.entry_count = 0;
}

}  // namespace tools
