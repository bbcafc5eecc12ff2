// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/partition_table.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include <libfdisk/libfdisk.h>

#include "common/report.hpp"
#include "lkl/mkimage/file_system_table.hpp"

namespace tools::mkimage {

namespace {

constexpr uint64_t sector = 512;  // bytes

struct TypeName {
    std::string_view name;
    std::string_view guid;  // empty: not with a GPT
    std::string_view code;  // MBR; empty: not there
};

// The Discoverable Partitions Specification, the UEFI specification, and for MBR codes
// what sfdisk --list-types has.
constexpr std::array types{
    TypeName{"esp", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "ef"},
    TypeName{"xbootldr", "BC13C2FF-59E6-4262-A352-B275FD6F7172", "ea"},
    TypeName{"bios-boot", "21686148-6449-6E6F-744E-656564454649", ""},
    TypeName{"linux", "0FC63DAF-8483-4772-8E79-3D69D8477DE4", "83"},
    TypeName{"root-x86-64", "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", ""},
    TypeName{"root-arm64", "B921B045-1DF0-41C3-AF44-4C6F280D3FAE", ""},
    TypeName{"usr-x86-64", "8484680C-9521-48C6-9C11-B0720656F69E", ""},
    TypeName{"home", "933AC7E1-2EB4-4F13-B844-0E14E2AEF915", "83"},
    TypeName{"srv", "3B8F8425-20E0-4F3B-907F-1A25A76F98E8", "83"},
    TypeName{"var", "4D21B016-B534-45C2-A9FB-5C16E091FD2D", "83"},
    TypeName{"swap", "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F", "82"},
    TypeName{"basic-data", "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", "7"},
    TypeName{"fat", "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", "c"},
};

// What a file system's partition is, if nobody says it.
std::string_view usual_type(const std::string& file_system)
{
    if (file_system == "vfat")
        return "fat";
    if (file_system == "exfat" || file_system == "ntfs")
        return "basic-data";
    return file_system == "swap" ? "swap" : "linux";
}

std::string_view in_table(Table table, const PartitionRequest& request)
{
    const std::string_view wanted = request.partition_type.empty()
                                        ? usual_type(request.volume.type)
                                        : std::string_view(request.partition_type);
    const auto known = std::find_if(types.begin(), types.end(),
                                    [wanted](const TypeName& type) { return type.name == wanted; });
    if (known == types.end())
        return wanted;
    return table == Table::gpt ? known->guid : known->code;
}

struct Release {
    void operator()(fdisk_context* context) const { fdisk_unref_context(context); }
    void operator()(fdisk_partition* partition) const { fdisk_unref_partition(partition); }
    void operator()(fdisk_parttype* type) const { fdisk_unref_parttype(type); }
};
using ContextHandle = std::unique_ptr<fdisk_context, Release>;
using PartitionHandle = std::unique_ptr<fdisk_partition, Release>;
using TypeHandle = std::unique_ptr<fdisk_parttype, Release>;

const char* label_name(Table table)
{
    return table == Table::gpt ? "gpt" : "dos";
}

TypeHandle parse_type(fdisk_context* context, Table table, const PartitionRequest& request)
{
    const std::string text(in_table(table, request));
    if (text.empty())
        return nullptr;
    TypeHandle type(
        fdisk_label_parse_parttype(fdisk_get_label(context, label_name(table)), text.c_str()));
    if (!type)
        return nullptr;
    // A code that libfdisk does not know is one all the same; a GUID has its form checked
    // there. 0 would be an empty entry.
    const bool empty = table == Table::gpt
                           ? std::strlen(fdisk_parttype_get_string(type.get())) != 36
                           : fdisk_parttype_get_code(type.get()) == 0;
    return empty ? nullptr : std::move(type);
}

class TableWriter {
public:
    TableWriter(int descriptor, std::string shown, Table table)
        : shown_(std::move(shown)), table_(table), context_(fdisk_new_context())
    {
        if (!context_)
            throw std::bad_alloc();
        check(fdisk_assign_device_by_fd(context_.get(), descriptor, shown_.c_str(), 0));
        check(fdisk_save_user_sector_size(context_.get(), sector, sector));
        check(fdisk_create_disklabel(context_.get(), label_name(table)));
    }

    void set_uuid(const std::string& uuid)
    {
        check(fdisk_set_disklabel_id_from_string(context_.get(), uuid.c_str()));
    }

    void add(size_t number, PlacedPartition& placed)
    {
        const PartitionHandle partition(fdisk_new_partition());
        if (!partition)
            throw std::bad_alloc();
        const PartitionRequest& request = *placed.request;
        check(fdisk_partition_set_partno(partition.get(), number));
        check(fdisk_partition_set_start(partition.get(), placed.offset / sector));
        check(fdisk_partition_set_size(partition.get(), placed.size / sector));
        const TypeHandle type = parse_type(context_.get(), table_, request);
        check(fdisk_partition_set_type(partition.get(), type.get()));
        if (table_ == Table::gpt) {
            placed.type = fdisk_parttype_get_string(type.get());
            check(fdisk_partition_set_uuid(partition.get(), placed.uuid.c_str()));
            if (!request.name.empty())
                check(fdisk_partition_set_name(partition.get(), request.name.c_str()));
            if (request.bootable)
                check(fdisk_partition_set_attrs(partition.get(), "LegacyBIOSBootable"));
        } else {
            std::array<char, 8> code;
            (void)std::snprintf(code.data(), code.size(), "0x%02x",
                                fdisk_parttype_get_code(type.get()));
            placed.type = code.data();
        }
        check(fdisk_add_partition(context_.get(), partition.get(), nullptr));
        if (table_ == Table::mbr && request.bootable)
            check(fdisk_toggle_partition_flag(context_.get(), number, DOS_FLAG_ACTIVE));
    }

    void write()
    {
        check(fdisk_write_disklabel(context_.get()));
        // The descriptor stays the caller's.
        check(fdisk_deassign_device(context_.get(), 1));
    }

private:
    void check(int code) const
    {
        if (code < 0)
            throw ToolError(ExitCode::output,
                            shown_ + ": cannot write the partition table: " + std::strerror(-code));
    }

    const std::string shown_;
    const Table table_;
    ContextHandle context_;
};

}  // namespace

uint64_t table_tail(Table table)
{
    return table == Table::gpt ? partition_alignment : 0;
}

void check_partition_type(Table table, const PartitionRequest& request, const std::string& where)
{
    const ContextHandle context(fdisk_new_context());
    if (!context)
        throw std::bad_alloc();
    if (!parse_type(context.get(), table, request))
        throw ToolError(ExitCode::usage, where + "type " + escaped(request.partition_type) +
                                             ": is none of " +
                                             (table == Table::gpt ? "a GPT" : "an MBR"));
}

void write_partition_table(int descriptor, const std::string& shown, Table table,
                           const std::string& uuid, std::vector<PlacedPartition>& partitions)
{
    TableWriter writer(descriptor, shown, table);
    writer.set_uuid(uuid);
    for (size_t i = 0; i < partitions.size(); i++)
        writer.add(i, partitions[i]);
    writer.write();
}

}  // namespace tools::mkimage
