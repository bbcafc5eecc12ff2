// SPDX-License-Identifier: GPL-2.0-only
#include "coverage.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

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
// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming): their names
extern "C" {
[[gnu::weak]] extern uint8_t* __afl_area_ptr;
void __sanitizer_cov_trace_pc_guard_init(uint32_t* start, uint32_t* stop) __attribute__((weak));
}
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)

// What libFuzzer calls first of all. Its schedule by default ("entropic") goes through all that
// an input has reached, more than once for each execution. Of a kernel that is ten thousand
// places and more, so that four fifths of the time went there. Options of the command line come
// later and prevail; so does a function of this name that a target has itself.
extern "C" [[gnu::weak]] int LLVMFuzzerInitialize(int* argc, char*** argv)
{
    static char option[] = "-entropic=0";
    if (&__afl_area_ptr || *argc < 1)
        return 0;
    // Never destroyed: the fuzzer goes on with it.
    static auto& arguments = *new std::vector<char*>(*argv, *argv + *argc);
    arguments.insert(arguments.begin() + 1, option);
    *argc = static_cast<int>(arguments.size());
    arguments.push_back(nullptr);
    *argv = arguments.data();
    return 0;
}

namespace lkl::fuzz {

namespace {

// linux/kcov.h.
constexpr unsigned long kcov_init_trace = 0x80086301;
constexpr unsigned long kcov_enable = 0x6364;
constexpr unsigned long kcov_disable = 0x6365;
constexpr unsigned long kcov_trace_pc = 0;
constexpr unsigned long kcov_trace_cmp = 1;
constexpr uint64_t kcov_cmp_const = 1;

constexpr size_t most_entries = 1 << 18;  // of 8 bytes; what comes after is not seen
constexpr size_t entries_of_comparison = 4;

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

// Which of the counters were ever used.
std::bitset<counters_size> reached;

// True: for the first time.
bool count(size_t index)
{
    count(counters[index % counters_size]);
    if (&__afl_area_ptr)
        count(__afl_area_ptr[afl_places[index % afl_places.size()]]);
    if (reached[index % counters_size])
        return false;
    reached.set(index % counters_size);
    return true;
}

// A buffer of KCOV's, of 8 bytes an entry, by a descriptor of it; null: it cannot be had.
uint64_t* make_buffer(Kernel& kernel, long& fd)
{
    fd = kernel.syscall(__lkl__NR_openat, LKL_AT_FDCWD, "/sys/kernel/debug/kcov", LKL_O_RDWR);
    if (fd < 0 || kernel.syscall(__lkl__NR_ioctl, fd, kcov_init_trace, most_entries) != 0)
        return nullptr;
    const long at = kernel.syscall(__lkl__NR_mmap, 0, most_entries * sizeof(uint64_t),
                                   PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the call gives an address or an error
    return at < 0 ? nullptr : reinterpret_cast<uint64_t*>(at);
}

uint64_t entries_in(const uint64_t* buffer, size_t most)
{
    return std::min<uint64_t>(__atomic_load_n(buffer, __ATOMIC_RELAXED), most);
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
    uint64_t* const buffer = make_buffer(kernel, trace_);
    if (uint64_t* const second = make_buffer(kernel, compare_);
        second != nullptr &&
        kernel.syscall(__lkl__NR_ioctl, compare_, kcov_enable, kcov_trace_cmp) == 0) {
        kernel.syscall(__lkl__NR_ioctl, compare_, kcov_disable, 0);
        comparisons_ = second;
    }
    if (buffer == nullptr ||
        kernel.syscall(__lkl__NR_ioctl, trace_, kcov_enable, kcov_trace_pc) != 0)
        return false;
    image_ = find_image(kernel);
    buffer_ = buffer;
    return true;
}

// All is as well if they do come back.
void Coverage::leave_out_of(Snapshot& snapshot)
{
    for (const uint64_t* const buffer : {buffer_, comparisons_}) {
        if (buffer != nullptr)
            static_cast<void>(snapshot.leave_out(buffer, most_entries * sizeof(uint64_t)));
    }
}

void Coverage::clear()
{
    if (buffer_)
        __atomic_store_n(buffer_, 0, __ATOMIC_RELAXED);
}

bool Coverage::collect()
{
    if (!buffer_)
        return false;
    const uint64_t entries = entries_in(buffer_, most_entries - 1);
    uint64_t previous = 0;
    bool is_new = false;
    for (uint64_t i = 1; i <= entries; ++i) {
        // Multiplied by an odd number: neighbours shall not share counters.
        const uint64_t here = (buffer_[i] - image_) * 0x9e3779b97f4a7c15 >> 40;
        is_new |= count(here ^ previous);
        previous = here >> 1;
    }
    clear();
    return is_new;
}

void Coverage::watch_comparisons(Kernel& kernel)
{
    kernel.syscall(__lkl__NR_ioctl, trace_, kcov_disable, 0);
    kernel.syscall(__lkl__NR_ioctl, compare_, kcov_enable, kcov_trace_cmp);
}

void Coverage::take_comparisons(std::vector<Comparison>& found)
{
    const uint64_t entries = entries_in(comparisons_, (most_entries - 1) / entries_of_comparison);
    for (uint64_t i = 0; i < entries; ++i) {
        // type, the two values (a constant is the first), place
        const uint64_t* const entry = comparisons_ + 1 + i * entries_of_comparison;
        if ((entry[0] & kcov_cmp_const) != 0 && entry[1] != entry[2])
            found.push_back({entry[3], entry[1], entry[2]});
    }
    __atomic_store_n(comparisons_, 0, __ATOMIC_RELAXED);
}

}  // namespace lkl::fuzz
