// SPDX-License-Identifier: GPL-2.0-only
// HidDevice: an input device of a kernel, made by /dev/uhid, and the side of it that is hardware.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include <lkl/kernel.hpp>

#include "hid_identities.hpp"
#include "input.hpp"

namespace lkl::fuzz {

// How the hardware answers a request of the kernel's, as an input has it: this byte, and as
// many bytes as its low bits say. A report that is asked for begins with its number and ends
// with zeroes. What follows an output report, if it has bytes, is an input report.
namespace hid_answer {
constexpr uint8_t refused = 0x80;  // an error
constexpr uint8_t exact = 0x40;    // without the zeroes
constexpr uint8_t length = 0x3f;
}  // namespace hid_answer

// All functions are one thread's. A second one plays the hardware: a driver that asks for a
// report waits for the answer in the middle of a call. So that KCOV, which knows threads, sees
// what the drivers do, the bus binds no driver by itself (in a worker): create() asks for it.
class HidDevice {
public:
    // The kernel must outlive it.
    explicit HidDevice(Kernel& kernel) : kernel_(kernel) {}
    HidDevice(const HidDevice&) = delete;
    HidDevice& operator=(const HidDevice&) = delete;
    ~HidDevice();

    // Before a snapshot. Errors: the kernel's; ENOENT: it has no /dev/uhid, whose name is
    // in what.
    Result<void> open();

    // The snapshot comes: devices that were created until now have had their numbers.
    void settle() { added_before_ = added_; }

    // What comes between is one execution, or the preparation of all. Of `answers`, which must
    // last until stop(), the first is for the first request.
    void start(std::span<const uint8_t> answers);
    // The hardware has answered all that the kernel has asked by now, also what nobody waits for.
    void catch_up() { meet(false); }
    // The same, and it is the last. The kernel's side stays as it is.
    void stop() { meet(true); }

    // Plugs it in, and has drivers look at it; one at a time.
    void create(const HidIdentity& identity, std::span<const uint8_t> descriptor);
    void destroy();
    // An input report, with `zeros` bytes behind it.
    void report(std::span<const uint8_t> bytes, size_t zeros);

    // As the bus knows the one that was created last, "0003:1234:5678.0001".
    const std::string& name() const { return name_; }
    // Requests that were answered since start(); after stop().
    size_t answered() const { return answered_; }

private:
    void meet(bool last);
    void serve();
    bool met();
    void answer();

    Kernel& kernel_;
    long device_ = -1;    // /dev/uhid
    long probe_ = -1;     // of the bus: which device gets a driver
    long meeting_ = -1;   // readable: meet()
    uint32_t added_ = 0;  // devices, since the kernel's start
    uint32_t added_before_ = 0;
    std::string name_;

    // The second thread's, from start() to stop().
    Input answers_{{}};
    size_t answered_ = 0;

    std::mutex mutex_;
    std::condition_variable changed_;
    bool serving_ = false;
    bool waits_ = false;  // meet()
    bool last_ = false;
    bool over_ = false;
    std::thread hardware_;
};

}  // namespace lkl::fuzz
