/* SPDX-License-Identifier: MIT */
/*
 * Heads of requests: RFC 9112 sections 3 and 6.
 *
 * The request line is judged octet by octet, its target's form once the line is complete, everything that
 * depends on several fields (Host, framing, connection) once the head is.
 */
#include "base/assert.h"
#include "core/http1_head.h"

/* No method in use is half as long. */
#define METHOD_MAX 32

/* RFC 9112 section 2.2 asks for "at least one"; a sender of more than this is not one that means well. */
#define EMPTY_LINES_MAX 4

static const char *nearer(const char *end, const char *at, size_t n)
{
    return (size_t)(end - at) < n ? end : at + n;
}

/* The failure at an octet that ends neither `element` of the request line nor is part of it. */
static int wrong_octet(struct stet__head_cursor *cursor, int element)
{
    int status = stet__head_take_crlf(cursor, element);
    return status == STET_OK ? STET_E_REQUEST_LINE : status;
}

static int take_empty_lines(struct stet__head_cursor *cursor)
{
    for (unsigned lines = 0;; lines++) {
        if (cursor->at == cursor->end)
            return stet__head_ran_out(cursor);
        if (*cursor->at != '\r' && *cursor->at != '\n')
            return STET_OK;
        if (lines == EMPTY_LINES_MAX)
            return STET_E_REQUEST_LINE;
        int status = stet__head_take_crlf(cursor, STET_E_REQUEST_LINE);
        if (status != STET_OK)
            return status;
    }
}

static int take_method(struct stet__head_cursor *cursor, struct stet_span *out)
{
    const char *begin = cursor->at, *at = begin;
    const char *stop = nearer(cursor->end, begin, METHOD_MAX + 1);
    while (at < stop && stet__h1_is(*at, STET__H1_TCHAR))
        at++;
    cursor->at = at;
    if (at - begin > METHOD_MAX)
        return STET_E_METHOD_TOO_LONG;
    if (at == cursor->end)
        return stet__head_ran_out(cursor);
    if (*at != ' ' || at == begin)
        return wrong_octet(cursor, STET_E_METHOD);
    *out = stet_span_of(begin, (size_t)(at - begin));
    cursor->at = at + 1;
    return STET_OK;
}

static int take_target(struct stet__head_cursor *cursor, size_t target_bytes, struct stet_span *out)
{
    const char *begin = cursor->at;
    const char *stop = nearer(cursor->end, begin, target_bytes < SIZE_MAX ? target_bytes + 1 : SIZE_MAX);
    const char *at = stet__find_target_end(begin, stop);
    cursor->at = at;
    if ((size_t)(at - begin) > target_bytes)
        return STET_E_TARGET_TOO_LONG;
    if (at == cursor->end)
        return cursor->full ? STET_E_TARGET_TOO_LONG : STET_MORE;
    if (*at != ' ')
        return wrong_octet(cursor, STET_E_TARGET);
    if (at == begin)
        return STET_E_REQUEST_LINE;
    *out = stet_span_of(begin, (size_t)(at - begin));
    cursor->at = at + 1;
    return STET_OK;
}

static int take_version_slowly(struct stet__head_cursor *cursor, unsigned *major, unsigned *minor)
{
    /* "GET /a b HTTP/1.1": what follows the target is no version at all */
    int status = stet__head_take_version(cursor, STET_E_REQUEST_LINE, major, minor);
    if (status != STET_OK)
        return status;
    bool space = cursor->at < cursor->end && *cursor->at == ' ';
    return stet__head_take_crlf(cursor, space ? STET_E_REQUEST_LINE : STET_E_VERSION);
}

static int take_version(struct stet__head_cursor *cursor, unsigned *major, unsigned *minor)
{
    static const char usual[] = "HTTP/1.1\r\n";
    size_t len = sizeof usual - 1;
    if ((size_t)(cursor->end - cursor->at) < len || memcmp(cursor->at, usual, len) != 0)
        return take_version_slowly(cursor, major, minor);
    cursor->at += len;
    *major = 1;
    *minor = 1;
    return STET_OK;
}

/* RFC 9112 section 3.2.2: "http" or "https", "//", authority, path-abempty, query. The fragment is no part of
 * it. */
static int judge_absolute(struct stet_http1_request *out)
{
    struct stet_span target = out->head.target;
    size_t scheme = target.len > 4 && (target.ptr[4] | 0x20) == 's' ? 5 : 4;
    if (target.len < scheme + 3 ||
        !stet_span_equal_nocase(stet_span_of(target.ptr, scheme), stet_span_of("https", scheme)))
        return STET_E_TARGET;
    struct stet_span rest = stet_span_skip(target, scheme);
    if (!stet_span_starts(rest, STET_SPAN("://")))
        return STET_E_TARGET;
    rest = stet_span_skip(rest, 3);
    size_t len = 0, host_len;
    while (len < rest.len && rest.ptr[len] != '/' && rest.ptr[len] != '?')
        len++;
    struct stet_span authority = stet_span_of(rest.ptr, len);
    /* RFC 9110 section 4.2.1: "A recipient [...] MUST reject [an empty host] as invalid." */
    if (!stet__host_valid(authority, &host_len) || host_len == 0)
        return STET_E_TARGET;
    out->form = STET_TARGET_ABSOLUTE;
    out->authority = authority;
    out->path_query = len < rest.len ? stet_span_skip(rest, len) : STET_SPAN("/");
    return STET_OK;
}

/* RFC 9112 section 3.2.3; RFC 9110 section 9.3.6: "MUST reject a CONNECT request that targets an empty [...]
 * port". */
static int judge_authority(struct stet_http1_request *out)
{
    struct stet_span target = out->head.target;
    size_t host_len;
    if (!stet__host_valid(target, &host_len) || host_len == 0 || target.len - host_len < 2)
        return STET_E_TARGET;
    out->form = STET_TARGET_AUTHORITY;
    out->authority = target;
    out->path_query = STET_SPAN_NONE;
    return STET_OK;
}

/* RFC 9112 section 3.2. */
static int judge_target(struct stet_http1_request *out)
{
    struct stet_span target = out->head.target;
    if (out->head.method == STET_METHOD_CONNECT)
        return judge_authority(out);
    if (target.ptr[0] == '/') {
        out->form = STET_TARGET_ORIGIN;
        out->authority = STET_SPAN_NONE;
        out->path_query = target;
        return STET_OK;
    }
    if (!stet_span_equal(target, STET_SPAN("*")))
        return judge_absolute(out);
    if (out->head.method != STET_METHOD_OPTIONS)
        return STET_E_TARGET;
    out->form = STET_TARGET_ASTERISK;
    out->authority = STET_SPAN_NONE;
    out->path_query = STET_SPAN_NONE;
    return STET_OK;
}

/* The empty lines, the request line. */
static int take_request_line(struct stet__head_cursor *cursor, const struct stet_http1_limits *limits,
                             struct stet_http1_request *out, unsigned *major)
{
    int status = take_empty_lines(cursor);
    if (status == STET_OK)
        status = take_method(cursor, &out->head.method_name);
    if (status == STET_OK)
        status = take_target(cursor, limits->target_bytes, &out->head.target);
    if (status == STET_OK)
        status = take_version(cursor, major, &out->minor);
    return status;
}

static int judge_request_line(struct stet_http1_request *out, unsigned major)
{
    if (major != 1)
        return STET_E_VERSION_UNSUPPORTED;
    out->head.method = stet_method_id(out->head.method_name);
    return judge_target(out);
}

/* RFC 9112 section 3.2: "MUST respond with a 400 [...] to any HTTP/1.1 request message that lacks a Host
 * [...]" */
static int judge_host(const struct stet__head_fields *fields, struct stet_http1_request *out)
{
    const struct stet_field *host = stet_fields_find(&fields->fields, STET_FIELD_HOST, 0);
    if (!host)
        return out->minor > 0 ? STET_E_HOST_MISSING : STET_OK;
    if (fields->repeated >> STET_FIELD_HOST & 1)
        return STET_E_HOST_REPEATED;
    size_t host_len;
    if (!stet__host_valid(host->value, &host_len))
        return STET_E_HOST;
    /* RFC 9112 section 3.2.2: an authority in the target replaces the one of Host. */
    if (!out->authority.ptr)
        out->authority = host->value;
    return STET_OK;
}

/* RFC 9112 section 6.3, the parts about requests, made strict as http1.h says. */
static int judge_framing(const struct stet__head_fields *fields, struct stet_http1_request *out)
{
    bool has_length = stet_fields_have(&fields->fields, STET_FIELD_CONTENT_LENGTH);
    bool has_coding = stet_fields_have(&fields->fields, STET_FIELD_TRANSFER_ENCODING);
    out->content_length = 0;
    out->body = STET_BODY_NONE;
    if (has_coding) {
        static const int status[] = {
            [STET__CODING_CHUNKED] = STET_OK,
            [STET__CODING_UNKNOWN] = STET_E_CODING_UNKNOWN,
            [STET__CODING_TWICE] = STET_E_CODING_NOT_FINAL,
            [STET__CODING_NOT_FINAL] = STET_E_CODING_NOT_FINAL,
        };
        out->body = STET_BODY_CHUNKED;
        if (out->minor == 0)
            return STET_E_CODING_HTTP_1_0;
        return has_length ? STET_E_LENGTH_AND_CODING : status[stet__head_coding(&fields->fields)];
    }
    if (!has_length)
        return STET_OK;
    if (fields->repeated >> STET_FIELD_CONTENT_LENGTH & 1)
        return STET_E_CONTENT_LENGTH_CONFLICT;
    const struct stet_field *length = stet_fields_find(&fields->fields, STET_FIELD_CONTENT_LENGTH, 0);
    out->body = STET_BODY_LENGTH;
    return stet_span_to_u64(length->value, &out->content_length) == STET_OK ? STET_OK : STET_E_CONTENT_LENGTH;
}

void stet__head_judge_expect(const struct stet_fields *fields, struct stet_http1_request *out)
{
    out->expect_continue = false;
    out->expect_unknown = false;
    if (!stet_fields_have(fields, STET_FIELD_EXPECT))
        return;
    struct stet__token_list list = stet__token_list(fields, STET_FIELD_EXPECT);
    struct stet_span member;
    while (stet__token_list_next(&list, &member)) {
        if (!stet_span_equal_nocase(member, STET_SPAN("100-continue")))
            out->expect_unknown = true;
        else if (out->minor > 0) /* "MUST ignore" it in HTTP/1.0 */
            out->expect_continue = true;
    }
}

int stet_http1_request_parse(struct stet_span input, size_t seen, const struct stet_http1_limits *limits,
                             struct stet_field *room, struct stet_http1_request *out)
{
    stet__assert(seen <= input.len);
    if (input.len == 0)
        return STET_MORE;
    /* The octets seen were more than nothing and less than a head; without a further LF no line is complete
     * that was not. */
    if (seen > 0 && input.len < limits->head_bytes && !memchr(input.ptr + seen, '\n', input.len - seen))
        return STET_MORE;

    struct stet__head_cursor cursor = stet__head_cursor(input, limits);
    struct stet_http1_request request;
    struct stet__head_fields fields;
    unsigned major;
    int status = take_request_line(&cursor, limits, &request, &major);
    if (status != STET_OK)
        return stet__head_settle(&cursor, input, status);
    status = judge_request_line(&request, major);
    if (status != STET_OK)
        return status;
    status = stet__head_take_fields(&cursor, limits, false, room, &fields);
    if (status != STET_OK)
        return stet__head_settle(&cursor, input, status);
    status = judge_host(&fields, &request);
    if (status == STET_OK)
        status = judge_framing(&fields, &request);
    if (status != STET_OK)
        return status;
    stet__head_judge_expect(&fields.fields, &request);
    request.major = 1;
    request.keep_alive = stet__head_keep_alive(&fields.fields, request.minor);
    request.head.fields = fields.fields;
    request.head.trace = NULL;
    request.head_len = (size_t)(cursor.at - input.ptr);
    *out = request;
    return STET_OK;
}
