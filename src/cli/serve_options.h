/* SPDX-License-Identifier: MIT */
/*
 * serve_options: what the command line of `stet serve` says. Texts borrow from argv; the lists are on the
 * heap.
 */
#ifndef STET_CLI_SERVE_OPTIONS_H
#define STET_CLI_SERVE_OPTIONS_H

#include "cli/coding_options.h"
#include "serve/serve.h"

struct stet__serve_settings {
    union { /* first: the shared rows count from it */
        struct stet__server_settings common;
        struct stet__coding_server_settings coded;
    };
    struct stet__serve_configuration serve;
    struct stet__cli_list indexes; /* const char * */
    struct stet__cli_list pages;   /* struct stet__error_page */
    struct stet__cli_list rules;   /* struct stet__rule */
    const char *cache_dir;         /* NULL: none */
};

/* Every default. */
void stet__serve_settings_init(struct stet__serve_settings *settings);
void stet__serve_settings_release(struct stet__serve_settings *settings);

/* Reads the command line and puts the lists into the configurations. False after a complaint. */
bool stet__serve_settings_parse(struct stet__serve_settings *settings, int argc, char **argv);

/* The rows, for the help. */
extern const struct stet__option_table stet__serve_options;

#endif
