/* SPDX-License-Identifier: MIT */
/*
 * proxy_options: what the command line of `stet proxy` says. Texts borrow from argv; lists and what is made
 * of texts are on the heap.
 */
#ifndef STET_CLI_PROXY_OPTIONS_H
#define STET_CLI_PROXY_OPTIONS_H

#include "cli/coding_options.h"
#include "net/tls_client.h"
#include "proxy/proxy.h"

struct stet__proxy_settings {
    union { /* first: the shared rows count from it */
        struct stet__server_settings common;
        struct stet__coding_server_settings codings;
    };
    struct stet__proxy_configuration proxy;
    struct stet__cli_list origins; /* struct stet__proxy_origin */
    struct stet__tls_client_settings origin_tls;
    const char *origin_sni;              /* NULL: the host of each */
    struct stet__tls_client *tls_client; /* NULL: no origin has TLS */
    struct stet__cli_list targets;       /* struct stet_span */
    struct stet__cli_list bypass;        /* struct stet_span */
    struct stet__cli_list admin;         /* struct stet__listen_address: at most one */
    char *ignore_query;                  /* the field value; NULL: none */
    const char *health_path;             /* NULL: no active checks */
    const char *name;
    const char *debug_token; /* NULL: none */
    bool ignore_clients;
};

/* Every default. */
void stet__proxy_settings_init(struct stet__proxy_settings *settings);
void stet__proxy_settings_release(struct stet__proxy_settings *settings);

/* Reads the command line and puts texts and lists into the configurations. False after a complaint. */
bool stet__proxy_settings_parse(struct stet__proxy_settings *settings, int argc, char **argv);

/*
 * An origin as a user names it: http://HOST[:PORT], HOST:PORT or unix:PATH. NULL, or what is wrong in a few
 * words of static storage. Borrows from `text`. proxy_origin.c
 */
const char *stet__proxy_origin_parse(struct stet_span text, struct stet__proxy_origin *out);

/*
 * The No-Vary-Search value that leaves the parameters of a list ("utm_source,fbclid", or "*" for all) out of
 * the key, on the heap; NULL if the list is empty, an entry is, or there is no memory. proxy_origin.c
 */
char *stet__ignore_query_value(const char *names);

/* Makes what origins with https need; false after a complaint. And its end, when no proxy uses them.
 * origin_tls_options.c */
bool stet__origin_tls_begin(struct stet__proxy_settings *settings);
void stet__origin_tls_end(struct stet__proxy_settings *settings);

extern const struct stet__option_rows stet__rows_origin_tls;

/* Whether an address can be reached from this machine only: loopback or a Unix socket. proxy_origin.c */
bool stet__address_is_local(const struct stet__listen_address *address);

/* The rows, for the help. */
extern const struct stet__option_table stet__proxy_options;

#endif
