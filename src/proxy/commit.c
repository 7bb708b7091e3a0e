/* SPDX-License-Identifier: MIT */
/*
 * commit: from answers to objects in the store: the fields that are kept, the heads that hits will copy, the
 * groups, and the versions that a 304, a part or the end of the body make.
 */
#include <stet/invalidation.h>
#include <stet/no_vary_search.h>
#include <stet/partial.h>

#include "proxy/coded.h"
#include "proxy/fetch.h"

/* What an object is made of, in the scratch memory of the worker. */
struct making {
    struct stet__fetch *fetch;
    struct stet__arena *arena;
    struct stet_stored stored;
    struct stet__object_parts parts;
    struct stet_span *groups; /* room for all there may be; NULL before the first */
    bool failed;
};

static void add_group(struct making *making, struct stet_span group)
{
    struct stet_span *groups = making->groups;
    if (!groups)
        groups = stet__arena_alloc(making->arena, STET_GROUPS_MAX * sizeof *groups);
    making->groups = groups;
    making->parts.groups = groups;
    struct stet_span copy = stet__arena_copy(making->arena, group);
    making->failed |= !groups || !copy.ptr;
    if (!making->failed)
        groups[making->parts.group_count++] = copy;
}

static void add_groups(struct making *making, enum stet_group_source source)
{
    struct stet_group_list list;
    struct stet_span group;
    char room[STET_GROUP_OCTETS_MAX];
    stet_group_list_begin(&list, &making->stored.response.fields, source);
    while (!making->failed && making->parts.group_count < STET_GROUPS_MAX &&
           stet_group_list_next(&list, room, &group) == STET_OK)
        add_group(making, group);
}

static void set_no_vary_search(struct making *making)
{
    struct stet_no_vary_search search;
    stet_no_vary_search_read(&making->stored.response.fields, &search);
    if (!search.given)
        search = making->fetch->worker->proxy->ignore_query;
    if (search.given)
        making->parts.no_vary_search = search.value;
    making->parts.query_prefixes = search.prefixes;
}

/* What may be made of it, and with that what its answers say beyond its fields: Vary. */
static void set_codings(struct making *making)
{
    const struct stet_stored *stored = &making->stored;
    const struct stet_held *held = &stored->held;
    making->parts.sent = stored->response.fields;
    if (!held->complete)
        return;
    struct stet__codable codable =
        stet__coded_judge(making->fetch->worker->configuration, &stored->response,
                          held->length_known ? held->complete_length : STET__BODY_LENGTH_UNKNOWN);
    if (stored->method == STET_METHOD_GET) {
        making->parts.coding = codable.own;
        making->parts.codings = codable.codings;
    }
    making->failed |= !stet__coded_add_vary(making->arena, &codable, &making->parts.sent);
}

/* Sets the heads. The fields are from then on those of the whole one, if it has them all: object.h. */
static void set_heads(struct making *making)
{
    struct stet__proxy_worker *worker = making->fetch->worker;
    struct stet_response *response = &making->stored.response;
    struct stet_fields *sent = &making->parts.sent;
    bool http10 = making->fetch->http10;
    const struct stet__head *head = stet__head_whole(worker, making->arena, response->status, sent, http10);
    making->failed |= !head;
    if (!head)
        return;
    making->parts.heads[STET__HEAD_WHOLE] = head->h1;
    if (head->fields.count == sent->count + 1) /* Via */
        sent->at = response->fields.at = head->fields.at;
    if (response->status != 200)
        return;
    head = stet__head_not_modified(worker, making->arena, sent, http10);
    making->failed |= !head;
    if (head)
        making->parts.heads[STET__HEAD_NOT_MODIFIED] = head->h1;
}

static void begin(struct making *making, struct stet__fetch *fetch)
{
    *making = (struct making){.fetch = fetch, .arena = &fetch->worker->scratch};
}

/* `stored` and `parts.key`, `.hash`, `.body` are set. NULL if there is no memory. */
static struct stet__object *finish(struct making *making)
{
    struct stet__object *object = NULL;
    if (!making->failed) {
        add_groups(making, STET_GROUPS);
        add_groups(making, STET_GROUPS_SURROGATE);
        add_groups(making, STET_GROUPS_CACHE_TAG);
        set_no_vary_search(making);
        set_codings(making);
        set_heads(making);
        making->parts.stored = &making->stored;
        making->parts.asked_at = making->fetch->asked_at;
        making->parts.http10 = making->fetch->http10;
    }
    if (!making->failed)
        object = stet__object_new(&making->parts, &making->fetch->worker->configuration->policy);
    stet__arena_reset(making->arena);
    return object;
}

/* The fields that are stored; of a 206 those that a 200 would have (RFC 9110 section 15.3.7). */
static void set_fields(struct making *making, const struct stet_fields *from,
                       const struct stet_cache_control *control)
{
    struct stet__lines lines;
    bool partial = !making->stored.held.complete;
    stet__lines_begin(&lines, making->arena, from->count + 3);
    for (size_t i = 0; i < from->count; i++) {
        if (partial && !stet_partial_keeps(&from->at[i]))
            continue;
        if (stet_stored_keeps(&from->at[i], from, control))
            stet__lines_add(&lines, &from->at[i]);
    }
    making->failed |= lines.failed;
    making->stored.response.fields = lines.fields;
}

static void set_selecting(struct making *making, const struct stet_fields *request)
{
    struct stet_field *room = stet__arena_alloc(making->arena, (request->count + 1) * sizeof *room);
    making->failed |= !room;
    if (!room)
        return;
    size_t count = stet_vary_selecting(&making->stored.response.fields, request, room);
    making->stored.selecting = (struct stet_fields){room, count, 0};
    for (size_t i = 0; i < count; i++)
        making->stored.selecting.present |= UINT64_C(1) << room[i].id;
}

/* Into the store, in place of those in the receipt's set. */
static bool put(struct stet__fetch *fetch, struct stet__object *object)
{
    struct stet__object *replaced[STET_CANDIDATES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < fetch->count; i++)
        if ((fetch->receipt.set >> i & 1) != 0)
            replaced[count++] = fetch->candidates[i].object;
    struct stet__store *kept = fetch->worker->proxy->store;
    bool in = stet__store_add(kept, object, replaced, count);
    fetch->purged = !in && stet__store_purged(kept, object) == STET__PURGED_HARD;
    return in;
}

bool stet__commit(struct stet__fetch *fetch)
{
    struct making making;
    begin(&making, fetch);
    making.stored = fetch->next;
    if (making.stored.response.status == 206)
        making.stored.response.status = 200;
    set_fields(&making, &fetch->response.fields, &fetch->next.control);
    set_selecting(&making, &fetch->request.head.fields);
    making.parts.key = fetch->target.key;
    making.parts.hash = fetch->target.hash;
    making.parts.body = fetch->body;
    struct stet__object *object = finish(&making);
    if (!object)
        return false;
    if (!put(fetch, object)) {
        stet__object_release(object);
        return false;
    }
    fetch->object = object;
    return true;
}

/* `old` with other fields: the start of a new version. */
static void begin_version(struct making *making, struct stet__fetch *fetch, struct stet__object *old)
{
    begin(making, fetch);
    making->stored = old->stored;
    making->parts.key = old->key;
    making->parts.hash = old->hash;
    making->parts.body = old->body;
}

/* Vary may be another one now: what it names is what this request has, which selected `old` (section 4.1). */
static void set_updated(struct making *making, const struct stet_fields *old)
{
    struct stet__fetch *fetch = making->fetch;
    const struct stet_fields *update = &fetch->response.fields;
    struct stet_field *room =
        stet__arena_alloc(making->arena, (old->count + update->count + 1) * sizeof *room);
    making->failed |= !room;
    if (!room)
        return;
    struct stet_fields fields = {room, stet_update_fields(old, update, &fetch->next.control, room), 0};
    for (size_t i = 0; i < fields.count; i++)
        fields.present |= UINT64_C(1) << room[i].id;
    making->stored.response.fields = fields;
    making->stored.times = fetch->times;
    set_selecting(making, &fetch->request.head.fields);
}

struct stet__object *stet__commit_freshened(struct stet__fetch *fetch, struct stet__object *old)
{
    struct making making;
    begin_version(&making, fetch, old);
    set_updated(&making, &old->stored.response.fields);
    return finish(&making);
}

struct stet__object *stet__commit_adopted(struct stet__fetch *fetch, struct stet__object *old)
{
    struct making making;
    begin_version(&making, fetch, old);
    set_updated(&making, &old->stored.response.fields);
    making.stored.authorized |= fetch->next.authorized;
    return finish(&making);
}

bool stet__commit_adopt(struct stet__fetch *fetch, struct stet__object *old, struct stet__object *adopted)
{
    struct stet_storable storable = stet_cache_adopt(&fetch->question, &fetch->next, &adopted->stored);
    fetch->receipt.storing = storable.reason;
    /* What still comes in is amended when it has ended, and only where it was stored first; and what
     * No-Vary-Search lent from another URI stays with that. */
    bool whole =
        stet__body_state(old->body) == STET__BODY_COMPLETE && stet_span_equal(old->key, fetch->target.key);
    if (!storable.storable || !whole)
        return false;
    if (put(fetch, adopted))
        return true;
    fetch->receipt.storing = fetch->purged ? STET_REASON_NOT_STORED_PURGED : STET_REASON_NOT_STORED_TOO_LARGE;
    return false;
}

struct stet__object *stet__commit_combined(struct stet__fetch *fetch, struct stet__object *old,
                                           const struct stet_combination *combination,
                                           struct stet__body *body)
{
    struct making making;
    begin_version(&making, fetch, old);
    set_updated(&making, &old->stored.response.fields);
    making.stored.held = combination->held;
    struct stet_fields updated = making.stored.response.fields;
    struct stet__lines lines;
    stet__lines_begin(&lines, making.arena, updated.count + 1);
    for (size_t i = 0; i < updated.count; i++)
        if (stet_partial_keeps(&updated.at[i]))
            stet__lines_add(&lines, &updated.at[i]);
    if (combination->held.complete)
        stet__lines_put_number(&lines, STET_FIELD_CONTENT_LENGTH, stet__body_length(body));
    making.failed |= lines.failed;
    making.stored.response.fields = lines.fields;
    making.parts.body = body;
    return finish(&making);
}

/* A part whose octets are not those that Content-Range told is none. */
static bool is_as_told(const struct stet__object *object)
{
    const struct stet_held *held = &object->stored.held;
    return held->complete || stet__body_length(object->body) == held->range.last - held->range.first + 1;
}

/* The body of `old` is complete: a version that says its length, and has a tag if `digest` is not NULL. */
static void amend(struct stet__fetch *fetch, struct stet__object *old, const struct stet__digest *digest)
{
    const struct stet_fields *fields = &old->stored.response.fields;
    if (stet_fields_have(fields, STET_FIELD_ETAG))
        digest = NULL; /* a 304 has brought one meanwhile */
    bool measured = !old->stored.held.complete || stet_fields_have(fields, STET_FIELD_CONTENT_LENGTH);
    if (measured && !digest)
        return;
    struct making making;
    begin_version(&making, fetch, old);
    struct stet__lines lines;
    stet__lines_begin(&lines, making.arena, fields->count + 2);
    for (size_t i = 0; i < fields->count; i++)
        stet__lines_add(&lines, &fields->at[i]);
    if (digest)
        stet__add_tag(&lines, digest);
    if (!measured) {
        stet__lines_put_number(&lines, STET_FIELD_CONTENT_LENGTH, stet__body_length(old->body));
        making.stored.held.length_known = true;
        making.stored.held.complete_length = stet__body_length(old->body);
    }
    making.stored.synthesised |= digest != NULL;
    making.failed |= lines.failed;
    making.stored.response.fields = lines.fields;
    struct stet__object *updated = finish(&making);
    if (!updated) {
        /* No memory for it: the next request stores it anew, rather than that it stays without length and
         * tag. */
        stet__store_remove(fetch->worker->proxy->store, old);
        return;
    }
    stet__store_amend(fetch->worker->proxy->store, old, updated);
    stet__object_release(updated);
}

void stet__commit_complete(struct stet__fetch *fetch)
{
    struct stet__store *kept = fetch->worker->proxy->store;
    struct stet__object *old = stet__store_version(kept, fetch->object);
    struct stet__digest digest;
    bool tagged = fetch->digester && stet__digester_finish(fetch->digester, &digest);
    fetch->digester = NULL;
    if (!old)
        return;
    if (is_as_told(old))
        amend(fetch, old, tagged ? &digest : NULL);
    else
        stet__store_remove(kept, old);
    struct stet__object *latest = stet__store_version(kept, old);
    if (latest)
        stet__coded_filled(fetch->worker, latest, &fetch->request.head);
    stet__object_release(latest);
    stet__object_release(old);
}
