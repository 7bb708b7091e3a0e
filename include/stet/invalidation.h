/* SPDX-License-Identifier: MIT */
/*
 * invalidation: which stored responses an answer makes suspect. RFC 9111 section 4.4 and RFC 9875.
 */
#ifndef STET_INVALIDATION_H
#define STET_INVALIDATION_H

#include <stet/message.h>
#include <stet/reason.h>
#include <stet/sf.h>
#include <stet/uri.h>

/* The URIs that the answer to an unsafe request invalidates: the target, Location, Content-Location. */
struct stet_invalidation {
    const struct stet_response *response;
    struct stet_uri target;
    size_t at; /* private */
};

/*
 * Starts. False, and nothing to read, unless the method is unsafe or unknown and the status is 2xx or 3xx.
 * The URI of `target` and the response outlive `out`.
 */
bool stet_invalidation_begin(struct stet_invalidation *out, enum stet_method method,
                             const struct stet_response *response, const struct stet_uri *target);

/*
 * Writes the next URI in normal form (uri.h) to `out` and its length to `*len`: STET_OK, STET_END, or
 * STET_E_NO_ROOM for one that does not fit `room`, after which the next can be asked for. The target comes
 * first; URIs of another origin are left out.
 */
int stet_invalidation_next(struct stet_invalidation *invalidation, char *out, size_t room, size_t *len);

/* The groups that a response belongs to, or that an answer invalidates. */
enum stet_group_source {
    STET_GROUPS,             /* Cache-Groups: a list of Strings; invalid as a whole if malformed */
    STET_GROUPS_INVALIDATED, /* Cache-Group-Invalidation, likewise */
    STET_GROUPS_SURROGATE,   /* Surrogate-Key: words apart by spaces; xkey the same */
    STET_GROUPS_CACHE_TAG,   /* Cache-Tag: words apart by commas */
};

struct stet_group_list {
    enum stet_group_source source;
    struct stet_sf sf;
    const struct stet_fields *fields;
    size_t line;
    struct stet_span rest;
    size_t left; /* so many more are read */
};

/* At most so many groups are read of one field, each of at most so many octets; RFC 9875 asks for 32 of 32.
 * What is beyond belongs to no group. */
#define STET_GROUPS_MAX 128
#define STET_GROUP_OCTETS_MAX 256

void stet_group_list_begin(struct stet_group_list *list, const struct stet_fields *fields,
                           enum stet_group_source source);

/* The next group, decoded into `room` (STET_GROUP_OCTETS_MAX octets), or STET_END. One that is longer is
 * skipped. */
int stet_group_list_next(struct stet_group_list *list, char *room, struct stet_span *group);

#endif
