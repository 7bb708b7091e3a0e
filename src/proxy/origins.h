/* SPDX-License-Identifier: MIT */
/*
 * origins: which origin is asked, at which address, and whether it is well.
 *
 * An origin is unhealthy after `fall` failures in a row, of requests (no usable answer) or of checks. Without
 * active checks it is tried again with one request every `retry_s`; with them after `rise` good checks. The
 * only origin there is gets every request, unless active checks say no.
 */
#ifndef STET_PROXY_ORIGINS_H
#define STET_PROXY_ORIGINS_H

#include "proxy/worker.h"

#define STET__ORIGINS_MAX 64

struct stet__origins *stet__origins_new(const struct stet__proxy_configuration *configuration);
void stet__origins_free(struct stet__origins *origins);

/* Healthy or not: for the admin listener. */
bool stet__origin_healthy(const struct stet__origins *origins, size_t index);

/* One request's way to an origin; sits inside its owner. */
struct stet__attempt {
    struct stet__proxy_worker *worker;
    struct stet_span authority; /* forward proxy: host and port; absent: one of our origins */
    void (*found)(struct stet__attempt *attempt); /* `address` is there; or `failure` */
    enum stet_reason failure;
    struct stet__listen_address address;
    size_t origin;  /* index */
    uint64_t tried; /* bit per origin */
    unsigned tries;
    struct stet__resolved resolved;
    size_t at; /* of the resolved addresses */
    size_t addresses_tried;
    struct stet__resolve resolve;
    bool resolving;
};

/* Finds an address. `found` may be called from within. */
void stet__attempt_begin(struct stet__attempt *attempt);

/*
 * It failed. True: `found` has been or will be called with the next address of this origin (if `connected` is
 * false), or of another one (if `safe`).
 */
bool stet__attempt_next(struct stet__attempt *attempt, enum stet_reason reason, bool safe);

/* It was answered, in HTTP/1.`minor`. */
void stet__attempt_worked(struct stet__attempt *attempt, unsigned minor);

/* Whether its origin answered last in HTTP/1.0. Of a forward proxy nothing is known. */
bool stet__attempt_is_http10(const struct stet__attempt *attempt);
void stet__attempt_cancel(struct stet__attempt *attempt);

/* ---- active checks, by one worker: health.c ---- */

struct stet__health *stet__health_new(struct stet__proxy_worker *worker);
void stet__health_free(struct stet__health *health);
void stet__health_second(struct stet__health *health);

/* What a check or a request says. */
void stet__origin_failed(struct stet__proxy_worker *worker, size_t index);
void stet__origin_checked(struct stet__proxy_worker *worker, size_t index, bool good);

#endif
