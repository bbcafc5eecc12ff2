// SPDX-License-Identifier: GPL-2.0-only
#include "common/tar/tar_sink.hpp"

#include <algorithm>

#include "common/tar/acl.hpp"

namespace tools {

namespace {

MemberType member_type(EntryType type)
{
    switch (type) {
    case EntryType::hard_link:
        return MemberType::hard_link;
    case EntryType::symbolic_link:
        return MemberType::symbolic_link;
    case EntryType::character_device:
        return MemberType::character_device;
    case EntryType::block_device:
        return MemberType::block_device;
    case EntryType::directory:
        return MemberType::directory;
    case EntryType::fifo:
        return MemberType::fifo;
    default:
        return MemberType::regular;
    }
}

bool is_device(EntryType type)
{
    return type == EntryType::character_device || type == EntryType::block_device;
}

}  // namespace

void TarSink::begin(const Entry& entry)
{
    Member member;
    member.type = member_type(entry.type);
    path_ = entry.path;
    if (entry.type == EntryType::directory)
        path_ += path_.empty() ? "./" : "/";
    member.path = path_;
    member.mode = entry.mode;
    member.uid = entry.uid;
    member.gid = entry.gid;
    member.mtime = entry.mtime;
    member.atime = entry.atime;
    member.ctime = entry.ctime;
    member.link = entry.link;
    if (is_device(entry.type)) {
        member.device_major = entry.device_major;
        member.device_minor = entry.device_minor;
    }
    missing_ = 0;
    if (entry.type == EntryType::regular) {
        member.size = missing_ = entry.size;
        if (entry.sparse) {
            member.extents = &entry.extents;
            missing_ = 0;
            for (const Extent& extent : entry.extents)
                missing_ += extent.length;
        }
    }
    // The file's attributes stand with its first name.
    if (entry.type != EntryType::hard_link) {
        acl_access_.clear();
        acl_default_.clear();
        member.attributes = entry.attributes;
        for (const Attribute& attribute : entry.attributes) {
            if (attribute.name == "system.posix_acl_access")
                acl_access_ = acl_text(attribute.value);
            else if (attribute.name == "system.posix_acl_default")
                acl_default_ = acl_text(attribute.value);
            else if (attribute.name == "security.selinux")
                member.selinux =
                    std::string_view(attribute.value).substr(0, attribute.value.find('\0'));
        }
        member.acl_access = acl_access_;
        member.acl_default = acl_default_;
    }
    writer_.begin_member(member);
}

void TarSink::data(uint64_t, size_t count)
{
    out_.commit(count);
    missing_ -= count;
}

void TarSink::abandon()
{
    for (; missing_ > 0; missing_ -= std::min<uint64_t>(missing_, OutputStream::buffer_size))
        out_.write_zeros(
            static_cast<size_t>(std::min<uint64_t>(missing_, OutputStream::buffer_size)));
    writer_.end_member();
}

void TarSink::finish()
{
    writer_.end_archive();
    out_.finish();
}

}  // namespace tools
