/* SPDX-License-Identifier: MIT */
#include "transfer/answer.h"

#include <stet/field.h>

#include "transfer/transfer.h"

void stet__answer_clear(struct stet__answer *answer)
{
    stet__buffer_clear(&answer->octets);
    answer->head_octets = 0;
    answer->major = answer->minor = 0;
    answer->final = false;
    answer->response.head.status = 0;
}

/* In HTTP/2 libcurl writes "HTTP/2 304 " where HTTP/1.1 has its status line; the rest is the same. An origin
 * that writes so in HTTP/1.1 is no better for it. */
static struct stet_span take_version(struct stet__answer *answer, struct stet_span line)
{
    bool beyond_1 =
        stet_span_starts(line, STET_SPAN("HTTP/2 ")) || stet_span_starts(line, STET_SPAN("HTTP/3 "));
    if (answer->beyond_1 && beyond_1) {
        answer->major = (unsigned)(line.ptr[5] - '0');
        answer->minor = 0;
        stet__buffer_append(&answer->octets, STET_SPAN("HTTP/1.1"));
        return stet_span_skip(line, sizeof "HTTP/2" - 1);
    }
    answer->major = 1;
    answer->minor = stet_span_starts(line, STET_SPAN("HTTP/1.0")) ? 0 : 1;
    return line;
}

/* The octets of the line, with a CRLF at its end whatever there was. */
static void append_line(struct stet__answer *answer, struct stet_span line)
{
    bool bare =
        line.len > 0 && line.ptr[line.len - 1] == '\n' && (line.len == 1 || line.ptr[line.len - 2] != '\r');
    if (bare)
        line.len--;
    stet__buffer_append(&answer->octets, line);
    if (bare)
        stet__buffer_append(&answer->octets, STET_SPAN("\r\n"));
}

static bool is_empty(struct stet_span line)
{
    return stet_span_equal(line, STET_SPAN("\r\n")) || stet_span_equal(line, STET_SPAN("\n"));
}

/* Whether chunked is the one transfer coding: libcurl has taken it off. */
static bool chunked_alone(const struct stet_fields *fields)
{
    struct stet_list list;
    struct stet_span member;
    stet_list_begin(&list, fields, STET_FIELD_TRANSFER_ENCODING);
    return stet_list_next(&list, &member) == STET_OK &&
           stet_span_equal_nocase(member, STET_SPAN("chunked")) && stet_list_next(&list, &member) == STET_END;
}

/* What libcurl has done about the framing by the time the content is seen. */
static int settle_framing(const struct stet__answer *answer, struct stet_http1_response *response)
{
    if (response->coded) {
        if (response->minor > 0 || !chunked_alone(&response->head.fields))
            return STET_E_CODING_UNKNOWN;
        response->coded = false;
        response->body = STET_BODY_CHUNKED;
    }
    if (answer->major > 1) {
        response->keep_alive = true;
        if (response->body == STET_BODY_CLOSE)
            response->body = STET_BODY_CHUNKED;
    }
    return STET_OK;
}

static int parse(struct stet__answer *answer, struct stet__answer_reader *reader, enum stet_method method,
                 struct stet_http1_response *out)
{
    struct stet_span octets = stet__buffer_span(&answer->octets);
    int status = stet_http1_response_parse(octets, method, &reader->limits, reader->room, out);
    if (status == STET_E_OBS_FOLD) {
        stet_http1_response_unfold(answer->octets.ptr, octets.len);
        status = stet_http1_response_parse(octets, method, &reader->limits, reader->room, out);
    }
    if (status == STET_MORE)
        return STET_E_SYNTAX; /* libcurl saw the end of a head where there is none */
    return status == STET_OK ? settle_framing(answer, out) : status;
}

/* The final head outlives the next one of the group, so its fields move out of the group's room. */
static int keep(struct stet__answer *answer, struct stet__arena *arena, struct stet_http1_response *response)
{
    struct stet_fields *fields = &response->head.fields;
    size_t size = fields->count * sizeof *fields->at;
    struct stet_field *at = stet__arena_alloc(arena, size);
    if (!at)
        return STET__TRANSFER_E_MEMORY;
    if (size > 0)
        memcpy(at, fields->at, size);
    fields->at = at;
    answer->final = true;
    return STET_OK;
}

int stet__answer_take(struct stet__answer *answer, struct stet__answer_reader *reader, struct stet_span line,
                      enum stet_method method, struct stet__arena *arena)
{
    if (answer->final)
        return STET_END;
    answer->head_octets += line.len;
    if (answer->response.head.status > 0) { /* an interim one is over */
        stet__buffer_clear(&answer->octets);
        answer->response.head.status = 0;
    }
    bool begins = answer->octets.len == 0;
    append_line(answer, begins ? take_version(answer, line) : line);
    if (answer->octets.failed)
        return line.len + 2 > answer->octets.max - answer->octets.len ? STET_E_HEAD_TOO_LARGE
                                                                      : STET__TRANSFER_E_MEMORY;
    if (begins || !is_empty(line))
        return STET_MORE;
    struct stet_http1_response response;
    int status = parse(answer, reader, method, &response);
    if (status == STET_OK && response.head.status == 101)
        status = STET__TRANSFER_E_PROTOCOL; /* nobody asked for an upgrade */
    if (status == STET_OK && response.head.status > 199)
        status = keep(answer, arena, &response);
    if (status == STET_OK)
        answer->response = response;
    return status;
}
