// SPDX-License-Identifier: GPL-2.0-only
// Files as members of a pax archive.
#pragma once

#include <cstdint>
#include <string>

#include "common/tar/output_stream.hpp"
#include "common/tar/pax_writer.hpp"
#include "common/tree/entry_sink.hpp"

namespace tools {

class TarSink final : public EntrySink {
public:
    // The reference is kept.
    explicit TarSink(OutputStream& out) : out_(out), writer_(out) {}

    void begin(const Entry& entry) override;
    void end() override { writer_.end_member(); }
    // The format has no type of member for them.
    bool holds_sockets() const override { return false; }
    std::span<std::byte> space() override { return out_.space(); }
    void data(uint64_t offset, size_t count) override;
    void align() override { out_.align(); }
    // The member's size stands before its data: zeros take the place of the missing.
    void abandon() override;

    // Ends the archive, and writes it all out.
    void finish();

private:
    OutputStream& out_;
    PaxWriter writer_;
    uint64_t missing_ = 0;  // bytes of the member's data that are still to come
    // Kept to keep their memory.
    std::string path_;
    std::string acl_access_;
    std::string acl_default_;
};

}  // namespace tools
