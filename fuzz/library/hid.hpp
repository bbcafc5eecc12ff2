// SPDX-License-Identifier: GPL-2.0-only
// HidTarget: input devices that may be hostile (HID), without the bus below them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <lkl/result.hpp>

#include "hid_device.hpp"
#include "hid_programs.hpp"
#include "machine.hpp"

namespace lkl::fuzz {

// An input is a device, and what is done with it (numbers of 16 bits are little endian):
//
//     who it is       a byte: one of hid_identities(), counted from 1; or 0, and 3 numbers
//                     follow, its bus, vendor and product
//     its descriptor  a number, how many bytes (modulo 4097), and these
//     its answers     the same; what the bytes are says hid_answer
//     operations      up to 64, a byte each that says which (hid.cpp), and what they need
//
// The device is plugged in, which has a driver read its descriptor, and what it has in /dev is
// opened. The answers go, one after the other, to what the kernel asks of the device.
class HidTarget {
public:
    // Errors: those of starting a machine; ENOENT: the kernel has no /dev/uhid.
    static Result<std::unique_ptr<HidTarget>> start();

    // Ends the process if the kernel dies, see Machine.
    void run(std::span<const uint8_t> input);

    Machine& machine() { return *machine_; }

    // What an input has made, as a program sees it at the end.
    struct Seen {
        std::string driver;                      // at first: "hid-generic"; empty: none
        std::vector<std::string> names;          // of input devices
        std::vector<HidPrograms::Event> events;  // that no operation has read
        size_t answered = 0;                     // requests of the kernel
    };
    // Runs an input as run() does, and looks.
    Seen examine(std::span<const uint8_t> input);

private:
    HidTarget() = default;

    Result<void> prepare(Kernel& kernel);

    std::unique_ptr<Machine> machine_;
    // Goes before the kernel does.
    std::optional<HidDevice> device_;
};

}  // namespace lkl::fuzz
