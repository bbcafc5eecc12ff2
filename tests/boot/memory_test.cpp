// SPDX-License-Identifier: GPL-2.0-only
// Memory of the kernel that is mapped a second time, vmalloc() and its kin, by real
// users of it; and what the kernel does not need any more goes back to the host.
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include <lkl/disk.hpp>
#include <lkl/linux/bpf.h>
#include <lkl/linux/bpf_common.h>
#include <lkl/linux/mman.h>

#include <platform/posix/address_space.hpp>
#include <support/image.hpp>
#include <support/kernel.hpp>
#include <support/process.hpp>

namespace lkl::test {
namespace {

constexpr size_t page = 4096;
constexpr uint64_t mib = 1 << 20;

KernelOptions with_memory(uint64_t size)
{
    KernelOptions options;
    options.memory = size;
    return options;
}

// Bytes of the host that the kernel's memory file occupies.
uint64_t host_memory()
{
    uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        if (std::filesystem::read_symlink(entry.path(), gone).string().rfind("/memfd:lkl", 0) != 0)
            continue;
        struct stat stat {};
        if (::stat(entry.path().c_str(), &stat) == 0)
            bytes += static_cast<uint64_t>(stat.st_blocks) * 512;
    }
    return bytes;
}

constexpr const char* checked = "the kernel checks itself, and touches all memory";

class Memory : public testing::Test {
protected:
    void SetUp() override { calls.mount_at("proc", "/proc"); }

    long bpf(int command, union lkl_bpf_attr& attr)
    {
        return kernel.syscall(__lkl__NR_bpf, command, &attr, sizeof attr);
    }
    long create_map(unsigned type, unsigned key, unsigned value, unsigned entries)
    {
        union lkl_bpf_attr attr {
        };
        attr.map_type = type;
        attr.key_size = key;
        attr.value_size = value;
        attr.max_entries = entries;
        return bpf(LKL_BPF_MAP_CREATE, attr);
    }
    long element(int command, long map, uint32_t key, void* value)
    {
        union lkl_bpf_attr attr {
        };
        attr.map_fd = static_cast<uint32_t>(map);
        attr.key = reinterpret_cast<uintptr_t>(&key);
        attr.value = reinterpret_cast<uintptr_t>(value);
        return bpf(command, attr);
    }
    // The kernel's list of such areas: the largest whose line has the word, in bytes.
    uint64_t largest_area(const std::string& word)
    {
        const std::string list = calls.read_file("/proc/vmallocinfo");
        uint64_t largest = 0;
        size_t at = 0;
        while (at < list.size()) {
            const size_t end = std::min(list.find('\n', at), list.size());
            const std::string line = list.substr(at, end - at);
            const size_t space = line.find(' ');
            if (space != std::string::npos && line.find(word) != std::string::npos)
                largest = std::max<uint64_t>(largest, std::stoull(line.substr(space)));
            at = end + 1;
        }
        return largest;
    }
    // Reporting of free pages goes on for a while after they were freed.
    void expect_back(uint64_t at_most)
    {
        for (int i = 0; i < 600 && host_memory() > at_most; ++i)
            std::this_thread::sleep_for(50ms);
        EXPECT_LE(host_memory() >> 20, at_most >> 20) << "MiB";
    }
    void drop_caches()
    {
        EXPECT_EQ(kernel.syscall(__lkl__NR_sync), 0);
        EXPECT_EQ(calls.write_file("/proc/sys/vm/drop_caches", "3"), 0);
    }

    // Poisoning touches all memory, and what is freed stays away from its next user.
    bool host_memory_tells() const { return checkers_memory() == 0; }

    const Watchdog watchdog{150s, "memory"};
    Kernel kernel = boot(with_memory(512 * mib));
    Calls calls{kernel};
};

TEST_F(Memory, VmallocOf200MiBHoldsEveryByteAndComesBack)
{
    constexpr uint32_t entries = 200 * mib / page;
    const uint64_t before = host_memory();
    const uint64_t resident = process_status("RssShmem") << 10;
    const long map = create_map(LKL_BPF_MAP_TYPE_ARRAY, 4, page, entries);
    ASSERT_GE(map, 0);
    EXPECT_GE(largest_area("vmalloc"), 200 * mib);

    std::vector<uint64_t> value(page / 8);
    const auto fill = [&value](uint32_t key) {
        for (size_t i = 0; i < value.size(); ++i)
            value[i] = key * 0x9e3779b97f4a7c15ull + i;
    };
    for (uint32_t key = 0; key < entries; ++key) {
        fill(key);
        ASSERT_EQ(element(LKL_BPF_MAP_UPDATE_ELEM, map, key, value.data()), 0) << key;
    }
    // What was free in blocks that were there is used first.
    if (host_memory_tells()) {
        EXPECT_GE(host_memory(), before + 180 * mib);
    }
    std::vector<uint64_t> got(page / 8);
    for (uint32_t key = 0; key < entries; ++key) {
        fill(key);
        ASSERT_EQ(element(LKL_BPF_MAP_LOOKUP_ELEM, map, key, got.data()), 0) << key;
        ASSERT_EQ(got, value) << key;
    }
    ASSERT_EQ(calls.close(map), 0);
    if (host_memory_tells()) {
        expect_back(before + 24 * mib);
        EXPECT_LE(process_status("RssShmem") << 10, resident + 24 * mib);
    }

    // And again: what came back can be had anew.
    const long again = create_map(LKL_BPF_MAP_TYPE_ARRAY, 4, page, entries);
    ASSERT_GE(again, 0);
    ASSERT_EQ(element(LKL_BPF_MAP_LOOKUP_ELEM, again, entries - 1, got.data()), 0);
    EXPECT_EQ(got, std::vector<uint64_t>(page / 8)) << "not cleared";
    EXPECT_EQ(calls.close(again), 0);
}

TEST_F(Memory, MoreThanThereIsIsAnError)
{
    const uint64_t size = 600 * mib + checkers_memory();
    EXPECT_EQ(create_map(LKL_BPF_MAP_TYPE_ARRAY, 4, page, static_cast<uint32_t>(size / page)),
              -LKL_ENOMEM);
    EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
}

constexpr struct lkl_bpf_insn insn(uint8_t code, uint8_t to, uint8_t from, int16_t offset,
                                   int32_t immediate)
{
    struct lkl_bpf_insn i {};
    i.code = code;
    i.dst_reg = to & 15;
    i.src_reg = from & 15;
    i.off = offset;
    i.imm = immediate;
    return i;
}

// A BPF ring buffer is pages that vmap() maps twice in a row, so that a record goes on
// past the end. The program sees the same pages by mmap().
TEST_F(Memory, VmapOfOnePageAtSeveralAddresses)
{
    constexpr size_t ring_size = 64 << 10;
    constexpr int record = 200;
    const long ring = create_map(LKL_BPF_MAP_TYPE_RINGBUF, 0, 0, ring_size);
    ASSERT_GE(ring, 0);
    EXPECT_GE(largest_area("vmap"), 2 * ring_size);

    // Puts `record` bytes of the packet into the ring.
    constexpr int load_bytes = 26, ringbuf_output = 130;
    const uint8_t mov = LKL_BPF_ALU64 | LKL_BPF_MOV | LKL_BPF_X;
    const uint8_t movi = LKL_BPF_ALU64 | LKL_BPF_MOV | LKL_BPF_K;
    const uint8_t addi = LKL_BPF_ALU64 | LKL_BPF_ADD | LKL_BPF_K;
    const uint8_t call = LKL_BPF_JMP | LKL_BPF_CALL;
    const struct lkl_bpf_insn program[] = {
        insn(movi, 2, 0, 0, 0),
        insn(mov, 3, 10, 0, 0),
        insn(addi, 3, 0, 0, -record),
        insn(movi, 4, 0, 0, record),
        insn(call, 0, 0, 0, load_bytes),
        insn(LKL_BPF_JMP | LKL_BPF_JNE | LKL_BPF_K, 0, 0, 6, 0),
        insn(LKL_BPF_LD | LKL_BPF_DW | LKL_BPF_IMM, 1, LKL_BPF_PSEUDO_MAP_FD, 0,
             static_cast<int32_t>(ring)),
        insn(0, 0, 0, 0, 0),
        insn(mov, 2, 10, 0, 0),
        insn(addi, 2, 0, 0, -record),
        insn(movi, 3, 0, 0, record),
        insn(movi, 4, 0, 0, 0),
        insn(call, 0, 0, 0, ringbuf_output),
        insn(LKL_BPF_JMP | LKL_BPF_EXIT, 0, 0, 0, 0),
    };
    // The jump goes to the exit: over both halves of the 64-bit load.
    std::array<struct lkl_bpf_insn, std::size(program)> code;
    std::copy(std::begin(program), std::end(program), code.begin());
    code[5].off = static_cast<int16_t>(std::size(program) - 1 - 6);

    std::vector<char> log(16384);
    union lkl_bpf_attr load {
    };
    load.prog_type = LKL_BPF_PROG_TYPE_SOCKET_FILTER;
    load.insns = reinterpret_cast<uintptr_t>(code.data());
    load.insn_cnt = code.size();
    load.license = reinterpret_cast<uintptr_t>("GPL");
    load.log_buf = reinterpret_cast<uintptr_t>(log.data());
    load.log_size = static_cast<uint32_t>(log.size());
    load.log_level = 1;
    const long filter = bpf(LKL_BPF_PROG_LOAD, load);
    ASSERT_GE(filter, 0) << log.data();

    auto* const consumer = reinterpret_cast<uint64_t*>(kernel.syscall(
        __lkl__NR_mmap, nullptr, page, LKL_PROT_READ | LKL_PROT_WRITE, LKL_MAP_SHARED, ring, 0));
    ASSERT_LT(reinterpret_cast<uintptr_t>(consumer), -4096ul);
    const auto* const producer = reinterpret_cast<const uint64_t*>(kernel.syscall(
        __lkl__NR_mmap, nullptr, page + 2 * ring_size, LKL_PROT_READ, LKL_MAP_SHARED, ring, page));
    ASSERT_LT(reinterpret_cast<uintptr_t>(producer), -4096ul);
    const auto* const data = reinterpret_cast<const uint8_t*>(producer) + page;
    for (size_t i = 0; i < ring_size; i += page)
        ASSERT_EQ(std::memcmp(data + i, data + ring_size + i, page), 0);

    std::vector<uint8_t> packet(300);
    uint64_t across_the_end = 0;
    for (uint32_t n = 0; n < 4000; ++n) {
        // The filter sees the packet behind its Ethernet header.
        for (size_t i = 0; i < packet.size(); ++i)
            packet[i] = static_cast<uint8_t>(n * 31 + i * 7);
        union lkl_bpf_attr run {
        };
        run.test.prog_fd = static_cast<uint32_t>(filter);
        run.test.data_in = reinterpret_cast<uintptr_t>(packet.data());
        run.test.data_size_in = static_cast<uint32_t>(packet.size());
        ASSERT_EQ(bpf(LKL_BPF_PROG_TEST_RUN, run), 0);
        ASSERT_EQ(run.test.retval, 0u) << n;

        const uint64_t at = __atomic_load_n(consumer, __ATOMIC_RELAXED);
        ASSERT_EQ(__atomic_load_n(producer, __ATOMIC_ACQUIRE), at + 8 + record);
        const uint8_t* const header = data + at % ring_size;
        uint32_t length;
        std::memcpy(&length, header, sizeof length);
        ASSERT_EQ(length, static_cast<uint32_t>(record));
        ASSERT_EQ(std::memcmp(header + 8, packet.data() + 14, record), 0) << n;
        if (at % ring_size + 8 + record > ring_size)
            ++across_the_end;
        __atomic_store_n(consumer, at + 8 + record, __ATOMIC_RELEASE);
    }
    EXPECT_GT(across_the_end, 5u);
    EXPECT_EQ(kernel.syscall(__lkl__NR_munmap, consumer, page), 0);
    EXPECT_EQ(kernel.syscall(__lkl__NR_munmap, producer, page + 2 * ring_size), 0);
    EXPECT_EQ(calls.close(filter), 0);
    EXPECT_EQ(calls.close(ring), 0);
}

// XFS maps the buffer of a large directory block by vm_map_ram().
TEST_F(Memory, VmMapRamOfXfsDirectoryBlocks)
{
    char directory[] = "/tmp/lkl-memory-XXXXXX";
    ASSERT_NE(::mkdtemp(directory), nullptr);
    const std::string image = std::string(directory) + "/image";
    const struct Remove {
        ~Remove() { std::filesystem::remove_all(path); }
        std::string path;
    } remove{directory};
    ASSERT_EQ(std::system(
                  ("truncate -s 512M " + image + " && mkfs.xfs -q -n size=65536 " + image).c_str()),
              0);
    auto backend = open_file_disk(image);
    ASSERT_TRUE(backend) << backend.error().what;
    const auto disk = kernel.add_disk(*std::move(backend));
    ASSERT_TRUE(disk) << disk.error().what;
    calls.mount_at("devtmpfs", "/dev");
    ASSERT_EQ(calls.mkdir("/mnt"), 0);
    const std::string device = "/dev/vd" + std::string(1, static_cast<char>('a' + disk->index));
    ASSERT_EQ(calls.mount(device.c_str(), "/mnt", "xfs"), 0);
    ASSERT_EQ(calls.mkdir("/mnt/d"), 0);

    constexpr int files = 4000;
    const auto name = [](int i) {
        return "/mnt/d/" + std::to_string(i) + std::string(static_cast<size_t>(i % 180), 'n');
    };
    for (int i = 0; i < files; ++i) {
        const long fd = calls.open(name(i).c_str(), LKL_O_WRONLY | LKL_O_CREAT);
        ASSERT_GE(fd, 0) << i;
        ASSERT_EQ(calls.close(fd), 0);
    }
    const std::string areas = calls.read_file("/proc/vmallocinfo");
    EXPECT_TRUE(areas.find("vm_map_ram") != std::string::npos ||
                areas.find("vmap_block") != std::string::npos ||
                areas.find("vmap_ram") != std::string::npos ||
                areas.find("vmap_area") != std::string::npos)
        << areas;

    // From the disk again.
    ASSERT_EQ(calls.umount("/mnt"), 0);
    ASSERT_EQ(calls.mount(device.c_str(), "/mnt", "xfs"), 0);
    EXPECT_EQ(calls.count_entries("/mnt/d"), files);
    for (int i = 0; i < files; i += 7) {
        const long fd = calls.open(name(i).c_str(), LKL_O_RDONLY);
        EXPECT_GE(fd, 0) << i;
        EXPECT_EQ(calls.close(fd), 0);
    }
    ASSERT_EQ(calls.umount("/mnt"), 0);
    ASSERT_TRUE(kernel.remove_disk(*disk));
    // xfsprogs is the judge.
    EXPECT_EQ(std::system(("xfs_repair -n " + image + " >/dev/null 2>&1").c_str()), 0);
}

TEST_F(Memory, FilesThatAreDeletedComeBack)
{
    calls.mount_at("tmpfs", "/tmp");
    ASSERT_EQ(calls.mount("none", "/tmp", "tmpfs", 32 /* MS_REMOUNT */, "size=400m"), 0);
    const uint64_t before = host_memory();
    const std::vector<char> data(mib, 'd');
    for (int round = 0; round < 2; ++round) {
        const long fd = calls.open("/tmp/file", LKL_O_WRONLY | LKL_O_CREAT);
        ASSERT_GE(fd, 0);
        for (int i = 0; i < 300; ++i)
            ASSERT_EQ(calls.write(fd, data.data(), data.size()), static_cast<long>(data.size()));
        ASSERT_EQ(calls.close(fd), 0);
        // What was free in blocks that were there is used first.
        if (host_memory_tells()) {
            EXPECT_GE(host_memory(), before + 280 * mib);
        }
        ASSERT_EQ(calls.unlink("/tmp/file"), 0);
        if (host_memory_tells())
            expect_back(before + 24 * mib);
    }
}

TEST_F(Memory, CachesThatAreDroppedComeBack)
{
    if (!host_memory_tells())
        GTEST_SKIP() << checked;
    auto backend = make_memory_disk(300 * mib);
    ASSERT_TRUE(backend);
    const auto disk = kernel.add_disk(*std::move(backend));
    ASSERT_TRUE(disk) << disk.error().what;
    calls.mount_at("devtmpfs", "/dev");
    const std::string device = "/dev/vd" + std::string(1, static_cast<char>('a' + disk->index));
    const uint64_t before = host_memory();
    const long fd = calls.open(device.c_str(), LKL_O_RDONLY);
    ASSERT_GE(fd, 0);
    std::vector<char> data(mib);
    for (int i = 0; i < 300; ++i)
        ASSERT_EQ(calls.read(fd, data.data(), data.size()), static_cast<long>(data.size()));
    EXPECT_GE(host_memory(), before + 250 * mib);
    drop_caches();
    expect_back(before + 24 * mib);
    ASSERT_EQ(calls.close(fd), 0);
}

// Bytes of the kernel's memory that are mapped by large pages of the host.
uint64_t in_large_pages()
{
    std::ifstream file("/proc/self/smaps");
    std::string line;
    uint64_t kib = 0;
    bool ours = false;
    while (std::getline(file, line)) {
        if (line.find("-") < line.find(" "))
            ours = line.find("/memfd:lkl") != std::string::npos;
        else if (ours && line.rfind("ShmemPmdMapped:", 0) == 0)
            kib += std::stoull(line.substr(line.find(':') + 1));
    }
    return kib * 1024;
}

TEST_F(Memory, IsInLargePagesOfTheHost)
{
    if (!host_memory_tells())
        GTEST_SKIP() << checked;
    // As many as are asked for below: after one refusal the kernel asks for no more.
    const auto host_has_them = [] {
        auto probe = posix::AddressSpace::create(page, 256 * mib);
        for (uint64_t at = 0; probe && at < 256 * mib; at += 2 * mib) {
            if (probe->prepare(probe->memory() - probe->image() + at, 2 * mib) != 0)
                return false;
        }
        return probe.has_value();
    };
    if (!host_has_them())
        GTEST_SKIP() << "the host has none";
    const long file = kernel.syscall(__lkl__NR_memfd_create, "file", 0);
    ASSERT_GE(file, 0);
    const std::vector<char> data(mib, 'd');
    for (int i = 0; i < 200; ++i)
        ASSERT_EQ(calls.write(file, data.data(), data.size()), static_cast<long>(data.size()));
    if (in_large_pages() < 200 * mib && !host_has_them())
        GTEST_SKIP() << "the host has no more";
    EXPECT_GE(in_large_pages(), 200 * mib);
    // Blocks, and not much more than what is in them.
    EXPECT_LE(host_memory(), 250 * mib);
    ASSERT_EQ(calls.close(file), 0);
    expect_back(64 * mib);
}

TEST(MemoryOfKernels, IsGivenBackAtTheHalt)
{
    const uint64_t checkers = checkers_memory();
    const uint64_t resident = process_status("VmRSS") << 10;
    {
        Kernel kernel = boot(with_memory(512 * mib));
        Calls calls(kernel);
        const long file = kernel.syscall(__lkl__NR_memfd_create, "file", 0);
        ASSERT_GE(file, 0);
        const std::vector<char> data(mib, 'd');
        for (int i = 0; i < 200; ++i)
            ASSERT_EQ(calls.write(file, data.data(), data.size()), static_cast<long>(data.size()));
        EXPECT_GE(host_memory(), 200 * mib);
        ASSERT_TRUE(kernel.halt());
        EXPECT_EQ(host_memory(), 0u);
        EXPECT_LE(process_status("VmRSS") << 10, resident + checkers + 64 * mib);
    }
    EXPECT_LE(process_status("VmRSS") << 10, resident + 32 * mib);
}

}  // namespace
}  // namespace lkl::test
