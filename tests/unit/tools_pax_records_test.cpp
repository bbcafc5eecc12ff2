// SPDX-License-Identifier: GPL-2.0-only
// What is read out of pax extended headers, of good ones and of others.
#include <string>

#include <gtest/gtest.h>

#include "common/tar/pax_records.hpp"

namespace {

// A header block with a type, a size and a mode in octal.
std::string block(char type, const char* size, const char* mode = "0000644")
{
    std::string text(512, '\0');
    text.replace(100, 7, mode);
    text.replace(124, std::string(size).size(), size);
    text[156] = type;
    return text;
}

std::optional<tools::PaxRecords> read(const std::string& archive)
{
    return tools::read_pax_records(
        [&archive](uint64_t position, size_t length) {
            return position < archive.size() ? archive.substr(position, length) : std::string();
        },
        0);
}

std::optional<tools::PaxRecords> read_records(std::string records)
{
    char size[12];
    std::snprintf(size, sizeof(size), "%011zo", records.size());
    records.resize((records.size() + 511) / 512 * 512);
    return read(block('x', size) + records + block('0', "00000000000", "0004711"));
}

TEST(PaxRecordsTest, RecordsAreTakenAsTheyAre)
{
    // Combining characters, and a blank at the end.
    const auto records = read_records("15 path=cafe\xcc\x81\n15 linkpath=a \n");
    ASSERT_TRUE(records);
    EXPECT_EQ(records->path, "cafe\xcc\x81");
    EXPECT_EQ(records->link, "a ");
    EXPECT_EQ(records->mode, 04711u);
}

TEST(PaxRecordsTest, NamesOfAttributesAreDecoded)
{
    const auto records = read_records("32 SCHILY.xattr.user.a%3Db%25=v\n");
    ASSERT_TRUE(records);
    ASSERT_EQ(records->attributes.size(), 1u);
    EXPECT_EQ(records->attributes[0].name, "user.a=b%");
    EXPECT_EQ(records->attributes[0].value, "v");
}

TEST(PaxRecordsTest, TimesBefore1970KeepTheirFractions)
{
    const auto time = [](const std::string& text) {
        const auto records =
            read_records(std::to_string(text.size() + 10) + " mtime=" + text + "\n");
        return records ? records->mtime : std::nullopt;
    };
    ASSERT_TRUE(time("-1.25"));
    EXPECT_EQ(time("-1.25")->seconds, -2);
    EXPECT_EQ(time("-1.25")->nanoseconds, 750000000u);
    EXPECT_EQ(time("-0.5")->seconds, -1);
    EXPECT_EQ(time("12.0000000019")->nanoseconds, 1u);
    EXPECT_FALSE(time("12x456"));
    EXPECT_FALSE(time("--12.5"));
}

TEST(PaxRecordsTest, WhatIsNoRecordEndsThem)
{
    for (const char* text : {"9999 path=x\n", "3 a=b\n", "x path=y\n", "10 path=x y", "0 \n"}) {
        const auto records = read_records(text);
        ASSERT_TRUE(records) << text;
        EXPECT_FALSE(records->path) << text;
    }
}

TEST(PaxRecordsTest, OtherHeadersAreNone)
{
    EXPECT_FALSE(read(block('0', "00000000010") + std::string(512, 'x')));
    EXPECT_FALSE(read("short"));
    EXPECT_FALSE(read(block('x', "77777777777")));
    EXPECT_FALSE(read(block('x', "00000002000")));
}

}  // namespace
