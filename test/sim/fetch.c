/* SPDX-License-Identifier: MIT */
/*
 * What is asked of the origin, and what is done with its answer or without one.
 */
#include <stet/freshness.h>
#include <stet/invalidation.h>

#include "cache.h"

#define URI_ROOM 200

struct fetch {
    struct sim_visit *visit;
    struct stet_validation validation;
    char tags[130]; /* a line of sim_head: tags that do not fit are left out */
    struct sim_answer answer;
    struct sim_view view; /* of the answer */
    struct stet_stored next;
    struct stet_receipt receipt;
    int64_t asked_at;
    bool retried;
};

static bool is_condition(const char *name)
{
    static const char *const conditions[] = {"If-Match", "If-None-Match", "If-Modified-Since", "If-Range",
                                             "Range"};
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
        if (strcmp(name, conditions[i]) == 0)
            return true;
    return false;
}

static void put_span(struct sim_head *head, const char *name, struct stet_span value)
{
    if (value.ptr)
        sim_put(head, name, "%.*s", (int)value.len, value.ptr);
}

static void ask(struct fetch *fetch)
{
    struct sim_world *world = fetch->visit->world;
    const struct stet_validation *validation = &fetch->validation;
    struct sim_head head = fetch->visit->head;
    head.count = 0;
    for (unsigned i = 0; i < fetch->visit->head.count; i++)
        if (validation->own_fields || !is_condition(fetch->visit->head.lines[i].name))
            head.lines[head.count++] = fetch->visit->head.lines[i];
    if (!validation->own_fields) {
        put_span(&head, "If-Modified-Since", validation->if_modified_since);
        put_span(&head, "If-None-Match", validation->if_none_match);
        if (validation->has_range && validation->range.last == UINT64_MAX)
            sim_put(&head, "Range", "bytes=%u-", (unsigned)validation->range.first);
        else if (validation->has_range)
            sim_put(&head, "Range", "bytes=%u-%u", (unsigned)validation->range.first,
                    (unsigned)validation->range.last);
        put_span(&head, "If-Range", validation->has_range ? validation->if_range : STET_SPAN_NONE);
    }
    fetch->asked_at = world->now;
    world->now += sim_chance(&world->random, 20) ? sim_below(&world->random, 4) : 0;
    sim_origin_answer(&world->origin, &head, fetch->visit->asked->resource, world->now, &fetch->answer);
    world->fetched++;
    struct sim_exchange exchange = {&fetch->visit->head, &fetch->answer, fetch->asked_at, world->now};
    sim_oracle_exchanged(&world->oracle, &exchange);
    fetch->visit->question.now = world->now;
}

/* RFC 9111 section 4.4 and RFC 9875. */
static void invalidate(struct fetch *fetch, const struct stet_response *response)
{
    struct sim_visit *visit = fetch->visit;
    struct stet_invalidation invalidation;
    struct stet_group_list list;
    struct stet_uri target;
    struct stet_span group, origin = STET_SPAN(SIM_ORIGIN);
    char uri[URI_ROOM], room[STET_GROUP_OCTETS_MAX];
    size_t len;
    if (stet_uri_parse(stet_span_of(visit->asked->uri, strlen(visit->asked->uri)), &target) != STET_OK ||
        !stet_invalidation_begin(&invalidation, visit->request.method, response, &target))
        return;
    while (stet_invalidation_next(&invalidation, uri, sizeof uri, &len) == STET_OK)
        stet__store_purge(visit->world->store, STET__SELECT_URI, stet_span_of(uri, len), STET_SPAN_NONE,
                          false);
    stet_group_list_begin(&list, &response->fields, STET_GROUPS_INVALIDATED);
    while (stet_group_list_next(&list, room, &group) == STET_OK)
        stet__store_purge(visit->world->store, STET__SELECT_GROUP, group, origin, false);
}

static void make_next(struct fetch *fetch)
{
    const struct sim_visit *visit = fetch->visit;
    bool head = visit->request.method == STET_METHOD_HEAD;
    sim_view(&fetch->answer.head, &fetch->view);
    fetch->next = (struct stet_stored){
        .response = {.status = fetch->answer.head.status, .fields = fetch->view.fields},
        .method = head ? STET_METHOD_HEAD : STET_METHOD_GET,
        .selecting = visit->request.fields,
        .times = {fetch->asked_at, visit->world->now, stet_message_age(&fetch->view.fields)},
        .authorized = stet_fields_have(&visit->request.fields, STET_FIELD_AUTHORIZATION),
    };
    (void)stet_held_read(&fetch->next.response, &fetch->next.held);
    if (fetch->next.held.complete && !fetch->next.held.length_known && !head) {
        fetch->next.held.length_known = true; /* it is all there already */
        fetch->next.held.complete_length = fetch->answer.len;
    }
    stet_stored_read(&fetch->next, &visit->world->policy);
}

static void finish(struct fetch *fetch, bool validated)
{
    struct sim_visit *visit = fetch->visit;
    if (!visit->background)
        sim_oracle_answered(&visit->world->oracle, &visit->response, visit->world->now, validated);
}

static void answer_as_it_came(struct fetch *fetch)
{
    struct sim_response *response = &fetch->visit->response;
    *response = (struct sim_response){
        .status = fetch->answer.head.status, .head = fetch->answer.head, .len = fetch->answer.len};
    memcpy(response->body, fetch->answer.body, fetch->answer.len);
    finish(fetch, true);
}

static void answer_error(struct fetch *fetch)
{
    fetch->visit->response = (struct sim_response){.status = 502};
}

/* The client's conditions were not sent, so they are judged here. */
static void answer_new(struct fetch *fetch, const struct stet__body *body, bool pass)
{
    struct sim_visit *visit = fetch->visit;
    bool reads = visit->request.method == STET_METHOD_GET || visit->request.method == STET_METHOD_HEAD;
    struct stet_answer answer = {.status = 200};
    if (fetch->answer.head.status != 200 || fetch->validation.own_fields || !reads) {
        answer_as_it_came(fetch);
        return;
    }
    stet_cache_answer(&visit->request, &fetch->next, visit->world->now, &answer);
    if (pass && answer.status != 304) {
        answer_as_it_came(fetch);
        return;
    }
    sim_answer_from(visit, &fetch->next, body);
    visit->response.stored = false;
    finish(fetch, true);
}

static struct stet__body *body_of(struct fetch *fetch)
{
    if (fetch->visit->request.method == STET_METHOD_HEAD)
        return NULL;
    struct stet__body *body = stet__body_of(stet_span_of(fetch->answer.body, fetch->answer.len));
    if (!body)
        abort();
    return body;
}

static void mark_invalidated(struct fetch *fetch)
{
    struct sim_visit *visit = fetch->visit;
    for (size_t i = 0; i < visit->question.count; i++) {
        if ((fetch->receipt.invalidated >> i & 1) == 0)
            continue;
        stet__store_invalidate(visit->world->store, visit->candidates[i].object);
        sim_oracle_invalidated(&visit->world->oracle, visit->ids[i]);
    }
}

static void store(struct fetch *fetch)
{
    struct sim_visit *visit = fetch->visit;
    struct sim_world *world = visit->world;
    struct stet__body *body = body_of(fetch);
    struct stet__object *object = sim_commit(visit, &fetch->next, body), *replaced[STET_CANDIDATES_MAX];
    size_t count = 0;
    sim_oracle_kept(&world->oracle, true, false);
    for (size_t i = 0; i < visit->question.count; i++)
        if ((fetch->receipt.set >> i & 1) != 0) {
            replaced[count++] = visit->candidates[i].object;
            sim_oracle_replaced(&world->oracle, visit->ids[i]);
        }
    stet__store_add(world->store, object, replaced, count);
    world->stored++;
    answer_new(fetch, body, false);
    stet__object_release(object);
    stet__body_release(body);
}

static void adopt(struct fetch *fetch)
{
    struct sim_visit *visit = fetch->visit;
    struct sim_world *world = visit->world;
    struct stet__object *old = visit->candidates[fetch->receipt.chosen].object,
                        *replaced[STET_CANDIDATES_MAX];
    struct stet__object *adopted = sim_commit_adopted(visit, old, &fetch->next);
    unsigned id = sim_id(&adopted->stored.response.fields);
    size_t count = 0;
    bool kept = stet_cache_adopt(&visit->question, &fetch->next, &adopted->stored).storable &&
                stet_span_equal(old->key, adopted->key);
    sim_oracle_adopted(&world->oracle, visit->ids[fetch->receipt.chosen], id, kept);
    for (size_t i = 0; i < visit->question.count && kept; i++)
        if ((fetch->receipt.set >> i & 1) != 0) {
            replaced[count++] = visit->candidates[i].object;
            sim_oracle_replaced(&world->oracle, visit->ids[i]);
        }
    if (kept)
        stet__store_add(world->store, adopted, replaced, count);
    sim_answer_from(visit, &adopted->stored, adopted->body);
    finish(fetch, true);
    if (!kept)
        sim_oracle_replaced(&world->oracle, id);
    world->adopted++;
    stet__object_release(adopted);
}

static void freshen(struct fetch *fetch)
{
    struct sim_visit *visit = fetch->visit;
    struct sim_world *world = visit->world;
    size_t chosen = fetch->receipt.chosen;
    for (size_t i = 0; i < visit->question.count; i++) {
        if ((fetch->receipt.set >> i & 1) == 0)
            continue;
        struct stet__object *old = visit->candidates[i].object;
        struct stet__object *updated = sim_commit_freshened(visit, old, &fetch->next);
        stet__store_update(world->store, old, updated);
        sim_oracle_freshened(&world->oracle, visit->ids[i]);
        visit->candidates[i].object = updated;
        visit->stored[i] = &updated->stored;
        stet__object_release(old);
        world->freshened++;
    }
    mark_invalidated(fetch);
    if (chosen >= visit->question.count) {
        answer_as_it_came(fetch);
        return;
    }
    sim_answer_from(visit, visit->stored[chosen], visit->candidates[chosen].object->body);
    finish(fetch, true);
}

static void combine(struct fetch *fetch)
{
    struct sim_visit *visit = fetch->visit;
    struct sim_world *world = visit->world;
    struct stet__object *old = visit->candidates[fetch->receipt.chosen].object;
    struct stet__body *part = body_of(fetch), *body = NULL;
    struct stet_combination combination;
    stet_partial_combine(&old->stored, &fetch->next, &combination);
    if (combination.verdict == STET_COMBINE_AFTER)
        body = stet__body_join(old->body, part, combination.skip);
    else if (combination.verdict == STET_COMBINE_BEFORE)
        body = stet__body_join(part, old->body, combination.skip);
    else if (combination.verdict == STET_COMBINE_WITHIN)
        body = stet__body_acquire(old->body);
    if (!body)
        sim_wrong(&world->oracle, "parts that cannot be combined are");
    struct stet__object *combined = sim_commit_combined(visit, old, &fetch->next, body);
    sim_oracle_combined(&world->oracle, visit->ids[fetch->receipt.chosen],
                        sim_id(&combined->stored.response.fields));
    stet__store_add(world->store, combined, &old, 1);
    world->combined++;
    sim_answer_from(visit, &combined->stored, body);
    finish(fetch, true);
    stet__object_release(combined);
    stet__body_release(body);
    stet__body_release(part);
}

static void stale(struct fetch *fetch)
{
    struct sim_visit *visit = fetch->visit;
    size_t chosen = fetch->receipt.chosen;
    sim_answer_from(visit, visit->stored[chosen], visit->candidates[chosen].object->body);
    visit->world->stale++;
    finish(fetch, false);
}

static bool is_error(unsigned status)
{
    return status == 500 || status == 502 || status == 503 || status == 504;
}

/* True if the origin has to be asked once more. */
static bool receive(struct fetch *fetch)
{
    struct sim_visit *visit = fetch->visit;
    struct sim_oracle *oracle = &visit->world->oracle;
    make_next(fetch);
    invalidate(fetch, &fetch->next.response);
    stet_cache_receive(&visit->question, &visit->decision, &fetch->validation, &fetch->next, &fetch->receipt);
    if (is_error(fetch->answer.head.status))
        sim_oracle_error(oracle, visit->world->now, fetch->receipt.action == STET_RECEIVE_STALE);
    switch (fetch->receipt.action) {
    case STET_RECEIVE_STORE:
        store(fetch);
        break;
    case STET_RECEIVE_FRESHEN:
        if (fetch->receipt.adopts)
            adopt(fetch);
        else
            freshen(fetch);
        break;
    case STET_RECEIVE_COMBINE:
        combine(fetch);
        break;
    case STET_RECEIVE_STALE:
        stale(fetch);
        break;
    case STET_RECEIVE_RETRY:
        return true;
    case STET_RECEIVE_PASS:
        sim_oracle_kept(oracle, false, false);
        mark_invalidated(fetch);
        answer_new(fetch, NULL, true);
        break;
    case STET_RECEIVE_FAIL:
        sim_wrong(oracle, "an answer that came is no answer");
    }
    return false;
}

static void unanswered(struct fetch *fetch)
{
    struct sim_visit *visit = fetch->visit;
    stet_cache_unanswered(&visit->question, &visit->decision, STET_REASON_UPSTREAM_REFUSED, &fetch->receipt);
    bool stands_in = fetch->receipt.action == STET_RECEIVE_STALE;
    sim_oracle_error(&visit->world->oracle, visit->world->now, stands_in);
    if (stands_in)
        stale(fetch);
    else
        answer_error(fetch);
}

void sim_fetch(struct sim_visit *visit)
{
    struct fetch fetch = {.visit = visit};
    stet_cache_validation(&visit->question, &visit->decision, fetch.tags, sizeof fetch.tags,
                          &fetch.validation);
    for (;;) {
        ask(&fetch);
        if (fetch.answer.none) {
            unanswered(&fetch);
            return;
        }
        if (!receive(&fetch))
            return;
        if (fetch.retried) {
            answer_error(&fetch);
            return;
        }
        fetch.retried = true;
        fetch.validation = (struct stet_validation){.conditional = false};
    }
}
