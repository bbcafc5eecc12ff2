// SPDX-License-Identifier: GPL-2.0-only
// Checksums, hashes, ciphers and RAID-6 inside the image, in pieces of 4 KiB of 64 KiB
// that stay in the CPU's cache, as the kernel's own users call them; measured by the
// kernel itself (arch/lkl/lib/bench/speed.c).
//
// What runs in a host kernel can be seen from outside only through AF_ALG, which
// many have no driver for. The peers are therefore the libraries that programs use
// for the same, in this process, on the same pieces, as fast as this CPU can:
//
//   crc32c, raid6      ISA-L (crc32_iscsi; pq_gen with 8 disks, P and Q)
//   AES-XTS, SHA-256   OpenSSL (keys of 256 bits, an IV for each piece)
#include <array>
#include <cstdio>
#include <memory>
#include <stdexcept>

#include <isa-l.h>
#include <openssl/evp.h>

#include "figures.hpp"
#include "guest.hpp"
#include "harness.hpp"

namespace bench {

namespace {

constexpr size_t unit = 4096;
constexpr size_t units = 16;
constexpr int data_disks = 8;
constexpr double duration = 0.02;

struct alignas(64) Data {
    std::array<unsigned char, unit*(units + 2)> bytes;

    Data()
    {
        for (size_t i = 0; i < bytes.size(); ++i)
            bytes[i] = static_cast<unsigned char>(i * 167 + (i >> 8));
    }
    unsigned char* piece(size_t number) { return &bytes[number * unit]; }
};

void good(bool result, const char* what)
{
    if (!result)
        throw std::runtime_error(what);
}

// step(number) works on a piece; GB/s over `units` pieces in turns.
template <typename Step>
double speed(Step&& step)
{
    const double start = now();
    double bytes = 0, time = 0;
    do {
        for (size_t i = 0; i < units; ++i)
            step(i);
        bytes += unit * units;
        time = now() - start;
    } while (time < duration);
    return bytes / time / 1e9;
}

double isal_crc32c()
{
    static Data data;
    return speed([](size_t i) {
        // Of a piece that is the same each time: anything else is a fault.
        static const unsigned expected = crc32_iscsi(data.piece(0), unit, ~0u);
        good(crc32_iscsi(data.piece(i), unit, ~0u) == expected || i != 0, "crc32_iscsi");
    });
}

double isal_raid6()
{
    static Data data;
    std::array<void*, data_disks + 2> disks;
    for (size_t i = 0; i < disks.size(); ++i)
        disks[i] = data.piece(i);
    return speed([&disks](size_t i) {
        if (i < units / data_disks)
            good(pq_gen(data_disks + 2, unit, disks.data()) == 0, "pq_gen");
    });
}

double openssl_sha256()
{
    static Data data;
    const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> hash(
        EVP_MD_fetch(nullptr, "SHA256", nullptr), EVP_MD_free);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    good(hash && context, "SHA-256 of OpenSSL");
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    return speed([&](size_t i) {
        good(EVP_DigestInit_ex2(context.get(), hash.get(), nullptr) == 1 &&
                 EVP_DigestUpdate(context.get(), data.piece(i), unit) == 1 &&
                 EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1,
             "SHA-256 of OpenSSL");
    });
}

double openssl_aes_xts()
{
    static Data data;
    const std::unique_ptr<EVP_CIPHER, decltype(&EVP_CIPHER_free)> cipher(
        EVP_CIPHER_fetch(nullptr, "AES-256-XTS", nullptr), EVP_CIPHER_free);
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
        EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    std::array<unsigned char, 16> iv{};
    good(cipher && context &&
             EVP_EncryptInit_ex2(context.get(), cipher.get(), data.piece(0), iv.data(), nullptr) ==
                 1,
         "AES-256-XTS of OpenSSL");
    uint64_t sector = 0;
    return speed([&](size_t i) {
        ++sector;
        for (size_t byte = 0; byte < 8; ++byte)
            iv[byte] = static_cast<unsigned char>(sector >> (8 * byte));
        int size = 0;
        good(EVP_EncryptInit_ex2(context.get(), nullptr, nullptr, iv.data(), nullptr) == 1 &&
                 EVP_EncryptUpdate(context.get(), data.piece(i), &size, data.piece(i), unit) == 1,
             "AES-256-XTS of OpenSSL");
    });
}

}  // namespace

void measure_crypto(Run& run)
{
    struct Algorithm {
        const char* parameter;
        const char* name;
        const char* peer_name;
        double (*peer)();
    };
    static constexpr Algorithm algorithms[] = {
        {"crc32c", "crc32c", "ISA-L", isal_crc32c},
        {"aes_xts", "AES-256-XTS", "OpenSSL", openssl_aes_xts},
        {"sha256", "SHA-256", "OpenSSL", openssl_sha256},
        {"raid6", "raid6 syndromes of 8+2 disks", "ISA-L", isal_raid6},
    };

    Guest guest;
    guest.mount_sysfs();
    for (const Algorithm& algorithm : algorithms) {
        Row row{.name = algorithm.name,
                .unit = "GB/s",
                .peer_name = algorithm.peer_name,
                .target = ratio_at_least(0.8)};
        const std::string path =
            std::string("/sys/module/lkl_bench/parameters/") + algorithm.parameter;
        if (!guest.has(path)) {
            row.skipped = "the kernel is built without it, or without CONFIG_LKL_BENCH";
            run.add(row);
            continue;
        }
        std::array<char, 64> driver{};
        const auto ours = [&] {
            const std::string text = guest.read_text(path);
            double bytes = 0, nanoseconds = 0;
            good(
                std::sscanf(text.c_str(), "%lf %lf %63s", &bytes, &nanoseconds, driver.data()) == 3,
                "unexpected answer of the kernel");
            return bytes / nanoseconds;
        };
        ours();
        row.note = driver.data();
        run.add(row, ours, algorithm.peer);
    }
    guest.halt();
}

}  // namespace bench
