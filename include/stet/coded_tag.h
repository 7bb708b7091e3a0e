/* SPDX-License-Identifier: MIT */
/*
 * coded_tag: the entity tags of coded copies of a representation. RFC 9110 sections 8.8.1 and 8.8.3.3.
 *
 *   "x"                 the base: what the file is, what the origin sent
 *   "x;br-5f3a9c02"     a coded copy: base, coding, and a fingerprint of the coded octets
 *   "x;br-~0123456789abcdef"   octets made while they are sent and not kept: a nonce of their own
 *   W/"x;br-5f3a9c02"   the same of a weak base
 *
 * A strong tag must not be the same for different octets, and levels and versions of a library, precompressed
 * files and nodes give different octets of one coding. So the fingerprint is in the tag: equal octets, equal
 * tag, on whatever node. Two tags with one base and one coding are *equivalent*: by weak comparison the same,
 * enough for If-None-Match (section 13.1.2). If-Match and If-Range want all octets of the tag the same.
 *
 * Other servers append suffixes without a fingerprint (coded_tag.def). Such a tag is equivalent, too. What a
 * tag looks like proves nothing, so equality with a tag that is known is looked at first, always.
 */
#ifndef STET_CODED_TAG_H
#define STET_CODED_TAG_H

#include <stet/coding.h>
#include <stet/etag.h>

enum stet_coded_tag_kind {
    STET_CODED_TAG_NONE,    /* no suffix: `base` is all of it, `coding` means nothing */
    STET_CODED_TAG_KEPT,    /* ours, `mark` is a fingerprint of 32 bits */
    STET_CODED_TAG_PASSING, /* ours, `mark` is a nonce of 64 bits */
    STET_CODED_TAG_FOREIGN, /* a suffix of others; `coding` may be UNKNOWN: one of them */
};

struct stet_coded_tag {
    struct stet_etag base; /* opaque part without the suffix; as weak as the tag */
    enum stet_coded_tag_kind kind;
    enum stet_coding coding;
    uint64_t mark;
};

/* Takes a tag apart, at its last suffix. The base borrows from it. */
void stet_coded_tag_read(struct stet_etag tag, struct stet_coded_tag *out);

/* Whether the suffix is one that stet writes. */
bool stet_coded_tag_ours(struct stet_etag tag);

#define STET_CODED_TAG_MORE 31 /* what a coded tag with quotes is longer than the opaque part of its base */

/*
 * Writes the field value, with quotes and W/. `tag->kind` is KEPT or PASSING and `tag->coding` one that is
 * made (coding.def). Returns the octets written; 0 if `room` is too small (base length + STET_CODED_TAG_MORE
 * is enough) or the base has no tag.
 */
size_t stet_coded_tag_write(const struct stet_coded_tag *tag, char *out, size_t room);

enum stet_coded_likeness {
    STET_CODED_UNLIKE,     /* a tag of something else */
    STET_CODED_EQUIVALENT, /* of the same base, by weak comparison */
    STET_CODED_SAME,       /* the base's own tag, by weak comparison of all its octets */
};

/*
 * What `tag`, that a client presents, is of the representation that has the tag `base` and the coding `own`.
 * Unless it is UNLIKE, `*coding` is set: `own` for the base's own tag; UNKNOWN for EQUIVALENT by a suffix
 * that does not say which.
 */
enum stet_coded_likeness stet_coded_tag_compare(struct stet_etag tag, struct stet_etag base,
                                                enum stet_coding own, enum stet_coding *coding);

/*
 * Whether the tag of an origin's 304, `now`, is a variation of a stored one, `then`: the same octets with the
 * weakness mark added or gone, or a foreign suffix added, gone or changed. Equal tags are no variation.
 */
bool stet_coded_tag_variation(struct stet_etag then, struct stet_etag now);

/* Toward the origin. What it gets are its own tags. */
enum stet_origin_tags {
    STET_ORIGIN_TAGS_AS_THEY_ARE, /* no member is ours: the lines go on as they came */
    STET_ORIGIN_TAGS_REWRITTEN,   /* `out` has the one value that takes the place of all lines */
    STET_ORIGIN_TAGS_NO_ROOM,     /* it does not fit: twice the octets of all lines are enough */
};

/*
 * If-None-Match or If-Match (`id`) of a request: members that are ours are replaced by their base, and what
 * is there twice then is left out. Malformed members are left out of what is rewritten.
 */
enum stet_origin_tags stet_origin_tags_write(const struct stet_fields *fields, enum stet_field_id id,
                                             char *out, size_t room, size_t *len);

/*
 * Whether If-Range of a request names a coded copy of ours: Range and If-Range are not forwarded then,
 * because the origin does not have those octets.
 */
bool stet_origin_range_ours(const struct stet_fields *fields);

#endif
