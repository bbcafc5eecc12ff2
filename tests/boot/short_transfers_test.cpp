// SPDX-License-Identifier: GPL-2.0-only
// Transfers from and to memory that ends before they do: how much is moved is what the
// host's kernel moves, given the same call with the same memory.
#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <sys/ioctl.h>
#include <sys/uio.h>

#include "boot/bad_pointers.hpp"

namespace lkl::test {
namespace {

// A transfer with a buffer of which only the first bytes are there.
struct Transfer {
    const char* name;
    bool writes_memory;
    std::function<long(const Side&, const Files&, void*, size_t)> call;
};

const std::vector<Transfer> transfers = {
    {"pread of a file", true,
     [](const Side& s, const Files& f, void* p, size_t n) {
         return s(NUMBER(pread64), f.file, p, n, 3);
     }},
    {"pwrite of a file", false,
     [](const Side& s, const Files& f, void* p, size_t n) {
         return s(NUMBER(pwrite64), f.file, p, n, 100);
     }},
    {"read of a pipe", true,
     [](const Side& s, const Files& f, void* p, size_t n) {
         return s(NUMBER(read), f.pipe[0], p, n);
     }},
    {"write of a pipe", false,
     [](const Side& s, const Files& f, void* p, size_t n) {
         return s(NUMBER(write), f.pipe[1], p, n);
     }},
    {"preadv with a good part first", true,
     [](const Side& s, const Files& f, void* p, size_t n) {
         std::array<char, 16> good;
         iovec vector[2] = {{good.data(), good.size()}, {p, n}};
         return s(NUMBER(preadv), f.file, vector, 2, 0, 0);
     }},
    {"pwritev with a good part first", false,
     [](const Side& s, const Files& f, void* p, size_t n) {
         char good[] = "0123456789abcde";
         iovec vector[2] = {{good, sizeof good}, {p, n}};
         return s(NUMBER(pwritev), f.file, vector, 2, 100, 0);
     }},
    {"pwritev with a good part behind", false,
     [](const Side& s, const Files& f, void* p, size_t n) {
         char good[] = "0123456789abcde";
         iovec vector[2] = {{p, n}, {good, sizeof good}};
         return s(NUMBER(pwritev), f.file, vector, 2, 100, 0);
     }},
    {"getrandom", false,
     [](const Side& s, const Files&, void* p, size_t n) { return s(NUMBER(getrandom), p, n, 0); }},
};

// The contents of both sides' files and pipes after a transfer.
std::string state_of(const Side& side, const Files& files)
{
    std::string state(20000, '\0');
    const long n = side(NUMBER(pread64), files.file, state.data(), state.size(), 0);
    EXPECT_GE(n, 0);
    state.resize(static_cast<size_t>(n));
    std::array<char, 20000> rest;
    state += "|";
    int waiting = 0;
    EXPECT_EQ(side(NUMBER(ioctl), files.pipe[0], FIONREAD, &waiting), 0);
    if (waiting > 0) {
        const long piped = side(NUMBER(read), files.pipe[0], rest.data(), rest.size());
        EXPECT_EQ(piped, waiting);
        state.append(rest.data(), static_cast<size_t>(piped));
    }
    return state;
}

void prepare(const Side& side, const Files& files)
{
    std::vector<char> contents(4000);
    for (size_t i = 0; i < contents.size(); ++i)
        contents[i] = static_cast<char>(i * 7 + i / 256);
    ASSERT_EQ(side(NUMBER(ftruncate), files.file, 0), 0);
    ASSERT_EQ(side(NUMBER(pwrite64), files.file, contents.data(), contents.size(), 0), 4000);
    ASSERT_EQ(side(NUMBER(write), files.pipe[1], contents.data(), 3000), 3000);
}

// What one side makes of a transfer: result, memory, and files.
std::string outcome(const Side& side, const Files& files, const Transfer& transfer, Edge& edge,
                    size_t good, size_t total)
{
    prepare(side, files);
    uint8_t* const at = edge.before_end(good);
    for (size_t i = 0; i < good; ++i)
        at[i] = static_cast<uint8_t>(i * 13 + 1);
    const long result = transfer.call(side, files, at, total);
    std::string what = std::to_string(result) + "|";
    if (transfer.writes_memory)
        what.append(reinterpret_cast<const char*>(at), good);
    return what + "|" + state_of(side, files);
}

TEST_F(Faults, ShortCountsAreTheHosts)
{
    // The fixtures' pipes hold four bytes already.
    std::array<char, 4> first;
    ASSERT_EQ(side(NUMBER(read), files.pipe[0], first.data(), 4), 4);
    ASSERT_EQ(host(NUMBER(read), host_files.pipe[0], first.data(), 4), 4);

    std::vector<std::pair<size_t, size_t>> sizes;  // good bytes, all bytes
    for (size_t total = 1; total <= 40; ++total) {
        for (size_t good = 0; good <= total; ++good)
            sizes.emplace_back(good, total);
    }
    for (const size_t total : {63, 64, 65, 96, 127, 128, 129, 130, 191, 192, 193, 255, 256, 257,
                               511, 512, 1000, 2048, 2999}) {
        for (const size_t good : {size_t{0}, size_t{1}, size_t{15}, size_t{16}, size_t{17},
                                  total / 2, total - 17, total - 16, total - 8, total - 1, total})
            sizes.emplace_back(good, total);
    }
    for (const size_t total : {4095, 4096, 4097, 6000, 8192, 9000}) {
        for (const size_t good : {size_t{0}, size_t{1}, size_t{904}, size_t{2000}, size_t{4095},
                                  size_t{4096}, size_t{4097}, size_t{8191}, size_t{8192}}) {
            if (good <= total)
                sizes.emplace_back(good, total);
        }
    }
    for (const Transfer& transfer : transfers) {
        for (const auto& [good, total] : sizes) {
            const std::string ours = outcome(side, files, transfer, edge, good, total);
            const std::string theirs = outcome(host, host_files, transfer, edge, good, total);
            ASSERT_EQ(ours == theirs, true)
                << transfer.name << ": " << good << " good bytes of " << total << ": "
                << ours.substr(0, ours.find('|')) << ", on the host "
                << theirs.substr(0, theirs.find('|'));
        }
    }
}

}  // namespace
}  // namespace lkl::test
