// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/layout_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <nlohmann/json.hpp>

#include "common/report.hpp"

namespace tools::mkimage {

namespace {

using nlohmann::json;

[[noreturn]] void fail(const std::string& where, const std::string& why)
{
    throw ToolError(ExitCode::usage, where + ": " + why);
}

std::string text_of(const json& value, const std::string& where, const std::string& name)
{
    if (value.is_boolean())
        return value.get<bool>() ? "yes" : "no";
    if (value.is_number_unsigned())
        return std::to_string(value.get<uint64_t>());
    if (!value.is_string())
        fail(where, escaped(name) + ": is no string");
    std::string text = value.get<std::string>();
    if (text.find('\0') != std::string::npos)
        fail(where, escaped(name) + ": holds a zero byte");
    return text;
}

PartitionRequest read_partition(const json& object, const std::string& where)
{
    if (!object.is_object())
        fail(where, "is no object");
    PartitionRequest partition;
    for (const auto& [name, value] : object.items()) {
        if (!value.is_array()) {
            set_property(partition, name, text_of(value, where, name), where);
            continue;
        }
        if (name != "mkfs-option")
            fail(where, escaped(name) + ": is a list");
        for (const json& item : value)
            set_property(partition, name, text_of(item, where, name), where);
    }
    return partition;
}

}  // namespace

ImageSpecification read_layout(const std::string& path)
{
    const std::string where = "--layout " + escaped(path);
    std::ifstream file(path);
    if (!file)
        fail(where, std::string("cannot open it: ") + std::strerror(errno));
    json document;
    try {
        document = json::parse(file, nullptr, true, true);
    } catch (const json::exception& error) {
        fail(where, escaped(error.what()));
    }
    if (!document.is_object())
        fail(where, "is no JSON object");
    ImageSpecification image;
    image.table = Table::gpt;
    for (const auto& [name, value] : document.items()) {
        if (name == "table") {
            image.table = parse_table(text_of(value, where, name), where);
        } else if (name == "size") {
            image.size = SizeRequest::parse(text_of(value, where, name), where + ": size");
        } else if (name == "uuid") {
            image.uuid = text_of(value, where, name);
        } else if (name == "partitions" && value.is_array()) {
            for (const json& item : value)
                image.partitions.push_back(read_partition(
                    item, where + ": partition " + std::to_string(image.partitions.size() + 1)));
        } else {
            fail(where, escaped(name) + ": is no property of an image");
        }
    }
    return image;
}

}  // namespace tools::mkimage
