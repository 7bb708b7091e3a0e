/* SPDX-License-Identifier: MIT */
/*
 * fetch_new: birth and death of a fetch. It has a copy of its request, which it outlives.
 *
 * A worker keeps those that are over, each with the first block of its arena: the allocator sees nothing of
 * them while there is as much to do as there was a moment ago. Under AddressSanitizer it keeps none, so that
 * whoever uses one that is over is found.
 */
#include <stet/forward.h>

#include "base/assert.h"
#include "proxy/fetch.h"

#define ARENA_MAX (1024 * 1024)
#if defined(__SANITIZE_ADDRESS__)
#define KEEPS_SPARES false
#else
#define KEEPS_SPARES true
#endif
#define SPARES_MAX 64u
#define SPARE_ARENA_BYTES 8192u /* whose arena has had more is not kept */

/* ---- the copy of the request ---- */

/*
 * What Connection names does not reach the origin, so it selects no variant either: else a client could have
 * the answer to a request without a field stored for those who send it.
 */
static bool is_nominated(const struct stet_field *field, const struct stet_fields *all)
{
    static const struct stet_fields none = {NULL, 0, 0};
    return stet_fields_have(all, STET_FIELD_CONNECTION) && stet_forward_keeps(field, &none) &&
           !stet_forward_keeps(field, all);
}

/* A validation in the background is nobody's: the client's conditions and range do not count. */
static bool is_clients_own(const struct stet_field *field, const struct stet_fields *all)
{
    enum stet_field_id id = field->id;
    return id == STET_FIELD_IF_MATCH || id == STET_FIELD_IF_NONE_MATCH ||
           id == STET_FIELD_IF_MODIFIED_SINCE || id == STET_FIELD_IF_UNMODIFIED_SINCE ||
           id == STET_FIELD_IF_RANGE || id == STET_FIELD_RANGE || is_nominated(field, all);
}

static bool copy_request(struct stet__fetch *fetch, const struct stet__visit *visit, bool all)
{
    struct stet__arena *arena = &fetch->arena;
    const struct stet_http1_request *from = visit->exchange->request;
    struct stet__target *target = &fetch->target;
    bool failed = false;
    fetch->request = *from;
    fetch->request.head.method_name = stet__copy_span(arena, from->head.method_name, &failed);
    fetch->request.head.target = stet__copy_span(arena, from->head.target, &failed);
    *target = visit->target;
    target->scheme = stet__copy_span(arena, target->scheme, &failed);
    target->authority = stet__copy_span(arena, target->authority, &failed);
    target->path_query = stet__copy_span(arena, target->path_query, &failed);
    target->key = stet__copy_span(arena, target->key, &failed);
    fetch->request.authority = target->authority;
    fetch->request.path_query = target->path_query;
    return stet__copy_fields(arena, &from->head.fields, all ? is_nominated : is_clients_own,
                             &fetch->request.head.fields) &&
           !failed;
}

/* The candidates' references go over from the visit. */
static bool take_candidates(struct stet__fetch *fetch, struct stet__visit *visit)
{
    size_t count = visit->count;
    struct stet__candidate *candidates = stet__arena_alloc(&fetch->arena, count * sizeof *candidates + 1);
    const struct stet_stored **stored = stet__arena_alloc(&fetch->arena, count * sizeof *stored + 1);
    if (!candidates || !stored)
        return false;
    memcpy(candidates, visit->candidates, count * sizeof *candidates);
    for (size_t i = 0; i < count; i++)
        stored[i] = &candidates[i].object->stored;
    fetch->candidates = candidates;
    fetch->count = count;
    fetch->question = visit->question;
    fetch->question.request = &fetch->request.head;
    fetch->question.target = fetch->target.path_query;
    fetch->question.stored = stored;
    visit->count = 0;
    return true;
}

/* ---- its memory ---- */

/* A fetch without anything in it but its arena, which is empty. */
static struct stet__fetch *take(struct stet__proxy_worker *worker)
{
    struct stet__fetch *fetch;
    struct stet__arena arena;
    if (stet__list_empty(&worker->spares)) {
        fetch = malloc(sizeof *fetch);
        stet__arena_init(&arena, ARENA_MAX);
    } else {
        fetch = stet__list_entry(worker->spares.next, struct stet__fetch, node);
        stet__list_remove(&fetch->node);
        worker->spare_count--;
        arena = fetch->arena;
        stet__arena_reset(&arena);
    }
    if (!fetch)
        return NULL;
    memset(fetch, 0, offsetof(struct stet__fetch, tags));
    fetch->worker = worker;
    fetch->arena = arena;
    return fetch;
}

static void give_back(struct stet__fetch *fetch)
{
    struct stet__proxy_worker *worker = fetch->worker;
    bool small = fetch->arena.used <= SPARE_ARENA_BYTES;
    if (KEEPS_SPARES && worker->spare_count < SPARES_MAX && small) {
        stet__list_append(worker->spares.next, &fetch->node);
        worker->spare_count++;
        return;
    }
    stet__arena_release(&fetch->arena);
    free(fetch);
}

void stet__fetch_free_spares(struct stet__proxy_worker *worker)
{
    while (!stet__list_empty(&worker->spares)) {
        struct stet__fetch *fetch = stet__list_entry(worker->spares.next, struct stet__fetch, node);
        stet__list_remove(&fetch->node);
        stet__arena_release(&fetch->arena);
        free(fetch);
    }
    worker->spare_count = 0;
}

struct stet__fetch *stet__fetch_new(struct stet__visit *visit, bool answer)
{
    struct stet__fetch *fetch = take(visit->worker);
    if (!fetch)
        return NULL;
    stet__pipe_init(&fetch->up);
    stet__pipe_init(&fetch->down);
    fetch->up.owner = fetch;
    fetch->up.ready = stet__upload_ready;
    fetch->up.drained = stet__upload_drained;
    stet__list_init(&fetch->node);
    stet__list_init(&fetch->fill.node);
    stet__list_init(&fetch->fill.waiters);
    stet__list_init(&fetch->fill.readers);
    stet__wake_init(&fetch->fill.writer, &fetch->worker->mailbox, stet__fetch_writer_woken);
    fetch->decision = visit->decision;
    fetch->early = visit->exchange->early;
    memcpy(fetch->peer, visit->exchange->peer, sizeof fetch->peer);
    fetch->validating = !visit->target.bypassed;
    if (!copy_request(fetch, visit, answer) || !take_candidates(fetch, visit)) {
        give_back(fetch);
        return NULL;
    }
    fetch->fill.hash = fetch->target.hash;
    fetch->fill.key = fetch->target.key;
    fetch->fill.request = &fetch->request.head;
    fetch->attempt.worker = fetch->worker;
    fetch->attempt.found = stet__fetch_ask;
    if (fetch->target.elsewhere)
        fetch->attempt.authority = fetch->target.authority;
    stet__list_append(&fetch->worker->fetches, &fetch->node);
    return fetch;
}

void stet__fetch_free(struct stet__fetch *fetch)
{
    stet__assert(!fetch->visit);
    stet__attempt_cancel(&fetch->attempt);
    if (fetch->upstream)
        stet__upstream_cancel(fetch->upstream);
    if (fetch->leads)
        stet__fill_over(fetch->worker->proxy->fills, &fetch->fill, STET_REASON_OK);
    stet__wake_cancel(&fetch->fill.writer);
    for (size_t i = 0; i < fetch->count; i++)
        stet__object_release(fetch->candidates[i].object);
    if (fetch->object)
        stet__object_release(fetch->object);
    if (fetch->body) {
        if (stet__body_state(fetch->body) == STET__BODY_GROWING)
            stet__body_finish(fetch->body, false);
        stet__body_release(fetch->body);
    }
    stet__digester_free(fetch->digester);
    stet__pipe_release(&fetch->up);
    stet__pipe_release(&fetch->down);
    stet__list_remove(&fetch->node);
    give_back(fetch);
}
