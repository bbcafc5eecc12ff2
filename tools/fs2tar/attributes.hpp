// SPDX-License-Identifier: GPL-2.0-only
// The extended attributes of a file, and what tar wants of them as text: ACLs
// and the SELinux label.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <lkl/file.hpp>
#include <lkl/kernel.hpp>
#include <lkl/result.hpp>

#include "fs2tar/pax_writer.hpp"

namespace tools::fs2tar {

struct Attributes {
    std::vector<Attribute> list;
    std::string acl_access;   // text form of system.posix_acl_access
    std::string acl_default;  // text form of system.posix_acl_default
    std::string selinux;      // security.selinux without the zero byte at its end

    bool empty() const { return list.empty(); }
    void clear();
};

// Reads attributes; keeps its buffers from file to file. One thread.
class AttributeReader {
public:
    AttributeReader();

    // Of an open file.
    lkl::Result<void> read(const lkl::File& file, Attributes& attributes);
    // Of a name in the kernel's working directory, symbolic links not followed.
    lkl::Result<void> read(lkl::Kernel& kernel, const char* name, Attributes& attributes);

private:
    template <typename List, typename Get>
    lkl::Result<void> read_with(const List& list, const Get& get, Attributes& attributes);

    std::vector<char> names_;
    std::vector<std::byte> value_;
};

// The text of a POSIX ACL as getfacl prints it, with numeric IDs and commas:
// "user::rw-,user:1000:r--,group::r--,mask::r--,other::---". value: the
// kernel's form (linux/posix_acl_xattr.h). Empty if it is not one.
std::string acl_text(std::string_view value);

}  // namespace tools::fs2tar
