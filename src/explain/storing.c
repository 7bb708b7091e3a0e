/* SPDX-License-Identifier: MIT */
/*
 * What a cache makes of a response: RFC 9111 sections 3 and 4.2. May it be stored; how long is it fresh; how
 * old is it; and would the same request be answered with it at the time that is asked about.
 */
#include "explain/explain.h"

#include <inttypes.h>
#include <stdio.h>

#include <stet/cache.h>

#define TAGS_ROOM 1024

/* The request once more, as somebody sends it who has nothing: without conditions, ranges and wishes. */
struct plain {
    struct stet_request request;
    struct stet_field fields[STET__RECORDED_FIELDS];
};

static bool is_plain(enum stet_field_id id)
{
    switch (id) {
    case STET_FIELD_IF_MATCH:
    case STET_FIELD_IF_NONE_MATCH:
    case STET_FIELD_IF_MODIFIED_SINCE:
    case STET_FIELD_IF_UNMODIFIED_SINCE:
    case STET_FIELD_IF_RANGE:
    case STET_FIELD_RANGE:
    case STET_FIELD_CACHE_CONTROL:
    case STET_FIELD_PRAGMA:
        return false;
    default:
        return true;
    }
}

static void make_plain(const struct stet_request *request, struct plain *out)
{
    out->request = (struct stet_request){
        .method = STET_METHOD_GET, .method_name = STET_SPAN("GET"), .target = request->target};
    struct stet_fields *fields = &out->request.fields;
    fields->at = out->fields;
    for (size_t i = 0; i < request->fields.count; i++) {
        const struct stet_field *field = &request->fields.at[i];
        if (!is_plain(field->id))
            continue;
        out->fields[fields->count++] = *field;
        if (field->id != STET_FIELD_OTHER)
            fields->present |= UINT64_C(1) << field->id;
    }
}

struct scene {
    struct stet__story *story;
    struct stet__chapter *part;
    struct stet_cache_policy policy;
    struct stet__explain_view view;
    int64_t now;
};

static void say_validators(struct scene *scene, struct stet_cache_question *question)
{
    struct stet_cache_decision decision;
    struct stet_validation validation;
    char text[TAGS_ROOM];
    question->invalidated = 1; /* then it has to be asked for, whatever its age */
    stet_cache_decide(question, &decision);
    stet_cache_validation(question, &decision, text, sizeof text, &validation);
    const char *by = "its Last-Modified";
    if (validation.if_none_match.ptr)
        by = validation.if_modified_since.ptr ? "its ETag and its Last-Modified" : "its ETag";
    if (validation.conditional)
        stet__story_add(scene->story, &scene->part->verdict, "It can be validated by %s.", by);
    else
        stet__story_add(scene->story, &scene->part->verdict,
                        "It has no validator: once it is stale, it is fetched anew.");
}

/* In brief, for one kind of cache and for both. `words` of what is stored, NULL if it is not. */
static void say_brief(struct scene *scene, const char *words)
{
    const char *kind = scene->policy.shared ? "shared" : "private";
    struct stet_span *brief = &scene->part->brief, *either = &scene->part->either;
    stet__story_say(scene->story, brief, words ? "a %s cache stores it%s" : "a %s cache does not store it%s",
                    kind, words ? words : "");
    stet__story_say(scene->story, either, words ? "any cache stores it%s" : "no cache stores it%s",
                    words ? words : "");
}

/* A part is used by requests that lie within it. */
static void say_part(struct scene *scene)
{
    const struct stet_stored *stored = &scene->view.stored;
    char lifetime[STET__DURATION_LEN], length[24] = "*";
    if (stored->held.length_known)
        snprintf(length, sizeof length, "%" PRIu64, stored->held.complete_length);
    stet__story_say(scene->story, &scene->part->verdict,
                    "Stored, as the octets %" PRIu64 "-%" PRIu64 " of %s, with a lifetime of %s.",
                    stored->held.range.first, stored->held.range.last, length,
                    stet__duration(stored->freshness.lifetime_s, lifetime));
    say_brief(scene, ", as a part");
}

/* What it is worth at `now`. */
static void say_use(struct scene *scene, const struct stet_request *request, struct stet__gatherer *gatherer)
{
    struct plain plain;
    struct stet_cache_decision decision;
    const struct stet_stored *at[] = {&scene->view.stored};
    char lifetime[STET__DURATION_LEN], left[STET__DURATION_LEN], age[STET__DURATION_LEN];
    make_plain(request, &plain);
    struct stet_cache_question question = {.request = &plain.request,
                                           .target = request->target,
                                           .stored = at,
                                           .count = 1,
                                           .policy = &scene->policy,
                                           .now = scene->now};
    plain.request.trace = &gatherer->trace;
    stet_cache_decide(&question, &decision);
    plain.request.trace = NULL;
    stet__chapter_drop(scene->part, STET_RULE_VARIANT);
    struct stet_span *verdict = &scene->part->verdict;
    char fresh[STET__DURATION_LEN + 16];
    snprintf(fresh, sizeof fresh, ": fresh for %s", stet__duration(decision.ttl_s, left));
    say_brief(scene, decision.action == STET_CACHE_SERVE ? fresh : " and asks again before each use");
    stet__story_say(scene->story, verdict, "Stored, with a lifetime of %s.",
                    stet__duration(scene->view.stored.freshness.lifetime_s, lifetime));
    if (decision.action == STET_CACHE_SERVE)
        stet__story_add(scene->story, verdict, "It is %s old: fresh for another %s.",
                        stet__duration(decision.age_s, age), stet__duration(decision.ttl_s, left));
    else
        stet__story_add(scene->story, verdict, "It is %s old. %s", stet__duration(decision.age_s, age),
                        stet__explain_sentence(decision.reason));
    say_validators(scene, &question);
}

static void say_stored(struct scene *scene, const struct stet_request *request,
                       struct stet__gatherer *gatherer)
{
    struct stet_storable storable =
        stet_storable_judge(request, request->target, &scene->view.stored, &scene->policy);
    char lifetime[STET__DURATION_LEN];
    scene->part->has_reason = true;
    scene->part->reason = storable.reason;
    if (scene->view.stored.response.status == 304) {
        stet__chapter_drop(scene->part, STET_RULE_STORE_STATUS);
        scene->part->has_reason = false;
        stet__story_say(scene->story, &scene->part->verdict,
                        "A 304 is not stored: it freshens what is, which then has a lifetime of %s by the "
                        "fields of this 304 alone.",
                        stet__duration(scene->view.stored.freshness.lifetime_s, lifetime));
        stet__story_say(scene->story, &scene->part->brief, "a %s cache freshens what it has",
                        scene->policy.shared ? "shared" : "private");
        stet__story_say(scene->story, &scene->part->either, "a cache freshens what it has");
    } else if (storable.storable && !scene->view.stored.held.complete) {
        say_part(scene);
    } else if (storable.storable) {
        say_use(scene, request, gatherer);
    } else {
        stet__story_say(scene->story, &scene->part->verdict, "Not stored. %s",
                        stet__explain_sentence(storable.reason));
        say_brief(scene, NULL);
    }
    if (stet__explain_invalidates(request, &scene->view.stored.response))
        stet__story_add(scene->story, &scene->part->verdict,
                        "What was stored for the target becomes invalid (RFC 9111 4.4).");
}

void stet__explain_storing(const struct stet__explain_input *input, bool shared, struct stet__story *story)
{
    struct stet__recorded *exchange = input->exchange;
    struct stet_request request = {
        .method = STET_METHOD_GET, .method_name = STET_SPAN("GET"), .target = STET_SPAN("/")};
    struct scene scene = {.story = story, .policy = stet__explain_policy(shared)};
    scene.part =
        shared ? stet__story_part(story, "shared-cache",
                                  "A shared cache (a proxy, a CDN): may the response be stored, and for "
                                  "how long?")
               : stet__story_part(story, "private-cache",
                                  "A private cache (a browser): may the response be stored, and for how "
                                  "long?");
    if (!scene.part)
        return;
    if (exchange->has_request)
        request = exchange->request.head;
    struct stet__gatherer gatherer = stet__gatherer_of(story, scene.part);
    gatherer.fields[0] = &request.fields;
    gatherer.fields[1] = &exchange->response.head.fields;
    stet__explain_view(&request, &exchange->response.head, &scene.policy, input->clock, &scene.view);
    scene.now = stet__explain_time(&input->now, scene.view.arrival);
    stet__explain_view_read(&scene.view, &scene.policy, &gatherer.trace);
    request.trace = &gatherer.trace;
    say_stored(&scene, &request, &gatherer);
}
