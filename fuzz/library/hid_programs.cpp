// SPDX-License-Identifier: GPL-2.0-only
#include "hid_programs.hpp"

#include <algorithm>
#include <cstring>

#include <lkl/asm-generic/fcntl.h>
#include <lkl/asm-generic/unistd.h>
#include <lkl/asm/ioctl.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/hidraw.h>
#include <lkl/linux/input.h>
#include <lkl/linux/joystick.h>

namespace lkl::fuzz {

namespace {

// As long as an ioctl's number can say.
constexpr size_t buffer_size = 1 << 14;
alignas(8) std::array<char, buffer_size> buffer;
// What pointers in it point to.
constexpr size_t pointed_size = 4096;
alignas(8) std::array<char, pointed_size> pointed;

constexpr std::array paths{"/dev/hidraw0",      "/dev/input/event0", "/dev/input/event1",
                           "/dev/input/event2", "/dev/input/event3", "/dev/input/js0",
                           "/dev/input/mouse0"};

struct Command {
    uint32_t number;
    bool sized = false;  // its length is the input's choice
    uint8_t more = 0;    // of the number's low bits as well
};

constexpr std::array hidraw_commands{
    Command{LKL_HIDIOCGRDESCSIZE},
    Command{LKL_HIDIOCGRDESC},
    Command{LKL_HIDIOCGRAWINFO},
    Command{LKL_HIDIOCGRAWNAME(0), true},
    Command{LKL_HIDIOCGRAWPHYS(0), true},
    Command{LKL_HIDIOCGRAWUNIQ(0), true},
    Command{LKL_HIDIOCSFEATURE(0), true},
    Command{LKL_HIDIOCGFEATURE(0), true},
    Command{LKL_HIDIOCSINPUT(0), true},
    Command{LKL_HIDIOCGINPUT(0), true},
    Command{LKL_HIDIOCSOUTPUT(0), true},
    Command{LKL_HIDIOCGOUTPUT(0), true},
    Command{LKL_HIDIOCREVOKE},
};

constexpr std::array evdev_commands{
    Command{LKL_EVIOCGVERSION},
    Command{LKL_EVIOCGID},
    Command{LKL_EVIOCGREP},
    Command{LKL_EVIOCSREP},
    Command{LKL_EVIOCGKEYCODE},
    Command{LKL_EVIOCGKEYCODE_V2},
    Command{LKL_EVIOCSKEYCODE},
    Command{LKL_EVIOCSKEYCODE_V2},
    Command{LKL_EVIOCGNAME(0), true},
    Command{LKL_EVIOCGPHYS(0), true},
    Command{LKL_EVIOCGUNIQ(0), true},
    Command{LKL_EVIOCGPROP(0), true},
    Command{LKL_EVIOCGMTSLOTS(0), true},
    Command{LKL_EVIOCGKEY(0), true},
    Command{LKL_EVIOCGLED(0), true},
    Command{LKL_EVIOCGSND(0), true},
    Command{LKL_EVIOCGSW(0), true},
    Command{LKL_EVIOCGBIT(0, 0), true, LKL_EV_MAX},
    Command{LKL_EVIOCGABS(0), false, LKL_ABS_MAX},
    Command{LKL_EVIOCSABS(0), false, LKL_ABS_MAX},
    Command{LKL_EVIOCRMFF},
    Command{LKL_EVIOCGEFFECTS},
    Command{LKL_EVIOCGRAB},
    Command{LKL_EVIOCREVOKE},
    Command{LKL_EVIOCGMASK},
    Command{LKL_EVIOCSMASK},
    Command{LKL_EVIOCSCLOCKID},
};

constexpr std::array joystick_commands{
    Command{LKL_JSIOCGVERSION},       Command{LKL_JSIOCGAXES},  Command{LKL_JSIOCGBUTTONS},
    Command{LKL_JSIOCGNAME(0), true}, Command{LKL_JSIOCSCORR},  Command{LKL_JSIOCGCORR},
    Command{LKL_JSIOCSAXMAP},         Command{LKL_JSIOCGAXMAP}, Command{LKL_JSIOCSBTNMAP},
    Command{LKL_JSIOCGBTNMAP},
};

uint32_t command(Input& input, const Command& command)
{
    uint32_t number = command.number;
    if (command.more != 0)
        number += input.byte() & command.more;
    if (command.sized)
        number |= (input.word() % buffer_size) << _LKL_IOC_SIZESHIFT;
    return number;
}

}  // namespace

HidPrograms::HidPrograms(Kernel& kernel) : kernel_(kernel)
{
    opened_.fill(-1);
}

void HidPrograms::open()
{
    const auto try_to_open = [this](size_t node, const char* path) {
        const long opened =
            kernel_.syscall(__lkl__NR_openat, LKL_AT_FDCWD, path, LKL_O_RDWR | LKL_O_NONBLOCK, 0);
        if (opened >= 0)
            opened_[node] = opened;
        return opened >= 0;
    };
    for (size_t i = 0; i < nodes; ++i) {
        // The number of one that has gone is free when it is closed.
        if (!try_to_open(i, paths[i]) && i == 0)
            try_to_open(i, "/dev/hidraw1");
    }
}

void HidPrograms::close()
{
    for (long& node : opened_) {
        if (node >= 0)
            kernel_.syscall(__lkl__NR_close, node);
        node = -1;
    }
}

void HidPrograms::fill(Input& input)
{
    buffer.fill(0);
    const auto bytes = input.take(input.byte());
    std::copy(bytes.begin(), bytes.end(), buffer.begin());
}

long HidPrograms::control(long node, uint32_t command)
{
    return kernel_.syscall(__lkl__NR_ioctl, node, command, buffer.data());
}

void HidPrograms::read(Input& input)
{
    const long node = input.choice(opened_);
    kernel_.syscall(__lkl__NR_read, node, buffer.data(), input.word() % buffer_size);
}

void HidPrograms::write(Input& input)
{
    const long node = input.choice(opened_);
    fill(input);
    kernel_.syscall(__lkl__NR_write, node, buffer.data(), input.word() % buffer_size);
}

void HidPrograms::control_hidraw(Input& input)
{
    const uint32_t number = command(input, input.choice(hidraw_commands));
    fill(input);
    control(opened_[0], number);
}

void HidPrograms::control_evdev(Input& input)
{
    const long node = evdev(input);
    const uint32_t number = command(input, input.choice(evdev_commands));
    fill(input);
    if (number == LKL_EVIOCGMASK || number == LKL_EVIOCSMASK) {
        ::lkl_input_mask mask{};
        std::memcpy(&mask, buffer.data(), sizeof mask);
        mask.codes_ptr = reinterpret_cast<uintptr_t>(pointed.data());
        mask.codes_size %= pointed_size;
        std::memcpy(buffer.data(), &mask, sizeof mask);
    }
    control(node, number);
}

void HidPrograms::control_joystick(Input& input)
{
    const uint32_t number = command(input, input.choice(joystick_commands));
    fill(input);
    control(opened_[joystick], number);
}

void HidPrograms::set_effect(Input& input)
{
    const long node = evdev(input);
    fill(input);
    ::lkl_ff_effect effect{};
    std::memcpy(&effect, buffer.data(), sizeof effect);
    effect.type = static_cast<uint16_t>(LKL_FF_EFFECT_MIN +
                                        effect.type % (LKL_FF_EFFECT_MAX - LKL_FF_EFFECT_MIN + 1));
    if (effect.type == LKL_FF_PERIODIC) {
        effect.u.periodic.custom_data = reinterpret_cast<__lkl__s16*>(pointed.data());
        effect.u.periodic.custom_len %= pointed_size / sizeof(__lkl__s16);
    }
    std::memcpy(buffer.data(), &effect, sizeof effect);
    control(node, LKL_EVIOCSFF);
}

// LEDs, sounds, repetition, effects that are to be played, and what else may be sent to one.
void HidPrograms::send_event(Input& input)
{
    const long node = evdev(input);
    ::lkl_input_event event{};
    event.type = input.byte();
    event.code = input.word();
    event.value = static_cast<int>(input.dword());
    kernel_.syscall(__lkl__NR_write, node, &event, sizeof event);
}

void HidPrograms::look(Input& input, const std::string& device)
{
    const std::array<std::string, 5> files{"/sys/class/power_supply/hid-1-battery/uevent",
                                           "/sys/bus/hid/devices/" + device + "/uevent",
                                           "/sys/bus/hid/devices/" + device + "/report_descriptor",
                                           "/sys/kernel/debug/hid/" + device + "/rdesc",
                                           "/sys/kernel/debug/hid/" + device + "/events"};
    const long file = kernel_.syscall(__lkl__NR_openat, LKL_AT_FDCWD, input.choice(files).c_str(),
                                      LKL_O_RDONLY | LKL_O_NONBLOCK, 0);
    if (file < 0)
        return;
    // Of the events that come from here on the kernel keeps a text, if the file stays open.
    kernel_.syscall(__lkl__NR_read, file, buffer.data(), buffer_size);
}

std::vector<std::string> HidPrograms::names()
{
    std::vector<std::string> found;
    for (size_t i = 0; i < evdevs; ++i) {
        std::array<char, 256> name{};
        if (kernel_.syscall(__lkl__NR_ioctl, opened_[first_evdev + i],
                            LKL_EVIOCGNAME(sizeof name - 1), name.data()) > 0)
            found.emplace_back(name.data());
    }
    return found;
}

std::vector<HidPrograms::Event> HidPrograms::events()
{
    std::vector<Event> found;
    for (size_t i = 0; i < evdevs; ++i) {
        ::lkl_input_event event{};
        while (kernel_.syscall(__lkl__NR_read, opened_[first_evdev + i], &event, sizeof event) ==
               sizeof event)
            found.push_back({event.type, event.code, event.value});
    }
    return found;
}

}  // namespace lkl::fuzz
