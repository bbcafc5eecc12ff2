// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/output/json.hpp"

#include <lkl/linux/stat.h>
#include <nlohmann/json.hpp>

#include "lkl/output/format.hpp"

namespace tools::lkl_tool {

namespace {

using Json = nlohmann::ordered_json;

bool is_utf8(const Json& text)
{
    try {
        (void)text.dump();
        return true;
    } catch (const Json::type_error&) {
        return false;
    }
}

std::string hexadecimal(std::string_view bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += {digits[byte >> 4], digits[byte & 15]};
    }
    return text;
}

}  // namespace

struct JsonObject::Value {
    Json json = Json::object();
};

JsonObject::JsonObject() : value_(std::make_unique<Value>()) {}
JsonObject::JsonObject(JsonObject&&) noexcept = default;
JsonObject& JsonObject::operator=(JsonObject&&) noexcept = default;
JsonObject::~JsonObject() = default;

void JsonObject::set(const std::string& key, std::string_view value)
{
    Json& json = value_->json;
    json[key] = value;
    if (!is_utf8(json[key]))
        json[key + "_hex"] = hexadecimal(value);
}

void JsonObject::set(const std::string& key, bool value)
{
    value_->json[key] = value;
}

void JsonObject::set(const std::string& key, const std::optional<uint64_t>& value)
{
    value_->json[key] = value ? Json(*value) : Json();
}

void JsonObject::set(const std::string& key, const std::vector<std::string>& values)
{
    value_->json[key] = values;
}

void JsonObject::set(const std::string& key, const std::vector<JsonObject>& values)
{
    Json& list = value_->json[key] = Json::array();
    for (const JsonObject& value : values)
        list.push_back(value.value_->json);
}

void JsonObject::set_null(const std::string& key)
{
    value_->json[key] = Json();
}

void JsonObject::set_stat(const lkl::Stat& stat)
{
    set("type", type_name(stat.stx_mode));
    set("mode", octal_mode(stat.stx_mode));
    set("uid", stat.stx_uid);
    set("gid", stat.stx_gid);
    set("size", stat.stx_size);
    set("allocated", stat.stx_blocks * 512);
    set("links", stat.stx_nlink);
    set("inode", stat.stx_ino);
    const uint32_t type = stat.stx_mode & LKL_S_IFMT;
    if (type == LKL_S_IFCHR || type == LKL_S_IFBLK) {
        set("device_major", stat.stx_rdev_major);
        set("device_minor", stat.stx_rdev_minor);
    }
    set("modified", utc_time(stat.stx_mtime));
    set("accessed", utc_time(stat.stx_atime));
    set("changed", utc_time(stat.stx_ctime));
    if ((stat.stx_mask & LKL_STATX_BTIME) != 0)
        set("born", utc_time(stat.stx_btime));
}

std::string JsonObject::text() const
{
    return value_->json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void JsonList::add(const JsonObject& element)
{
    if (!enabled_)
        return;
    out_.write(empty_ ? "[\n" : ",\n");
    empty_ = false;
    out_.write(element.text());
}

void JsonList::finish()
{
    if (enabled_)
        out_.write(empty_ ? "[]\n" : "\n]\n");
}

}  // namespace tools::lkl_tool
