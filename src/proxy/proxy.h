/* SPDX-License-Identifier: MIT */
/*
 * proxy: the shared cache. proxy.c reads top to bottom as the life of a request; core decides, store keeps,
 * net moves octets.
 */
#ifndef STET_PROXY_PROXY_H
#define STET_PROXY_PROXY_H

#include <stet/cache.h>

#include "coding/settings.h"
#include "net/exchange.h"
#include "net/resolve.h"
#include "net/upstream.h"
#include "store/store.h"

/* An origin as the user names it: http://HOST[:PORT] or unix:PATH. */
struct stet__proxy_origin {
    struct stet_span text;      /* as given */
    struct stet_span host;      /* without brackets; absent: a Unix socket, whose address is `local` */
    struct stet_span authority; /* for Host if --host origin is given */
    unsigned port;
    struct stet__listen_address local;
    bool secure;                  /* https */
    struct stet__tls_origin *tls; /* if so; NULL until there is one */
};

enum stet__balance { STET__BALANCE_ROUND_ROBIN, STET__BALANCE_LEAST_CONNECTIONS };
enum stet__range_miss { STET__RANGE_MISS_WHOLE, STET__RANGE_MISS_SLICE };

/* Which answers are coded while they pass: coded.h. Stored ones get kept copies in any case. */
enum stet__code_passing {
    STET__CODE_PASSING_STORED, /* that which is stored meanwhile, for the client that it was fetched for */
    STET__CODE_PASSING_ALL,    /* also what is not stored */
    STET__CODE_PASSING_OFF,
};

struct stet__proxy_health {
    struct stet_span path; /* asked for with GET; absent: no active checks */
    unsigned interval_s;
    unsigned fall;    /* failures in a row (of checks or of requests) that make an origin unhealthy */
    unsigned rise;    /* good checks in a row that make it healthy again */
    unsigned retry_s; /* without active checks: an unhealthy origin is tried again after so long */
};

/* Everything that an option can say: src/cli/proxy_options.c. Shared by all workers, constant. */
struct stet__proxy_configuration {
    const struct stet__proxy_origin *origins;
    size_t origin_count; /* 0 with `forward` */
    enum stet__balance balance;
    struct stet__proxy_health health;
    struct stet__upstream_limits upstream;
    unsigned tries; /* of safe requests without a body: on another origin after a failure; at least 1 */
    unsigned tunnel_timeout_s;
    unsigned lag_timeout_s; /* of a client that others wait for: fill.h */
    struct stet_cache_policy policy;
    struct stet__store_limits store;
    uint64_t etag_bytes; /* --etag-limit: bodies up to here are held back to hash them */
    enum stet__range_miss range_miss;
    struct stet__coding_settings coding; /* `made` 0: answers go out in the coding that the origin chose */
    enum stet__code_passing code_passing;
    uint64_t decode_bytes;          /* --decode-max: no answer is decoded beyond it */
    struct stet_span name;          /* of this cache: Via, Cache-Status, Proxy-Status */
    struct stet_span ignore_query;  /* a No-Vary-Search value for responses without one; absent: none */
    const struct stet_span *bypass; /* path prefixes that are never cached */
    size_t bypass_count;
    bool forward;         /* also a forward proxy: absolute-form and CONNECT to any server */
    bool host_of_origin;  /* Host is the origin's, not the client's */
    bool trust_forwarded; /* X-Forwarded-* and Forwarded of the client are appended to, not replaced */
    bool tell_key;        /* Cache-Status has key */
    bool quiet;           /* no Cache-Status at all */
    struct stet_span debug_token; /* --debug-header; absent: none */
    unsigned workers;
};

/* What all workers share: store, fills under way, origins' health. */
struct stet__proxy;

/* NULL with `*error` a sentence in static storage. */
struct stet__proxy *stet__proxy_new(const struct stet__proxy_configuration *configuration,
                                    const char **error);
void stet__proxy_free(struct stet__proxy *proxy);

/* Its role_configuration is a struct stet__proxy. */
extern const struct stet__role stet__proxy_role;

/* The admin listener's role (admin.c): purge and state; likewise. */
extern const struct stet__role stet__admin_role;

#endif
