/* SPDX-License-Identifier: MIT */
/*
 * confine: what a role may still reach of the file system once it serves (net/confine.h does it).
 */
#ifndef STET_CLI_CONFINE_H
#define STET_CLI_CONFINE_H

#include "cli/proxy_options.h"
#include "cli/serve_options.h"

/* Confines the process as far as the kernel can; to be called before the first thread starts. */
void stet__confine_serve(const struct stet__serve_settings *settings);
void stet__confine_proxy(const struct stet__proxy_settings *settings);

#endif
