/* SPDX-License-Identifier: MIT */
/*
 * check_options: what `stet check` can be told.
 */
#ifndef STET_CLI_CHECK_OPTIONS_H
#define STET_CLI_CHECK_OPTIONS_H

#include "check/check.h"
#include "cli/server_options.h"

enum { STET__CHECK_FAIL_NEVER = STET_LINT_BAD + 1 };

struct stet__check_options {
    struct stet__transfer_settings transfer;
    struct stet__check_settings settings;
    uint64_t content_max;
    unsigned timeout_s, connect_timeout_s, redirects_max;
    struct stet__cli_list headers;    /* const char *: "Name: value" */
    struct stet__cli_list only, skip; /* const char * */
    struct stet__cli_list resolve;    /* const char *, NULL at the end */
    struct stet_field *fields;        /* of the headers */
    struct stet_fields field_list;
    const char *edge, *origin, *har, *explain;
    /* Where the reports go: NULL is nowhere, "-" standard output. */
    const char *json, *sarif, *junit, *html;
    int fail_on; /* a severity, or STET__CHECK_FAIL_NEVER */
    bool http2, verbose, no_color, list, help;
};

void stet__check_options_init(struct stet__check_options *options);
void stet__check_options_release(struct stet__check_options *options);

/* Reads the command line; URIs are moved to the front of `argv`. False after a complaint. */
bool stet__check_options_parse(struct stet__check_options *options, int argc, char **argv, int *uris);
void stet__check_options_print(const struct stet__check_options *options, FILE *out);

#endif
