// SPDX-License-Identifier: GPL-2.0-only
// fscrypt and fsverity: files that need a key, and files that nobody has changed.
// ctest: TIMEOUT=120
#include <algorithm>
#include <array>
#include <cstring>

#include <lkl/asm/errno.h>
#include <lkl/linux/fscrypt.h>
#include <lkl/linux/fsverity.h>

#include "common/image_test.hpp"

namespace lkl::test {
namespace {

constexpr std::string_view secret = "a sentence that nobody without the key shall read";
constexpr size_t block_size = 4096;

class Fscrypt : public ImageTest {
protected:
    void SetUp() override
    {
        ImageTest::SetUp();
        run("truncate -s 32M image && mkfs.ext4 -q -O encrypt image");
    }

    long on_top(unsigned long command, void* argument)
    {
        const long fd = calls->open(top.c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY);
        const long result = ioctl(fd, command, argument);
        EXPECT_EQ(calls->close(fd), 0);
        return result;
    }
    void add_key()
    {
        constexpr size_t key_size = 64;
        alignas(8) std::array<char, sizeof(struct lkl_fscrypt_add_key_arg) + key_size> room{};
        auto* const add = reinterpret_cast<struct lkl_fscrypt_add_key_arg*>(room.data());
        add->key_spec.type = LKL_FSCRYPT_KEY_SPEC_TYPE_IDENTIFIER;
        add->raw_size = key_size;
        for (size_t i = 0; i < key_size; ++i)
            room[sizeof *add + i] = static_cast<char>(i * 7 + 1);
        ASSERT_EQ(on_top(LKL_FS_IOC_ADD_ENCRYPTION_KEY, add), 0);
        key_ = add->key_spec;
    }
    void remove_key()
    {
        struct lkl_fscrypt_remove_key_arg remove {};
        remove.key_spec = key_;
        ASSERT_EQ(on_top(LKL_FS_IOC_REMOVE_ENCRYPTION_KEY, &remove), 0);
        EXPECT_EQ(remove.removal_status_flags, 0u) << "a file is in use";
    }
    void encrypt(const std::string& directory)
    {
        struct lkl_fscrypt_policy_v2 policy {};
        policy.version = LKL_FSCRYPT_POLICY_V2;
        policy.contents_encryption_mode = LKL_FSCRYPT_MODE_AES_256_XTS;
        policy.filenames_encryption_mode = LKL_FSCRYPT_MODE_AES_256_CTS;
        policy.flags = LKL_FSCRYPT_POLICY_FLAGS_PAD_32;
        std::memcpy(policy.master_key_identifier, key_.u.identifier,
                    sizeof policy.master_key_identifier);
        const long fd = calls->open(directory.c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY);
        ASSERT_EQ(ioctl(fd, LKL_FS_IOC_SET_ENCRYPTION_POLICY, &policy), 0);
        EXPECT_EQ(calls->close(fd), 0);
    }
    // An encrypted directory with a file, a link and a directory in it, and a plain file.
    void make_tree()
    {
        mount("image", "ext4");
        ASSERT_EQ(create("plain", "for everybody"), 0);
        ASSERT_EQ(calls->mkdir(path("vault").c_str()), 0);
        ASSERT_NO_FATAL_FAILURE(add_key());
        ASSERT_NO_FATAL_FAILURE(encrypt(path("vault")));
        ASSERT_EQ(create("vault/letter", secret), 0);
        ASSERT_EQ(kernel->syscall(__lkl__NR_symlinkat, secret.data(), LKL_AT_FDCWD,
                                  path("vault/link").c_str()),
                  0);
        ASSERT_EQ(calls->mkdir(path("vault/drawer").c_str()), 0);
        EXPECT_EQ(calls->read_file(path("vault/letter").c_str()), secret);
    }

private:
    struct lkl_fscrypt_key_specifier key_ {};
};

TEST_F(Fscrypt, WithoutTheKeyNothingIsReadable)
{
    ASSERT_NO_FATAL_FAILURE(make_tree());
    ASSERT_EQ(kernel->syscall(__lkl__NR_sync), 0);
    ASSERT_NO_FATAL_FAILURE(remove_key());

    const std::vector<std::string> without = names(path("vault"));
    EXPECT_EQ(without.size(), 3u);
    for (const char* name : {"letter", "link", "drawer"})
        EXPECT_EQ(std::count(without.begin(), without.end(), name), 0) << name;
    EXPECT_EQ(calls->open(path("vault/letter").c_str(), LKL_O_RDONLY), -LKL_ENOENT);
    int refused = 0;
    for (const std::string& name : without)
        refused +=
            calls->open(path("vault/" + name).c_str(), LKL_O_RDWR | LKL_O_NOFOLLOW) == -LKL_ENOKEY;
    EXPECT_EQ(refused, 1) << "the file";
    EXPECT_EQ(create("vault/new", ""), -LKL_ENOKEY);
    EXPECT_EQ(calls->read_file(path("plain").c_str()), "for everybody");

    ASSERT_NO_FATAL_FAILURE(add_key());
    EXPECT_EQ(calls->read_file(path("vault/letter").c_str()), secret);
    std::vector<std::string> with = names(path("vault"));
    std::sort(with.begin(), with.end());
    EXPECT_EQ(with, (std::vector<std::string>{"drawer", "letter", "link"}));
    end();
    run("e2fsck -fn image");
    const std::string image = read_host("image");
    EXPECT_EQ(image.find(secret), std::string::npos);
    EXPECT_NE(image.find("for everybody"), std::string::npos) << "what is plain is";

    // The key is the kernel's, and not in the image.
    mount("image", "ext4");
    EXPECT_EQ(calls->open(path("vault/letter").c_str(), LKL_O_RDONLY), -LKL_ENOENT);
    ASSERT_NO_FATAL_FAILURE(add_key());
    EXPECT_EQ(calls->read_file(path("vault/letter").c_str()), secret);
}

// What cannot be read is named and left out, and all else is in the archive.
TEST_F(Fscrypt, Fs2tarGoesOnWithoutTheKey)
{
    ASSERT_NO_FATAL_FAILURE(make_tree());
    end();
    const std::string fs2tar = std::string(std::getenv("LKL_BIN")) + "/fs2tar";
    const std::string said = run('\'' + fs2tar + "' -q image archive.tar", 10);
    EXPECT_NE(said.find("vault"), std::string::npos) << said;
    EXPECT_NE(said.find("encrypted"), std::string::npos) << said;
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 2) << said;
    EXPECT_EQ(run("tar tf archive.tar | grep -v lost+found | sort"), "./\nplain\nvault/\n");
    EXPECT_EQ(run("tar xOf archive.tar plain"), "for everybody");
}

class Fsverity : public ImageTest {
protected:
    // 40 blocks, each unlike the others.
    static std::string make_text()
    {
        std::string text;
        for (char c = 'a'; text.size() < 40 * block_size; ++c)
            text += "block " + std::to_string(text.size()) + std::string(block_size - 20, c);
        text.resize(40 * block_size - 100);
        return text;
    }
};

TEST_F(Fsverity, AChangedBlockIsAnError)
{
    const std::string text = make_text();
    run("truncate -s 32M image && mkfs.ext4 -q -b 4096 -O verity image");
    mount("image", "ext4");
    ASSERT_EQ(create("file", text), 0);
    long fd = calls->open(path("file").c_str(), LKL_O_RDONLY);
    ASSERT_GE(fd, 0);
    struct lkl_fsverity_enable_arg enable {};
    enable.version = 1;
    enable.hash_algorithm = LKL_FS_VERITY_HASH_ALG_SHA256;
    enable.block_size = block_size;
    ASSERT_EQ(ioctl(fd, LKL_FS_IOC_ENABLE_VERITY, &enable), 0);

    constexpr size_t digest_size = 32;
    alignas(8) std::array<char, sizeof(struct lkl_fsverity_digest) + digest_size> room{};
    auto* const digest = reinterpret_cast<struct lkl_fsverity_digest*>(room.data());
    digest->digest_size = digest_size;
    ASSERT_EQ(ioctl(fd, LKL_FS_IOC_MEASURE_VERITY, digest), 0);
    ASSERT_EQ(digest->digest_size, digest_size);
    std::string hex;
    for (size_t i = 0; i < digest_size; ++i) {
        std::array<char, 3> two;
        std::snprintf(two.data(), two.size(), "%02x",
                      static_cast<unsigned char>(room[sizeof *digest + i]));
        hex += two.data();
    }
    std::ofstream(work + "/copy", std::ios::binary) << text;
    EXPECT_EQ(run("fsverity digest --compact --hash-alg=sha256 --block-size=4096 copy"),
              hex + '\n');
    EXPECT_EQ(calls->close(fd), 0);
    EXPECT_EQ(calls->open(path("file").c_str(), LKL_O_RDWR), -LKL_EPERM);
    EXPECT_TRUE(calls->read_file(path("file").c_str()) == text);
    end();
    run("e2fsck -fn image");

    // One byte in the middle of a block.
    const uint64_t changed = 17 * block_size;
    const std::string image = read_host("image");
    const size_t at = image.find(text.substr(changed, block_size));
    ASSERT_NE(at, std::string::npos);
    {
        std::fstream file(work + "/image", std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(static_cast<std::streamoff>(at + 1000));
        file.put(static_cast<char>(image[at + 1000] ^ 1));
    }
    mount("image", "ext4", "ro");
    fd = calls->open(path("file").c_str(), LKL_O_RDONLY);
    ASSERT_GE(fd, 0);
    std::string back(block_size, '\0');
    EXPECT_EQ(calls->pread(fd, back.data(), back.size(), changed), -LKL_EIO);
    EXPECT_EQ(calls->pread(fd, back.data(), back.size(), 30 * block_size),
              static_cast<long>(block_size));
    EXPECT_EQ(back, text.substr(30 * block_size, block_size));
    EXPECT_EQ(calls->close(fd), 0);
}

}  // namespace
}  // namespace lkl::test
