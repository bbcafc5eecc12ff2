// SPDX-License-Identifier: GPL-2.0-only
#include "common/mount_defaults.hpp"

#include <array>

namespace tools {

namespace {

struct Default {
    std::string_view type;
    std::string_view options;
};

// Sources: Documentation/filesystems/ of the kernel and mount(8).
constexpr std::array defaults{
    // The superblock may ask for errors=panic.
    Default{"ext2", "errors=remount-ro"},
    Default{"ext3", "errors=remount-ro"},
    Default{"ext4", "errors=remount-ro"},
    // These store names in UTF-16 or Latin-1 and would show what is not in the
    // kernel's default charset as question marks. FAT stores local times; the
    // host's zone says nothing about them.
    Default{"vfat", "utf8,tz=UTC,errors=remount-ro"},
    Default{"exfat", "iocharset=utf8"},
    Default{"ntfs3", "iocharset=utf8"},
    Default{"iso9660", "iocharset=utf8"},
    Default{"udf", "iocharset=utf8"},
    Default{"hfs", "iocharset=utf8"},
    Default{"befs", "iocharset=utf8"},
    // The cluster's lock manager is not wanted for one reader.
    Default{"gfs2", "lockproto=lock_nolock"},
    // A mount without a word about the heartbeat is refused, a local one too.
    Default{"ocfs2", "heartbeat=none"},
};

}  // namespace

std::string_view default_mount_options(std::string_view type)
{
    for (const Default& entry : defaults) {
        if (entry.type == type)
            return entry.options;
    }
    return {};
}

}  // namespace tools
