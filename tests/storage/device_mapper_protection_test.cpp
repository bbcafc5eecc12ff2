// SPDX-License-Identifier: GPL-2.0-only
// Device mapper: what enciphers data, and what finds out that it was changed. The oracles
// are OpenSSL and veritysetup.
// ctest: TIMEOUT=120
#include <algorithm>
#include <cstring>
#include <memory>

#include <openssl/evp.h>
#include <stdio.h>

#include <gtest/gtest.h>

#include "storage/common/device_mapper.hpp"
#include "storage/common/storage.hpp"
#include "unit/temp_file.hpp"

namespace lkl::test {
namespace {

std::string hexadecimal(std::span<const std::byte> bytes)
{
    std::string text;
    for (const std::byte one : bytes) {
        char digits[3];
        std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned>(one));
        text += digits;
    }
    return text;
}

const unsigned char* raw(std::span<const std::byte> bytes)
{
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

// Enciphers whole blocks by OpenSSL.
Bytes encipher(const EVP_CIPHER* cipher, std::span<const std::byte> key,
               std::span<const std::byte> iv, std::span<const std::byte> data)
{
    Bytes result(data.size());
    int length = 0;
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
        EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    EXPECT_EQ(EVP_EncryptInit_ex(context.get(), cipher, nullptr, raw(key), raw(iv)), 1);
    EVP_CIPHER_CTX_set_padding(context.get(), 0);
    EXPECT_EQ(EVP_EncryptUpdate(context.get(), reinterpret_cast<unsigned char*>(result.data()),
                                &length, raw(data), static_cast<int>(data.size())),
              1);
    EXPECT_EQ(length, static_cast<int>(data.size()));
    return result;
}

// The number of a sector as 16 bytes, the lowest first: the "plain64" of dm-crypt.
Bytes plain64(uint64_t sector)
{
    Bytes iv(16);
    std::memcpy(iv.data(), &sector, sizeof sector);
    return iv;
}

class DeviceMapperProtection : public Storage {};

TEST_F(DeviceMapperProtection, AesXtsIsWhatOpensslMakesOfIt)
{
    Disk& disk = add_disk(4 * MiB);
    Bytes key = pattern(64, 1);
    constexpr uint64_t start = 64;    // on the disk
    constexpr uint64_t first = 1000;  // the number that the first sector is enciphered with
    const std::string place = " 1000 " + disk.path() + " 64";
    auto device = std::make_unique<MappedDevice>(kernel, "secret", 4096, "crypt",
                                                 "aes-xts-plain64 " + hexadecimal(key) + place);
    const Bytes data = pattern(MiB, 2);
    write(device->path(), 8 * sector_size, data);
    Bytes expected;
    for (uint64_t i = 0; i < MiB / sector_size; ++i) {
        const Bytes one = encipher(EVP_aes_256_xts(), key, plain64(first + 8 + i),
                                   std::span(data).subspan(i * sector_size, sector_size));
        expected.insert(expected.end(), one.begin(), one.end());
    }
    EXPECT_EQ(same(disk.bytes((start + 8) * sector_size, MiB), expected), MiB);
    EXPECT_TRUE(read(device->path(), 8 * sector_size, MiB) == data);

    // The other way round: what OpenSSL has made is deciphered.
    const Bytes text = pattern(sector_size, 3);
    std::ranges::copy(encipher(EVP_aes_256_xts(), key, plain64(first + 4000), text),
                      disk.bytes((start + 4000) * sector_size, sector_size).begin());
    EXPECT_TRUE(read(device->path(), 4000 * sector_size, sector_size) == text);

    device.reset();
    key[0] ^= std::byte{1};
    device = std::make_unique<MappedDevice>(kernel, "secret", 4096, "crypt",
                                            "aes-xts-plain64 " + hexadecimal(key) + place);
    EXPECT_LT(same(read(device->path(), 8 * sector_size, MiB), data), 16u) << "with another key";
}

TEST_F(DeviceMapperProtection, LargeSectorsAreOneUnit)
{
    Disk& disk = add_disk(MiB);
    const Bytes key = pattern(64, 4);
    MappedDevice device(kernel, "secret", 2048, "crypt",
                        "aes-xts-plain64 " + hexadecimal(key) + " 0 " + disk.path() +
                            " 0 2 sector_size:4096 iv_large_sectors");
    const Bytes data = pattern(8 * 4096, 5);
    write(device.path(), 5 * 4096, data);
    for (uint64_t i = 0; i < 8; ++i)
        EXPECT_EQ(same(disk.bytes((5 + i) * 4096, 4096),
                       encipher(EVP_aes_256_xts(), key, plain64(5 + i),
                                std::span(data).subspan(i * 4096, 4096))),
                  4096u)
            << i;
}

TEST_F(DeviceMapperProtection, AesCbcEssiv)
{
    Disk& disk = add_disk(MiB);
    const Bytes key = pattern(32, 6);
    MappedDevice device(kernel, "secret", 2048, "crypt",
                        "aes-cbc-essiv:sha256 " + hexadecimal(key) + " 0 " + disk.path() + " 0");
    const Bytes data = pattern(16 * sector_size, 7);
    write(device.path(), 0, data);
    Bytes salt(32);
    ASSERT_EQ(EVP_Digest(key.data(), key.size(), reinterpret_cast<unsigned char*>(salt.data()),
                         nullptr, EVP_sha256(), nullptr),
              1);
    for (uint64_t i = 0; i < 16; ++i) {
        const Bytes iv = encipher(EVP_aes_256_ecb(), salt, {}, plain64(i));
        EXPECT_EQ(same(disk.bytes(i * sector_size, sector_size),
                       encipher(EVP_aes_256_cbc(), key, iv,
                                std::span(data).subspan(i * sector_size, sector_size))),
                  sector_size)
            << i;
    }
}

// Makes a fresh disk one with integrity: formatted by a first, short device, whose
// superblock then says how much there is room for. In sectors.
uint64_t format_integrity(Kernel& kernel, Disk& disk, const std::string& parameters)
{
    {
        const MappedDevice first(kernel, "format", 1, "integrity",
                                 disk.path() + " 0 " + parameters);
    }
    EXPECT_EQ(std::memcmp(disk.bytes().data(), "integrt", 8), 0);
    uint64_t sectors = 0;
    std::memcpy(&sectors, disk.bytes(16, sizeof sectors).data(), sizeof sectors);
    return sectors & ~uint64_t{7};
}

// Flips a bit in each copy of this data on a disk; how many there were.
int damage(Disk& disk, std::span<const std::byte> data)
{
    int copies = 0;
    auto rest = disk.bytes();
    while (true) {
        const auto found = std::search(rest.begin(), rest.end(), data.begin(), data.end());
        if (found == rest.end())
            return copies;
        *(found + 100) ^= std::byte{0x10};
        ++copies;
        rest = rest.subspan(static_cast<size_t>(found - rest.begin()) + data.size());
    }
}

TEST_F(DeviceMapperProtection, IntegrityNeverGivesChangedData)
{
    for (const std::string parameters :
         {"- J 1 internal_hash:crc32c", "- D 1 internal_hash:sha256",
          "- B 1 internal_hash:hmac(sha256):000102030405060708090a0b0c0d0e0f"}) {
        SCOPED_TRACE(parameters);
        Disk& disk = add_disk(16 * MiB);
        const uint64_t length = format_integrity(kernel, disk, parameters);
        ASSERT_GT(length, 8 * MiB / sector_size);
        const std::string table = disk.path() + " 0 " + parameters;
        const Bytes data = pattern(64 * KiB, 8);
        {
            const MappedDevice device(kernel, "checked", length, "integrity", table);
            write(device.path(), MiB, data);
            EXPECT_TRUE(read(device.path(), MiB, data.size()) == data);
        }
        ASSERT_GE(damage(disk, std::span(data).subspan(8 * 4096, sector_size)), 1);

        const MappedDevice device(kernel, "checked", length, "integrity", table);
        Bytes block(4096, std::byte{0x55});
        EXPECT_EQ(try_read_direct(device.path(), MiB + 8 * 4096, block), -LKL_EILSEQ);
        EXPECT_EQ(try_read(device.path(), MiB + 8 * 4096, block), -LKL_EIO);
        EXPECT_TRUE(block == Bytes(4096, std::byte{0x55}));
        for (uint64_t i = 0; i < 16; ++i) {
            if (i != 8) {
                EXPECT_EQ(try_read_direct(device.path(), MiB + i * 4096, block), 0) << i;
                EXPECT_EQ(same(block, std::span(data).subspan(i * 4096)), 4096u) << i;
            }
        }
        // Written anew it is right again.
        write(device.path(), MiB + 8 * 4096, std::span(data).subspan(8 * 4096, 4096));
        EXPECT_TRUE(read(device.path(), MiB, data.size()) == data);
    }
}

TEST_F(DeviceMapperProtection, AuthenticatedEncryptionNeverGivesChangedData)
{
    Disk& disk = add_disk(16 * MiB);
    // Tags of 28 bytes, kept for who is above: a nonce and what authenticates.
    const uint64_t length = format_integrity(kernel, disk, "28 J 0");
    const MappedDevice tags(kernel, "tags", length, "integrity", disk.path() + " 0 28 J 0");
    const MappedDevice device(kernel, "secret", length, "crypt",
                              "capi:gcm(aes)-random " + hexadecimal(pattern(32, 9)) + " 0 " +
                                  tags.path() + " 0 1 integrity:28:aead");
    const Bytes data = pattern(64 * KiB, 10);
    write(device.path(), 0, data);
    EXPECT_TRUE(read(device.path(), 0, data.size()) == data);
    EXPECT_EQ(damage(disk, std::span(data).subspan(0, sector_size)), 0) << "in plain text";

    // A bit changes in what is enciphered; its tag stays.
    Bytes sector(4096);
    ASSERT_EQ(try_read(tags.path(), 4096, sector), 0);
    ASSERT_GE(damage(disk, std::span(sector).first(sector_size)), 1);
    Bytes block(4096);
    EXPECT_EQ(try_read_direct(device.path(), 4096, block), -LKL_EILSEQ);
    EXPECT_EQ(try_read_direct(device.path(), 8192, block), 0);
    EXPECT_EQ(same(block, std::span(data).subspan(8192)), 4096u);
}

class DeviceMapperVerity : public DeviceMapperProtection {
protected:
    static constexpr uint64_t blocks = 1024;
    static constexpr const char* salt = "0123456789abcdef";

    // The tree of hashes of `data`, by veritysetup, as a disk; and the correction data, if
    // there is a file for it.
    void SetUp() override
    {
        data = pattern(blocks * 4096, 11);
        const TempFile plain(data.size());
        const TempFile tree(MiB);
        const TempFile correction(MiB);
        ASSERT_EQ(::pwrite(plain.fd(), data.data(), data.size(), 0),
                  static_cast<ssize_t>(data.size()));
        const std::string command =
            "PATH=$PATH:/sbin:/usr/sbin; command -v veritysetup >/dev/null || exit 0; "
            "veritysetup format --hash sha256 --salt " +
            std::string(salt) + " --fec-device " + correction.path() + " " + plain.path() + " " +
            tree.path();
        FILE* const program = ::popen(command.c_str(), "r");
        ASSERT_NE(program, nullptr);
        std::string text;
        char line[256];
        while (::fgets(line, sizeof line, program))
            text += line;
        ASSERT_EQ(::pclose(program), 0) << text;
        if (text.empty())
            GTEST_SKIP() << "no veritysetup";
        const size_t place = text.find("Root hash:");
        ASSERT_NE(place, std::string::npos) << text;
        root = text.substr(text.find_first_not_of(" \t", place + 10), 64);

        disk = &add_disk(data.size());
        std::ranges::copy(data, disk->bytes().begin());
        hashes = &add_disk(MiB);
        parity = &add_disk(MiB);
        for (const auto& [file, to] :
             {std::pair(tree.fd(), hashes), std::pair(correction.fd(), parity)})
            ASSERT_GT(::pread(file, to->bytes().data(), MiB, 0), 0);
    }
    // One block of superblock is before the tree.
    std::string table(const std::string& root_hash) const
    {
        return "1 " + disk->path() + " " + hashes->path() + " 4096 4096 " + std::to_string(blocks) +
               " 1 sha256 " + root_hash + " " + salt;
    }

    Bytes data;
    std::string root;
    Disk* disk = nullptr;
    Disk* hashes = nullptr;
    Disk* parity = nullptr;
};

TEST_F(DeviceMapperVerity, DamagedBlocksAreErrors)
{
    disk->bytes(100 * 4096 + 17, 1)[0] ^= std::byte{1};
    const MappedDevice device(kernel, "verified", blocks * 8, "verity", table(root), true);
    Bytes block(4096);
    for (uint64_t i = 0; i < blocks; ++i) {
        const long result = try_read(device.path(), i * 4096, block);
        ASSERT_EQ(result, i == 100 ? -LKL_EIO : 0) << i;
        if (result == 0) {
            ASSERT_EQ(same(block, std::span(data).subspan(i * 4096)), 4096u) << i;
        }
    }
    EXPECT_EQ(try_write(device.path(), 0, block), -LKL_EPERM);
}

TEST_F(DeviceMapperVerity, AnotherRootFitsNothing)
{
    root[5] = root[5] == '0' ? '1' : '0';
    const MappedDevice device(kernel, "verified", blocks * 8, "verity", table(root), true);
    Bytes block(4096);
    EXPECT_EQ(try_read(device.path(), 0, block), -LKL_EIO);
    EXPECT_EQ(try_read(device.path(), 4096 * 500, block), -LKL_EIO);
}

TEST_F(DeviceMapperVerity, DamagedBlocksAreCorrected)
{
    std::ranges::fill(disk->bytes(100 * 4096, 2 * 4096), std::byte{0});
    // The correction is also about all that is behind the superblock of the hashes.
    const uint64_t all = blocks + MiB / 4096 - 1;
    const MappedDevice device(kernel, "verified", blocks * 8, "verity",
                              table(root) + " 8 use_fec_from_device " + parity->path() +
                                  " fec_start 0 fec_blocks " + std::to_string(all) + " fec_roots 2",
                              true);
    EXPECT_EQ(same(read(device.path(), 0, data.size()), data), data.size());
}

}  // namespace
}  // namespace lkl::test
