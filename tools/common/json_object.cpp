// SPDX-License-Identifier: GPL-2.0-only
#include "common/json_object.hpp"

#include <nlohmann/json.hpp>

namespace tools {

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

void JsonObject::set(const std::string& key, const JsonObject& value)
{
    value_->json[key] = value.value_->json;
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

std::string JsonObject::text() const
{
    return value_->json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tools
