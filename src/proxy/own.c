/* SPDX-License-Identifier: MIT */
/*
 * own: what this proxy answers as the last recipient of OPTIONS and TRACE with Max-Forwards: 0 (RFC 9110
 * section 7.6.2): its own abilities, or the request as it was received (section 9.3.8).
 *
 * Of a TRACE is left out what section 9.3.8 calls likely to be secret: credentials, and the token of
 * --debug-header. A page in a browser could otherwise read what it must not see.
 */
#include "net/head.h"
#include "proxy/worker.h"

#define MESSAGE_MAX (1024 * 1024)
#define LINES 4

static bool is_secret(const struct stet_field *field)
{
    switch (field->id) {
    case STET_FIELD_AUTHORIZATION:
    case STET_FIELD_PROXY_AUTHORIZATION:
    case STET_FIELD_COOKIE:
        return true;
    default:
        return stet_span_equal_nocase(field->name, STET_SPAN(STET__TOKEN_FIELD));
    }
}

/* message/http: RFC 9112 section 10.1. */
static void put_message(struct stet__buffer *out, const struct stet_http1_request *request)
{
    const struct stet_fields *fields = &request->head.fields;
    stet__buffer_append(out, request->head.method_name);
    stet__buffer_append_text(out, " ");
    stet__buffer_append(out, request->head.target);
    stet__buffer_append_text(out, request->minor == 0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
    for (size_t i = 0; i < fields->count; i++) {
        if (is_secret(&fields->at[i]))
            continue;
        stet__buffer_append(out, fields->at[i].name);
        stet__buffer_append_text(out, ": ");
        stet__buffer_append(out, fields->at[i].value);
        stet__buffer_append_text(out, "\r\n");
    }
    stet__buffer_append_text(out, "\r\n");
}

/* The request, in the arena; absent if there is no room. */
static struct stet_span make_message(struct stet__exchange *exchange)
{
    struct stet__buffer message;
    stet__buffer_init(&message, MESSAGE_MAX);
    put_message(&message, exchange->request);
    struct stet_span copied = STET_SPAN_NONE;
    if (!message.failed)
        copied = stet__arena_copy(exchange->arena, stet__buffer_span(&message));
    stet__buffer_release(&message);
    return copied;
}

void stet__proxy_answer_itself(struct stet__proxy_worker *worker, struct stet__exchange *exchange,
                               struct stet__refused why)
{
    bool trace = why.reason == STET_REASON_TRACED;
    struct stet_span content = trace ? make_message(exchange) : STET_SPAN("");
    struct stet__lines lines;
    stet__lines_begin(&lines, exchange->arena, LINES);
    if (trace)
        stet__lines_put(&lines, STET_FIELD_CONTENT_TYPE, STET_SPAN("message/http"));
    else
        stet__lines_put(&lines, STET_FIELD_ALLOW,
                        STET_SPAN("GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS, TRACE"));
    stet__lines_put(&lines, STET_FIELD_CACHE_CONTROL, STET_SPAN("no-store"));
    stet__lines_put_number(&lines, STET_FIELD_CONTENT_LENGTH, content.len);
    const struct stet__head *head = NULL;
    if (content.ptr && !lines.failed)
        head = stet__head_make(exchange->arena, why.status, &lines.fields);
    if (!head) {
        stet__proxy_error(worker, exchange, (struct stet__refused){503, STET_REASON_OVERLOADED}, NULL, NULL);
        return;
    }
    struct stet__part part = stet__part_memory(content);
    struct stet__reply reply = {
        .head = head, .parts = &part, .part_count = content.len > 0, .reason = why.reason};
    stet__exchange_answer(exchange, &reply);
}
