/* SPDX-License-Identifier: MIT */
#include <stet/stet.h>

const char *stet_version(void)
{
    return STET_VERSION;
}
