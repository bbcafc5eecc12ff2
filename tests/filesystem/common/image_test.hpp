// SPDX-License-Identifier: GPL-2.0-only
// A test that makes images with the real programs and mounts them in a kernel of ours.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <lkl/disk.hpp>
#include <lkl/kernel.hpp>
#include <lkl/linux/mount.h>
#include <lkl/mount.hpp>
#include <support/kernel.hpp>

namespace lkl::test {

class ImageTest : public testing::Test {
protected:
    void SetUp() override
    {
        std::string name = (std::filesystem::temp_directory_path() / "lkl-image-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        work = name;
    }
    void TearDown() override
    {
        end();
        std::filesystem::remove_all(work);
    }

    // Runs a shell command in the test's directory; what it printed.
    std::string run(const std::string& command, int expected = 0) const
    {
        const std::string line =
            "cd '" + work + "' && PATH=$PATH:/sbin:/usr/sbin && { " + command + "; } >log 2>&1";
        const int status = std::system(line.c_str());
        const std::string text = read_host("log");
        EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, expected)
            << command << ": " << text;
        return text;
    }
    std::string read_host(const std::string& name) const
    {
        std::ifstream file(work + '/' + name, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    }

    // Boots a kernel and mounts the image, whose directory becomes `top`.
    void mount(const std::string& image, const char* type, const char* options = "")
    {
        kernel.emplace(boot(kernel_options));
        calls.emplace(*kernel);
        MountOptions mount_options{.type = type};
        mount_options.add(options);
        const bool read_only = (mount_options.flags & LKL_MS_RDONLY) != 0;
        auto backend = open_file_disk(work + '/' + image, {.read_only = read_only});
        ASSERT_TRUE(backend) << backend.error().what;
        auto disk = kernel->add_disk(*std::move(backend));
        ASSERT_TRUE(disk) << disk.error().what;
        auto mounted = Mount::disk(*kernel, *disk, mount_options);
        ASSERT_TRUE(mounted) << mounted.error().what;
        mount_.emplace(*std::move(mounted));
        top = mount_->path();
    }
    // Unmounts, and ends the kernel: what is in the image now is what there is.
    void end()
    {
        if (mount_) {
            const auto unmounted = mount_->unmount();
            EXPECT_TRUE(unmounted) << unmounted.error().what;
        }
        mount_.reset();
        calls.reset();
        kernel.reset();
    }

    // Ends the kernel with what is mounted.
    void halt()
    {
        EXPECT_TRUE(kernel->halt());
        mount_.reset();
        calls.reset();
        kernel.reset();
    }

    std::string path(const std::string& name) const { return top + '/' + name; }
    long ioctl(long fd, unsigned long command, void* argument)
    {
        return kernel->syscall(__lkl__NR_ioctl, fd, static_cast<long>(command), argument);
    }
    // The names in a directory.
    std::vector<std::string> names(const std::string& directory)
    {
        std::vector<std::string> found;
        auto opened = Directory::open(*kernel, directory.c_str());
        EXPECT_TRUE(opened);
        while (opened) {
            const auto entry = opened->next();
            EXPECT_TRUE(entry);
            if (!entry || *entry == nullptr)
                break;
            found.emplace_back((*entry)->name);
        }
        return found;
    }
    long create(const std::string& name, std::string_view text)
    {
        return calls->write_file(path(name).c_str(), text, LKL_O_WRONLY | LKL_O_CREAT);
    }

    KernelOptions kernel_options;
    std::string work;
    std::string top;
    std::optional<Kernel> kernel;
    std::optional<Calls> calls;

private:
    std::optional<Mount> mount_;
};

}  // namespace lkl::test
