/* SPDX-License-Identifier: MIT */
/*
 * purge_request: the body with which the admin is asked to purge, after draft-nottingham-http-invalidation:
 *
 *   {"type": "uri", "selectors": ["http://example.com/a", "http://example.com/b"], "purge": false}
 *
 * type is uri, uri-prefix, origin, group or all (which has no selectors). purge true removes what is
 * selected; else it is only invalidated, so that it can be validated, or used if the origin fails. A group
 * has its origin in "origin", or is of all. Other members are passed over.
 *
 * JSON of RFC 8259; depth is bounded, lone surrogates are refused, words and numbers that are passed over are
 * not looked at.
 */
#ifndef STET_PROXY_PURGE_REQUEST_H
#define STET_PROXY_PURGE_REQUEST_H

#include <stet/span.h>
#include <stet/status.h>

enum stet__purge_type {
    STET__PURGE_URI,
    STET__PURGE_PREFIX,
    STET__PURGE_ORIGIN,
    STET__PURGE_GROUP,
    STET__PURGE_ALL,
};

/* Spans borrow from the body. */
struct stet__purge_request {
    enum stet__purge_type type;
    bool hard;
    struct stet_span
        selectors;           /* what is left between the brackets of the list; absent if there is no list */
    struct stet_span origin; /* still escaped; absent if there is none */
};

/* Deeper values than this are refused. */
#define STET__PURGE_DEPTH 32

/* Reads the whole body: NULL, or what is wrong in a few words of static storage. */
const char *stet__purge_read(struct stet_span body, struct stet__purge_request *out);

/*
 * Decodes the next selector into `room` (as many octets as `selectors` has) and takes it away from
 * `selectors`. False behind the last.
 */
bool stet__purge_next(struct stet__purge_request *request, char *room, struct stet_span *selector);

/* Decodes the inside of a JSON string, which was read from a body before, into `room` (text.len octets). */
struct stet_span stet__purge_decode(struct stet_span text, char *room);

#endif
