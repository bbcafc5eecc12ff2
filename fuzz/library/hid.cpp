// SPDX-License-Identifier: GPL-2.0-only
#include "hid.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <lkl/asm-generic/unistd.h>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/input.h>

#include "hid_identities.hpp"
#include "input.hpp"

namespace lkl::fuzz {

namespace {

constexpr int most_operations = 64;
constexpr size_t longest_descriptor = 4096;

// A mouse of three buttons.
constexpr std::array<uint8_t, 50> mouse{0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00,
                                        0x05, 0x09, 0x19, 0x01, 0x29, 0x03, 0x15, 0x00, 0x25, 0x01,
                                        0x95, 0x03, 0x75, 0x01, 0x81, 0x02, 0x95, 0x01, 0x75, 0x05,
                                        0x81, 0x03, 0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x15, 0x81,
                                        0x25, 0x7f, 0x75, 0x08, 0x95, 0x02, 0x81, 0x06, 0xc0, 0xc0};

HidIdentity take_identity(Input& input)
{
    const uint8_t which = input.byte();
    if (which != 0) {
        const auto known = hid_identities();
        return known[(which - 1u) % known.size()];
    }
    HidIdentity identity{};
    identity.bus = input.word();
    identity.vendor = input.word();
    identity.product = input.word();
    return identity;
}

// One device, and the programs.
class Execution {
public:
    // seen: what is to be looked at, or null.
    Execution(Kernel& kernel, HidDevice& device, Input& input, HidTarget::Seen* seen)
        : kernel_(kernel), device_(device), input_(input), programs_(kernel), seen_(seen)
    {
    }

    void run()
    {
        identity_ = take_identity(input_);
        descriptor_ = input_.take(input_.word() % (longest_descriptor + 1));
        device_.start(input_.take(input_.word() % (longest_descriptor + 1)));
        plug_in();
        if (seen_ != nullptr)
            seen_->driver = driver();
        for (int i = 0; i < most_operations && !input_.empty(); ++i)
            (this->*input_.choice(all))();
        // Work that was put off, of LEDs for instance.
        kernel_.syscall(__lkl__NR_sched_yield);
        device_.stop();
        if (seen_ != nullptr) {
            seen_->names = programs_.names();
            seen_->events = programs_.events();
            seen_->answered = device_.answered();
        }
    }

    // The programs end.
    void close() { programs_.close(); }

private:
    using Operation = void (Execution::*)();
    static const std::array<Operation, 12> all;

    std::string driver()
    {
        std::array<char, 256> link{};
        const std::string path = "/sys/bus/hid/devices/" + device_.name() + "/driver";
        if (kernel_.syscall(__lkl__NR_readlinkat, LKL_AT_FDCWD, path.c_str(), link.data(),
                            link.size() - 1) <= 0)
            return {};
        const std::string target = link.data();
        return target.substr(target.rfind('/') + 1);
    }

    void plug_in()
    {
        device_.create(identity_, descriptor_);
        programs_.open();
    }
    void pull_out() { device_.destroy(); }

    void report()
    {
        const auto bytes = input_.take(input_.byte());
        device_.report(bytes, 0);
    }
    void long_report()
    {
        const auto bytes = input_.take(input_.byte());
        device_.report(bytes, input_.word());
    }
    void read() { programs_.read(input_); }
    // To the hardware by hidraw, which may answer.
    void write()
    {
        programs_.write(input_);
        device_.catch_up();
    }
    void control_hidraw() { programs_.control_hidraw(input_); }
    void control_evdev() { programs_.control_evdev(input_); }
    void control_joystick() { programs_.control_joystick(input_); }
    void set_effect() { programs_.set_effect(input_); }
    void send_event() { programs_.send_event(input_); }
    void look_at_files() { programs_.look(input_, device_.name()); }

    Kernel& kernel_;
    HidDevice& device_;
    Input& input_;
    HidPrograms programs_;
    HidTarget::Seen* const seen_;
    HidIdentity identity_{};
    std::span<const uint8_t> descriptor_;
};

// Inputs know them by their places.
const std::array<Execution::Operation, 12> Execution::all{
    &Execution::report,        &Execution::long_report,    &Execution::read,
    &Execution::write,         &Execution::control_hidraw, &Execution::control_evdev,
    &Execution::send_event,    &Execution::set_effect,     &Execution::control_joystick,
    &Execution::look_at_files, &Execution::pull_out,       &Execution::plug_in,
};

}  // namespace

Result<void> HidTarget::prepare(Kernel& kernel)
{
    for (const auto& [type, path] :
         {std::pair{"sysfs", "/sys"}, std::pair{"debugfs", "/sys/kernel/debug"},
          std::pair{"devtmpfs", "/dev"}}) {
        kernel.syscall(__lkl__NR_mkdirat, LKL_AT_FDCWD, path, 0755);
        kernel.syscall(__lkl__NR_mount, type, path, type, 0, nullptr);
    }
    device_.emplace(kernel);
    if (auto opened = device_->open(); !opened)
        return opened;
    // What the kernel makes only once is made before the snapshot: a device of USB, without
    // vendor and product, with its descriptor and no answers, moves and is pulled out.
    std::vector<uint8_t> first{0, LKL_BUS_USB, 0, 0, 0, 0, 0, mouse.size(), 0};
    first.insert(first.end(), mouse.begin(), mouse.end());
    for (const uint8_t byte : {0, 0, 0, 3, 1, 5, 5, 10})
        first.push_back(byte);
    Input input(first);
    Execution execution(kernel, *device_, input, nullptr);
    execution.run();
    device_->settle();
    execution.close();
    return {};
}

Result<std::unique_ptr<HidTarget>> HidTarget::start()
{
    std::unique_ptr<HidTarget> target(new HidTarget);
    MachineOptions options;
    options.prepare = [to = target.get()](Kernel& kernel, const auto&) {
        return to->prepare(kernel);
    };
    auto machine = Machine::start(std::move(options));
    if (!machine)
        return std::move(machine).error();
    target->machine_ = std::move(*machine);
    return target;
}

void HidTarget::run(std::span<const uint8_t> bytes)
{
    Input input(bytes);
    machine_->execute([&](Kernel& kernel) { Execution(kernel, *device_, input, nullptr).run(); });
}

HidTarget::Seen HidTarget::examine(std::span<const uint8_t> bytes)
{
    Input input(bytes);
    Seen seen;
    machine_->execute([&](Kernel& kernel) { Execution(kernel, *device_, input, &seen).run(); });
    return seen;
}

}  // namespace lkl::fuzz
