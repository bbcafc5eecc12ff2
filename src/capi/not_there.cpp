// SPDX-License-Identifier: GPL-2.0-only
// Established functions that have no meaning here: there, so that programs link, and an
// error each. docs/compatibility.md has the reasons.
#include <string>

#include <lkl.h>

#include "capi/errors.hpp"

namespace {

int not_there(const char* name)
{
    return lkl::capi::fail(LKL_ENOSYS, std::string(name) + "(): not in this library");
}

}  // namespace

extern "C" {

int lkl_get_free_irq(const char* /*user*/)
{
    return not_there("lkl_get_free_irq");
}

int lkl_trigger_irq(int /*irq*/)
{
    return not_there("lkl_trigger_irq");
}

void lkl_put_irq(int /*irq*/, const char* /*user*/)
{
    (void)not_there("lkl_put_irq");
}

void lkl_register_dbg_handler(void)
{
    (void)not_there("lkl_register_dbg_handler");
}

}  // extern "C"
