/* SPDX-License-Identifier: MIT */
/*
 * http1_head: what the files of http1 share: the cursor over a head, the octets of its grammar, its field
 * lines.
 *
 * A head is read strictly from left to right, and what is said about an octet depends on the octets before it
 * and at most on the few after it without which nothing is said at all. So the result cannot depend on how
 * the input is cut: a longer input only ever turns STET_MORE into something else.
 */
#ifndef STET_CORE_HTTP1_HEAD_H
#define STET_CORE_HTTP1_HEAD_H

#include <stet/http1.h>

struct stet__head_cursor {
    const char *at;  /* the next octet to judge */
    const char *end; /* of the octets that have come, or of those that the limit lets in */
    bool full;       /* `end` is where the limit stands */
};

/* What is known about the fields while a head is read. */
struct stet__head_fields {
    struct stet_fields fields;
    uint64_t repeated; /* bit `id` is set if more than one line has that id */
};

/* Classes of octets: what core/octet.h is for field values, this is for the lines of a message. */
enum {
    STET__H1_TCHAR = 1,   /* RFC 9110 section 5.6.2 */
    STET__H1_TARGET = 2,  /* of a request target: http1.h says which and why */
    STET__H1_REGNAME = 4, /* unreserved and sub-delims: RFC 3986 section 2 */
    STET__H1_HEX = 8,
    STET__H1_CONTROL = 16, /* not allowed in a field value: RFC 9110 section 5.5 */
    STET__H1_DIGIT = 32,
};

extern const unsigned char stet__h1_classes[256];

static inline bool stet__h1_is(char c, unsigned classes)
{
    return (stet__h1_classes[(unsigned char)c] & classes) != 0;
}

/* A cursor over the octets of `input` that a head may have. */
static inline struct stet__head_cursor stet__head_cursor(struct stet_span input,
                                                         const struct stet_http1_limits *limits)
{
    bool full = input.len >= limits->head_bytes;
    return (struct stet__head_cursor){input.ptr, input.ptr + (full ? limits->head_bytes : input.len), full};
}

/* The result where the cursor's octets end before the head does. */
static inline int stet__head_ran_out(const struct stet__head_cursor *cursor)
{
    return cursor->full ? STET_E_HEAD_TOO_LARGE : STET_MORE;
}

/*
 * What the caller is told of `status`, which is not OK and came from a take function: STET_MORE instead of a
 * failure in a line that is not complete yet, unless the limit is reached or it is about the very first octet
 * (which shows that the sender does not speak HTTP at all, as a TLS ClientHello does).
 */
int stet__head_settle(const struct stet__head_cursor *cursor, struct stet_span input, int status);

/* Takes CRLF. `wrong` is the failure if there is an octet other than CR and LF. */
int stet__head_take_crlf(struct stet__head_cursor *cursor, int wrong);

/*
 * Takes HTTP-version = "HTTP/" DIGIT "." DIGIT. `*minor` is 0 or 1 (RFC 9110 section 2.5). `none` is the
 * failure if there is no such thing at all, or the line ends in it.
 */
int stet__head_take_version(struct stet__head_cursor *cursor, int none, unsigned *major, unsigned *minor);

/* The first octet in `at` to `end` that a field value or a reason phrase may not hold, or `end`. */
const char *stet__find_control(const char *at, const char *end);

/* The same for a request target. */
const char *stet__find_target_end(const char *at, const char *end);

/*
 * Takes the field lines and the empty line after them. `lenient`: whitespace before a colon is dropped, as
 * RFC 9112 section 5.1 asks of the receiver of a response.
 */
int stet__head_take_fields(struct stet__head_cursor *cursor, const struct stet_http1_limits *limits,
                           bool lenient, struct stet_field *room, struct stet__head_fields *out);

/* uri-host [ ":" port ], RFC 9110 section 7.2; an empty host is one. `*host_len` gets the length of the host.
 */
bool stet__host_valid(struct stet_span value, size_t *host_len);

/* The transfer codings of a message: RFC 9112 sections 6.1 and 6.3. */
enum stet__coding {
    STET__CODING_CHUNKED,   /* chunked alone */
    STET__CODING_UNKNOWN,   /* others before a final chunked */
    STET__CODING_TWICE,     /* chunked is final, and was applied before */
    STET__CODING_NOT_FINAL, /* chunked is not final, or there is no coding */
};

enum stet__coding stet__head_coding(const struct stet_fields *fields);

/* Whether a coding of RFC 9112 section 7 is named, chunked included. */
bool stet__head_coded(const struct stet_fields *fields);

/* RFC 9110 section 10.1.1: sets what `out`, whose minor version is set, expects. */
void stet__head_judge_expect(const struct stet_fields *fields, struct stet_http1_request *out);

/* RFC 9112 section 9.3; `minor` is that of the version. */
bool stet__head_keep_alive(const struct stet_fields *fields, unsigned minor);

/* A pull parser over the comma-separated members of all lines of field `id`; no member of those may hold a
 * comma. */
struct stet__token_list {
    const struct stet_fields *fields;
    enum stet_field_id id;
    size_t line;
    struct stet_span rest;
};

static inline struct stet__token_list stet__token_list(const struct stet_fields *fields,
                                                       enum stet_field_id id)
{
    return (struct stet__token_list){fields, id, 0, STET_SPAN_NONE};
}

/* The next member, trimmed and not empty (RFC 9110 section 5.6.1.2); false at the end. */
bool stet__token_list_next(struct stet__token_list *list, struct stet_span *member);

#endif
