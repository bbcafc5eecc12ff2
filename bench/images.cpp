// SPDX-License-Identifier: GPL-2.0-only
#include "images.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <stdexcept>
#include <vector>

#include "harness.hpp"
#include "host.hpp"

namespace bench {

namespace {

namespace fs = std::filesystem;

// Writes random bytes: neither holes nor anything that could be compressed.
void write_file(const fs::path& path, uint64_t size)
{
    static std::mt19937_64 random{1};
    std::vector<uint64_t> words((uint64_t{1} << 20) / sizeof(uint64_t));
    std::ofstream out(path, std::ios::binary);
    uint64_t bytes = 0;
    for (uint64_t at = 0; at < size; at += bytes) {
        bytes = std::min<uint64_t>(size - at, words.size() * sizeof words[0]);
        for (uint64_t i = 0; i < (bytes + 7) / 8; ++i)
            words[i] = random();
        out.write(reinterpret_cast<const char*>(words.data()), static_cast<std::streamsize>(bytes));
    }
    out.close();
    if (!out)
        throw std::runtime_error("cannot write " + path.string());
}

// Without the part of the initialisation that mkfs leaves to the kernel for later: it
// would run while something else is measured.
void make_ext4(const std::string& image, uint64_t size, const std::vector<std::string>& options)
{
    std::ofstream(image).close();
    fs::resize_file(image, size);
    std::vector<std::string> command{"mkfs.ext4", "-q", "-F", "-E",
                                     "lazy_itable_init=0,lazy_journal_init=0"};
    command.insert(command.end(), options.begin(), options.end());
    command.push_back(image);
    run_program(command);
}

void write_many_files(const fs::path& tree)
{
    for (int i = 0; i < many_files; ++i) {
        const fs::path directory = tree / std::to_string(i / 100);
        if (i % 100 == 0)
            fs::create_directory(directory);
        write_file(directory / std::to_string(i), 4096);
    }
}

// Fills a directory by the function, and makes an ext4 file system of it.
std::string make_image(const std::string& directory, const std::string& name, uint64_t size,
                       const std::function<void(const fs::path&)>& fill)
{
    const fs::path image = fs::path(directory) / (name + ".ext4");
    if (fs::exists(image))
        return image;
    const fs::path tree = fs::path(directory) / (name + ".tree");
    fs::create_directories(tree);
    fill(tree);
    const fs::path unfinished = image.string() + ".new";
    make_ext4(unfinished, size, {"-d", tree});
    fs::remove_all(tree);
    fs::rename(unfinished, image);
    return image;
}

}  // namespace

std::string make_directory(const Run& run, const std::string& name)
{
    const fs::path path = fs::path(run.directory) / name;
    fs::create_directories(path);
    return path;
}

std::string small_image(const Run& run)
{
    return make_image(run.directory, "small", uint64_t{64} << 20,
                      [](const fs::path& tree) { write_file(tree / "first", 4096); });
}

std::string data_image(const Run& run, uint64_t size)
{
    return make_image(run.directory, "data-" + std::to_string(size), size + size / 8,
                      [size](const fs::path& tree) { write_file(tree / "data", size); });
}

std::string data_image_xfs(const Run& run)
{
    const fs::path image = fs::path(run.directory) / "data.xfs";
    if (fs::exists(image))
        return image;
    const fs::path unfinished = image.string() + ".new";
    std::ofstream(unfinished).close();
    fs::resize_file(unfinished, data_size + data_size / 8);
    run_program({"mkfs.xfs", "-q", unfinished});
    {
        const std::string directory = make_directory(run, "filling");
        const LoopMount mount(unfinished, directory, "xfs", 0);
        write_file(fs::path(directory) / "data", data_size);
    }
    fs::rename(unfinished, image);
    return image;
}

std::string many_files_image(const Run& run)
{
    return make_image(run.directory, "many", uint64_t{256} << 20, write_many_files);
}

std::string many_files_tree(const Run& run)
{
    const fs::path tree = fs::path(run.directory) / "many";
    if (!fs::exists(tree)) {
        fs::create_directory(tree);
        write_many_files(tree);
    }
    return tree;
}

std::string data_file(const Run& run, uint64_t size)
{
    std::string path = fs::path(run.directory) / ("data-" + std::to_string(size));
    if (!fs::exists(path))
        write_file(path, size);
    return path;
}

std::string empty_image(const Run& run, const std::string& name, uint64_t size)
{
    std::string image = fs::path(run.directory) / (name + ".ext4");
    fs::remove(image);
    make_ext4(image, size, {});
    return image;
}

std::string writable_image(const std::string& directory)
{
    return make_image(directory, "log", uint64_t{256} << 20,
                      [](const fs::path& tree) { write_file(tree / "log", log_size); });
}

}  // namespace bench
