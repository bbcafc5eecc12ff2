// SPDX-License-Identifier: GPL-2.0-only
#include <cerrno>
#include <optional>

#include <nlohmann/json.hpp>

#include "config/configuration.hpp"
#include "config/fields.hpp"

namespace lkl::config {

namespace {

using nlohmann::json;

// Empty: it went well; else what is wrong.
using Failure = std::optional<std::string>;

template <typename Owner, size_t count>
Failure read_field(Owner& owner, const Field<Owner> (&fields)[count], const std::string& key,
                   const json& value, Origin origin)
{
    for (const auto& field : fields) {
        if (key != field.key || !may_say(origin, field))
            continue;
        if (!value.is_string())
            return "\"" + key + "\" is no string";
        owner.*field.text = value.get<std::string>();
        return {};
    }
    return "unknown key \"" + key + "\"";
}

Failure read_interfaces(Configuration& configuration, const json& list, Origin origin)
{
    if (!list.is_array())
        return "\"interfaces\" is no list";
    for (const json& object : list) {
        const std::string where =
            "interface " + std::to_string(configuration.interfaces.size()) + ": ";
        if (!object.is_object())
            return where + "no object";
        Interface interface;
        for (const auto& [key, value] : object.items())
            if (const Failure failure = read_field(interface, interface_fields, key, value, origin))
                return where + *failure;
        configuration.interfaces.push_back(std::move(interface));
    }
    return {};
}

Failure read_images(Configuration& configuration, const json& list)
{
    if (!list.is_array())
        return "\"images\" is no list";
    for (const json& text : list) {
        if (!text.is_string())
            return "\"images\" holds what is no string";
        configuration.images.push_back(text.get<std::string>());
    }
    return {};
}

Failure read_all(Configuration& configuration, const json& document, Origin origin)
{
    if (!document.is_object())
        return "no JSON object";
    for (const auto& [key, value] : document.items()) {
        Failure failure;
        if (key == "interfaces")
            failure = read_interfaces(configuration, value, origin);
        else if (key == "images")
            failure = read_images(configuration, value);
        else
            failure = read_field(configuration, global_fields, key, value, origin);
        if (failure)
            return failure;
    }
    return {};
}

template <typename Owner, size_t count>
json fields_to_json(const Owner& owner, const Field<Owner> (&fields)[count], Origin origin)
{
    json object = json::object();
    for (const auto& field : fields)
        if (!(owner.*field.text).empty() && may_say(origin, field))
            object[field.key] = owner.*field.text;
    return object;
}

}  // namespace

lkl::Result<Configuration> parse_json(const std::string& text, const std::string& where,
                                      Origin origin)
{
    Configuration configuration;
    try {
        if (const Failure failure = read_all(configuration, json::parse(text), origin))
            return lkl::Error{EINVAL, where + ": " + *failure};
    } catch (const json::exception& error) {
        return lkl::Error{EINVAL, where + ": " + error.what()};
    }
    return configuration;
}

std::string to_json(const Configuration& configuration, Origin origin)
{
    json document = fields_to_json(configuration, global_fields, origin);
    for (const Interface& interface : configuration.interfaces)
        document["interfaces"].push_back(fields_to_json(interface, interface_fields, origin));
    if (!configuration.images.empty())
        document["images"] = configuration.images;
    // Names of files may be no UTF-8; they were no names in JSON either.
    return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace lkl::config
