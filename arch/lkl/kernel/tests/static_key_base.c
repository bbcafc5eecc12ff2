// SPDX-License-Identifier: GPL-2.0
/* The keys of another module, for the kernel's test of static keys. */
#include "../../../../lib/test_static_key_base.c"
