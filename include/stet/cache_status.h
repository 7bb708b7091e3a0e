/* SPDX-License-Identifier: MIT */
/*
 * cache_status: how an exchange was handled, told to whoever asks: Cache-Status (RFC 9211) and Proxy-Status
 * (RFC 9209). One member each, to be appended to those of hops before.
 */
#ifndef STET_CACHE_STATUS_H
#define STET_CACHE_STATUS_H

#include <stet/cache.h>

struct stet_cache_status {
    struct stet_span cache; /* the name of this cache: a token, or it is written as a string */
    bool hit;               /* nothing went on for this answer; then `forward` is NONE */
    enum stet_forward_cause forward;
    unsigned forward_status; /* what the next hop answered; 0: not told */
    bool has_ttl;
    int64_t ttl_s;
    bool stored;                   /* this and the next only beside `forward` */
    bool has_collapsed, collapsed; /* `collapsed` false: the request waited in vain */
    struct stet_span key;          /* absent: not told */
    enum stet_reason detail;       /* its name */
};

/* Octets at most, besides twice the cache's name (the proxy's name and the next hop) and twice the key. */
#define STET_CACHE_STATUS_MAX 256

/*
 * Writes the member; 0 if it does not fit `room` or has octets that a string cannot have (RFC 9651
 * section 3.3.3: printable ASCII alone). The detail is the reason's name, as a token.
 */
size_t stet_cache_status_write(const struct stet_cache_status *status, char *out, size_t room);

/* The name of a cause: "uri-miss". Static storage; absent for NONE. */
struct stet_span stet_forward_cause_name(enum stet_forward_cause cause);

struct stet_proxy_status {
    struct stet_span proxy;
    struct stet_span error; /* an error type of RFC 9209 section 2.3, as "connection_refused"; absent: none */
    struct stet_span next_hop; /* absent: not told */
    unsigned received_status;  /* 0: not told */
    enum stet_reason detail;
};

/* The same for Proxy-Status. The details are the reason's name, as a string. */
size_t stet_proxy_status_write(const struct stet_proxy_status *status, char *out, size_t room);

/* The error type of RFC 9209 section 2.3 for a reason of the group "the upstream"; absent if there is none.
 */
struct stet_span stet_proxy_error_type(enum stet_reason reason);

#endif
