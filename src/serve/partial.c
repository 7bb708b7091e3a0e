/* SPDX-License-Identifier: MIT */
/*
 * partial: 206, one range or several (RFC 9110 section 15.3.7).
 *
 * The fields are those of the 200. If an If-Range held, the client has the metadata of the representation
 * already, and only what a 304 would carry is sent again, besides what makes the 206 readable (SHOULD NOT of
 * section 15.3.7).
 */
#include <stdlib.h>

#include <stet/not_modified.h>

#include "net/head.h"
#include "net/multipart.h"
#include "serve/worker.h"

#define TYPE_PREFIX "multipart/byteranges; boundary="

/* What the parts of a body that is on its way need. */
struct partial {
    size_t refs;
    struct stet__entry *entry;
    size_t count;
    struct stet__part parts[STET__MULTIPART_PARTS];
    char type[sizeof(TYPE_PREFIX) - 1 + STET__BOUNDARY_LEN];
    char text[];
};

static void hold(void *owner)
{
    struct partial *partial = owner;
    partial->refs++;
}

static void release(void *owner)
{
    struct partial *partial = owner;
    if (--partial->refs > 0)
        return;
    stet__entry_release(partial->entry);
    free(partial);
}

static bool intact(void *owner)
{
    struct partial *partial = owner;
    return partial->entry->whole.intact(partial->entry);
}

static struct stet_span type_of(const struct stet__entry *entry)
{
    const struct stet_field *type = stet_fields_find(&entry->whole.head->fields, STET_FIELD_CONTENT_TYPE, 0);
    return type ? type->value : STET_SPAN_NONE;
}

static struct partial *make(struct stet__serve_worker *worker, struct stet__entry *entry,
                            const struct stet_range_set *ranges)
{
    struct stet__multipart_source source = {type_of(entry), entry->selected.length, &entry->body};
    bool several = ranges->count > 1;
    struct partial *partial =
        malloc(sizeof *partial + (several ? stet__multipart_text_max(ranges, source.type) : 0));
    if (!partial)
        return NULL;
    partial->refs = 1;
    partial->entry = entry;
    stet__entry_hold(entry);
    if (!several) {
        partial->parts[0] = stet__part_of_range(&entry->body, ranges->at[0]);
        partial->count = 1;
        return partial;
    }
    size_t secret_len;
    const void *secret = stet__files_secret(worker->files, &secret_len);
    char *boundary = partial->type + sizeof(TYPE_PREFIX) - 1;
    memcpy(partial->type, TYPE_PREFIX, sizeof(TYPE_PREFIX) - 1);
    stet__multipart_boundary(secret, secret_len, entry->selected.etag.opaque, ranges, boundary);
    partial->count = stet__multipart_parts(&source, ranges, boundary, partial->text, partial->parts);
    return partial;
}

static void put(struct stet_fields *fields, struct stet_field *room, enum stet_field_id id,
                struct stet_span value)
{
    room[fields->count++] = (struct stet_field){stet_field_name(id), value, id};
    fields->present |= UINT64_C(1) << id;
}

/* The fields of the 206: those of the 200 that stay, and its own. */
static struct stet__head *make_head(struct stet__arena *arena, const struct partial *partial,
                                    const struct stet_answer *answer)
{
    const struct stet__head *whole = partial->entry->whole.head;
    const struct stet_fields *from = &whole->fields;
    struct stet_field *room = stet__arena_alloc(arena, (from->count + 3) * sizeof(struct stet_field));
    char *text = stet__arena_alloc(arena, STET_CONTENT_RANGE_LEN + 20);
    if (!room || !text)
        return NULL;
    struct stet_fields fields = {room, 0, from->present};
    bool several = partial->count > 1, has_etag = stet_fields_have(from, STET_FIELD_ETAG);
    for (size_t i = 0; i < from->count; i++) {
        enum stet_field_id id = from->at[i].id;
        bool own = id == STET_FIELD_CONTENT_LENGTH || (several && id == STET_FIELD_CONTENT_TYPE);
        if (!own && (!answer->if_range_held || stet_not_modified_keeps(&from->at[i], has_etag)))
            room[fields.count++] = from->at[i];
    }
    uint64_t length = 0;
    for (size_t i = 0; i < partial->count; i++)
        length += partial->parts[i].length;
    put(&fields, room, STET_FIELD_CONTENT_LENGTH, stet_span_of(text, stet_format_u64(length, text)));
    text += 20;
    if (several)
        put(&fields, room, STET_FIELD_CONTENT_TYPE, stet_span_of(partial->type, sizeof(partial->type)));
    else
        put(&fields, room, STET_FIELD_CONTENT_RANGE,
            stet_span_of(text, stet_content_range_format(answer->ranges.at[0],
                                                         partial->entry->selected.length, text)));
    struct stet__head *head = stet__head_make(arena, 206, &fields);
    if (head)
        head->expires_after_s = whole->expires_after_s;
    return head;
}

void stet__partial_answer(struct stet__serve_worker *worker, struct stet__exchange *exchange,
                          struct stet__entry *entry, const struct stet_answer *answer)
{
    struct partial *partial = make(worker, entry, &answer->ranges);
    struct stet__head *head = partial ? make_head(exchange->arena, partial, answer) : NULL;
    if (!head) {
        if (partial)
            release(partial);
        struct stet__error error = {.status = 503, .reason = STET_REASON_OVERLOADED};
        stet__error_answer(worker, exchange, &error);
        return;
    }
    struct stet__reply reply = {.head = head,
                                .parts = partial->parts,
                                .part_count = partial->count,
                                .reason = answer->reason,
                                .owner = partial,
                                .hold = hold,
                                .release = release,
                                .intact = entry->whole.intact ? intact : NULL};
    stet__exchange_answer(exchange, &reply);
    release(partial);
}
