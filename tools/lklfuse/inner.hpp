// SPDX-License-Identifier: GPL-2.0-only
// System calls of the kernel inside, as the operations of the mount make them.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <utility>

#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/kernel.hpp>

namespace tools::lklfuse {

// Any thread. Each host thread is a thread of its own in the kernel.
class Inner {
public:
    // crashed: called once, on the thread whose call finds the kernel dead.
    Inner(lkl::Kernel& kernel, std::function<void(const std::string& log)> crashed)
        : kernel_(kernel), crashed_(std::move(crashed))
    {
    }

    // What the kernel returns: a value, or a negative errno, which the host's kernel
    // knows by the same number.
    template <typename... Args>
    long call(long number, Args... args) noexcept
    {
        const long result = kernel_.syscall(number, args...);
        if (result == -LKL_EIO) [[unlikely]]
            look_for_crash();
        return result;
    }

private:
    void look_for_crash() noexcept;

    lkl::Kernel& kernel_;
    const std::function<void(const std::string& log)> crashed_;
    std::atomic<bool> told_{false};
};

// A descriptor of the kernel inside, closed at the end; or a negative errno.
class InnerFile {
public:
    InnerFile(Inner& inner, long descriptor, bool owned = true)
        : inner_(&inner), descriptor_(descriptor), owned_(owned)
    {
    }
    InnerFile(InnerFile&& other) noexcept
        : inner_(other.inner_),
          descriptor_(other.descriptor_),
          owned_(std::exchange(other.owned_, false))
    {
    }
    InnerFile& operator=(InnerFile&&) = delete;
    ~InnerFile()
    {
        if (owned_ && descriptor_ >= 0)
            inner_->call(__lkl__NR_close, descriptor_);
    }

    Inner& inner() const { return *inner_; }
    explicit operator bool() const { return descriptor_ >= 0; }
    long get() const { return descriptor_; }
    // The same as get(), named for what it is when there is none.
    long error() const { return descriptor_; }
    // The caller closes it.
    long release()
    {
        owned_ = false;
        return descriptor_;
    }

private:
    Inner* inner_;
    long descriptor_;
    bool owned_;
};

}  // namespace tools::lklfuse
