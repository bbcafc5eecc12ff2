// SPDX-License-Identifier: GPL-2.0-only
// Options in the way of mount(8): which words are flags of mount(2).
#include <lkl/mount.hpp>

#include <algorithm>
#include <array>

#include <lkl/linux/mount.h>

namespace lkl {

namespace {

struct Word {
    std::string_view name;
    unsigned long set;
    unsigned long clear;
};

// mount(8), "Filesystem-independent mount options", as far as the kernel has
// them. "auto", "user" and the like speak of fstab and mean nothing here.
constexpr std::array words{
    Word{"defaults", 0, 0},
    Word{"ro", LKL_MS_RDONLY, 0},
    Word{"rw", 0, LKL_MS_RDONLY},
    Word{"nosuid", LKL_MS_NOSUID, 0},
    Word{"suid", 0, LKL_MS_NOSUID},
    Word{"nodev", LKL_MS_NODEV, 0},
    Word{"dev", 0, LKL_MS_NODEV},
    Word{"noexec", LKL_MS_NOEXEC, 0},
    Word{"exec", 0, LKL_MS_NOEXEC},
    Word{"sync", LKL_MS_SYNCHRONOUS, 0},
    Word{"async", 0, LKL_MS_SYNCHRONOUS},
    Word{"dirsync", LKL_MS_DIRSYNC, 0},
    Word{"mand", LKL_MS_MANDLOCK, 0},
    Word{"nomand", 0, LKL_MS_MANDLOCK},
    Word{"noatime", LKL_MS_NOATIME, LKL_MS_RELATIME | LKL_MS_STRICTATIME},
    Word{"atime", 0, LKL_MS_NOATIME},
    Word{"nodiratime", LKL_MS_NODIRATIME, 0},
    Word{"diratime", 0, LKL_MS_NODIRATIME},
    Word{"relatime", LKL_MS_RELATIME, LKL_MS_NOATIME | LKL_MS_STRICTATIME},
    Word{"norelatime", 0, LKL_MS_RELATIME},
    Word{"strictatime", LKL_MS_STRICTATIME, LKL_MS_NOATIME | LKL_MS_RELATIME},
    Word{"nostrictatime", 0, LKL_MS_STRICTATIME},
    Word{"lazytime", LKL_MS_LAZYTIME, 0},
    Word{"nolazytime", 0, LKL_MS_LAZYTIME},
    Word{"nosymfollow", LKL_MS_NOSYMFOLLOW, 0},
    Word{"silent", LKL_MS_SILENT, 0},
    Word{"loud", 0, LKL_MS_SILENT},
};

}  // namespace

void MountOptions::add(std::string_view options)
{
    while (!options.empty()) {
        // A comma inside double quotes belongs to the value, as for mount(8):
        // context="system_u:object_r:tmp_t:s0:c1,c2".
        bool quoted = false;
        size_t end = 0;
        for (; end < options.size() && (quoted || options[end] != ','); end++) {
            if (options[end] == '"')
                quoted = !quoted;
        }
        const std::string_view option = options.substr(0, end);
        options.remove_prefix(std::min(end + 1, options.size()));

        const auto word = std::find_if(words.begin(), words.end(),
                                       [option](const Word& w) { return w.name == option; });
        if (word != words.end()) {
            flags = (flags & ~word->clear) | word->set;
        } else if (!option.empty()) {
            if (!data.empty())
                data += ',';
            data += option;
        }
    }
}

}  // namespace lkl
