// SPDX-License-Identifier: GPL-2.0-only
// A queue of requests, linked through BlockRequest::next: it never allocates.
#pragma once

#include <lkl/block.hpp>

namespace lkl::disk {

// First in, first out. Not thread safe. Copies nothing, owns nothing.
class RequestList {
public:
    RequestList() = default;
    RequestList(RequestList&& other) noexcept { append(other); }
    RequestList& operator=(RequestList&&) = delete;

    bool empty() const noexcept { return first_ == nullptr; }

    void push(BlockRequest& request) noexcept
    {
        request.next = nullptr;
        *last_ = &request;
        last_ = &request.next;
    }

    // The oldest, or null.
    BlockRequest* pop() noexcept
    {
        BlockRequest* const request = first_;
        if (request) {
            first_ = request->next;
            if (!first_)
                last_ = &first_;
        }
        return request;
    }

    // Moves everything of `other` to the end.
    void append(RequestList& other) noexcept
    {
        if (other.empty())
            return;
        *last_ = other.first_;
        last_ = other.last_;
        other.first_ = nullptr;
        other.last_ = &other.first_;
    }

private:
    BlockRequest* first_ = nullptr;
    BlockRequest** last_ = &first_;  // where the next one is linked
};

}  // namespace lkl::disk
