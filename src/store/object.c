/* SPDX-License-Identifier: MIT */
/*
 * The allocation is measured first and then filled from its front by the same walk, so the two cannot differ.
 */
#include "store/object.h"

#include <malloc.h>
#include <stdlib.h>

#include "base/assert.h"

#define ALLOCATION_OVERHEAD 8u

/* What of an allocation is used. While it is measured, `at` is NULL. */
struct room {
    char *at;
    size_t used;
};

static void *take(struct room *room, size_t n, size_t alignment)
{
    room->used = (room->used + alignment - 1) & ~(alignment - 1);
    void *taken = room->at ? room->at + room->used : NULL;
    room->used += n;
    return taken;
}

/* An absent span stays absent, an empty one stays present. */
static struct stet_span copy_span(struct room *room, struct stet_span span)
{
    if (!span.ptr)
        return span;
    char *to = take(room, span.len, 1);
    if (!to)
        return span;
    memcpy(to, span.ptr, span.len);
    return stet_span_of(to, span.len);
}

/* A text that was copied already, and what it has become. */
struct moved {
    struct stet_span from, to;
};

static struct stet_span move_span(struct room *room, struct stet_span span, const struct moved *moved)
{
    uintptr_t begin = (uintptr_t)moved->from.ptr, at = (uintptr_t)span.ptr;
    if (!moved->from.ptr || at < begin || at - begin > moved->from.len ||
        span.len > moved->from.len - (at - begin))
        return copy_span(room, span);
    return stet_span_of(moved->to.ptr + (at - begin), span.len);
}

/* What stands in `moved` is not copied again. */
static struct stet_fields copy_fields(struct room *room, const struct stet_fields *fields,
                                      const struct moved *moved)
{
    struct stet_fields copied = *fields;
    struct stet_field *to = take(room, fields->count * sizeof *to, _Alignof(struct stet_field));
    for (size_t i = 0; i < fields->count; i++) {
        struct stet_field field = fields->at[i];
        field.name = move_span(room, field.name, moved);
        field.value = move_span(room, field.value, moved);
        if (to)
            to[i] = field;
    }
    copied.at = to;
    return copied;
}

/* Everything but the object itself, in the order in which a hit looks at it. */
static void copy_parts(struct room *room, const struct stet__object_parts *parts, struct stet__object *object)
{
    object->key = copy_span(room, parts->key);
    for (size_t i = 0; i < STET__HEAD_COUNT; i++)
        object->heads[i] = copy_span(room, parts->heads[i]);
    struct moved head = {parts->heads[STET__HEAD_WHOLE], object->heads[STET__HEAD_WHOLE]};
    const struct stet_fields *fields = &parts->stored->response.fields;
    object->sent = copy_fields(room, parts->sent.at ? &parts->sent : fields, &head);
    object->stored.response.fields = (struct stet_fields){object->sent.at, fields->count, fields->present};
    object->stored.selecting = copy_fields(room, &parts->stored->selecting, &head);
    object->stored.response.reason_phrase = copy_span(room, parts->stored->response.reason_phrase);
    object->no_vary_search = copy_span(room, parts->no_vary_search);
    struct stet_span *groups = take(room, parts->group_count * sizeof *groups, _Alignof(struct stet_span));
    for (size_t i = 0; i < parts->group_count; i++) {
        struct stet_span group = copy_span(room, parts->groups[i]);
        if (groups)
            groups[i] = group;
    }
    object->groups = groups;
    object->group_count = parts->group_count;
}

struct stet__object *stet__object_new(const struct stet__object_parts *parts,
                                      const struct stet_cache_policy *policy)
{
    struct stet__object measured = {.stored = *parts->stored};
    struct room room = {.used = sizeof measured};
    copy_parts(&room, parts, &measured);
    struct stet__object *object = malloc(room.used);
    if (!object)
        return NULL;
    *object = (struct stet__object){.hash = parts->hash,
                                    .asked_at = parts->asked_at,
                                    .stored = *parts->stored,
                                    .query_prefixes = parts->query_prefixes,
                                    .http10 = parts->http10,
                                    .coding = parts->coding,
                                    .codings = parts->codings,
                                    .body = parts->body};
    room = (struct room){.at = (char *)object, .used = sizeof *object};
    copy_parts(&room, parts, object);
    atomic_init(&object->references, 1);
    object->bytes = malloc_usable_size(object) + ALLOCATION_OVERHEAD;
    if (object->body)
        stet__body_acquire(object->body);
    stet_stored_read(&object->stored, policy);
    return object;
}

struct stet__object *stet__object_copy(const struct stet__object *object, enum stet_coding coding)
{
    return coding < STET__CODINGS_MADE ? atomic_load_explicit(&object->copies[coding], memory_order_acquire)
                                       : NULL;
}

struct stet__object *stet__object_acquire(struct stet__object *object)
{
    atomic_fetch_add_explicit(&object->references, 1, memory_order_relaxed);
    return object;
}

void stet__object_release(struct stet__object *object)
{
    if (!object || atomic_fetch_sub_explicit(&object->references, 1, memory_order_acq_rel) != 1)
        return;
    stet__assert(!object->place.in);
    for (enum stet_coding coding = 0; coding < STET__CODINGS_MADE; coding++)
        stet__object_release(stet__object_copy(object, coding));
    stet__body_release(object->body);
    free(object);
}
