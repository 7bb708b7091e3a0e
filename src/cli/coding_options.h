/* SPDX-License-Identifier: MIT */
/*
 * coding_options: what the command lines of `stet serve` and `stet proxy` say about content codings. The
 * settings of both begin with the struct below, so that the rows fit them.
 */
#ifndef STET_CLI_CODING_OPTIONS_H
#define STET_CLI_CODING_OPTIONS_H

#include "cli/server_options.h"
#include "coding/settings.h"

struct stet__coding_server_settings {
    struct stet__server_settings common; /* first: the shared rows count from it */
    struct stet__coding_settings coding;
    struct stet__cli_list coding_types; /* struct stet_span: of --coding-types; empty: the default */
};

/* Every default: br, zstd, gzip at their best; types that gain from it; 256 octets to 16 MiB. */
void stet__coding_settings_init(struct stet__coding_server_settings *settings);

/* After parsing. */
void stet__coding_settings_finish(struct stet__coding_server_settings *settings);

void stet__coding_settings_release(struct stet__coding_server_settings *settings);

/* --codings, --coding-types, --coding-level, --coding-min, --coding-max. */
extern const struct stet__option_rows stet__rows_codings;

#endif
