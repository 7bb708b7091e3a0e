/* SPDX-License-Identifier: MIT */
/*
 * server_options: what the command lines of all roles that listen have in common: where to listen, the limits
 * of their clients, log, user, confinement. A role's own settings begin with these, so that the rows fit them
 * all.
 */
#ifndef STET_CLI_SERVER_OPTIONS_H
#define STET_CLI_SERVER_OPTIONS_H

#include "cli/option.h"
#include "net/access_log.h"
#include "net/address.h"
#include "net/redirect.h"
#include "net/server.h"
#include "net/tls_config.h"

/* An array that grows: elements of one type, `count` of them at `at`. */
struct stet__cli_list {
    void *at;
    size_t count;
};

/* A copy of `element` at the end: NULL, or what is wrong ("out of memory"), as an option's `set` tells it. */
const char *stet__cli_list_append(struct stet__cli_list *list, const void *element, size_t size);

/* First member of the settings of a role. Texts borrow from argv. */
struct stet__server_settings {
    struct stet__server_configuration server;
    struct stet__cli_list addresses; /* struct stet__listen_address */
    struct stet__cli_list secure;    /* bool, for each of them: with "https:" before it */
    struct stet__cli_list pairs;     /* struct stet__tls_pair */
    struct stet__cli_list names;     /* const char *, owned: for --tls-self-signed */
    struct stet__tls_settings tls;
    struct stet__redirect redirect;
    unsigned redirect_port; /* 0: not asked for */
    const char *log;        /* NULL: none */
    enum stet__log_format log_format;
    const char *user; /* NULL: stay who we are */
    bool quiet;
    bool no_confine;
    bool help;
};

/* Every default. */
void stet__server_settings_init(struct stet__server_settings *settings, const struct stet__role *role);
void stet__server_settings_release(struct stet__server_settings *settings);

/* After parsing: puts the addresses into the configuration; `fallback` if none was named. False after a
 * complaint. */
bool stet__server_settings_finish(struct stet__server_settings *settings, const char *fallback);

/* tls_options.c: what finish and release do for TLS. */
bool stet__tls_settings_finish(struct stet__server_settings *settings);
void stet__tls_settings_release(struct stet__server_settings *settings);

struct stet_span stet__cli_span(const char *text);

/* `set` of --listen. */
const char *stet__server_set_listen(void *settings, const char *argument);

/* The row of --listen, whose default differs. */
#define STET__ROW_LISTEN(port)                                                            \
    STET__ROW_CALL("listen", "ADDR", "127.0.0.1:" port, stet__server_set_listen,          \
                   port ", :" port ", 127.0.0.1:" port ", [::1]:" port " or unix:PATH;\n" \
                        "with https: before it for TLS; may be repeated")

extern const struct stet__option_rows stet__rows_workers; /* --workers, --user: behind --listen */
extern const struct stet__option_rows stet__rows_tls;     /* tls_options.c */
extern const struct stet__option_rows stet__rows_log;
extern const struct stet__option_rows stet__rows_limits; /* of clients */
extern const struct stet__option_rows stet__rows_others; /* --no-confine, --help */

#endif
