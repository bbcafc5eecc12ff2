// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/preload/settings.hpp"

#include <cstdlib>
#include <memory>
#include <mutex>

#include "hijack/preload/host.hpp"
#include "hijack/preload/message.hpp"

namespace hijack::settings {

namespace {

std::string& stored_run_id()
{
    static std::string& id = *new std::string;
    return id;
}

}  // namespace

const Configuration* configuration()
{
    static std::once_flag once;
    static const Configuration* read = nullptr;
    std::call_once(once, [] {
        auto result = read_configuration();
        if (result)
            read = new Configuration(*std::move(result));
        else
            message(result.error().what);
    });
    return read;
}

void set_run_id()
{
    const char* const given = std::getenv("LKL_RUN_ID");
    if (given && *given) {
        stored_run_id() = given;
        return;
    }
    stored_run_id() = make_run_id();
    ::setenv("LKL_RUN_ID", stored_run_id().c_str(), 1);
}

std::string run_id()
{
    return stored_run_id();
}

}  // namespace hijack::settings
