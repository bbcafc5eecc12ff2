// SPDX-License-Identifier: GPL-2.0-only
// Messages between the two processes of the shell.
//
// One reads lines, keeps the history and runs programs of the host. It never sees the
// image, and takes what the other one says for what a crafted image may say. The other
// one is shut in, has the image, and does the work.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "common/descriptor.hpp"

namespace tools::lkl_tool {

// What a request asks for; its first byte.
enum class Request : char {
    run = 'r',       // a line; the reply is an exit code in decimal
    complete = 'c',  // the beginning of a path; the reply is names, each ended by a zero byte
};

// One end. A message is at most `most` bytes; longer ones are cut off.
class Channel {
public:
    static constexpr size_t most = size_t{60} << 10;

    explicit Channel(Descriptor socket) : socket_(std::move(socket)) {}
    static std::pair<Channel, Channel> make_pair();  // throws ToolError

    // False, none: the other side is gone.
    bool send(const std::string& message) const;
    std::optional<std::string> receive() const;
    // The other side is gone, whatever it has sent before.
    bool is_closed() const;
    int descriptor() const { return socket_.get(); }

private:
    Descriptor socket_;
};

}  // namespace tools::lkl_tool
