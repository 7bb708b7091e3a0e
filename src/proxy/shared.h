/* SPDX-License-Identifier: MIT */
/*
 * shared: what all workers of a proxy share. Safe for threads; constant but for what the parts lock
 * themselves.
 */
#ifndef STET_PROXY_SHARED_H
#define STET_PROXY_SHARED_H

#include <stdatomic.h>

#include <stet/no_vary_search.h>

#include "proxy/proxy.h"

struct stet__copying;
struct stet__fills;
struct stet__lately;
struct stet__origins;

#define STET__PSEUDONYM_MAX 80

struct stet__proxy {
    const struct stet__proxy_configuration *configuration;
    struct stet__store *store;
    struct stet__resolver *resolver;
    struct stet__fills *fills;
    struct stet__lately *lately;
    struct stet__origins *origins;
    struct stet__copying *copying; /* NULL: no coded copies */
    atomic_size_t recoding_bytes;  /* of coders of what passes */
    struct stet_span pseudonym;    /* name and a random suffix: Via; loops are known by it */
    struct stet_span via;          /* "1.1 PSEUDONYM" */
    struct stet_span via_http10;   /* "1.0 PSEUDONYM" */
    struct stet_no_vary_search ignore_query;
    atomic_bool checked;       /* a worker has the active checks */
    unsigned char secret[192]; /* for boundaries */
    char text[STET__PSEUDONYM_MAX], text_http10[STET__PSEUDONYM_MAX];
};

#endif
