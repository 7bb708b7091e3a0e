/* SPDX-License-Identifier: MIT */
/*
 * resolve: names to addresses without holding up the loop. A thread of its own asks the system (getaddrinfo);
 * answers are kept for a while, failures for a short one.
 */
#ifndef STET_NET_RESOLVE_H
#define STET_NET_RESOLVE_H

#include "net/address.h"

struct stet__loop;
struct stet__resolver;

#define STET__RESOLVE_KEEP_S 30
#define STET__RESOLVE_KEEP_FAILURE_S 2
#define STET__RESOLVE_ADDRESSES 8

struct stet__resolved {
    size_t count; /* 0: the name does not resolve */
    struct stet__listen_address at[STET__RESOLVE_ADDRESSES];
};

/*
 * One per process, used from any thread. NULL if there is no memory or thread. It is freed when no loop that
 * questions were asked from runs any more; a question of the system that is under way is not waited for.
 */
struct stet__resolver *stet__resolver_new(void);
void stet__resolver_free(struct stet__resolver *resolver);

/* Asks the system; in the resolver's thread. For tests another can take its place. */
typedef void stet__resolve_lookup(const char *host, struct stet__resolved *out);
struct stet__resolver *stet__resolver_new_with(stet__resolve_lookup *lookup);

/* One question; sits inside its owner. */
struct stet__resolve {
    void (*done)(struct stet__resolve *resolve, const struct stet__resolved *resolved);
    struct stet__loop *loop; /* whose thread asks and cancels */
    void *pending;           /* the resolver's; NULL: no answer is to come */
};

/*
 * Asks for `host` (a name, or an address in digits with or without brackets) and `port`. True: `*out` holds
 * the answer, which was known (or cannot be had: count 0). False: `done` will be called on `resolve->loop`,
 * unless stet__resolve_cancel is called before.
 */
bool stet__resolve_ask(struct stet__resolver *resolver, struct stet__resolve *resolve, struct stet_span host,
                       unsigned port, struct stet__resolved *out);
/* `done` will not be called; nothing if it was already. `resolve` may be freed. */
void stet__resolve_cancel(struct stet__resolver *resolver, struct stet__resolve *resolve);

#endif
