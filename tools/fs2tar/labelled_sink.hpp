// SPDX-License-Identifier: GPL-2.0-only
// Files on their way to the archive, whose SELinux labels are listed (-s).
#pragma once

#include <string_view>

#include "common/tar/tar_sink.hpp"
#include "fs2tar/label_list.hpp"

namespace tools::fs2tar {

// The references are kept.
class LabelledSink final : public EntrySink {
public:
    LabelledSink(TarSink& sink, LabelList& labels) : sink_(sink), labels_(labels) {}

    void begin(const Entry& entry) override
    {
        sink_.begin(entry);
        for (const Attribute& attribute : entry.attributes) {
            const std::string_view value = attribute.value;
            if (attribute.name == "security.selinux" && !value.empty())
                labels_.add(path(entry), value.substr(0, value.find('\0')));
        }
    }
    void abandon() override { sink_.abandon(); }
    void end() override { sink_.end(); }
    bool holds_sockets() const override { return sink_.holds_sockets(); }
    std::span<std::byte> space() override { return sink_.space(); }
    void data(uint64_t offset, size_t count) override { sink_.data(offset, count); }
    void align() override { sink_.align(); }

private:
    // As in the archive.
    static std::string path(const Entry& entry)
    {
        if (entry.type != EntryType::directory)
            return entry.path;
        return entry.path.empty() ? "./" : entry.path + '/';
    }

    TarSink& sink_;
    LabelList& labels_;
};

}  // namespace tools::fs2tar
