// SPDX-License-Identifier: GPL-2.0-only
// HidPrograms: what programs do with input devices, by the nodes that these have in /dev.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <lkl/kernel.hpp>

#include "input.hpp"

namespace lkl::fuzz {

// Of one execution, on one thread. Nothing waits. The kernel reads and writes buffers of ours:
// where an argument holds a pointer or a length of one, it is put right.
class HidPrograms {
public:
    explicit HidPrograms(Kernel& kernel);

    // What a device has now, as programs do that wait for one. Those of a device that has gone
    // stay open beside it.
    void open();
    void close();

    // Each takes what it needs from the input.
    void read(Input& input);
    void write(Input& input);
    void control_hidraw(Input& input);
    void control_evdev(Input& input);
    void control_joystick(Input& input);
    void set_effect(Input& input);
    void send_event(Input& input);
    // The files in which the kernel tells of a device: of its battery, of its reports.
    void look(Input& input, const std::string& device);

    // For tests: the names of the input devices, and what they have told that nobody has read.
    std::vector<std::string> names();
    struct Event {
        uint16_t type;
        uint16_t code;
        int32_t value;

        friend bool operator==(const Event&, const Event&) = default;
    };
    std::vector<Event> events();

private:
    // hidraw, four of evdev, joystick, mouse
    static constexpr size_t nodes = 7;
    static constexpr size_t first_evdev = 1;
    static constexpr size_t evdevs = 4;
    static constexpr size_t joystick = first_evdev + evdevs;

    long evdev(Input& input) const { return opened_[first_evdev + input.byte() % evdevs]; }
    long control(long node, uint32_t command);
    void fill(Input& input);

    Kernel& kernel_;
    std::array<long, nodes> opened_;
};

}  // namespace lkl::fuzz
