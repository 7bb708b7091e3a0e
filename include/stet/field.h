/* SPDX-License-Identifier: MIT */
/*
 * field: the common syntax of field values, RFC 9110 section 5.6: lists, tokens, quoted strings, parameters.
 * Pull parsers without allocation; every span handed out borrows from the fields that are read.
 */
#ifndef STET_FIELD_H
#define STET_FIELD_H

#include <stet/message.h>

/* tchar, RFC 9110 section 5.6.2. */
bool stet_is_tchar(char c);

/* One or more tchars and nothing else. */
bool stet_is_token(struct stet_span s);

/* A pull parser over the list members of all lines of one field, in order (RFC 9110 section 5.3). */
struct stet_list {
    const struct stet_fields *fields;
    enum stet_field_id id; /* STET_FIELD_OTHER: by name */
    struct stet_span name; /* used if id is STET_FIELD_OTHER */
    size_t line;           /* the next line to look at */
    struct stet_span rest; /* what is left of the current line */
};

/* Starts reading the lines of a known field. `fields` outlives the list. */
void stet_list_begin(struct stet_list *list, const struct stet_fields *fields, enum stet_field_id id);

/* The same for a field by name, known or not. `name` outlives the list too. */
void stet_list_begin_named(struct stet_list *list, const struct stet_fields *fields, struct stet_span name);

/*
 * The next member, trimmed and not empty, or STET_END. Commas inside quoted strings do not split; a quoted
 * string that is not closed reaches to the end of its line. Empty members are skipped (RFC 9110
 * section 5.6.1.2).
 */
int stet_list_next(struct stet_list *list, struct stet_span *member);

/*
 * Splits a member "thing;a=b;c="d;e"" at its first semicolon outside of a quoted string: `*thing` gets the
 * trimmed part before it, `*params` the part after it for stet_param_next (absent if there is none).
 */
void stet_member_split(struct stet_span member, struct stet_span *thing, struct stet_span *params);

/*
 * The next parameter of `*params`, which is advanced (RFC 9110 section 5.6.6). `*name` is a token; `*value`
 * is a token, or a quoted string with its quotes, or absent if there is no "=". Empty parameters are skipped.
 * STET_END at the end; STET_E_SYNTAX for a malformed parameter, after which the rest is still readable.
 */
int stet_param_next(struct stet_span *params, struct stet_span *name, struct stet_span *value);

/*
 * Undoes the quoting of a parameter's value (RFC 9110 section 5.6.4): `value` is a token or a quoted string
 * with its quotes. `*out` borrows from `value` where nothing is escaped, else from `room`, which has
 * `value.len` octets. STET_E_SYNTAX if it is neither.
 */
int stet_unquote(struct stet_span value, char *room, struct stet_span *out);

/* A q-value in thousandths, 0 to 1000 (RFC 9110 section 12.4.2); STET_E_SYNTAX otherwise. */
int stet_qvalue_parse(struct stet_span value, unsigned *thousandths);

#endif
