// SPDX-License-Identifier: GPL-2.0-only
// What the full configuration promises is in the kernel that runs, by what the kernel itself
// lists in /proc: an option that somebody deletes is missed here. How well it works is for
// other tests.
#include <algorithm>
#include <iostream>
#include <iterator>
#include <ostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <lkl/linux/sched.h>

#include "support/kernel.hpp"

namespace lkl::test {
namespace {

struct Promise {
    const char* name;
    const char* file;   // a list of /proc, in any form
    const char* words;  // each of which it has
};

void PrintTo(const Promise& promise, std::ostream* out)
{
    *out << promise.name;
}

constexpr Promise promises[] = {
    {"FileSystemsOfDisks", "/proc/filesystems",
     "ext2 ext3 ext4 xfs btrfs bcachefs f2fs nilfs2 jfs reiserfs gfs2 ocfs2 minix msdos vfat "
     "exfat ntfs3 hfs hfsplus ufs affs bfs hpfs qnx4 qnx6 sysv v7 adfs befs efs omfs vxfs romfs "
     "cramfs squashfs erofs iso9660 udf jffs2 ubifs zonefs fuseblk"},
    {"FileSystemsWithoutDisk", "/proc/filesystems",
     "tmpfs ramfs devtmpfs proc sysfs debugfs configfs overlay fuse cgroup cgroup2 mqueue bpf"},
    {"FileSystemsOfNetworks", "/proc/filesystems", "nfs nfs4 cifs smb3 9p ceph"},
    {"CongestionControls", "/proc/sys/net/ipv4/tcp_available_congestion_control",
     "reno cubic bbr bic cdg dctcp highspeed htcp hybla illinois lp nv scalable vegas veno "
     "westwood yeah"},
    {"ControlGroups", "/proc/cgroups",
     "cpu cpuacct blkio memory devices freezer net_cls pids misc"},
    {"BlockDevices", "/proc/devices", "loop virtblk md mdp device-mapper nbd zram mtdblock"},
    {"OtherDevices", "/proc/misc", "tun fuse device-mapper loop-control"},
    {"Sockets", "/proc/net/protocols",
     "TCP TCPv6 UDP UDPv6 UDP-Lite RAW RAWv6 PING UNIX PACKET NETLINK ALG"},
    {"Hashes", "/proc/crypto",
     "crc32c crc32 crct10dif sha1 sha224 sha256 sha384 sha512 sha3-256 md4 md5 rmd160 sm3 "
     "streebog256 wp512 blake2b-256 xxhash64 ghash poly1305"},
    {"Ciphers", "/proc/crypto",
     "aes camellia cast5 cast6 des des3_ede blowfish serpent sm4 aria twofish chacha20 "
     "xchacha20 xchacha12 aegis128"},
    {"Compressors", "/proc/crypto", "deflate lzo lzo-rle 842 lz4 lz4hc zstd"},
};

class Configuration : public testing::TestWithParam<Promise> {
protected:
    static std::vector<std::string> words_of(const std::string& text)
    {
        std::istringstream stream(text);
        return {std::istream_iterator<std::string>(stream), {}};
    }
};

TEST_P(Configuration, HasAllOf)
{
    Kernel kernel = boot();
    Calls calls(kernel);
    calls.mount_at("proc", "/proc");
    const std::string text = calls.read_file(GetParam().file);
    const auto there = words_of(text);
    for (const std::string& word : words_of(GetParam().words))
        EXPECT_NE(std::find(there.begin(), there.end(), word), there.end()) << word;
    if (HasFailure())
        std::cout << text;
}

INSTANTIATE_TEST_SUITE_P(, Configuration, testing::ValuesIn(promises),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Namespaces, AreThereByName)
{
    Kernel kernel = boot();
    Calls calls(kernel);
    calls.mount_at("proc", "/proc");
    for (const char* name : {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"}) {
        const std::string path = std::string("/proc/thread-self/ns/") + name;
        const long fd = calls.open(path.c_str(), LKL_O_RDONLY);
        EXPECT_GE(fd, 0) << name;
        if (fd >= 0) {
            EXPECT_EQ(calls.close(fd), 0);
        }
    }
}

// README, Limits.
TEST(Namespaces, OfNewProcessesAndUsersAreNotEntered)
{
    Kernel kernel = boot();
    Calls calls(kernel);
    EXPECT_EQ(kernel.syscall(__lkl__NR_unshare, LKL_CLONE_NEWPID), 0);
    EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
    EXPECT_NE(calls.gettid(), 1);
    std::thread([&] { EXPECT_GT(calls.gettid(), 1); }).join();
    EXPECT_EQ(kernel.syscall(__lkl__NR_unshare, LKL_CLONE_NEWUSER), -LKL_EINVAL);
}

}  // namespace
}  // namespace lkl::test
