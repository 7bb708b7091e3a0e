/* SPDX-License-Identifier: MIT */
/*
 * stored: a stored response as the decisions see it, and whether there may be one. RFC 9111 sections 3 and 4.
 *
 * A cache keeps octets as it likes and hands core this view of them. The view is made once, when a response
 * is stored or updated (stet_stored_read), and only read afterwards, so that a hit computes nothing that does
 * not depend on the request or the time.
 */
#ifndef STET_STORED_H
#define STET_STORED_H

#include <stet/freshness.h>
#include <stet/precondition.h>
#include <stet/range.h>

/* How this cache behaves where RFC 9111 leaves it a choice. One per program. */
struct stet_cache_policy {
    bool shared; /* false: a private cache; private, s-maxage and Authorization do not matter */
    const struct stet_span *targets; /* targeted fields that are ours, in order (RFC 9213); may be NULL */
    size_t target_count;
    struct stet_heuristic heuristic;
    int64_t grace_s;       /* stale-while-revalidate for responses that do not say; 0: none */
    int64_t error_grace_s; /* stale-if-error for responses that do not say; 0: none */
    bool obey_clients;     /* request directives that ask for more than the response does (max-age, no-cache,
                              min-fresh) are followed: RFC 9111 section 5.2.1 makes them advice */
    bool keep_cookies; /* shared: an answer with Set-Cookie that says it is fresh is stored: section 7.3 */
};

/* The policy of stet proxy without options: shared, no targets, heuristic as default, no grace, obedient. */
#define STET_CACHE_POLICY_SHARED \
    ((struct stet_cache_policy){ \
        .shared = true, .heuristic = STET_HEURISTIC_DEFAULT, .obey_clients = true, .keep_cookies = true})

/* Which octets of a representation are held. */
struct stet_held {
    bool complete;     /* all of them */
    bool length_known; /* `complete_length` counts: a 206 may leave it open, as an incomplete 200 */
    uint64_t complete_length;
    struct stet_range range; /* unless complete: the one range that is held (first to last) */
};

struct stet_stored {
    /* Given. */
    struct stet_response response; /* status and the fields to send again. A stored 206 keeps the fields that
                                      a 200 would have and has the status 200; `held` tells the difference */
    enum stet_method method; /* GET or HEAD: what it may answer (section 4); a POST that is kept is a GET */
    struct stet_fields selecting; /* the request's fields that Vary names; section 4.1. Others may be there */
    struct stet_times times;
    struct stet_held held;
    bool authorized;  /* the request had Authorization: section 3.5 */
    bool synthesised; /* its ETag is ours: the origin must not be asked with it */

    /* Read from these by stet_stored_read. */
    struct stet_cache_control control;
    struct stet_freshness freshness;
    struct stet_representation selected; /* validators; Last-Modified is strong by RFC 9110 section 8.8.2.2 */
    int64_t date;                        /* Date, or the time of arrival */
};

/*
 * Fills the second half of `stored` from the first. Its spans borrow from the fields and the policy. A
 * private cache keeps what `private` names: control.private_fields is absent there.
 */
void stet_stored_read(struct stet_stored *stored, const struct stet_cache_policy *policy);

/* May it be stored? Reasons: STET_REASON_STORABLE_... and STET_REASON_NOT_STORED_... */
struct stet_storable {
    bool storable;
    enum stet_reason reason; /* of the first rule that decided */
};

/*
 * Whether the final response to `request` may be stored. The rules in their order, the first that objects
 * counts; without a clause they are of section 3:
 *
 *   not-stored-method         GET, HEAD, and POST as below
 *   not-stored-status         not final; 304; must-understand and not known (section 5.2.2.3); 428, 429,
 *                             431 and 511 (RFC 6585); 407, 412, 416 and 417, which answer to fields of
 *                             the request that select nothing
 *   not-stored-partial        a 206 to another method than GET, or without one valid Content-Range
 *                             (section 3.3)
 *   not-stored-request-no-store   section 5.2.1.5, always followed
 *   not-stored-no-store       unless must-understand lifts it
 *   not-stored-private        unqualified, in a shared cache
 *   not-stored-authorization  section 3.5, in a shared cache
 *   not-stored-no-lifetime    no explicit expiry, no public (in a private cache: private), and a status
 *                             that is not heuristic
 *   not-stored-post           other than a 200 with a positive explicit lifetime and a Content-Location
 *                             that is `target`, as a path or as a URI with the request's Host: RFC 9110
 *                             section 9.3.3
 *   not-stored-vary           an asterisk in Vary, which no request could ever select
 *   not-stored-cookie         in a shared cache Set-Cookie needs policy->keep_cookies, a positive explicit
 *                             lifetime and no unqualified no-cache: section 7.3
 *   not-stored-useless        nothing to validate with, and it could never be used without
 *
 * `stored` is read by stet_stored_read; `target` is the path and query of the request, absent if there is
 * none.
 */
struct stet_storable stet_storable_judge(const struct stet_request *request, struct stet_span target,
                                         const struct stet_stored *stored,
                                         const struct stet_cache_policy *policy);

/*
 * Whether the response may answer others than who got it (section 3.5): it was obtained without
 * Authorization, or public, must-revalidate or a valid s-maxage allow it. A private cache does not ask.
 */
bool stet_stored_shareable(const struct stet_stored *stored);

/*
 * Whether `field` of a response is kept when it is stored: not hop-by-hop, not nominated by Connection, no
 * proxy authentication (section 3.1), not named by a qualified private (5.2.2.7) or no-cache (5.2.2.4:
 * leaving it out is how the field is never sent again without validation), not Age (it is in stet_times).
 * Unknown fields are kept, and so is the Cache-Status of hops before this one (RFC 9211 section 2).
 */
bool stet_stored_keeps(const struct stet_field *field, const struct stet_fields *all,
                       const struct stet_cache_control *control);

#endif
