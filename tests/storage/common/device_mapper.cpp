// SPDX-License-Identifier: GPL-2.0-only
#include "device_mapper.hpp"

#include <cstring>
#include <stdexcept>

#include <lkl/linux/ioctl.h>

#include <lkl/linux/dm-ioctl.h>  // does not include what it uses

namespace lkl::test {

namespace {

using Header = struct ::lkl_dm_ioctl;
using Spec = struct ::lkl_dm_target_spec;

constexpr size_t room = 64 << 10;  // for what the kernel answers

// One ioctl on an open control device.
long control_call(Kernel& kernel, long control, unsigned long request, Header& header,
                  std::string& data)
{
    header.version[0] = LKL_DM_VERSION_MAJOR;
    header.data_start = sizeof(Header);
    std::string buffer(sizeof(Header) + data.size() + room, '\0');
    header.data_size = static_cast<uint32_t>(buffer.size());
    std::memcpy(buffer.data(), &header, sizeof header);
    std::memcpy(buffer.data() + sizeof header, data.data(), data.size());
    const long result = kernel.syscall(__lkl__NR_ioctl, control, request, buffer.data());
    if (result >= 0) {
        std::memcpy(&header, buffer.data(), sizeof header);
        data = buffer.substr(std::min<size_t>(header.data_start, buffer.size()));
    }
    return result;
}

long open_control(Kernel& kernel)
{
    Calls calls(kernel);
    const long control = calls.open("/dev/mapper/control", LKL_O_RDWR);
    if (control < 0)
        throw std::runtime_error("/dev/mapper/control: " + std::to_string(control));
    return control;
}

void check(long result, const std::string& what)
{
    if (result < 0)
        throw std::runtime_error(what + ": errno " + std::to_string(-result));
}

// As a table is given to the kernel: each line with its parameters, padded.
std::string packed(const Table& table)
{
    std::string data;
    for (const Target& target : table) {
        Spec spec{};
        spec.sector_start = target.start;
        spec.length = target.length;
        const size_t size = (sizeof spec + target.parameters.size() + 1 + 7) & ~size_t{7};
        spec.next = static_cast<uint32_t>(size);
        target.type.copy(spec.target_type, sizeof spec.target_type - 1);
        std::string line(size, '\0');
        std::memcpy(line.data(), &spec, sizeof spec);
        target.parameters.copy(line.data() + sizeof spec, target.parameters.size());
        data += line;
    }
    return data;
}

}  // namespace

MappedDevice::MappedDevice(Kernel& kernel, const std::string& name, const Table& table,
                           bool read_only)
    : kernel_(kernel), name_(name), read_only_(read_only), control_(open_control(kernel))
{
    try {
        start(table);
    } catch (...) {
        remove();
        Calls(kernel_).close(control_);
        throw;
    }
}

MappedDevice::MappedDevice(Kernel& kernel, const std::string& name, uint64_t length,
                           const std::string& type, const std::string& parameters, bool read_only)
    : MappedDevice(kernel, name, {{0, length, type, parameters}}, read_only)
{
}

MappedDevice::~MappedDevice()
{
    EXPECT_EQ(remove(), 0) << name_;
    Calls(kernel_).close(control_);
}

void MappedDevice::start(const Table& table)
{
    check(call(LKL_DM_DEV_CREATE), name_ + ": create");
    exists_ = true;
    // The number of the device is in the form of the kernel's new_encode_dev().
    path_ = "/dev/dm-" + std::to_string((device_ & 0xff) | ((device_ >> 12) & 0xfff00));
    check(load(table), name_ + ": load");
    resume();
}

long MappedDevice::call(unsigned long request, uint32_t flags, uint32_t targets, std::string& data)
{
    Header header{};
    header.flags = flags;
    header.target_count = targets;
    name_.copy(header.name, sizeof header.name - 1);
    const long result = control_call(kernel_, control_, request, header, data);
    if (result >= 0) {
        device_ = header.dev;
        if (header.flags & LKL_DM_BUFFER_FULL_FLAG)
            throw std::runtime_error(name_ + ": the answer is too long");
    }
    return result;
}

long MappedDevice::call(unsigned long request, uint32_t flags)
{
    std::string none;
    return call(request, flags, 0, none);
}

std::vector<Target> MappedDevice::targets(uint32_t flags)
{
    std::string data;
    check(call(LKL_DM_TABLE_STATUS, flags, 0, data), name_ + ": status");
    std::vector<Target> result;
    for (size_t at = 0; at + sizeof(Spec) < data.size();) {
        Spec spec;
        std::memcpy(&spec, data.data() + at, sizeof spec);
        if (spec.length == 0)
            break;  // behind the last one
        result.push_back(
            {spec.sector_start, spec.length, spec.target_type, data.c_str() + at + sizeof spec});
        at = spec.next;
    }
    return result;
}

std::vector<Target> MappedDevice::status()
{
    return targets(0);
}

std::vector<Target> MappedDevice::table()
{
    return targets(LKL_DM_STATUS_TABLE_FLAG);
}

long MappedDevice::load(const Table& table)
{
    std::string data = packed(table);
    return call(LKL_DM_TABLE_LOAD, read_only_ ? LKL_DM_READONLY_FLAG : 0,
                static_cast<uint32_t>(table.size()), data);
}

long MappedDevice::message(uint64_t sector, const std::string& text)
{
    struct ::lkl_dm_target_msg head {};
    head.sector = sector;
    std::string data(reinterpret_cast<const char*>(&head), sizeof head);
    data += text;
    data += '\0';
    return call(LKL_DM_TARGET_MSG, 0, 0, data);
}

void MappedDevice::suspend()
{
    check(call(LKL_DM_DEV_SUSPEND, LKL_DM_SUSPEND_FLAG), name_ + ": suspend");
}

void MappedDevice::resume()
{
    check(call(LKL_DM_DEV_SUSPEND), name_ + ": resume");
}

long MappedDevice::remove()
{
    if (!exists_)
        return 0;
    const long result = call(LKL_DM_DEV_REMOVE);
    exists_ = result < 0;
    return result;
}

std::vector<std::string> target_types(Kernel& kernel)
{
    const long control = open_control(kernel);
    Header header{};
    std::string data;
    const long result = control_call(kernel, control, LKL_DM_LIST_VERSIONS, header, data);
    Calls(kernel).close(control);
    check(result, "list of targets");
    std::vector<std::string> names;
    for (size_t at = 0;;) {
        struct ::lkl_dm_target_versions entry;
        std::memcpy(&entry, data.data() + at, sizeof entry);
        names.emplace_back(data.c_str() + at + sizeof entry);
        if (entry.next == 0)
            return names;
        at += entry.next;
    }
}

}  // namespace lkl::test
