/* SPDX-License-Identifier: MIT */
/*
 * message: heads of requests and responses, whatever the version of HTTP that carried them.
 *
 * http1.h fills these from octets; the decisions (precondition.h, answer.h, ...) only read them. Spans borrow
 * from the buffer that was parsed and live as long as it does. RFC 9110 section 6.
 */
#ifndef STET_MESSAGE_H
#define STET_MESSAGE_H

#include <stet/span.h>
#include <stet/status.h>

enum stet_method {
    STET_METHOD_OTHER, /* not in method.def; names are case-sensitive (RFC 9110 section 9.1) */
#define X(symbol, name, safe, idempotent) symbol,
#include <stet/method.def>
#undef X
};

enum stet_field_id {
    STET_FIELD_OTHER, /* not in field_name.def: look at the name */
#define X(symbol, name, kind, slot) symbol,
#include <stet/field_name.def>
#undef X
    STET_FIELD_ID_COUNT
};

/* One field line. */
struct stet_field {
    struct stet_span name;  /* as received, in any case */
    struct stet_span value; /* without the optional whitespace around it; never absent, may be empty */
    enum stet_field_id id;
};

/* The field lines of a header or trailer section, in order. */
struct stet_fields {
    const struct stet_field *at;
    size_t count;
    uint64_t present; /* bit `id` is set if some line has that id; what is asked most costs one test */
};

static inline bool stet_fields_have(const struct stet_fields *fields, enum stet_field_id id)
{
    return (fields->present >> id & 1) != 0;
}

/* The first line at index `from` or later with this id, or NULL. For the next, call again from behind it. */
const struct stet_field *stet_fields_find(const struct stet_fields *fields, enum stet_field_id id,
                                          size_t from);

/* The number of lines with this id: more than one makes a singleton field invalid (RFC 9110 section 5.3). */
size_t stet_fields_count(const struct stet_fields *fields, enum stet_field_id id);

/*
 * Whether it is a singleton field, which has no list in its grammar: no sender generates two lines of it
 * (RFC 9110 section 5.3). False for Cookie and Set-Cookie, which are neither, and for names that nobody here
 * knows.
 */
bool stet_field_single(enum stet_field_id id);

/* The id of a field name, in any case; STET_FIELD_OTHER if it is not in the table. */
enum stet_field_id stet_field_id(struct stet_span name);

/* The name as its definition spells it; absent for STET_FIELD_OTHER. Static storage. */
struct stet_span stet_field_name(enum stet_field_id id);

enum stet_method stet_method_id(struct stet_span name);
bool stet_method_safe(enum stet_method method);       /* RFC 9110 section 9.2.1; false for OTHER */
bool stet_method_idempotent(enum stet_method method); /* RFC 9110 section 9.2.2; false for OTHER */

struct stet_trace;

struct stet_request {
    enum stet_method method;
    struct stet_span method_name;
    struct stet_span target; /* as received: RFC 9112 section 3.2 */
    struct stet_fields fields;
    const struct stet_trace *trace; /* who is told of each step of a decision about it (trace.h), or NULL */
};

struct stet_response {
    unsigned status; /* 100 to 999 */
    struct stet_span reason_phrase;
    struct stet_fields fields;
    const struct stet_trace *trace; /* who is told how its freshness is read, or NULL */
};

#endif
