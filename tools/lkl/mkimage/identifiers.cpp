// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/mkimage/identifiers.hpp"

#include <algorithm>
#include <array>

#include <uuid/uuid.h>

namespace tools::mkimage {

namespace {

// The name space of ours in the sense of RFC 4122, section 4.3.
constexpr const char* name_space = "b6a5b1c4-7ed0-4a5c-9f0e-3c8de1f5a7d2";
constexpr size_t uuid_length = 36;

}  // namespace

std::string Identifiers::uuid(std::string_view purpose) const
{
    uuid_t result;
    if (epoch_) {
        uuid_t space;
        (void)uuid_parse(name_space, space);
        const std::string name = std::string(purpose) + '\n' + std::to_string(*epoch_);
        uuid_generate_sha1(result, space, name.data(), name.size());
    } else {
        uuid_generate_random(result);
    }
    std::array<char, uuid_length + 1> text;
    uuid_unparse_lower(result, text.data());
    return text.data();
}

// Of a UUID those that are not fixed by its kind: the first eight, and the last twelve.
std::string Identifiers::digits(std::string_view purpose, size_t count) const
{
    std::string all = uuid(purpose);
    std::erase(all, '-');
    return all.substr(0, 8).append(all.substr(20)).substr(0, count);
}

std::string Identifiers::of_volume(const FileSystem& type, std::string_view purpose) const
{
    switch (type.uuid_form) {
    case UuidForm::uuid:
        return uuid(purpose);
    case UuidForm::serial:
        return digits(purpose, 8);
    case UuidForm::hex16:
        return digits(purpose, 16);
    case UuidForm::none:
        break;
    }
    return {};
}

std::string Identifiers::of_mbr() const
{
    return "0x" + digits("table", 8);
}

}  // namespace tools::mkimage
