/* SPDX-License-Identifier: MIT */
/*
 * The life of one request: what is stored, what is decided, what the client gets of it.
 */
#include "cache.h"

static unsigned number_of(const struct stet_fields *fields, struct stet_span name)
{
    uint64_t number;
    for (size_t i = 0; i < fields->count; i++)
        if (stet_span_equal(fields->at[i].name, name) &&
            stet_span_to_u64(fields->at[i].value, &number) == STET_OK)
            return (unsigned)number;
    return 0;
}

/* The answer to a HEAD may have updated that to a GET, which then has both. */
unsigned sim_id(const struct stet_fields *fields)
{
    unsigned id = number_of(fields, STET_SPAN("Sim-Origin"));
    return id != 0 ? id : number_of(fields, STET_SPAN("Sim-Head"));
}

static void view_request(struct sim_visit *visit)
{
    const char *method = visit->head.method;
    sim_view(&visit->head, &visit->view);
    visit->request = (struct stet_request){
        .method = stet_method_id(stet_span_of(method, strlen(method))),
        .method_name = stet_span_of(method, strlen(method)),
        .fields = visit->view.fields,
    };
}

static void find(struct sim_visit *visit)
{
    struct sim_world *world = visit->world;
    struct stet_span key = stet_span_of(visit->asked->uri, strlen(visit->asked->uri));
    size_t count = stet__store_find(world->store, key, stet__store_hash(world->store, key), visit->candidates,
                                    STET_CANDIDATES_MAX);
    uint64_t invalidated = 0;
    for (size_t i = 0; i < count; i++) {
        visit->stored[i] = &visit->candidates[i].object->stored;
        visit->ids[i] = sim_id(&visit->stored[i]->response.fields);
        invalidated |= (uint64_t)visit->candidates[i].invalidated << i;
    }
    visit->question = (struct stet_cache_question){
        .request = &visit->request,
        .target = stet_span_skip(key, sizeof(SIM_ORIGIN) - 1),
        .stored = visit->stored,
        .count = count,
        .invalidated = invalidated,
        .policy = &world->policy,
        .now = world->now,
    };
    sim_oracle_found(&world->oracle, visit->asked, visit->ids, invalidated, (unsigned)count);
}

static void copy_head(const struct stet_fields *fields, struct sim_head *out)
{
    out->count = 0;
    for (size_t i = 0; i < fields->count; i++) {
        char name[28];
        snprintf(name, sizeof name, "%.*s", (int)fields->at[i].name.len, fields->at[i].name.ptr);
        sim_put(out, name, "%.*s", (int)fields->at[i].value.len, fields->at[i].value.ptr);
    }
}

void sim_answer_from(struct sim_visit *visit, const struct stet_stored *stored, const struct stet__body *body)
{
    struct sim_response *response = &visit->response;
    struct stet_answer answer;
    int64_t now = visit->world->now;
    stet_cache_answer(&visit->request, stored, now, &answer);
    *response = (struct sim_response){.status = answer.status, .stored = true};
    response->id = sim_id(&stored->response.fields);
    response->age = stet_freshness_age(&stored->freshness, now);
    copy_head(&stored->response.fields, &response->head);
    if (visit->request.method == STET_METHOD_HEAD || answer.status == 304 || answer.status == 416)
        return;
    uint64_t from = stored->held.complete ? 0 : stored->held.range.first, offset = 0, len = SIM_CONTENT_MAX;
    if (answer.status == 206) {
        if (answer.ranges.count != 1 || answer.ranges.at[0].first < from)
            sim_wrong(&visit->world->oracle, "a range that nobody asked for, or that is not held");
        response->from = answer.ranges.at[0].first;
        offset = answer.ranges.at[0].first - from;
        len = answer.ranges.at[0].last - answer.ranges.at[0].first + 1;
    }
    response->len = body ? stet__body_copy(body, offset, (size_t)len, response->body) : 0;
    if (answer.status == 206 && response->len != len)
        sim_wrong(&visit->world->oracle, "octets are missing");
}

static void learn(struct sim_visit *visit)
{
    const char *etag = sim_get(&visit->response.head, "ETag");
    const char *date = sim_get(&visit->response.head, "Last-Modified");
    struct sim_seen *seen = &visit->world->seen;
    unsigned resource = visit->asked->resource;
    if (etag && sim_chance(&visit->world->random, 50))
        snprintf(seen->etag[resource], sizeof seen->etag[resource], "%s", etag);
    if (date && sim_chance(&visit->world->random, 50))
        snprintf(seen->date[resource], sizeof seen->date[resource], "%s", date);
}

/* Nobody's request: the client's conditions and range do not count. */
static void validate_in_background(struct sim_visit *visit)
{
    static const char *const conditions[] = {"If-Match", "If-None-Match", "If-Modified-Since", "If-Range",
                                             "Range"};
    visit->background = true;
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
        sim_drop(&visit->head, conditions[i]);
    view_request(visit);
    sim_fetch(visit);
}

static void serve(struct sim_visit *visit)
{
    struct sim_world *world = visit->world;
    const struct stet__object *object = visit->candidates[visit->decision.chosen].object;
    stet__store_use(world->store, visit->candidates[visit->decision.chosen].object);
    sim_answer_from(visit, &object->stored, object->body);
    sim_oracle_answered(&world->oracle, &visit->response, world->now, false);
    learn(visit);
    world->served++;
}

void sim_handle(struct sim_world *world, const struct sim_request *asked)
{
    struct sim_visit visit = {.world = world, .asked = asked, .head = asked->head};
    view_request(&visit);
    find(&visit);
    stet_cache_decide(&visit.question, &visit.decision);
    bool chosen = visit.decision.chosen < visit.question.count;
    sim_oracle_decided(&world->oracle, &asked->head, world->now, visit.decision.action,
                       chosen ? visit.ids[visit.decision.chosen] : 0);
    switch (visit.decision.action) {
    case STET_CACHE_SERVE:
        serve(&visit);
        break;
    case STET_CACHE_SERVE_AND_REVALIDATE:
        serve(&visit);
        world->stale++;
        validate_in_background(&visit);
        break;
    case STET_CACHE_REVALIDATE:
    case STET_CACHE_FORWARD:
        sim_fetch(&visit);
        learn(&visit);
        break;
    case STET_CACHE_FAIL:
        break;
    }
    for (size_t i = 0; i < visit.question.count; i++)
        stet__object_release(visit.candidates[i].object);
}
