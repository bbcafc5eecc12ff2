// SPDX-License-Identifier: GPL-2.0-only
#include "machine.hpp"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include <unistd.h>

namespace lkl::fuzz {

namespace {

// What is kept of a log, in bytes: of each execution its end.
constexpr size_t log_size = 256 << 10;

std::string image()
{
    if (std::getenv("LKL_KERNEL_IMAGE"))
        return {};
    const std::string fuzz = default_kernel_image() + "-fuzz";
    return ::access(fuzz.c_str(), R_OK) == 0 ? fuzz : std::string();
}

}  // namespace

Result<std::unique_ptr<Machine>> Machine::start(MachineOptions options)
{
    std::unique_ptr<Machine> machine(new Machine);
    KernelOptions kernel_options;
    kernel_options.memory = options.memory;
    kernel_options.image = image();
    kernel_options.fault_handler = true;
    kernel_options.command_line = "loglevel=7 " + options.command_line;
    if (const char* const more = std::getenv("LKL_FUZZ_COMMAND_LINE"))
        kernel_options.command_line += std::string(" ") + more;
    kernel_options.log = [log = &machine->log_](std::string_view lines) {
        if (log->size() > log_size)
            log->erase(0, log->size() / 2);
        log->append(lines);
    };
    auto kernel = Kernel::start(kernel_options);
    if (!kernel)
        return std::move(kernel).error();
    machine->kernel_.emplace(std::move(*kernel));

    std::vector<DiskId> disks;
    for (auto& backend : options.disks) {
        auto disk = machine->kernel_->add_disk(std::move(backend));
        if (!disk)
            return std::move(disk).error();
        disks.push_back(*disk);
    }
    if (!machine->coverage_.start(*machine->kernel_))
        std::fputs("lkl-fuzz: this kernel has no KCOV: fuzzing without its coverage\n", stderr);
    if (options.prepare) {
        if (auto prepared = options.prepare(*machine->kernel_, disks); !prepared)
            return std::move(prepared).error();
    }
    if (options.settled)
        options.settled();
    auto snapshot = Snapshot::take(*machine->kernel_);
    if (!snapshot)
        return std::move(snapshot).error();
    machine->snapshot_.emplace(std::move(*snapshot));
    machine->coverage_.leave_out_of(*machine->snapshot_);
    return machine;
}

void Machine::report(const char* what) const
{
    std::fprintf(stderr, "==LKL== %s; its log:\n%s", what, log_.c_str());
    std::abort();
}

void Machine::count_coverage()
{
    if (watching_)
        coverage_.take_comparisons(comparisons_);
    else
        reached_new_ |= coverage_.collect();
}

void Machine::execute(const std::function<void(Kernel&)>& job)
{
    log_.clear();
    comparisons_.clear();
    if (watching_)
        coverage_.watch_comparisons(*kernel_);
    coverage_.clear();
    reached_new_ = false;
    job(*kernel_);
    count_coverage();
    watching_ = false;
    if (const std::string last = kernel_->panic_message(); !last.empty()) {
        if (log_.empty())
            std::fputs(last.c_str(), stderr);
        report("the kernel panicked");
    }
    if (auto restored = snapshot_->restore(); !restored)
        report(restored.error().what.c_str());
}

void cannot_start(const Error& why)
{
    std::fprintf(stderr, "lkl-fuzz: %s\n", why.what.c_str());
    std::_Exit(1);
}

}  // namespace lkl::fuzz
