// SPDX-License-Identifier: GPL-2.0-only
#include "hid_device.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <string_view>

#include <lkl/asm-generic/fcntl.h>
#include <lkl/asm-generic/unistd.h>
#include <lkl/asm/errno.h>
#include <lkl/asm/poll.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/uhid.h>

namespace lkl::fuzz {

namespace {

constexpr int most_waits = 8;
// Of an input report that follows an output report.
constexpr size_t usual_report = 64;

long open_file(Kernel& kernel, const char* path, int flags)
{
    return kernel.syscall(__lkl__NR_openat, LKL_AT_FDCWD, path, flags | LKL_O_NONBLOCK, 0);
}

template <size_t N>
void set_text(uint8_t (&field)[N], std::string_view text)
{
    std::copy_n(text.data(), std::min(text.size(), N - 1), field);
}

}  // namespace

HidDevice::~HidDevice()
{
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
    }
    changed_.notify_all();
    if (hardware_.joinable())
        hardware_.join();
}

Result<void> HidDevice::open()
{
    device_ = open_file(kernel_, "/dev/uhid", LKL_O_RDWR);
    if (device_ < 0)
        return Error{static_cast<int>(-device_),
                     "fuzzing hid: the kernel opens no /dev/uhid (CONFIG_UHID)"};
    const long automatic = open_file(kernel_, "/sys/bus/hid/drivers_autoprobe", LKL_O_WRONLY);
    probe_ = open_file(kernel_, "/sys/bus/hid/drivers_probe", LKL_O_WRONLY);
    meeting_ = kernel_.syscall(__lkl__NR_eventfd2, 0, LKL_O_NONBLOCK);
    for (const long result :
         {automatic, kernel_.syscall(__lkl__NR_write, automatic, "0", 1), probe_, meeting_}) {
        if (result < 0)
            return Error{static_cast<int>(-result), "the bus of HID: cannot be set up"};
    }
    kernel_.syscall(__lkl__NR_close, automatic);
    hardware_ = std::thread([this] {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return serving_ || over_; });
            if (over_)
                return;
            lock.unlock();
            serve();
            lock.lock();
            serving_ = false;
            changed_.notify_all();
        }
    });
    return {};
}

void HidDevice::start(std::span<const uint8_t> answers)
{
    {
        const std::lock_guard lock(mutex_);
        answers_ = Input(answers);
        answered_ = 0;
        serving_ = true;
    }
    added_ = added_before_;
    changed_.notify_all();
}

void HidDevice::meet(bool last)
{
    std::unique_lock lock(mutex_);
    waits_ = true;
    last_ = last;
    lock.unlock();
    const uint64_t one = 1;
    kernel_.syscall(__lkl__NR_write, meeting_, &one, sizeof one);
    lock.lock();
    changed_.wait(lock, [this] { return !serving_ || !(waits_ || last_); });
}

// Until stop(), or until the kernel is dead.
void HidDevice::serve()
{
    std::array<::lkl_pollfd, 2> polled{};
    polled[0].fd = static_cast<int>(device_);
    polled[1].fd = static_cast<int>(meeting_);
    polled[0].events = polled[1].events = LKL_POLLIN;
    do {
        if (kernel_.syscall(__lkl__NR_ppoll, polled.data(), polled.size(), nullptr, nullptr, 0) < 0)
            return;
        if (polled[0].revents & LKL_POLLIN)
            answer();
    } while (polled[0].revents & LKL_POLLIN || !met());
}

// True: for the last time.
bool HidDevice::met()
{
    uint64_t count = 0;
    kernel_.syscall(__lkl__NR_read, meeting_, &count, sizeof count);
    const std::lock_guard lock(mutex_);
    waits_ = false;
    changed_.notify_all();
    return last_;
}

void HidDevice::answer()
{
    ::lkl_uhid_event event{};
    if (kernel_.syscall(__lkl__NR_read, device_, &event, sizeof event) < 0)
        return;
    const bool asks = event.type == LKL_UHID_GET_REPORT;
    const bool sets = event.type == LKL_UHID_SET_REPORT;
    if (!asks && !sets && event.type != LKL_UHID_OUTPUT)
        return;
    const uint8_t how = answers_.byte();
    const auto bytes = answers_.take(how & hid_answer::length);
    ++answered_;
    const auto send = [this](const auto& answer, size_t size) {
        kernel_.syscall(__lkl__NR_write, device_, &answer, size);
    };
    ::lkl_uhid_event reply{};
    if (asks) {
        auto& report = reply.u.get_report_reply;
        reply.type = LKL_UHID_GET_REPORT_REPLY;
        report.id = event.u.get_report.id;
        report.err = how & hid_answer::refused ? LKL_EIO : 0;
        report.data[0] = event.u.get_report.rnum;
        std::copy(bytes.begin(), bytes.end(), &report.data[1]);
        const size_t size = how & hid_answer::exact ? bytes.size() + 1 : sizeof report.data;
        report.size = static_cast<uint16_t>(size);
        send(reply, offsetof(::lkl_uhid_event, u.get_report_reply.data) + bytes.size() + 1);
        return;
    }
    if (sets) {
        reply.type = LKL_UHID_SET_REPORT_REPLY;
        reply.u.set_report_reply.id = event.u.set_report.id;
        reply.u.set_report_reply.err = how & hid_answer::refused ? LKL_EIO : 0;
        send(reply, sizeof reply.type + sizeof reply.u.set_report_reply);
    }
    if (!bytes.empty())
        report(bytes, how & hid_answer::exact || bytes.size() > usual_report
                          ? 0
                          : usual_report - bytes.size());
}

void HidDevice::report(std::span<const uint8_t> bytes, size_t zeros)
{
    ::lkl_uhid_event event{};
    auto& input = event.u.input2;
    event.type = LKL_UHID_INPUT2;
    const size_t given = std::min(bytes.size(), sizeof input.data);
    std::copy_n(bytes.data(), given, &input.data[0]);
    input.size = static_cast<uint16_t>(std::min(given + zeros, sizeof input.data));
    kernel_.syscall(__lkl__NR_write, device_, &event,
                    offsetof(::lkl_uhid_event, u.input2.data) + given);
}

void HidDevice::destroy()
{
    const uint32_t type = LKL_UHID_DESTROY;
    kernel_.syscall(__lkl__NR_write, device_, &type, sizeof type);
}

// Adding it is a worker's, that runs when we let it. It is refused where the kernel leaves
// devices of these numbers to others.
void HidDevice::create(const HidIdentity& identity, std::span<const uint8_t> descriptor)
{
    ::lkl_uhid_event event{};
    auto& create = event.u.create2;
    event.type = LKL_UHID_CREATE2;
    set_text(create.name, "Fuzz");
    set_text(create.phys, "fuzz/input0");
    set_text(create.uniq, "1");
    create.bus = identity.bus;
    create.vendor = identity.vendor;
    create.product = identity.product;
    create.version = 0x0110;
    const size_t size = std::min(descriptor.size(), sizeof create.rd_data);
    create.rd_size = static_cast<uint16_t>(size);
    std::copy_n(descriptor.data(), size, &create.rd_data[0]);
    if (kernel_.syscall(__lkl__NR_write, device_, &event,
                        offsetof(::lkl_uhid_event, u.create2.rd_data) + size) < 0)
        return;
    std::array<char, 32> name;
    std::snprintf(name.data(), name.size(), "%04X:%04X:%04X.%04X", identity.bus, identity.vendor,
                  identity.product, added_ + 1);
    name_ = name.data();
    for (int i = 0; i < most_waits; ++i) {
        kernel_.syscall(__lkl__NR_sched_yield);
        if (kernel_.syscall(__lkl__NR_pwrite64, probe_, name_.data(), name_.size(), 0) ==
            -LKL_ENODEV)
            continue;
        ++added_;
        return;
    }
}

}  // namespace lkl::fuzz
