/* SPDX-License-Identifier: MIT */
/*
 * freshness: how long a response may be used without asking, and how old it is. RFC 9111 section 4.2.
 *
 *   fresh = lifetime_s > current_age             (strictly: section 4.2)
 *
 * All times are whole Unix seconds; all sums saturate at STET_SECONDS_MAX and none is negative
 * (section 1.2.2): no input makes arithmetic overflow.
 */
#ifndef STET_FRESHNESS_H
#define STET_FRESHNESS_H

#include <stet/cache_control.h>
#include <stet/date.h>
#include <stet/reason.h>

/* What the decisions about one response need of the times of its exchange. */
struct stet_times {
    int64_t request;  /* when the request was sent: request_time */
    int64_t response; /* when the head of the response had come: response_time */
    int64_t age; /* what it said in Age (stet_message_age), which is not kept with its fields: age_value */
};

/* What an operator may choose. */
struct stet_heuristic {
    unsigned percent; /* of Date less Last-Modified; RFC 9111 section 4.2.2 names 10. 0: none */
    int64_t max_s;    /* at most so long */
};

#define STET_HEURISTIC_DEFAULT ((struct stet_heuristic){10, 86400})

struct stet_freshness {
    int64_t lifetime_s;      /* freshness_lifetime: section 4.2.1; 0 if there is none */
    int64_t initial_age_s;   /* corrected_initial_age: section 4.2.3 */
    int64_t response_time;   /* since when it rests here */
    bool explicit_expiry;    /* max-age, s-maxage or Expires is there, valid or not */
    bool heuristic;          /* the lifetime is a guess */
    enum stet_reason reason; /* STET_REASON_LIFETIME_...: where the lifetime comes from */
};

/*
 * Reads the freshness of a response. `control` comes from its fields. `shared`: s-maxage counts. With a
 * targeted `control` Expires does not count (RFC 9213 section 2.2). An Expires that is invalid or there twice
 * is in the past (section 5.3); two-digit years are read as of times.response. A heuristic needs a status
 * that allows it (stet_status_heuristic) or `public`, and no explicit expiry (section 4.2.2).
 */
struct stet_freshness stet_freshness_read(const struct stet_response *response,
                                          const struct stet_cache_control *control, struct stet_times times,
                                          bool shared, struct stet_heuristic heuristic);

/* current_age: section 4.2.3. A clock that went back gives the initial age. */
int64_t stet_freshness_age(const struct stet_freshness *freshness, int64_t now);

/*
 * Seconds that are left of the lifetime: the ttl of RFC 9211 section 2.4. The response is fresh while this is
 * above 0.
 */
int64_t stet_freshness_ttl(const struct stet_freshness *freshness, int64_t now);

/*
 * Date of a message, or `received` if it has none, several or an invalid one (RFC 9110 section 6.6.1). Dates
 * are read in any case (RFC 9111 section 4.2), unlike those of preconditions.
 */
int64_t stet_message_date(const struct stet_fields *fields, int64_t received);

/*
 * Age of a message: the first member of the first line counts; one that is not digits alone is ignored: 0
 * (RFC 9111 section 5.1).
 */
int64_t stet_message_age(const struct stet_fields *fields);

/* Whether a cache may guess a lifetime for this status: RFC 9110 section 15.1. */
bool stet_status_heuristic(unsigned status);

#endif
