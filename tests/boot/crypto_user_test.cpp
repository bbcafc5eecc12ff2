// SPDX-License-Identifier: GPL-2.0-only
// The kernel's cryptography by its user interface, AF_ALG: published vectors.
// ctest: TIMEOUT=60
#include <cstring>
#include <string>

#include <linux/if_alg.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include "support/kernel.hpp"

namespace lkl::test {
namespace {

std::string bytes(const std::string& hexadecimal)
{
    std::string text;
    for (size_t i = 0; i + 1 < hexadecimal.size(); i += 2)
        text += static_cast<char>(std::stoi(hexadecimal.substr(i, 2), nullptr, 16));
    return text;
}

struct Vector {
    const char* type;
    const char* name;
    std::string key, input, output;
};

const Vector vectors[] = {
    // FIPS 180-4
    {"hash", "sha1", "", "abc", bytes("a9993e364706816aba3e25717850c26c9cd0d89d")},
    {"hash", "sha256", "", "abc",
     bytes("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")},
    // RFC 4231, case 2
    {"hash", "hmac(sha256)", "Jefe", "what do ya want for nothing?",
     bytes("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")},
    // FIPS 197, appendix C: deciphered, which is what is done without another word
    {"skcipher", "ecb(aes)", bytes("000102030405060708090a0b0c0d0e0f"),
     bytes("69c4e0d86a7b0430d8cdb78070b4c55a"), bytes("00112233445566778899aabbccddeeff")},
    {"skcipher", "ecb(aes)",
     bytes("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
     bytes("8ea2b7ca516745bfeafc49904b496089"), bytes("00112233445566778899aabbccddeeff")},
};

class CryptoUser : public testing::Test {
protected:
    long bind(const char* type, const char* name)
    {
        sockaddr_alg address{};
        address.salg_family = AF_ALG;
        std::strcpy(reinterpret_cast<char*>(address.salg_type), type);
        std::strcpy(reinterpret_cast<char*>(address.salg_name), name);
        const long fd = kernel.syscall(__lkl__NR_socket, AF_ALG, SOCK_SEQPACKET, 0);
        if (fd < 0)
            return fd;
        const long bound = kernel.syscall(__lkl__NR_bind, fd, &address, sizeof address);
        return bound < 0 ? bound : fd;
    }

    Kernel kernel = boot();
    Calls calls{kernel};
};

TEST_F(CryptoUser, PublishedVectors)
{
    const long mapped = kernel.syscall(__lkl__NR_mmap, nullptr, 4096, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_TRUE(mapped > 0) << mapped;
    char* const memory = reinterpret_cast<char*>(mapped);
    for (const Vector& one : vectors) {
        SCOPED_TRACE(one.name);
        const long fd = bind(one.type, one.name);
        ASSERT_GE(fd, 0);
        if (!one.key.empty()) {
            ASSERT_EQ(kernel.syscall(__lkl__NR_setsockopt, fd, SOL_ALG, ALG_SET_KEY, one.key.data(),
                                     one.key.size()),
                      0);
        }
        const long operation = kernel.syscall(__lkl__NR_accept, fd, nullptr, nullptr);
        ASSERT_GE(operation, 0);
        one.input.copy(memory, one.input.size());
        EXPECT_EQ(calls.write(operation, memory, one.input.size()),
                  static_cast<long>(one.input.size()));
        // What goes in and out has to be memory of the kernel's own mmap(): it takes hold
        // of the pages.
        EXPECT_EQ(calls.read(operation, memory, one.output.size()),
                  static_cast<long>(one.output.size()));
        EXPECT_EQ(std::string(memory, one.output.size()), one.output);
        calls.close(operation);
        calls.close(fd);
    }
}

TEST_F(CryptoUser, WhatIsNotThereIsRefused)
{
    EXPECT_EQ(bind("hash", "no-such-hash"), -LKL_ENOENT);
    EXPECT_EQ(bind("no-type", "sha256"), -LKL_ENOENT);
    const long fd = bind("skcipher", "ecb(aes)");
    ASSERT_GE(fd, 0);
    EXPECT_EQ(kernel.syscall(__lkl__NR_setsockopt, fd, SOL_ALG, ALG_SET_KEY, "short", 5),
              -LKL_EINVAL);
}

}  // namespace
}  // namespace lkl::test
