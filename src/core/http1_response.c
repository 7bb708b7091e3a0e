/* SPDX-License-Identifier: MIT */
/*
 * Heads of responses: RFC 9112 sections 4 and 6.
 *
 * Bare LF is refused here as in requests ("MAY recognize", section 2.2), and so is an empty line before the
 * status line.
 */
#include "base/assert.h"
#include "core/http1_head.h"

/* status-line = HTTP-version SP status-code SP [ reason-phrase ]; the second SP may be absent with the
 * phrase. */
static int take_status_line(struct stet__head_cursor *cursor, struct stet_http1_response *out)
{
    unsigned major;
    int status = stet__head_take_version(cursor, STET_E_STATUS_LINE, &major, &out->minor);
    if (status != STET_OK)
        return status;
    out->head.status = 0;
    for (unsigned i = 0; i < 4; i++, cursor->at++) {
        if (cursor->at == cursor->end)
            return stet__head_ran_out(cursor);
        char c = *cursor->at;
        if (i == 0 ? c != ' ' : !stet__h1_is(c, STET__H1_DIGIT))
            return STET_E_STATUS_LINE;
        if (i > 0)
            out->head.status = out->head.status * 10 + (unsigned)(c - '0');
    }
    if (major != 1)
        return STET_E_VERSION_UNSUPPORTED;
    if (out->head.status < 100)
        return STET_E_STATUS_LINE;
    const char *phrase = cursor->at;
    if (phrase < cursor->end && *phrase == ' ') {
        phrase++;
        cursor->at = stet__find_control(phrase, cursor->end);
    }
    out->head.reason_phrase = stet_span_of(phrase, (size_t)(cursor->at - phrase));
    return stet__head_take_crlf(cursor, STET_E_STATUS_LINE);
}

/* RFC 9110 section 8.6: a repeated value, "5, 5" or on several lines, may be taken as one if it is the same
 * throughout. */
static int judge_length(const struct stet_fields *fields, uint64_t *out)
{
    struct stet__token_list list = stet__token_list(fields, STET_FIELD_CONTENT_LENGTH);
    struct stet_span member;
    bool first = true;
    for (; stet__token_list_next(&list, &member); first = false) {
        uint64_t length;
        if (stet_span_to_u64(member, &length) != STET_OK)
            return STET_E_CONTENT_LENGTH;
        if (!first && length != *out)
            return STET_E_CONTENT_LENGTH_CONFLICT;
        *out = length;
    }
    return first ? STET_E_CONTENT_LENGTH : STET_OK;
}

static int judge_coding(const struct stet_fields *fields, struct stet_http1_response *out)
{
    /* "MUST treat the message as if the framing is faulty, even if a Content-Length is present" (section 6.1)
     */
    out->body = STET_BODY_CLOSE;
    if (out->minor == 0)
        return STET_OK;
    if (stet_fields_have(fields, STET_FIELD_CONTENT_LENGTH))
        return STET_E_LENGTH_AND_CODING;
    switch (stet__head_coding(fields)) {
    case STET__CODING_CHUNKED:
        out->body = STET_BODY_CHUNKED;
        return STET_OK;
    case STET__CODING_UNKNOWN:
        return STET_E_CODING_UNKNOWN;
    case STET__CODING_TWICE:
        return STET_E_CODING_NOT_FINAL;
    case STET__CODING_NOT_FINAL:
        break;
    }
    return STET_OK;
}

/* Items 1 and 2 of RFC 9112 section 6.3. */
static bool bodiless(unsigned status, enum stet_method method)
{
    return method == STET_METHOD_HEAD || status < 200 || status == 204 || status == 304 ||
           (method == STET_METHOD_CONNECT && status < 300);
}

/* RFC 9112 section 6.3. */
static int judge_framing(const struct stet_fields *fields, enum stet_method method,
                         struct stet_http1_response *out)
{
    out->content_length = 0;
    out->body = STET_BODY_NONE;
    if (bodiless(out->head.status, method))
        return STET_OK;
    if (stet_fields_have(fields, STET_FIELD_TRANSFER_ENCODING))
        return judge_coding(fields, out);
    out->body = STET_BODY_CLOSE;
    if (!stet_fields_have(fields, STET_FIELD_CONTENT_LENGTH))
        return STET_OK;
    out->body = STET_BODY_LENGTH;
    return judge_length(fields, &out->content_length);
}

int stet_http1_response_parse(struct stet_span input, enum stet_method method,
                              const struct stet_http1_limits *limits, struct stet_field *room,
                              struct stet_http1_response *out)
{
    if (input.len == 0)
        return STET_MORE;
    struct stet__head_cursor cursor = stet__head_cursor(input, limits);
    struct stet_http1_response response;
    struct stet__head_fields fields;
    int status = take_status_line(&cursor, &response);
    if (status == STET_OK)
        status = stet__head_take_fields(&cursor, limits, true, room, &fields);
    if (status != STET_OK)
        return stet__head_settle(&cursor, input, status);
    status = judge_framing(&fields.fields, method, &response);
    if (status != STET_OK)
        return status;
    bool faulty = response.minor == 0 && stet_fields_have(&fields.fields, STET_FIELD_TRANSFER_ENCODING);
    response.keep_alive =
        response.body != STET_BODY_CLOSE && !faulty && stet__head_keep_alive(&fields.fields, response.minor);
    response.coded = response.body == STET_BODY_CLOSE && stet__head_coded(&fields.fields);
    response.head.fields = fields.fields;
    response.head.trace = NULL;
    response.head_len = (size_t)(cursor.at - input.ptr);
    *out = response;
    return STET_OK;
}

void stet_http1_response_unfold(char *octets, size_t len)
{
    size_t at = 0;
    for (unsigned line = 0;; line++) {
        const char *lf = at < len ? memchr(octets + at, '\n', len - at) : NULL;
        if (!lf)
            return;
        size_t next = (size_t)(lf - octets) + 1;
        bool crlf = next - at >= 2 && lf[-1] == '\r';
        if (!crlf || next - at == 2 || next == len)
            return; /* not a head that parses, or its end, or the next line is not known yet */
        if (line > 0 && stet_is_ows(octets[next]))
            octets[next - 2] = octets[next - 1] = ' ';
        at = next;
    }
}
