/* SPDX-License-Identifier: MIT */
/*
 * etag: entity tags, RFC 9110 section 8.8.3, and lists of them as If-Match and If-None-Match hold them
 * (sections 13.1.1 and 13.1.2).
 *
 *   entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE        etagc = %x21 / %x23-7E / obs-text
 *
 * A backslash is an ordinary octet and only a double quote ends a tag: tags are not quoted strings, and a
 * comma inside one does not split a list.
 */
#ifndef STET_ETAG_H
#define STET_ETAG_H

#include <stet/message.h>

struct stet_etag {
    struct stet_span opaque; /* the octets between the quotes; borrowed from what was parsed */
    bool weak;
};

/* "There is no tag". */
#define STET_NO_ETAG ((struct stet_etag){{NULL, 0}, false})

static inline bool stet_etag_present(struct stet_etag tag)
{
    return tag.opaque.ptr != NULL;
}

/* Reads exactly one entity tag: all of `value`, OWS trimmed by the caller. STET_E_SYNTAX otherwise. */
int stet_etag_parse(struct stet_span value, struct stet_etag *out);

/* RFC 9110 section 8.8.3.2. Two absent tags are equal to nothing. */
bool stet_etag_strong_equal(struct stet_etag a, struct stet_etag b);
bool stet_etag_weak_equal(struct stet_etag a, struct stet_etag b);

/* The kinds of value that If-Match and If-None-Match can have. */
enum stet_etag_list_kind {
    STET_ETAG_LIST_ABSENT, /* no such field line */
    STET_ETAG_LIST_ANY,    /* the one member of the field, over all its lines, is "*" */
    STET_ETAG_LIST_TAGS,   /* anything else, an empty field too: ask for its members */
};

/* A pull parser over the members of all lines of one field. Read with stet_etag_list_next, nothing else. */
struct stet_etag_list {
    const struct stet_fields *fields;
    enum stet_field_id id;
    size_t line;
    struct stet_span rest;
};

/*
 * Starts reading field `id` of `fields`, which must outlive the list. "*" beside tags is not the wildcard
 * (the grammar has it alone): the kind is TAGS then.
 */
enum stet_etag_list_kind stet_etag_list_begin(struct stet_etag_list *list, const struct stet_fields *fields,
                                              enum stet_field_id id);

/*
 * The next well-formed member, or STET_END. Empty members are skipped (RFC 9110 section 5.6.1.2). A malformed
 * member (no quotes, lower-case "w/", a control octet, an unclosed quote) matches nothing and is skipped up
 * to the next comma that is outside of a quoted part (DQUOTE *etagc DQUOTE; a double quote that opens none is
 * an ordinary octet there); it never hides the members after it.
 */
int stet_etag_list_next(struct stet_etag_list *list, struct stet_etag *out);

#endif
