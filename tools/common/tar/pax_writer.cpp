// SPDX-License-Identifier: GPL-2.0-only
#include "common/tar/pax_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace tools {

namespace {

constexpr size_t block_size = 512;
// GNU tar's record: tapes and some readers want whole ones.
constexpr size_t record_size = 20 * block_size;

// POSIX.1-2008, pax, "ustar Interchange Format".
struct UstarHeader {
    char name[100];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char mtime[12];
    char checksum[8];
    char type;
    char link[100];
    char magic[6];
    char version[2];
    char uname[32];
    char gname[32];
    char major[8];
    char minor[8];
    char prefix[155];
    char padding[12];
};
static_assert(sizeof(UstarHeader) == block_size);

constexpr uint64_t max_octal7 = 07777777;
constexpr uint64_t max_octal11 = 077777777777;

// Octal digits with leading zeros and a zero byte at the end. A value that does
// not fit stands in the extended header, and 0 here.
template <size_t N>
void put_octal(char (&field)[N], uint64_t value)
{
    if (N - 1 < 22 && value >> (3 * (N - 1)) != 0)
        value = 0;
    for (size_t i = N - 1; i-- > 0; value >>= 3)
        field[i] = static_cast<char>('0' + (value & 7));
    field[N - 1] = '\0';
}

// At most N bytes; the field is zero already.
template <size_t N>
void put_text(char (&field)[N], std::string_view text)
{
    text.copy(field, N);
}

void put_checksum(UstarHeader& header)
{
    std::memset(header.checksum, ' ', sizeof(header.checksum));
    std::array<unsigned char, sizeof(header)> bytes;
    std::memcpy(bytes.data(), &header, sizeof(header));
    unsigned sum = 0;
    for (const unsigned char byte : bytes)
        sum += byte;
    // Six digits, a zero byte, a blank.
    for (size_t i = 6; i-- > 0; sum >>= 3)
        header.checksum[i] = static_cast<char>('0' + (sum & 7));
    header.checksum[6] = '\0';
}

UstarHeader new_header(char type)
{
    UstarHeader header{};
    header.type = type;
    std::memcpy(header.magic, "ustar", 6);
    std::memcpy(header.version, "00", 2);
    put_octal(header.mode, 0);
    put_octal(header.uid, 0);
    put_octal(header.gid, 0);
    put_octal(header.size, 0);
    put_octal(header.mtime, 0);
    put_octal(header.major, 0);
    put_octal(header.minor, 0);
    return header;
}

bool is_ascii(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

// RFC 3629, section 4.
bool is_utf8(std::string_view text)
{
    const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
    for (size_t i = 0; i < text.size();) {
        const unsigned first = byte(i);
        if (first < 0x80) {
            i++;
            continue;
        }
        const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
        if (first < 0xc2 || first > 0xf4 || text.size() - i < length)
            return false;
        for (size_t k = 1; k < length; k++) {
            if ((byte(i + k) & 0xc0) != 0x80)
                return false;
        }
        const unsigned second = byte(i + 1);
        // Overlong forms, surrogates, and what is past the last code point.
        if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
            (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
            return false;
        i += length;
    }
    return true;
}

// Puts a path into name and prefix. False when it does not fit: then the
// beginning stands there, for readers that know no extended headers.
bool put_path(UstarHeader& header, std::string_view path)
{
    if (path.size() <= sizeof(header.name)) {
        put_text(header.name, path);
        return true;
    }
    // Split at a slash that leaves at most 100 bytes behind it and 155 before;
    // something must stand behind it, the slash of a directory apart.
    const size_t first = path.size() - sizeof(header.name) - 1;
    const size_t slash = path.find('/', first);
    if (slash == std::string_view::npos || slash == 0 || slash > sizeof(header.prefix) ||
        slash + 1 >= path.size()) {
        put_text(header.name, path);
        return false;
    }
    put_text(header.prefix, path.substr(0, slash));
    put_text(header.name, path.substr(slash + 1));
    return true;
}

void write_header(OutputStream& out, UstarHeader& header)
{
    put_checksum(header);
    out.write(std::as_bytes(std::span(&header, 1)));
}

void pad(OutputStream& out, size_t unit)
{
    out.write_zeros(static_cast<size_t>((unit - out.position() % unit) % unit));
}

void append_number(std::string& text, uint64_t value)
{
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    text.append(digits.data(), end);
}

bool fits_header(Time time)
{
    return time.nanoseconds == 0 && time.seconds >= 0 &&
           static_cast<uint64_t>(time.seconds) <= max_octal11;
}

// The key of an extended attribute. '=' would end it, so it is encoded, and '%'
// with it, in GNU tar's way (which libarchive shares).
void append_attribute_key(std::string& key, std::string_view name)
{
    key = "SCHILY.xattr.";
    for (const char c : name) {
        if (c == '=')
            key += "%3D";
        else if (c == '%')
            key += "%25";
        else
            key += c;
    }
}

}  // namespace

// "LENGTH KEY=VALUE\n", where the length, in decimal, counts itself.
void PaxWriter::add_record(std::string_view key, std::string_view value)
{
    const size_t rest = key.size() + value.size() + 3;
    size_t length = rest + 1;
    for (size_t digits = 1, limit = 10; length >= limit; limit *= 10)
        length = rest + ++digits;
    append_number(records_, length);
    records_ += ' ';
    records_ += key;
    records_ += '=';
    records_ += value;
    records_ += '\n';
}

void PaxWriter::add_number(std::string_view key, uint64_t value)
{
    std::string text;
    append_number(text, value);
    add_record(key, text);
}

// A decimal fraction, the sign before all of it: half a second before 1970 is
// "-0.5", while the kernel's pair of it is -1 and 500000000.
void PaxWriter::add_time(std::string_view key, Time time)
{
    std::string text;
    uint64_t seconds = static_cast<uint64_t>(time.seconds);
    uint32_t nanoseconds = time.nanoseconds;
    if (time.seconds < 0) {
        text = "-";
        seconds = -seconds;
        if (nanoseconds > 0) {
            seconds--;
            nanoseconds = 1000000000 - nanoseconds;
        }
    }
    append_number(text, seconds);
    if (nanoseconds > 0) {
        std::array<char, 10> fraction{'.'};
        for (size_t i = fraction.size(); i-- > 1; nanoseconds /= 10)
            fraction[i] = static_cast<char>('0' + nanoseconds % 10);
        const std::string_view digits(fraction.data(), fraction.size());
        text += digits.substr(0, digits.find_last_not_of('0') + 1);
    }
    add_record(key, text);
}

void PaxWriter::add_records(const Member& member)
{
    if (member.uid > max_octal7)
        add_number("uid", member.uid);
    if (member.gid > max_octal7)
        add_number("gid", member.gid);
    if (member.device_major > max_octal7)
        add_number("SCHILY.devmajor", member.device_major);
    if (member.device_minor > max_octal7)
        add_number("SCHILY.devminor", member.device_minor);
    if (!fits_header(member.mtime))
        add_time("mtime", member.mtime);
    add_time("atime", member.atime);
    add_time("ctime", member.ctime);
    if (!member.acl_access.empty())
        add_record("SCHILY.acl.access", member.acl_access);
    if (!member.acl_default.empty())
        add_record("SCHILY.acl.default", member.acl_default);
    if (!member.selinux.empty())
        add_record("RHT.security.selinux", member.selinux);
    std::string key;
    for (const Attribute& attribute : member.attributes) {
        append_attribute_key(key, attribute.name);
        add_record(key, attribute.value);
    }
}

// GNU tar manual, "Storing Sparse Files": version 1.0, whose map stands before
// the data: the number of extents, then offset and length of each, in decimal,
// each ended by a newline, filled up to a whole block.
void PaxWriter::add_sparse_map(const Member& member)
{
    add_number("GNU.sparse.major", 1);
    add_number("GNU.sparse.minor", 0);
    add_record("GNU.sparse.name", member.path);
    add_number("GNU.sparse.realsize", member.size);

    const std::vector<Extent>& extents = *member.extents;
    // A hole at the end shows as an empty extent behind it.
    const bool hole_at_end =
        extents.empty() || extents.back().offset + extents.back().length < member.size;
    map_.clear();
    const auto add = [this](uint64_t value) {
        append_number(map_, value);
        map_ += '\n';
    };
    add(extents.size() + (hole_at_end ? 1 : 0));
    for (const Extent& extent : extents) {
        add(extent.offset);
        add(extent.length);
    }
    if (hole_at_end) {
        add(member.size);
        add(0);
    }
    map_.resize((map_.size() + block_size - 1) / block_size * block_size);
}

void PaxWriter::begin_member(const Member& member)
{
    const bool sparse = member.extents != nullptr;
    const bool regular = member.type == MemberType::regular;
    UstarHeader header = new_header(static_cast<char>(member.type));
    records_.clear();

    // The names in these records are UTF-8 unless this says otherwise; it stands
    // before them.
    if (!is_utf8(member.path) || !is_utf8(member.link))
        add_record("hdrcharset", "BINARY");
    uint64_t stored = regular ? member.size : 0;
    if (sparse) {
        add_sparse_map(member);
        stored = map_.size();
        for (const Extent& extent : *member.extents)
            stored += extent.length;
        // Who does not know sparse files shall not take the map for the file.
        put_text(header.name,
                 "GNUSparseFile.0/" + std::string(member.path.substr(member.path.rfind('/') + 1)));
    } else if (!put_path(header, member.path) || !is_ascii(member.path)) {
        add_record("path", member.path);
    }
    put_text(header.link, member.link);
    if (member.link.size() > sizeof(header.link) || !is_ascii(member.link))
        add_record("linkpath", member.link);
    if (stored > max_octal11)
        add_number("size", stored);
    add_records(member);

    put_octal(header.mode, member.mode);
    put_octal(header.uid, member.uid);
    put_octal(header.gid, member.gid);
    put_octal(header.size, stored);
    put_octal(header.major, member.device_major);
    put_octal(header.minor, member.device_minor);
    // Whole seconds for readers that know no extended headers.
    const uint64_t mtime =
        member.mtime.seconds < 0 ? 0 : static_cast<uint64_t>(member.mtime.seconds);
    put_octal(header.mtime, mtime);

    // Access and change times have no other place, so each member has records.
    UstarHeader extended = new_header('x');
    put_text(extended.name,
             "PaxHeaders/" + std::string(member.path.substr(0, sizeof(extended.name))));
    put_octal(extended.mode, 0644);
    put_octal(extended.size, records_.size());
    put_octal(extended.mtime, mtime);
    write_header(out_, extended);
    out_.write(std::as_bytes(std::span(records_)));
    pad(out_, block_size);
    write_header(out_, header);
    if (sparse)
        out_.write(std::as_bytes(std::span(map_)));
}

void PaxWriter::end_member()
{
    pad(out_, block_size);
}

void PaxWriter::end_archive()
{
    out_.write_zeros(2 * block_size);
    pad(out_, record_size);
}

}  // namespace tools
