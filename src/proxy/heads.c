/* SPDX-License-Identifier: MIT */
/*
 * heads: field lines, copied, gathered, and as heads for answers. Each of these has the Via of this proxy at
 * its end (RFC 9110 section 7.6.3).
 */
#include <stet/not_modified.h>

#include "net/head.h"
#include "proxy/worker.h"

void stet__lines_begin(struct stet__lines *lines, struct stet__arena *arena, size_t room)
{
    *lines = (struct stet__lines){.arena = arena, .room = room};
    lines->at = stet__arena_alloc(arena, room * sizeof *lines->at);
    lines->fields.at = lines->at;
    lines->failed = !lines->at;
}

void stet__lines_add(struct stet__lines *lines, const struct stet_field *field)
{
    lines->failed |= lines->failed || lines->fields.count == lines->room || !field->value.ptr;
    if (lines->failed)
        return;
    lines->at[lines->fields.count++] = *field;
    lines->fields.present |= UINT64_C(1) << field->id;
}

void stet__lines_put(struct stet__lines *lines, enum stet_field_id id, struct stet_span value)
{
    struct stet_field field = {stet_field_name(id), value, id};
    stet__lines_add(lines, &field);
}

void stet__lines_put_number(struct stet__lines *lines, enum stet_field_id id, uint64_t number)
{
    char digits[20];
    struct stet_span text = stet_span_of(digits, stet_format_u64(number, digits));
    stet__lines_put(lines, id, stet__arena_copy(lines->arena, text));
}

const struct stet__head *stet__head_whole(struct stet__proxy_worker *worker, struct stet__arena *arena,
                                          unsigned status, const struct stet_fields *fields, bool http10)
{
    struct stet__lines lines;
    stet__lines_begin(&lines, arena, fields->count + 1);
    /* RFC 9110 section 8.6: a 204 has no Content-Length, whatever its origin says. */
    for (size_t i = 0; i < fields->count; i++)
        if (status != 204 || fields->at[i].id != STET_FIELD_CONTENT_LENGTH)
            stet__lines_add(&lines, &fields->at[i]);
    /* "received-protocol" is that of the message that came. */
    stet__lines_put(&lines, STET_FIELD_VIA, http10 ? worker->proxy->via_http10 : worker->proxy->via);
    struct stet__head *head = lines.failed ? NULL : stet__head_make(arena, status, &lines.fields);
    if (head)
        head->has_date = stet_fields_have(fields, STET_FIELD_DATE);
    return head;
}

const struct stet__head *stet__head_not_modified(struct stet__proxy_worker *worker, struct stet__arena *arena,
                                                 const struct stet_fields *fields, bool http10)
{
    struct stet_field *room = stet__arena_alloc(arena, (fields->count + 1) * sizeof *room);
    if (!room)
        return NULL;
    struct stet_fields kept = {room, stet_not_modified_fields(fields, room), 0};
    for (size_t i = 0; i < kept.count; i++)
        kept.present |= UINT64_C(1) << room[i].id;
    return stet__head_whole(worker, arena, 304, &kept, http10);
}

struct stet_span stet__copy_span(struct stet__arena *arena, struct stet_span span, bool *failed)
{
    if (!span.ptr)
        return span;
    struct stet_span copied = stet__arena_copy(arena, span);
    *failed |= !copied.ptr;
    return copied;
}

/* The octets of a field's texts. */
static size_t text_len(const struct stet_field *field)
{
    return field->name.len + field->value.len;
}

/* `span`, which is there, at `*to`. */
static struct stet_span put_text(char **to, struct stet_span span)
{
    char *at = *to;
    if (span.len > 0)
        memcpy(at, span.ptr, span.len);
    *to += span.len;
    return stet_span_of(at, span.len);
}

bool stet__copy_fields(struct stet__arena *arena, const struct stet_fields *from,
                       bool (*drops)(const struct stet_field *field, const struct stet_fields *all),
                       struct stet_fields *to)
{
    size_t octets = 0;
    for (size_t i = 0; i < from->count; i++)
        octets += text_len(&from->at[i]);
    struct stet_field *room = stet__arena_alloc(arena, (from->count + 1) * sizeof *room);
    char *text = stet__arena_alloc(arena, octets);
    if (!room || !text)
        return false;
    *to = (struct stet_fields){room, 0, 0};
    for (size_t i = 0; i < from->count; i++) {
        const struct stet_field *field = &from->at[i];
        if (drops && drops(field, from))
            continue;
        struct stet_span name = put_text(&text, field->name), value = put_text(&text, field->value);
        room[to->count++] = (struct stet_field){name, value, field->id};
        to->present |= UINT64_C(1) << field->id;
    }
    return true;
}
