// SPDX-License-Identifier: GPL-2.0-only
#include "coverage.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <sys/mman.h>

#include <lkl/asm-generic/fcntl.h>
#include <lkl/asm-generic/unistd.h>
#include <lkl/linux/fcntl.h>

namespace {

// A new edge whose place another one has already is not seen: a fuzzer of system calls sees
// 20,000 of them in a minute.
constexpr size_t counters_size = 1 << 18;

// libFuzzer reads and clears everything in this section.
__attribute__((section("__libfuzzer_extra_counters"), used)) uint8_t counters[counters_size];

}  // namespace

// AFL++'s runtime, where the target is linked with it: its map, and how a module gets
// places in it, which are written to [start, stop), one for each edge. (libFuzzer has a
// function of that name too.)
extern "C" {
[[gnu::weak]] extern uint8_t* __afl_area_ptr;
void __sanitizer_cov_trace_pc_guard_init(uint32_t* start, uint32_t* stop) __attribute__((weak));
}

namespace lkl::fuzz {

namespace {

// linux/kcov.h.
constexpr unsigned long kcov_init_trace = 0x80086301;
constexpr unsigned long kcov_enable = 0x6364;
constexpr unsigned long kcov_trace_pc = 0;

constexpr size_t most_entries = 1 << 18;  // of 8 bytes: mounting Btrfs takes nearly all

// With the harness's own edges less than 64 Ki, more than which some of AFL++'s tools have
// to be told of (AFL_MAP_SIZE).
std::array<uint32_t, 63 << 10> afl_places;

// AFL++'s map is as large as the instrumented part of the program, a few dozen edges. We
// are one more part, the kernel. After the runtime's own constructors, and before its
// fork server says how large the map is.
[[gnu::constructor(200)]] void get_afl_places()
{
    if (&__afl_area_ptr && &__sanitizer_cov_trace_pc_guard_init)
        __sanitizer_cov_trace_pc_guard_init(afl_places.data(),
                                            afl_places.data() + afl_places.size());
}

void count(uint8_t& counter)
{
    counter = static_cast<uint8_t>(counter == 255 ? 255 : counter + 1);
}

void count(size_t index)
{
    count(counters[index % counters_size]);
    if (&__afl_area_ptr)
        count(__afl_area_ptr[afl_places[index % afl_places.size()]]);
}

// The first address of the kernel's code, as /proc/kallsyms has it; 0 if unknown.
uint64_t find_image(Kernel& kernel)
{
    const long fd = kernel.syscall(__lkl__NR_openat, LKL_AT_FDCWD, "/proc/kallsyms", LKL_O_RDONLY);
    if (fd < 0)
        return 0;
    std::array<char, 4096> text;
    const long n = kernel.syscall(__lkl__NR_read, fd, text.data(), text.size() - 1);
    kernel.syscall(__lkl__NR_close, fd);
    text[static_cast<size_t>(std::max(n, 0l))] = 0;
    return std::strtoull(text.data(), nullptr, 16);
}

}  // namespace

bool Coverage::start(Kernel& kernel)
{
    for (const auto& [type, path] : {std::pair{"sysfs", "/sys"}, std::pair{"proc", "/proc"},
                                     std::pair{"debugfs", "/sys/kernel/debug"}}) {
        kernel.syscall(__lkl__NR_mkdirat, LKL_AT_FDCWD, path, 0755);
        kernel.syscall(__lkl__NR_mount, type, path, type, 0, nullptr);
    }
    const long fd =
        kernel.syscall(__lkl__NR_openat, LKL_AT_FDCWD, "/sys/kernel/debug/kcov", LKL_O_RDWR);
    if (fd < 0)
        return false;
    if (kernel.syscall(__lkl__NR_ioctl, fd, kcov_init_trace, most_entries) != 0)
        return false;
    const long at = kernel.syscall(__lkl__NR_mmap, 0, most_entries * sizeof(uint64_t),
                                   PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at < 0 || kernel.syscall(__lkl__NR_ioctl, fd, kcov_enable, kcov_trace_pc) != 0)
        return false;
    image_ = find_image(kernel);
    buffer_ = reinterpret_cast<uint64_t*>(at);
    return true;
}

void Coverage::clear()
{
    if (buffer_)
        __atomic_store_n(buffer_, 0, __ATOMIC_RELAXED);
}

void Coverage::collect()
{
    if (!buffer_)
        return;
    const uint64_t entries =
        std::min<uint64_t>(__atomic_load_n(buffer_, __ATOMIC_RELAXED), most_entries - 1);
    uint64_t previous = 0;
    for (uint64_t i = 1; i <= entries; ++i) {
        // Multiplied by an odd number: neighbours shall not share counters.
        const uint64_t here = (buffer_[i] - image_) * 0x9e3779b97f4a7c15 >> 40;
        count(here ^ previous);
        previous = here >> 1;
    }
}

}  // namespace lkl::fuzz
