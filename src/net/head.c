/* SPDX-License-Identifier: MIT */
#include "net/head.h"

#include "base/buffer.h"

#include "base/assert.h"

struct stet_span stet__reason_phrase(unsigned status)
{
    switch (status) {
#define X(code, phrase, clause) \
    case code:                  \
        return STET_SPAN(phrase);
#include "net/phrase.def"
#undef X
    default:
        return STET_SPAN("");
    }
}

void stet__append_title(struct stet__buffer *out, unsigned status)
{
    stet__buffer_append_u64(out, status);
    stet__buffer_append_text(out, " ");
    stet__buffer_append(out, stet__reason_phrase(status));
}

static char *put(char *to, struct stet_span octets)
{
    if (octets.len > 0)
        memcpy(to, octets.ptr, octets.len);
    return to + octets.len;
}

static size_t head_len(struct stet_span phrase, const struct stet_fields *fields)
{
    size_t len = sizeof "HTTP/1.1 200 \r\n" - 1 + phrase.len;
    for (size_t i = 0; i < fields->count; i++)
        len += fields->at[i].name.len + fields->at[i].value.len + sizeof ": \r\n" - 1;
    return len;
}

static char *put_status_line(char *to, unsigned status, struct stet_span phrase)
{
    char digits[] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10), (char)('0' + status % 10),
                     ' '};
    to = put(to, STET_SPAN("HTTP/1.1 "));
    to = put(to, stet_span_of(digits, sizeof digits));
    to = put(to, phrase);
    return put(to, STET_SPAN("\r\n"));
}

/* Writes a field line to `to` and a view of it to `*view`. */
static char *put_field(char *to, const struct stet_field *field, struct stet_field *view)
{
    view->id = field->id;
    view->name = stet_span_of(to, field->name.len);
    to = put(to, field->name);
    to = put(to, STET_SPAN(": "));
    view->value = stet_span_of(to, field->value.len);
    to = put(to, field->value);
    return put(to, STET_SPAN("\r\n"));
}

struct stet__head *stet__head_make(struct stet__arena *arena, unsigned status,
                                   const struct stet_fields *fields)
{
    stet__assert(status >= 100 && status <= 999);
    struct stet_span phrase = stet__reason_phrase(status);
    size_t len = head_len(phrase, fields);
    struct stet__head *head = stet__arena_alloc(arena, sizeof *head);
    struct stet_field *views = stet__arena_alloc(arena, fields->count * sizeof *views);
    char *octets = stet__arena_alloc(arena, len);
    if (!head || !views || !octets)
        return NULL;
    char *to = put_status_line(octets, status, phrase);
    for (size_t i = 0; i < fields->count; i++)
        to = put_field(to, &fields->at[i], &views[i]);
    stet__assert(to == octets + len);
    *head = (struct stet__head){.status = status,
                                .h1 = stet_span_of(octets, len),
                                .fields = {views, fields->count, fields->present},
                                .expires_after_s = -1};
    return head;
}
