/* SPDX-License-Identifier: MIT */
/*
 * update: what a 304 or the answer to a HEAD does to stored responses. RFC 9111 sections 3.2, 4.3.4
 * and 4.3.5.
 */
#ifndef STET_UPDATE_H
#define STET_UPDATE_H

#include <stet/stored.h>

/* Candidates are at most so many; more variants of one URI are the store's to limit. */
#define STET_CANDIDATES_MAX 64

enum stet_update_verdict {
    STET_UPDATE_NONE,       /* no stored response is the one that was meant: nothing changes */
    STET_UPDATE_FRESHEN,    /* those in `set` take over the fields */
    STET_UPDATE_INVALIDATE, /* `set` is empty, `invalidated` is not */
};

struct stet_update {
    enum stet_update_verdict verdict;
    enum stet_reason reason;
    uint64_t set;         /* bit i: stored[i] is meant */
    uint64_t invalidated; /* HEAD: these are no longer what the origin has */
};

/*
 * Which of the stored responses a 304 to `request` freshens (section 4.3.4): of those that the request
 * selects, by strong validator all that share it, by weak ones the newest, without any the only one if it has
 * none either. A 304 with a strong validator that none has freshens none: see stet_cache_receive.
 *
 * Tags whose octets differ are never of one response, whatever the dates. A 304 whose tag is weak where the
 * stored one is strong, with the same octets, counts as weak (intermediaries weaken tags); one that is strong
 * where the stored one is weak is known by Last-Modified only. A tag that was synthesised is none here. If
 * nothing else is found, a tag that differs in a suffix of others (stet_coded_tag_variation) is the newest
 * one that has it so: reason update-variation; whether the origin was asked with that tag is for the caller
 * to see to.
 */
void stet_update_by_304(const struct stet_request *request, const struct stet_response *response,
                        const struct stet_stored *const *stored, size_t count, struct stet_update *out);

/*
 * What a 200 to HEAD does to the stored answers to GET that the request selects (section 4.3.5): those whose
 * ETag and Last-Modified are those that came, as far as they came, and whose length is Content-Length if that
 * came, are freshened; the others are out of date.
 */
void stet_update_by_head(const struct stet_request *request, const struct stet_response *response,
                         const struct stet_stored *const *stored, size_t count, struct stet_update *out);

/*
 * The fields of `stored` after it took over those of `update` (section 3.2): each name that `update` has
 * replaces all lines of that name; others stay, in their order, and those of the update follow. Left out of
 * the update: Content-Length, Content-Encoding, Content-Range, Content-MD5 and Content-Digest (they are about
 * octets that did not come), ETag and Repr-Digest if the stored response has its own, and whatever
 * stet_stored_keeps does not keep under `control`, the directives of the update; lines of `stored` that it
 * does not keep go too. `room` has stored->count + update->count elements; spans borrow from both. Returns
 * the number.
 */
size_t stet_update_fields(const struct stet_fields *stored, const struct stet_fields *update,
                          const struct stet_cache_control *control, struct stet_field *room);

#endif
