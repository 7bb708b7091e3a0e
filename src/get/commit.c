/* SPDX-License-Identifier: MIT */
/*
 * commit: what is written to the store: new answers with their bodies, parts that grow, and the heads that a
 * 304 makes (RFC 9111 sections 3, 3.2, 3.4 and 4.3.4).
 *
 * A Content-Length that did not come is not made up, but for one case: an immutable response whose content
 * had an end of its own (chunked, HTTP/2). That it has a length tells it from one that ended with its
 * connection, which RFC 8246 section 3 wants to be disregarded as immutable.
 */
#include "get/task.h"

/* Fields that grow in hop_arena. */
struct lines {
    struct stet_field *room;
    struct stet_fields fields;
};

static bool lines_begin(struct stet__task *task, struct lines *lines, size_t count)
{
    lines->room = stet__arena_alloc(&task->hop_arena, (count + 1) * sizeof *lines->room);
    lines->fields = (struct stet_fields){lines->room, 0, 0};
    return lines->room != NULL;
}

static bool put_length(struct stet__task *task, struct lines *lines, uint64_t octets)
{
    char *text = stet__arena_alloc(&task->hop_arena, 20);
    if (!text)
        return false;
    struct stet_span value = stet_span_of(text, stet_format_u64(octets, text));
    stet__fields_add(
        &lines->fields, lines->room,
        (struct stet_field){stet_field_name(STET_FIELD_CONTENT_LENGTH), value, STET_FIELD_CONTENT_LENGTH});
    return true;
}

/* What Vary names of this request: section 4.1. */
static bool set_selecting(struct stet__task *task, struct stet_stored *stored)
{
    const struct stet_fields *request = &task->hop.request.fields;
    struct stet_field *room = stet__arena_alloc(&task->hop_arena, (request->count + 1) * sizeof *room);
    if (!room)
        return false;
    stored->selecting = (struct stet_fields){room, 0, 0};
    stored->selecting.count = stet_vary_selecting(&stored->response.fields, request, room);
    for (size_t i = 0; i < stored->selecting.count; i++)
        stored->selecting.present |= UINT64_C(1) << room[i].id;
    return true;
}

/* Those of `set` that are to go, as ids. */
static size_t ids_of(const struct stet__hop *hop, uint64_t set, uint64_t ids[STET_CANDIDATES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < hop->question.count; i++)
        if ((set >> i & 1) != 0)
            ids[count++] = hop->entries[i].id;
    return count;
}

static void begin(struct stet__task *task, const struct stet_stored *stored, uint64_t set,
                  const struct stet__disk_entry *part)
{
    uint64_t ids[STET_CANDIDATES_MAX];
    const struct stet_held *held = &stored->held;
    struct stet__disk_put put = {.uri = task->key,
                                 .stored = stored,
                                 .replaced = ids,
                                 .asker = task->hop.asker,
                                 .whole = task->delta.coded};
    put.replaced_count = ids_of(&task->hop, set, ids);
    task->body = stet__disk_body_begin(task->get->disk, &put, part,
                                       held->length_known ? held->complete_length : UINT64_MAX);
    if (!task->body)
        task->result.storing = STET_REASON_NOT_STORED_TOO_LARGE;
}

void stet__commit_begin(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    const struct stet_fields *from = &hop->response.fields;
    struct stet_stored stored = hop->next;
    struct lines lines;
    if (!lines_begin(task, &lines, from->count))
        return;
    for (size_t i = 0; i < from->count; i++)
        if (stet_stored_keeps(&from->at[i], from, &hop->next.control))
            stet__fields_add(&lines.fields, lines.room, from->at[i]);
    stored.response.fields = lines.fields;
    if (stored.method == STET_METHOD_HEAD) /* Content-Length is not of what comes */
        stored.held = (struct stet_held){.complete = true};
    if (set_selecting(task, &stored))
        begin(task, &stored, hop->receipt.set, NULL);
}

/* `stored` with the fields of the answer that came: stet_update_fields. */
static bool update(struct stet__task *task, struct stet_stored *stored)
{
    struct stet__hop *hop = &task->hop;
    const struct stet_fields old = stored->response.fields, *new = &hop->response.fields;
    struct stet_field *room =
        stet__arena_alloc(&task->hop_arena, (old.count + new->count + 1) * sizeof *room);
    if (!room)
        return false;
    struct stet_fields fields = {room, stet_update_fields(&old, new, &hop->next.control, room), 0};
    for (size_t i = 0; i < fields.count; i++)
        fields.present |= UINT64_C(1) << room[i].id;
    stored->response.fields = fields;
    stored->times = hop->times;
    return set_selecting(task, stored);
}

/* RFC 9110 section 15.3.7.3: the whole is a 200, has its Content-Length and no Content-Range. */
static bool combine(struct stet__task *task, struct stet_stored *combined)
{
    struct lines lines;
    if (!update(task, combined))
        return false;
    const struct stet_fields *from = &combined->response.fields;
    if (!lines_begin(task, &lines, from->count + 1))
        return false;
    for (size_t i = 0; i < from->count; i++)
        if (stet_partial_keeps(&from->at[i]))
            stet__fields_add(&lines.fields, lines.room, from->at[i]);
    combined->held = task->hop.combination.held;
    combined->response.status = 200;
    if (combined->held.length_known && !put_length(task, &lines, combined->held.complete_length))
        return false;
    combined->response.fields = lines.fields;
    return true;
}

/* What this request selects: the part, and what was there before it. */
static uint64_t selected(const struct stet__hop *hop)
{
    uint64_t set = 0;
    for (size_t i = 0; i < hop->question.count; i++)
        if (stet_vary_matches(&hop->stored[i]->response.fields, &hop->stored[i]->selecting,
                              &hop->request.fields))
            set |= UINT64_C(1) << i;
    return set;
}

bool stet__commit_begin_combined(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    size_t chosen = hop->decision.chosen;
    hop->combined = hop->entries[chosen].stored;
    if (!combine(task, &hop->combined))
        return false;
    stet_stored_read(&hop->combined, &task->get->settings.policy);
    begin(task, &hop->combined, selected(hop), &hop->entries[chosen]);
    return true;
}

/* An immutable one gets the length that it was framed with. */
static void measure(struct stet__task *task, const struct stet__disk_entry *entry)
{
    struct lines lines;
    struct stet_stored stored = entry->stored;
    const struct stet_fields *from = &entry->stored.response.fields;
    struct stet__disk_put put = {
        .uri = task->key, .stored = &stored, .replaced = &entry->id, .replaced_count = 1};
    bool framed = task->hop.framing == STET_BODY_CHUNKED &&
                  stet_cache_control_has(&task->hop.next.control, STET_CC_IMMUTABLE) &&
                  !stet_fields_have(from, STET_FIELD_CONTENT_LENGTH);
    if (!framed || !lines_begin(task, &lines, from->count + 1))
        return;
    for (size_t i = 0; i < from->count; i++)
        stet__fields_add(&lines.fields, lines.room, from->at[i]);
    if (!put_length(task, &lines, entry->octets))
        return;
    stored.response.fields = lines.fields;
    (void)stet__disk_put_head(task->get->disk, entry, &put);
}

bool stet__commit_end(struct stet__task *task, struct stet__disk_entry *out)
{
    if (!task->body)
        return false;
    bool kept = stet__disk_body_commit(task->body, &task->hop_arena, out);
    task->body = NULL;
    if (kept)
        measure(task, out);
    return kept;
}

void stet__commit_cut(struct stet__task *task)
{
    if (task->body)
        stet__disk_body_cut(task->body);
    task->body = NULL;
}

/* What is cut may be kept as a part, and is taken out again. */
void stet__commit_drop(struct stet__task *task)
{
    struct stet__get *get = task->get;
    size_t count = 0;
    if (!task->body)
        return;
    stet__commit_cut(task);
    if (stet__disk_find(get->disk, task->key, &get->settings.policy, &task->hop_arena, get->found, &count) !=
        STET_OK)
        return;
    for (size_t i = 0; i < count; i++)
        if (!get->found[i].stored.held.complete)
            (void)stet__disk_remove_entry(get->disk, get->found[i].id);
}

void stet__commit_invalidated(struct stet__task *task)
{
    const struct stet__hop *hop = &task->hop;
    for (size_t i = 0; i < hop->question.count; i++)
        if ((hop->receipt.invalidated >> i & 1) != 0)
            (void)stet__disk_invalidate_entry(task->get->disk, hop->entries[i].id);
}

/* Section 4.1: a copy of what another request got, for this one. */
static void adopt(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    struct stet__disk_entry *entry = &hop->entries[hop->receipt.chosen];
    uint64_t ids[STET_CANDIDATES_MAX];
    struct stet_stored adopted = entry->stored;
    if (!update(task, &adopted))
        return;
    adopted.authorized |= hop->next.authorized;
    stet_stored_read(&adopted, &task->get->settings.policy);
    struct stet_storable storable = stet_cache_adopt(&hop->question, &hop->next, &adopted);
    struct stet__disk_put put = {.uri = task->key,
                                 .stored = &adopted,
                                 .replaced = ids,
                                 .replaced_count = ids_of(hop, hop->receipt.set, ids)};
    task->result.storing = storable.reason;
    if (storable.storable)
        (void)stet__disk_put_head(task->get->disk, entry, &put);
    entry->stored = adopted;
}

/* A 304 never destroys: what cannot be updated stays as it is. */
void stet__commit_freshen(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    if (hop->receipt.adopts) {
        adopt(task);
        return;
    }
    for (size_t i = 0; i < hop->question.count; i++) {
        struct stet__disk_entry *entry = &hop->entries[i];
        struct stet_stored stored = entry->stored;
        struct stet__disk_put put = {
            .uri = task->key, .stored = &stored, .replaced = &entry->id, .replaced_count = 1};
        if ((hop->receipt.set >> i & 1) == 0 || !update(task, &stored))
            continue;
        stet_stored_read(&stored, &task->get->settings.policy);
        (void)stet__disk_put_head(task->get->disk, entry, &put);
        entry->stored = stored;
        entry->invalidated = false;
    }
    stet__commit_invalidated(task);
}
