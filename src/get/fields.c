/* SPDX-License-Identifier: MIT */
/*
 * fields: copies of field lines in an arena.
 */
#include "get/task.h"

static struct stet_span put(char **at, struct stet_span text)
{
    struct stet_span copy = stet_span_of(*at, text.len);
    if (text.len > 0)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return copy;
}

bool stet__fields_copy(struct stet__arena *arena, const struct stet_fields *from, struct stet_fields *to)
{
    size_t octets = 1;
    for (size_t i = 0; i < from->count; i++)
        octets += from->at[i].name.len + from->at[i].value.len;
    struct stet_field *room = stet__arena_alloc(arena, (from->count + 1) * sizeof *room);
    char *text = stet__arena_alloc(arena, octets);
    if (!room || !text)
        return false;
    *to = (struct stet_fields){room, 0, 0};
    for (size_t i = 0; i < from->count; i++) {
        struct stet_span name = put(&text, from->at[i].name), value = put(&text, from->at[i].value);
        stet__fields_add(to, room, (struct stet_field){name, value, from->at[i].id});
    }
    return true;
}

struct stet_span stet__terminated(struct stet__arena *arena, struct stet_span text)
{
    char *copy = stet__arena_alloc(arena, text.len + 1);
    if (!copy)
        return STET_SPAN_NONE;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return stet_span_of(copy, text.len);
}
