/* SPDX-License-Identifier: MIT */
/*
 * Objects of answers: the fields that are kept, groups, No-Vary-Search, and the versions that a 304 or
 * another part makes.
 */
#include <stet/invalidation.h>
#include <stet/no_vary_search.h>

#include "cache.h"

static struct stet__object *make(struct sim_visit *visit, const struct stet_stored *stored,
                                 struct stet__body *body)
{
    struct stet_span key = stet_span_of(visit->asked->uri, strlen(visit->asked->uri)), groups[8];
    char rooms[8][STET_GROUP_OCTETS_MAX];
    struct stet__object_parts parts = {.key = key, .stored = stored, .groups = groups, .body = body};
    struct stet_no_vary_search search;
    struct stet_group_list list;
    stet_group_list_begin(&list, &stored->response.fields, STET_GROUPS);
    while (parts.group_count < 8 &&
           stet_group_list_next(&list, rooms[parts.group_count], &groups[parts.group_count]) == STET_OK)
        parts.group_count++;
    stet_no_vary_search_read(&stored->response.fields, &search);
    if (search.given)
        parts.no_vary_search = search.value;
    parts.hash = stet__store_hash(visit->world->store, key);
    struct stet__object *object = stet__object_new(&parts, &visit->world->policy);
    if (!object)
        abort();
    return object;
}

static void set_fields(struct stet_stored *stored, struct stet_field *room, size_t count)
{
    stored->response.fields = (struct stet_fields){room, count, 0};
    for (size_t i = 0; i < count; i++)
        stored->response.fields.present |= UINT64_C(1) << room[i].id;
}

/* The request fields that select it: those of the request that the origin has just answered for it. */
static void set_selecting(struct stet_stored *stored, const struct stet_fields *request,
                          struct stet_field *room)
{
    size_t count = stet_vary_selecting(&stored->response.fields, request, room);
    stored->selecting = (struct stet_fields){room, count, 0};
    for (size_t i = 0; i < count; i++)
        stored->selecting.present |= UINT64_C(1) << room[i].id;
}

/* Without the fields that a part has and a whole has not: RFC 9110 section 15.3.7. */
static size_t without_length(struct stet_field *room, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (room[i].id != STET_FIELD_CONTENT_LENGTH && room[i].id != STET_FIELD_CONTENT_RANGE)
            room[kept++] = room[i];
    return kept;
}

struct stet__object *sim_commit(struct sim_visit *visit, const struct stet_stored *next,
                                struct stet__body *body)
{
    struct stet_stored stored = *next;
    struct stet_field room[2 * SIM_LINES], selecting[SIM_LINES];
    const struct stet_fields *fields = &next->response.fields;
    size_t count = 0;
    for (size_t i = 0; i < fields->count; i++)
        if (stet_stored_keeps(&fields->at[i], fields, &next->control))
            room[count++] = fields->at[i];
    if (stored.response.status == 206) {
        stored.response.status = 200;
        count = without_length(room, count);
    }
    set_fields(&stored, room, count);
    set_selecting(&stored, &visit->request.fields, selecting);
    return make(visit, &stored, body);
}

struct stet__object *sim_commit_freshened(struct sim_visit *visit, const struct stet__object *old,
                                          const struct stet_stored *next)
{
    struct stet_stored stored = old->stored;
    struct stet_field room[4 * SIM_LINES], selecting[SIM_LINES];
    struct sim_request asked = *visit->asked;
    snprintf(asked.uri, sizeof asked.uri, "%.*s", (int)old->key.len, old->key.ptr);
    struct sim_visit of_old = {.world = visit->world, .asked = &asked};
    set_fields(
        &stored, room,
        stet_update_fields(&old->stored.response.fields, &next->response.fields, &next->control, room));
    stored.times = next->times;
    set_selecting(&stored, &visit->request.fields, selecting);
    return make(&of_old, &stored, old->body);
}

struct stet__object *sim_commit_combined(struct sim_visit *visit, const struct stet__object *old,
                                         const struct stet_stored *next, struct stet__body *body)
{
    struct stet_combination combination;
    struct stet_stored stored = old->stored;
    struct stet_field room[4 * SIM_LINES], selecting[SIM_LINES];
    struct sim_request asked = *visit->asked;
    snprintf(asked.uri, sizeof asked.uri, "%.*s", (int)old->key.len, old->key.ptr);
    struct sim_visit of_old = {.world = visit->world, .asked = &asked};
    stet_partial_combine(&old->stored, next, &combination);
    size_t count =
        stet_update_fields(&old->stored.response.fields, &next->response.fields, &next->control, room);
    set_fields(&stored, room, without_length(room, count));
    stored.times = next->times;
    stored.held = combination.held;
    set_selecting(&stored, &visit->request.fields, selecting);
    return make(&of_old, &stored, body);
}

struct stet__object *sim_commit_adopted(struct sim_visit *visit, const struct stet__object *old,
                                        const struct stet_stored *next)
{
    struct stet_stored stored = old->stored;
    struct stet_field room[4 * SIM_LINES], selecting[SIM_LINES];
    char number[20];
    size_t count =
        stet_update_fields(&old->stored.response.fields, &next->response.fields, &next->control, room);
    for (size_t i = 0; i < count; i++) /* the two are told apart by the number of this exchange */
        if (stet_span_equal(room[i].name, STET_SPAN("Sim-Origin")))
            room[i].value = stet_span_of(number, stet_format_u64(visit->world->origin.exchanges, number));
    set_fields(&stored, room, count);
    stored.times = next->times;
    stored.authorized |= next->authorized;
    set_selecting(&stored, &visit->request.fields, selecting);
    return make(visit, &stored, old->body);
}
