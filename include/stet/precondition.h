/* SPDX-License-Identifier: MIT */
/*
 * precondition: conditional requests, RFC 9110 section 13.
 *
 * One function per precondition, and stet_precondition_judge that asks them in the order of section 13.2.2:
 *
 *            If-Match present? --yes--> false: precondition-failed
 *                 | no                  true: on to If-None-Match
 *            If-Unmodified-Since? ----> false: precondition-failed
 *                 |
 *            If-None-Match present? --> false: GET, HEAD not-modified; others precondition-failed
 *                 | no                  true: on to If-Range
 *            If-Modified-Since (GET, HEAD)? --> false: not-modified
 *                 |
 *            Range and If-Range (GET)? --> false: perform-whole
 *                 |
 *              perform
 *
 * A cache begins at If-None-Match (RFC 9111 section 4.3.2). All functions are pure. The caller sees to
 * section 13.2.1: it asks only if the answer without preconditions would be 2xx or 412.
 */
#ifndef STET_PRECONDITION_H
#define STET_PRECONDITION_H

#include <stet/date.h>
#include <stet/etag.h>
#include <stet/reason.h>

/* Who asks. */
enum stet_party { STET_PARTY_ORIGIN, STET_PARTY_CACHE };

/* The selected representation (RFC 9110 section 3.2), or for a cache the selected stored response. */
struct stet_representation {
    bool exists;               /* false: none is there now, as when PUT would create it */
    bool last_modified_strong; /* Last-Modified is a strong validator: RFC 9110 section 8.8.2.2 */
    struct stet_etag etag;     /* STET_NO_ETAG if it has none */
    int64_t last_modified;     /* STET_NO_DATE if it has none */
    uint64_t length;           /* complete length in octets */
    struct stet_etag held; /* another tag of the same, by weak comparison only: that under which the client
                              holds this coded copy (coded.h). STET_NO_ETAG if there is none */
};

/*
 * Gives `selected` the Last-Modified of what was last changed at `changed`, as of `now` (section 8.8.2): none
 * if that is in the future, or so long ago (before 3 January 1980) that a tool has set it to a constant; not
 * yet a strong one within the two seconds after it. Returns when it will be another: call again then.
 * INT64_MAX: never.
 */
int64_t stet_representation_date(struct stet_representation *selected, int64_t changed, int64_t now);

enum stet_verdict {
    STET_PERFORM,             /* carry out the method; Range applies */
    STET_PERFORM_WHOLE,       /* carry out the method as if Range were absent: If-Range is false */
    STET_NOT_MODIFIED,        /* 304 */
    STET_PRECONDITION_FAILED, /* 412 */
};

struct stet_judgement {
    enum stet_verdict verdict;
    enum stet_reason reason; /* of the step that decided; for PERFORM of the last one that was evaluated */
};

/*
 * `now` is only for two-digit years (date.h). NOT_MODIFIED by if-none-match-equivalent: the client knows it
 * by the tag `selected->held`, so that one goes into the ETag of the 304, which names what is to be freshened
 * (RFC 9111 section 4.3.4).
 */
struct stet_judgement stet_precondition_judge(const struct stet_request *request,
                                              const struct stet_representation *selected,
                                              enum stet_party party, int64_t now);

enum stet_condition {
    STET_CONDITION_ABSENT,  /* no such field */
    STET_CONDITION_IGNORED, /* present, but to be disregarded */
    STET_CONDITION_TRUE,
    STET_CONDITION_FALSE,
};

struct stet_condition_result {
    enum stet_condition condition;
    enum stet_reason reason; /* STET_REASON_NO_PRECONDITION if ABSENT */
};

/* The five preconditions, each by itself, as sections 13.1.1 to 13.1.5 define them (precedence is not their
 * matter). */
struct stet_condition_result stet_if_match(const struct stet_request *request,
                                           const struct stet_representation *selected);
struct stet_condition_result stet_if_none_match(const struct stet_request *request,
                                                const struct stet_representation *selected);
struct stet_condition_result stet_if_modified_since(const struct stet_request *request,
                                                    const struct stet_representation *selected, int64_t now);
struct stet_condition_result stet_if_unmodified_since(const struct stet_request *request,
                                                      const struct stet_representation *selected,
                                                      int64_t now);
struct stet_condition_result stet_if_range(const struct stet_request *request,
                                           const struct stet_representation *selected, int64_t now);

#endif
