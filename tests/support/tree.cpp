// SPDX-License-Identifier: GPL-2.0-only
#include "tree.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>

#include "kernel.hpp"

namespace lkl::test {

namespace {

constexpr int entries = 300;

uint64_t mix(uint64_t value)  // splitmix64
{
    value += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

uint64_t hash(const std::string& data)  // FNV-1a
{
    uint64_t value = 0xcbf29ce484222325;
    for (const char byte : data)
        value = (value ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    return value;
}

class Maker {
public:
    Maker(const FileCalls& files, std::string root, const TreeTraits& traits)
        : files_(files), root_(std::move(root)), traits_(traits)
    {
    }

    std::vector<std::string> make()
    {
        make_sizes();
        make_many();
        change_contents();
        rename_and_remove();
        make_links();
        make_others();
        set_times(root_, 0);
        return std::move(log_);
    }

private:
    std::string at(const std::string& name) const { return root_ + '/' + name; }

    void tell(const std::string& what, long result)
    {
        log_.push_back(what + ": " + std::to_string(result));
    }
    void write(const std::string& name, const std::string& data, size_t piece = 1 << 20)
    {
        tell("write " + name, files_.write_file(at(name), data, piece));
    }
    void make_directory(const std::string& name) { tell("mkdir " + name, files_.mkdir(at(name))); }

    void make_sizes()
    {
        make_directory("sizes");
        uint64_t seed = 0;
        for (const size_t size : {0, 1, 511, 4095, 4096, 4097, 65'536, 1'048'577, 3'333'333}) {
            for (const size_t piece : {1009, 1 << 20}) {
                if (size / piece > 100)
                    continue;
                write("sizes/" + std::to_string(size) + "-" + std::to_string(piece),
                      pattern(++seed, size), piece);
            }
        }
    }

    void make_many()
    {
        make_directory("many");
        for (int i = 0; i < entries; ++i) {
            std::string name = "entry " + std::to_string(i);
            if (i % 10 == 1)
                name += " \xc3\xa4\xe2\x82\xac\xe4\xb8\xad";  // UTF-8 of 2 and 3 bytes
            if (i % 10 == 2)
                name += std::string(200, 'n');
            if (i % 10 == 3)
                tell("mkdir " + name, files_.mkdir(at("many/" + name)));
            else
                write("many/" + name, name);
        }
        tell("rmdir of a full directory", files_.rmdir(at("many")));
        std::vector<std::string> names;
        tell("list", files_.list(at("many"), names));
        tell("names", static_cast<long>(names.size()));
        for (size_t i = 0; i < names.size(); i += 7) {
            if (files_.unlink(at("many/" + names[i])) != 0)
                tell("rmdir " + names[i], files_.rmdir(at("many/" + names[i])));
        }
    }

    void change_contents()
    {
        make_directory("changed");
        const std::string data = pattern(100, 300'000);
        for (const char* const name : {"overwritten", "appended", "cut", "grown", "sparse"})
            write(std::string("changed/") + name, data);
        open_and("changed/overwritten", O_RDWR, [&](long fd) {
            tell("pwrite", files_.pwrite(fd, "new", 3, 4095));
            tell("pwrite", files_.pwrite(fd, data.data(), 100'000, 33'333));
            read_back(fd, 4000, 200);
            read_back(fd, 250'000, 100'000);
            read_back(fd, 300'000, 1);
        });
        open_and("changed/appended", O_WRONLY | O_APPEND, [&](long fd) {
            tell("append", files_.write(fd, data.data(), 5000));
            tell("append", files_.write(fd, data.data(), 5000));
        });
        open_and("changed/cut", O_RDWR, [&](long fd) {
            tell("truncate", files_.truncate(fd, 12'345));
            read_back(fd, 12'000, 1000);
            tell("fsync", files_.fsync(fd));
        });
        open_and("changed/grown", O_RDWR, [&](long fd) {
            tell("truncate", files_.truncate(fd, 100'001));
            tell("truncate", files_.truncate(fd, 400'000));
            read_back(fd, 100'000, 1000);
        });
        open_and("changed/sparse", O_RDWR, [&](long fd) {
            tell("pwrite", files_.pwrite(fd, "end", 3, 2'000'000));
            read_back(fd, 1'000'000, 1000);
        });
        open_and("changed/cut", O_WRONLY | O_TRUNC,
                 [&](long fd) { tell("write", files_.write(fd, "short", 5)); });
        open_and("changed", O_WRONLY, [](long) {});
        open_and("changed/cut", O_RDONLY | O_DIRECTORY, [](long) {});
        open_and("changed/cut", O_WRONLY | O_CREAT | O_EXCL, [](long) {});
        open_and("changed/not there", O_RDONLY, [](long) {});
        open_and("changed/cut/below a file", O_RDONLY, [](long) {});
        open_and("changed/read-only", O_RDONLY | O_CREAT,
                 [&](long fd) { tell("write", files_.write(fd, "x", 1)); });
    }

    void rename_and_remove()
    {
        make_directory("renamed");
        make_directory("renamed/from");
        make_directory("renamed/to");
        make_directory("renamed/to/full");
        for (int i = 0; i < 6; ++i)
            write("renamed/from/" + std::to_string(i), pattern(200, 1000 * static_cast<size_t>(i)));
        write("renamed/to/full/file", "in the way");
        rename("renamed/from/0", "renamed/from/zero");
        rename("renamed/from/1", "renamed/from/2");
        rename("renamed/from/3", "renamed/to/three");
        rename("renamed/from/4", "renamed/to/full/file");
        rename("renamed/from/not there", "renamed/from/neither");
        rename("renamed/from", "renamed/to/full");
        rename("renamed/from", "renamed/to/directory");
        rename("renamed/to", "renamed/to/directory/below");
        tell("unlink", files_.unlink(at("renamed/to/directory/5")));
        tell("unlink again", files_.unlink(at("renamed/to/directory/5")));
        tell("unlink a directory", files_.unlink(at("renamed/to")) < 0);
        tell("rmdir of a file", files_.rmdir(at("renamed/to/three")));
        tell("mkdir of what is there", files_.mkdir(at("renamed/to/three")));
    }
    void rename(const std::string& from, const std::string& to)
    {
        const long result = files_.rename(at(from), at(to));
        // POSIX has two errors for a directory that is in the way.
        tell("rename " + from + " to " + to, result == -EEXIST ? -ENOTEMPTY : result);
    }

    void make_links()
    {
        make_directory("links");
        write("links/file", "one file");
        if (traits_.symlinks) {
            for (const std::string& target : {std::string("file"), std::string("not there"),
                                              std::string("/absolute"), std::string(900, 't')})
                tell("symlink", files_.symlink(target, at("links/to " + target.substr(0, 9))));
            tell("symlink over a file", files_.symlink("file", at("links/file")));
            std::string data;
            tell("read a link", files_.read_file(at("links/to file"), data));
            open_and("links/to file", O_RDONLY, [&](long fd) { read_back(fd, 0, 100); });
        }
        if (traits_.hard_links) {
            tell("link", files_.link(at("links/file"), at("links/second name")));
            tell("link over a file", files_.link(at("links/file"), at("changed/cut")));
            open_and("links/second name", O_WRONLY | O_APPEND,
                     [&](long fd) { tell("append", files_.write(fd, " by another name", 16)); });
            tell("link", files_.link(at("links/file"), at("links/third name")));
            tell("unlink", files_.unlink(at("links/third name")));
        }
    }

    void make_others()
    {
        make_directory("others");
        if (traits_.fifos)
            tell("mkfifo", files_.mkfifo(at("others/fifo")));
        if (traits_.modes) {
            for (const unsigned mode : {0600u, 0444u, 0755u, 01777u, 02755u, 04711u}) {
                const std::string name = "others/mode " + std::to_string(mode);
                write(name, "");
                tell("chmod", files_.chmod(at(name), mode));
            }
        }
        tell("chmod of nothing", files_.chmod(at("others/not there"), 0644));
    }

    // The contents while the file is open, by what they are.
    void read_back(long fd, uint64_t offset, size_t size)
    {
        if (!traits_.contents)
            return;
        std::string data(size, 0);
        const long result = files_.pread(fd, data.data(), size, offset);
        data.resize(static_cast<size_t>(std::max(result, 0l)));
        log_.push_back("read: " + std::to_string(result) + " " + std::to_string(hash(data)));
    }

    template <typename Job>
    void open_and(const std::string& name, int flags, Job job)
    {
        const long fd = files_.open(at(name), flags);
        tell("open " + name, std::min(fd, 0l));
        if (fd < 0)
            return;
        job(fd);
        tell("close " + name, files_.close(fd));
    }

    // Of each file its own, from 2001 to after 2038; of a directory when all in it is done.
    int64_t set_times(const std::string& path, int64_t seconds)
    {
        std::vector<std::string> names;
        files_.list(path, names);
        for (const std::string& name : names) {
            struct statx found {};
            files_.stat(path + '/' + name, found);
            if (S_ISDIR(found.stx_mode))
                seconds = set_times(path + '/' + name, seconds);
            else if (!S_ISLNK(found.stx_mode))
                set_time(path + '/' + name, ++seconds);
        }
        set_time(path, ++seconds);
        return seconds;
    }
    void set_time(const std::string& path, int64_t seconds)
    {
        const int64_t nanoseconds = 123'456'789 / traits_.time_step * traits_.time_step;
        const timespec time{1'000'000'000 + seconds * 5'000'003, nanoseconds};
        const long result = files_.set_times(path, {time, time});
        if (result != 0)
            tell("set the times of " + path.substr(root_.size()), result);
    }

    const FileCalls& files_;
    const std::string root_;
    const TreeTraits& traits_;
    std::vector<std::string> log_;
};

void describe(const FileCalls& files, const std::string& root, const std::string& name,
              const TreeTraits& traits, std::vector<std::string>& lines)
{
    const std::string path = root + name;
    struct statx found {};
    const long result = files.stat(path, found);
    std::string line = name.empty() ? "/" : name;
    if (result != 0) {
        lines.push_back(line + ": stat " + std::to_string(result));
        return;
    }
    const unsigned type = found.stx_mode & S_IFMT;
    line += ": " + std::string(type == S_IFDIR   ? "directory"
                               : type == S_IFREG ? "file"
                               : type == S_IFLNK ? "link to " + files.read_link(path)
                               : type == S_IFIFO ? "fifo"
                                                 : "other");
    if (type != S_IFLNK) {
        if (traits.modes)
            line += " mode " + std::to_string(found.stx_mode & 07777);
        const int64_t step = traits.time_step;
        line += " time " + std::to_string(found.stx_mtime.tv_sec) + "." +
                std::to_string(found.stx_mtime.tv_nsec / step * step);
    }
    if (type == S_IFREG) {
        line += " size " + std::to_string(found.stx_size);
        if (traits.contents) {
            std::string data;
            const long read = files.read_file(path, data);
            line += " read " + std::to_string(read) + " " + std::to_string(data.size()) + " hash " +
                    std::to_string(hash(data));
        }
        if (traits.hard_links)
            line += " links " + std::to_string(found.stx_nlink);
    }
    std::vector<std::string> names;
    if (type == S_IFDIR) {
        const long listed = files.list(path, names);
        line += " list " + std::to_string(listed) + " " + std::to_string(names.size());
    }
    lines.push_back(line);
    for (const std::string& below : names)
        describe(files, root, name + '/' + below, traits, lines);
}

}  // namespace

std::string pattern(uint64_t seed, size_t size)
{
    std::string data(size + sizeof(uint64_t), 0);
    for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
        const uint64_t value = mix(seed * 0x10001 + i);
        std::memcpy(data.data() + i, &value, sizeof value);
    }
    data.resize(size);
    return data;
}

std::vector<std::string> make_tree(const FileCalls& files, const std::string& root,
                                   const TreeTraits& traits)
{
    return Maker(files, root, traits).make();
}

std::vector<std::string> describe_tree(const FileCalls& files, const std::string& root,
                                       const TreeTraits& traits)
{
    std::vector<std::string> lines;
    describe(files, root, "", traits, lines);
    return lines;
}

testing::AssertionResult same_lines(const std::vector<std::string>& expected,
                                    const std::vector<std::string>& found)
{
    if (expected == found)
        return testing::AssertionSuccess();
    constexpr int most = 10;
    auto result = testing::AssertionFailure();
    const auto tell = [&](const auto& lines, const auto& others, const char* mark) {
        int count = 0;
        for (const std::string& line : lines) {
            if (std::find(others.begin(), others.end(), line) == others.end() && count++ < most)
                result << '\n' << mark << line.substr(0, 300);
        }
        result << '\n' << mark << count << " of " << lines.size() << " that the other has not";
    };
    tell(expected, found, "expected: ");
    tell(found, expected, "found:    ");
    return result;
}

void expect_threads_to_write(const FileCalls& our_files, const std::string& ours,
                             const FileCalls& host_files, const std::string& hosts)
{
    constexpr int threads = 6;
    constexpr size_t size = 1'300'000;
    const auto name = [](int i) { return "file " + std::to_string(i); };
    const auto contents = [](int i) { return pattern(static_cast<uint64_t>(i) + 50, size); };
    Crew crew;
    crew.add(threads, [&](int i) {
        const std::string path = ours + name(i), data = contents(i);
        for (int round = 0; round < 3; ++round) {
            EXPECT_EQ(our_files.write_file(path + " new", data, 100'000), 0);
            EXPECT_EQ(our_files.rename(path + " new", path), 0);
            std::string found;
            EXPECT_EQ(our_files.read_file(path, found), 0);
            EXPECT_TRUE(found == data) << path << " in round " << round;
        }
    });
    crew.join();
    for (int i = 0; i < threads; ++i) {
        std::string found;
        EXPECT_EQ(host_files.read_file(hosts + name(i), found), 0);
        EXPECT_TRUE(found == contents(i)) << name(i);
    }
}

}  // namespace lkl::test
