/* SPDX-License-Identifier: MIT */
/*
 * sf: Structured Field Values for HTTP, RFC 9651: pull parser and serialiser.
 *
 * The value of a structured field is its lines joined by commas (section 4.2): a parser is begun on the lines
 * of a field, or on one span. A failure anywhere voids the whole field, so a caller either reads to STET_END
 * before it acts, or checks first with stet_sf_check. Nothing is allocated and nothing is copied: strings
 * stay escaped and byte sequences encoded until asked for.
 *
 *   struct stet_sf sf;
 *   stet_sf_begin(&sf, STET_SF_DICTIONARY, fields, STET_FIELD_OTHER, STET_SPAN("Stet-Cache-Control"));
 *   while ((status = stet_sf_next(&sf, &member)) == STET_OK)
 *       ... member.key, member.item; then stet_sf_inner(&sf, &item) while member is an inner list;
 *           then stet_sf_param(&sf, &key, &item) for the parameters of what came last ...
 *
 * Inner items and parameters that the caller does not ask for are parsed and skipped by the next call.
 */
#ifndef STET_SF_H
#define STET_SF_H

#include <stet/message.h>

enum stet_sf_kind { STET_SF_ITEM, STET_SF_LIST, STET_SF_DICTIONARY };

enum stet_sf_type {
    STET_SF_INTEGER,        /* -999,999,999,999,999 to 999,999,999,999,999 */
    STET_SF_DECIMAL,        /* in thousandths */
    STET_SF_STRING,         /* text: still escaped, without the quotes */
    STET_SF_TOKEN,          /* text */
    STET_SF_BYTES,          /* text: still base64, without the colons */
    STET_SF_BOOLEAN,        /* integer: 0 or 1 */
    STET_SF_DATE,           /* integer: Unix seconds */
    STET_SF_DISPLAY_STRING, /* text: still percent-encoded, without the quotes; valid UTF-8 once decoded */
    STET_SF_INNER_LIST,     /* its items come from stet_sf_inner */
};

struct stet_sf_item {
    enum stet_sf_type type;
    int64_t integer;
    struct stet_span text;
};

/* A member of a list or dictionary, or the one item. */
struct stet_sf_member {
    struct stet_span key; /* dictionaries only */
    struct stet_sf_item item;
};

/* The state of the parser. No pointers but those of the input. Private but for its size. */
struct stet_sf {
    enum stet_sf_kind kind;
    const struct stet_fields *fields; /* NULL: `rest` is all there is */
    enum stet_field_id id;
    struct stet_span name;
    size_t line;
    struct stet_span rest;
    int state;
    int failed;
};

/*
 * Starts on all lines of a field, by id, or by `name` if `id` is STET_FIELD_OTHER. `fields` and `name`
 * outlive the parser. A string that is cut by the end of its line is a failure, although joined lines may
 * make one of it ("parsers MAY fail": section 4.2).
 */
void stet_sf_begin(struct stet_sf *sf, enum stet_sf_kind kind, const struct stet_fields *fields,
                   enum stet_field_id id, struct stet_span name);

/* Starts on one value. */
void stet_sf_begin_value(struct stet_sf *sf, enum stet_sf_kind kind, struct stet_span value);

/*
 * The next member, STET_END, or STET_E_SYNTAX, which is final. A dictionary hands out a key as often as it
 * stands there; the last one counts (section 3.2), but keeps the place of the first.
 */
int stet_sf_next(struct stet_sf *sf, struct stet_sf_member *member);

/* The next item of the inner list that stet_sf_next gave last, or STET_END. */
int stet_sf_inner(struct stet_sf *sf, struct stet_sf_item *item);

/*
 * The next parameter of what was read last, or STET_END. Asked right after stet_sf_next gave an inner list,
 * it skips the items and gives the parameters of the list. A key may come twice here too: the last one
 * counts.
 */
int stet_sf_param(struct stet_sf *sf, struct stet_span *key, struct stet_sf_item *item);

/* STET_OK if the whole field parses, STET_E_SYNTAX otherwise. The parser was only begun, and stays so. */
int stet_sf_check(const struct stet_sf *sf);

/*
 * Decodes the text of a STRING, DISPLAY_STRING or BYTES into `out`, which has room for `text.len` octets.
 * Returns the number of octets. The item comes from the parser and so is well formed. A TOKEN is copied.
 */
size_t stet_sf_decode(const struct stet_sf_item *item, char *out);

/*
 * A serialiser into a caller's buffer: section 4.1. Failures stick and show in stet_sf_finish; so do calls in
 * an order that no structure has. Members follow one another: items for a list or an item, key and item (or
 * inner list) for a dictionary. That a key stands only once is the caller's to see to.
 */
struct stet_sf_writer {
    char *out;
    size_t room;
    size_t len;
    int failed; /* STET_OK, STET_E_NO_ROOM or STET_E_SYNTAX (the value cannot be expressed) */
    int state;
};

void stet_sf_write_begin(struct stet_sf_writer *w, char *out, size_t room);
void stet_sf_write_key(struct stet_sf_writer *w, struct stet_span key); /* starts a dictionary member */
void stet_sf_write_inner_begin(struct stet_sf_writer *w);
void stet_sf_write_inner_end(struct stet_sf_writer *w);
/* Writes a bare item; text is raw (not escaped, not encoded): the writer checks, escapes and encodes it. */
void stet_sf_write_item(struct stet_sf_writer *w, const struct stet_sf_item *item);
/* A parameter of what was written last; `item` NULL means true. */
void stet_sf_write_param(struct stet_sf_writer *w, struct stet_span key, const struct stet_sf_item *item);
/*
 * STET_OK and `*out` (borrowing the buffer), or the first failure. An empty list or dictionary is the empty
 * span: "do not serialize the field at all".
 */
int stet_sf_finish(const struct stet_sf_writer *w, struct stet_span *out);

#endif
