// SPDX-License-Identifier: GPL-2.0-only
// The fuzz target "hid": an input makes a device that works, and nothing of it stays.
// ctest: TIMEOUT=120
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <lkl/asm/errno.h>
#include <lkl/linux/input-event-codes.h>

#include <support/kernel.hpp>

#include "../../fuzz/library/hid.hpp"
#include "../../fuzz/library/hid_identities.hpp"

namespace lkl::test {
namespace {

using fuzz::HidTarget;
using Bytes = std::vector<uint8_t>;
using Event = fuzz::HidPrograms::Event;

// The descriptor of a boot keyboard, without its LEDs (HID 1.11, B.1).
const Bytes keyboard{0x05, 1,    0x09, 6,    0xa1, 1,    0x05, 7,    0x19, 0xe0, 0x29,
                     0xe7, 0x15, 0,    0x25, 1,    0x75, 1,    0x95, 8,    0x81, 2,
                     0x95, 1,    0x75, 8,    0x81, 1,    0x95, 6,    0x75, 8,    0x15,
                     0,    0x25, 101,  0x19, 0,    0x29, 101,  0x81, 0,    0xc0};
// A feature report of one byte, with the number 7, in a collection of a vendor's.
const Bytes feature{0x06, 0, 0xff, 0x09, 1,    0xa1, 1,    0x85, 7,    0x15, 0,   0x26,
                    0xff, 0, 0x09, 1,    0x75, 8,    0x95, 1,    0xb1, 2,    0xc0};

// As fuzz/library/hid.hpp has it, with the numbers of no driver.
Bytes input(const Bytes& descriptor, const Bytes& operations, const Bytes& answers = {},
            const Bytes& who = {0, 3, 0, 0x34, 0x12, 0x78, 0x56})
{
    Bytes made = who;
    for (const Bytes* const part : {&descriptor, &answers}) {
        made.push_back(static_cast<uint8_t>(part->size()));
        made.push_back(0);
        made.insert(made.end(), part->begin(), part->end());
    }
    made.insert(made.end(), operations.begin(), operations.end());
    return made;
}

// Operations, by their places.
const Bytes press_a{0, 8, 0, 0, 4, 0, 0, 0, 0, 0};
const Bytes release{0, 8, 0, 0, 0, 0, 0, 0, 0, 0};
constexpr uint8_t pull_out = 10;
constexpr uint8_t plug_in = 11;

Bytes operator+(Bytes first, const Bytes& second)
{
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

bool holds(const std::vector<Event>& events, const Event& wanted)
{
    return std::find(events.begin(), events.end(), wanted) != events.end();
}

class HidTest : public testing::Test {
protected:
    void SetUp() override
    {
        auto started = HidTarget::start();
        if (!started && started.error().code == LKL_ENOENT)
            GTEST_SKIP() << "this kernel has no /dev/uhid: make test-fuzz";
        ASSERT_TRUE(started) << started.error().what;
        target = std::move(*started);
    }

    const Watchdog watchdog{std::chrono::seconds(110), "hid"};
    std::unique_ptr<HidTarget> target;
};

TEST_F(HidTest, KeysOfAKeyboardBecomeEvents)
{
    const auto seen = target->examine(input(keyboard, press_a + release));
    EXPECT_EQ(seen.driver, "hid-generic");
    EXPECT_EQ(seen.names, std::vector<std::string>{"Fuzz"});
    EXPECT_EQ(seen.events, (std::vector<Event>{{LKL_EV_MSC, LKL_MSC_SCAN, 0x70004},
                                               {LKL_EV_KEY, LKL_KEY_A, 1},
                                               {LKL_EV_SYN, LKL_SYN_REPORT, 0},
                                               {LKL_EV_MSC, LKL_MSC_SCAN, 0x70004},
                                               {LKL_EV_KEY, LKL_KEY_A, 0},
                                               {LKL_EV_SYN, LKL_SYN_REPORT, 0}}));
}

TEST_F(HidTest, ADeviceThatIsPulledOutTellsNothingMore)
{
    const auto gone = target->examine(input(keyboard, Bytes{pull_out} + press_a));
    EXPECT_TRUE(gone.names.empty());
    EXPECT_FALSE(holds(gone.events, {LKL_EV_KEY, LKL_KEY_A, 1}));
    const auto back = target->examine(input(keyboard, Bytes{pull_out, plug_in} + press_a));
    EXPECT_EQ(back.names, std::vector<std::string>{"Fuzz"});
    EXPECT_TRUE(holds(back.events, {LKL_EV_KEY, LKL_KEY_A, 1}));
}

// EVIOCSKEYCODE: the key of the usage 0x70004 is KEY_B.
TEST_F(HidTest, ProgramsReachTheDevice)
{
    const Bytes set_key{5, 0, 6, 8, 4, 0, 7, 0, LKL_KEY_B, 0, 0, 0};
    const auto seen = target->examine(input(keyboard, set_key + press_a));
    EXPECT_TRUE(holds(seen.events, {LKL_EV_KEY, LKL_KEY_B, 1}));
    EXPECT_FALSE(holds(seen.events, {LKL_EV_KEY, LKL_KEY_A, 1}));
}

// HIDIOCGFEATURE waits for the device. Nobody asks a plain keyboard for anything.
TEST_F(HidTest, RequestsAreAnswered)
{
    const Bytes ask{4, 7, 2, 0, 1, 7};
    EXPECT_EQ(target->examine(input(feature, ask + ask)).answered, 2u);
    EXPECT_EQ(target->examine(input(keyboard, press_a)).answered, 0u);
}

// With them a report that comes after an output report, as drivers wait for: here, of a
// keyboard that has been told by hidraw of what nobody knows.
TEST_F(HidTest, AnOutputReportCanBeFollowedByAnInputReport)
{
    const Bytes write{3, 0, 2, 0, 1, 2, 0};
    const Bytes answer{0x40 | 8, 0, 0, 4, 0, 0, 0, 0, 0};
    const auto seen = target->examine(input(keyboard, write + release, answer));
    EXPECT_EQ(seen.answered, 1u);
    EXPECT_TRUE(holds(seen.events, {LKL_EV_KEY, LKL_KEY_A, 1}));
}

TEST_F(HidTest, ExecutionsLeaveNothingBehind)
{
    const Bytes first = input(keyboard, press_a + release);
    const auto before = target->examine(first);
    ASSERT_FALSE(before.events.empty());
    std::mt19937 random(1);
    for (int i = 0; i < 500; ++i) {
        Bytes changed = input(keyboard, press_a + release + Bytes(random() % 200));
        for (unsigned n = random() % 40; n != 0; --n)
            changed[random() % changed.size()] = static_cast<uint8_t>(random());
        target->run(changed);
    }
    const auto after = target->examine(first);
    EXPECT_EQ(after.driver, before.driver);
    EXPECT_EQ(after.names, before.names);
    EXPECT_EQ(after.events, before.events);
}

// Each of the numbers is one that a driver of its own takes; those of a few are its own only
// with a descriptor that says more.
TEST_F(HidTest, KnownNumbersReachDrivers)
{
    std::set<std::string> drivers;
    const size_t known = fuzz::hid_identities().size();
    ASSERT_LT(known, 256u);
    for (size_t i = 0; i < known; ++i)
        drivers.insert(
            target->examine(input(keyboard, press_a, {}, Bytes{static_cast<uint8_t>(i + 1)}))
                .driver);
    std::string all;
    for (const std::string& driver : drivers)
        all += " " + driver;
    EXPECT_GE(drivers.size(), 15u) << all;
    for (const char* const driver : {"elecom", "lenovo", "microsoft"})
        EXPECT_TRUE(drivers.contains(driver)) << driver << " of" << all;
}

// What fuzz/seeds/hid.py says they are, and an event that comes of reports that mean what they
// should, of a descriptor that was understood.
struct Seed {
    std::string driver;
    Event event{};  // type 0: none
};
const std::map<std::string, Seed> seeds{
    {"keyboard-press", {"hid-generic", {LKL_EV_KEY, LKL_KEY_A, 1}}},
    {"mouse", {"hid-generic", {LKL_EV_REL, LKL_REL_WHEEL, 1}}},
    {"media", {"hid-generic", {LKL_EV_KEY, LKL_KEY_POWER, 1}}},
    {"gamepad", {"hid-generic", {LKL_EV_ABS, LKL_ABS_HAT0X, 1}}},
    {"touchscreen", {"hid-multitouch", {LKL_EV_ABS, LKL_ABS_MT_POSITION_X, 3000}}},
    {"touchpad", {"hid-multitouch"}},
    {"pen", {"hid-generic", {LKL_EV_ABS, LKL_ABS_PRESSURE, 4095}}},
    {"headset", {"hid-generic"}},
    {"again", {"hid-generic"}},
    {"reports-by-hidraw", {"hid-generic"}},
    {"magic-mouse", {"magicmouse", {LKL_EV_KEY, LKL_BTN_LEFT, 1}}},
    {"magic-trackpad", {"magicmouse", {LKL_EV_KEY, LKL_BTN_MOUSE, 1}}},
    {"thinkpad", {"lenovo", {LKL_EV_KEY, LKL_KEY_A, 1}}},
    {"steam", {"hid-steam", {LKL_EV_KEY, LKL_KEY_F3, 1}}},
};

TEST_F(HidTest, SeedsAreWhatTheySay)
{
    const char* const build = std::getenv("LKL_BUILD");
    const std::string directory = std::string(build ? build : "") + "/fuzz/seeds/hid/";
    if (!std::filesystem::exists(directory))
        GTEST_SKIP() << "no clang: there are no seeds";
    for (const auto& [name, wanted] : seeds) {
        SCOPED_TRACE(name);
        std::ifstream file(directory + name, std::ios::binary);
        const Bytes bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
        const auto seen = target->examine(bytes);
        EXPECT_EQ(seen.driver, wanted.driver);
        EXPECT_TRUE(wanted.event.type == 0 || holds(seen.events, wanted.event));
    }
}

}  // namespace
}  // namespace lkl::test
