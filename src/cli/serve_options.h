/* SPDX-License-Identifier: MIT */
/*
 * serve_options: what the command line of `stet serve` says. Texts borrow from argv; the lists are on the
 * heap.
 */
#ifndef STET_CLI_SERVE_OPTIONS_H
#define STET_CLI_SERVE_OPTIONS_H

#include "cli/option.h"
#include "net/access_log.h"
#include "net/address.h"
#include "net/server.h"
#include "serve/serve.h"

/* An array that grows: elements of one type, `count` of them at `at`. */
struct stet__cli_list {
    void *at;
    size_t count;
};

struct stet__serve_settings {
    struct stet__server_configuration server;
    struct stet__serve_configuration serve;
    struct stet__cli_list addresses; /* struct stet__listen_address */
    struct stet__cli_list indexes;   /* const char * */
    struct stet__cli_list pages;     /* struct stet__error_page */
    struct stet__cli_list rules;     /* struct stet__rule */
    const char *log;                 /* NULL: none */
    enum stet__log_format log_format;
    const char *user; /* NULL: stay who we are */
    bool quiet;
    bool no_confine;
    bool help;
};

/* Every default. */
void stet__serve_settings_init(struct stet__serve_settings *settings);
void stet__serve_settings_release(struct stet__serve_settings *settings);

/* Reads the command line and puts the lists into the configurations. False after a complaint. */
bool stet__serve_settings_parse(struct stet__serve_settings *settings, int argc, char **argv);

/* The rows, for the help. */
extern const struct stet__option_table stet__serve_options;

#endif
