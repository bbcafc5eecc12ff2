// SPDX-License-Identifier: GPL-2.0-only
// What --chmod, --owner and --map-users understand, and what they do.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "common/tree/mode_change.hpp"
#include "common/tree/rewrite.hpp"

namespace {

uint32_t changed(const char* text, uint32_t mode, bool directory = false, uint32_t mask = 0)
{
    const auto change = tools::ModeChange::parse(text, mask);
    EXPECT_TRUE(change) << text;
    return change ? change->apply(mode, directory) : 0;
}

TEST(ModeChangeTest, OctalReplacesAllBits)
{
    EXPECT_EQ(changed("644", 04755), 0644u);
    EXPECT_EQ(changed("4755", 0), 04755u);
    EXPECT_EQ(changed("0", 0777), 0u);
}

TEST(ModeChangeTest, SymbolicStepsChangeTheirClassesAlone)
{
    EXPECT_EQ(changed("go-w", 0777), 0755u);
    EXPECT_EQ(changed("u+s,o=", 0755), 04750u);
    EXPECT_EQ(changed("u=rw,g=r", 07777), 01647u);
    EXPECT_EQ(changed("+t", 0755), 01755u);
    EXPECT_EQ(changed("a-x", 0755), 0644u);
}

TEST(ModeChangeTest, LargeXIsForDirectoriesAndPrograms)
{
    EXPECT_EQ(changed("u=rwX,go=rX", 0600), 0644u);
    EXPECT_EQ(changed("u=rwX,go=rX", 0700), 0755u);
    EXPECT_EQ(changed("u=rwX,go=rX", 0600, true), 0755u);
}

TEST(ModeChangeTest, ClassesHaveWhatOthersHave)
{
    EXPECT_EQ(changed("g=u", 0745), 0775u);
    EXPECT_EQ(changed("o=g", 0750), 0755u);
    EXPECT_EQ(changed("u=g+w", 0050), 0750u);
    EXPECT_EQ(changed("g+u", 0641), 0661u);
    EXPECT_EQ(changed("u+rwx-w", 0), 0500u);
    EXPECT_EQ(changed("u+x,g+X", 0644), 0754u);
    EXPECT_EQ(changed("=755", 0), 0755u);
    EXPECT_EQ(changed("+1", 0644), 0645u);
}

TEST(ModeChangeTest, DirectoriesKeepSetIdUnlessNamed)
{
    EXPECT_EQ(changed("755", 02777, true), 02755u);
    EXPECT_EQ(changed("u=rwx,go=rx", 06777, true), 06755u);
    EXPECT_EQ(changed("00755", 02777, true), 0755u);
    EXPECT_EQ(changed("=755", 02777, true), 0755u);
    EXPECT_EQ(changed("g-s", 06755, true), 04755u);
    EXPECT_EQ(changed("755", 06777), 0755u);
}

TEST(ModeChangeTest, UmaskCountsWhereNobodyIsNamed)
{
    EXPECT_EQ(changed("+w", 0444, false, 022), 0644u);
    EXPECT_EQ(changed("-w", 0666, false, 022), 0466u);
    EXPECT_EQ(changed("=rw", 0777, false, 027), 0640u);
    EXPECT_EQ(changed("a+w", 0444, false, 022), 0666u);
    EXPECT_EQ(changed("666", 0, false, 022), 0666u);
}

std::string output_of(const std::string& command)
{
    const std::unique_ptr<FILE, decltype(&pclose)> pipe(popen(command.c_str(), "r"), &pclose);
    std::string text;
    std::array<char, 256> buffer;
    while (pipe && std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr)
        text += buffer.data();
    return text;
}

// Files and directories of every kind of mode, in a directory of their own.
class ChmodOracle {
public:
    ChmodOracle()
    {
        std::string name = testing::TempDir() + "/lkl-test-XXXXXX";
        path_ = mkdtemp(name.data());
        for (const mode_t mode : {0u, 0644u, 0755u, 0600u, 0111u, 0421u, 0777u, 01777u, 02777u,
                                  04711u, 06755u, 07777u}) {
            for (const bool directory : {false, true}) {
                File file{path_ + '/' + std::to_string(files_.size()), mode, directory};
                const std::string make = directory ? "mkdir " : ": >";
                EXPECT_EQ(std::system((make + file.path).c_str()), 0);
                files_.push_back(std::move(file));
            }
        }
    }
    ~ChmodOracle() { std::filesystem::remove_all(path_); }
    ChmodOracle(const ChmodOracle&) = delete;
    ChmodOracle& operator=(const ChmodOracle&) = delete;

    void compare(const std::string& text, mode_t mask) const
    {
        for (const File& file : files_)
            ASSERT_EQ(::chmod(file.path.c_str(), file.mode), 0);
        std::array<char, 8> octal;
        std::snprintf(octal.data(), octal.size(), "%03o", static_cast<unsigned>(mask));
        // It complains of what the umask leaves where it was, and has done it.
        (void)output_of("cd '" + path_ + "' && umask " + octal.data() + " && chmod -- '" + text +
                        "' * 2>/dev/null");
        for (const File& file : files_) {
            struct stat status {};
            ASSERT_EQ(::stat(file.path.c_str(), &status), 0);
            EXPECT_EQ(changed(text.c_str(), file.mode, file.directory, mask),
                      status.st_mode & 07777u)
                << text << " of " << std::oct << file.mode << (file.directory ? " directory" : "")
                << " with umask " << mask;
        }
    }

private:
    struct File {
        std::string path;
        mode_t mode;
        bool directory;
    };
    std::string path_;
    std::vector<File> files_;
};

TEST(ModeChangeTest, EqualsTheHostsChmod)
{
    if (output_of("chmod --version").find("GNU coreutils") == std::string::npos)
        GTEST_SKIP() << "the host's chmod is not that of the GNU coreutils";
    const ChmodOracle oracle;
    for (const char* const text :
         {"0",           "644",      "755",        "0755",      "00755",   "2755",    "02755",
          "7777",        "00000",    "=755",       "+1",        "-111",    "=02000",  "u+x,=644",
          "u+x",         "go-w",     "a=r",        "ug=rw",     "a-x",     "uo+t",    "+t",
          "-t",          "u+s",      "g+s",        "g-s",       "+s",      "-s",      "=s",
          "u=s",         "o=s",      "o+s",        "=",         "u=",      "a=",      "+",
          "u+",          "g=u",      "o=g",        "u=g+w",     "g+u",     "go=u-w",  "u-o",
          "=u",          "+g",       "-o",         "u=u",       "a=g",     "u+rwx-w", "u=rwx-x+s",
          "u+x,g+X",     "a-x,a+X",  "u=rwX,go=X", "+X",        "=X",      "a=rX",    "u+X,u-x,g+X",
          "+w",          "-w",       "=rw",        "+rwx",      "-rwx",    "+rwxst",  "g+w,+w",
          "u=rwx,go=rx", "ugo=rwxs", "a=rwxst",    "u=srwx,g=", "o+t,o-t", "u+-x",    "u=r,u=w"}) {
        for (const mode_t mask : {0u, 022u, 0135u})
            oracle.compare(text, mask);
    }
}

TEST(ModeChangeTest, OtherTextsAreRefused)
{
    for (const char* text :
         {"", "888", "10000", "u", "u=q", "x+r", "u=r,", ",u=r", "-9", "644 ", "u=644", "=644+x",
          "g=ur", "g=uo", "=10000", "u+x=g,", "+8", "0x1ff", "+x644"})
        EXPECT_FALSE(tools::ModeChange::parse(text, 0)) << text;
}

TEST(RewriteTest, OwnersAndRangesAreParsed)
{
    EXPECT_EQ(tools::parse_owner("12:34")->gid, 34u);
    EXPECT_EQ(tools::parse_id_range("1:2")->count, 1u);
    EXPECT_EQ(tools::parse_id_range("1:2:3")->count, 3u);
    for (const char* text : {"", "1", "1:", ":1", "1:2:3", "a:b", "4294967295:0", "4294967296:0"})
        EXPECT_FALSE(tools::parse_owner(text)) << text;
    for (const char* text : {"1", "1:2:0", "1:2:3:4", "0:4294967290:10", "-1:2"})
        EXPECT_FALSE(tools::parse_id_range(text)) << text;
}

TEST(RewriteTest, RangesMapOwnersAndAcls)
{
    tools::Rewrite rewrite;
    rewrite.ids = {{1000, 0, 10}, {1000, 77, 1}};
    tools::Entry entry;
    entry.uid = 1003;
    entry.gid = 1010;
    // A version, then a user 1001 that may read.
    entry.attributes = {{"system.posix_acl_access", std::string("\2\0\0\0"
                                                                "\2\0\4\0\xe9\3\0\0",
                                                                12)}};
    rewrite.apply(entry);
    EXPECT_EQ(entry.uid, 3u);
    EXPECT_EQ(entry.gid, 1010u);
    EXPECT_EQ(entry.attributes[0].value.substr(8), std::string("\1\0\0\0", 4));
}

}  // namespace
