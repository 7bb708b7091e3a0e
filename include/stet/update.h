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
    STET_UPDATE_FRESHEN,    /* those in the set take over the fields */
    STET_UPDATE_INVALIDATE, /* HEAD says that those in the set are no longer what the origin has */
};

struct stet_update {
    enum stet_update_verdict verdict;
    enum stet_reason reason;
    uint64_t set; /* bit i: stored[i] */
};

/*
 * Which of the stored responses a 304 to `request` freshens (section 4.3.4): those that the request selects,
 * by strong validator all that share it, by weak ones the newest, without any the only one if it has none
 * either. A 304 with a strong validator that none has freshens none: see stet_cache_receive. A 304 that
 * carries a tag which is weak where the stored one is strong, with the same octets, counts as the same
 * (intermediaries weaken tags).
 */
void stet_update_by_304(const struct stet_request *request, const struct stet_response *response,
                        const struct stet_stored *const *stored, size_t count, struct stet_update *out);

/* What a 200 to HEAD does to the stored answers to GET that the request selects (section 4.3.5). */
void stet_update_by_head(const struct stet_request *request, const struct stet_response *response,
                         const struct stet_stored *const *stored, size_t count, struct stet_update *out);

/*
 * The fields of `stored` after it took over those of `update` (section 3.2): each name that `update` has
 * replaces all lines of that name; others stay, in their order. Left out of the update: Content-Length,
 * Content-Encoding, Content-Range, Content-MD5, Content-Digest and Repr-Digest if the stored response has its
 * own, ETag likewise (they belong to the octets that are kept), and whatever stet_stored_keeps does not.
 * `room` has stored->count + update->count elements; spans borrow from both. Returns the number.
 */
size_t stet_update_fields(const struct stet_fields *stored, const struct stet_fields *update,
                          const struct stet_cache_control *control, struct stet_field *room);

#endif
