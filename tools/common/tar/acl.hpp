// SPDX-License-Identifier: GPL-2.0-only
// POSIX ACLs: the kernel's form, which extended attributes have, and tar's text.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <archive_entry.h>

namespace tools {

// The text of a POSIX ACL as getfacl prints it, with numeric IDs and commas:
// "user::rw-,user:1000:r--,group::r--,mask::r--,other::---". value: the
// kernel's form (linux/posix_acl_xattr.h). Empty if it is not one.
std::string acl_text(std::string_view value);

// The kernel's form of an ACL that libarchive has read; empty: there is none. type:
// ARCHIVE_ENTRY_ACL_TYPE_ACCESS or _DEFAULT. Users and groups that it knows by name
// alone are looked up on this host (GNU tar writes no number). None: one of them does
// not exist.
std::optional<std::string> acl_value(archive_entry* archived, int type);

// Replaces the users and groups that an ACL in the kernel's form names.
void map_acl_ids(std::string& value, const std::function<uint32_t(uint32_t)>& map);

}  // namespace tools
