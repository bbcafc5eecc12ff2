// SPDX-License-Identifier: GPL-2.0-only
// Generic netlink: families that are known by name and get a number in each kernel.
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/linux/genetlink.h>
#include <lkl/netlink.hpp>

namespace lkl {

Result<uint16_t> Netlink::generic_family(std::string_view name)
{
    const std::string what = "find netlink family " + std::string(name);
    lkl_genlmsghdr head{};
    head.cmd = LKL_CTRL_CMD_GETFAMILY;
    head.version = 1;
    NetlinkMessage message(LKL_GENL_ID_CTRL);
    message.put(head).add_text(LKL_CTRL_ATTR_FAMILY_NAME, name);
    auto replies = query(std::move(message), what);
    if (!replies)
        return std::move(replies).error();
    std::optional<uint16_t> id;
    replies->for_each([&](const NetlinkView& view) {
        id = view.attributes<lkl_genlmsghdr>()[LKL_CTRL_ATTR_FAMILY_ID].get<uint16_t>();
    });
    if (!id)
        return Error{LKL_EPROTO, what + ": the kernel did not answer"};
    return *id;
}

}  // namespace lkl
