/* SPDX-License-Identifier: MIT */
/*
 * What a cache that holds something does with a request: RFC 9111 section 4. The two questions of cache.h,
 * asked one after the other as a cache does, and then what the client gets.
 */
#include "explain/explain.h"

#include <stet/cache.h>
#include <stet/no_vary_search.h>
#include <stet/uri.h>

#define TAGS_ROOM 4096
#define ALL_FIELDS (2 * STET__RECORDED_FIELDS)

struct scene {
    const struct stet__explain_input *input;
    struct stet__story *story;
    struct stet_cache_policy policy;
    struct stet_request request, got; /* that which comes; that with which what is stored was got */
    struct stet__explain_view held, next;
    const struct stet_stored *at[1];
    struct stet_cache_question question;
    struct stet_cache_decision decision;
    struct stet_validation validation;
    struct stet_receipt receipt;
    char tags[TAGS_ROOM];
    struct stet_field updated[ALL_FIELDS];
};

static struct stet__gatherer begin(struct scene *scene, const char *name, const char *title,
                                   struct stet__chapter **part)
{
    *part = stet__story_part(scene->story, name, title);
    struct stet__gatherer gatherer = stet__gatherer_of(scene->story, *part);
    gatherer.fields[0] = &scene->request.fields;
    gatherer.fields[1] = &scene->held.stored.response.fields;
    gatherer.fields[2] = &scene->held.stored.selecting;
    gatherer.fields[3] = &scene->input->exchange->response.head.fields;
    return gatherer;
}

static bool asks(const struct stet_cache_decision *decision)
{
    return decision->action != STET_CACHE_SERVE && decision->action != STET_CACHE_FAIL;
}

static const char *action_words(enum stet_cache_action action)
{
    switch (action) {
    case STET_CACHE_SERVE:
        return "Answered from the cache.";
    case STET_CACHE_SERVE_AND_REVALIDATE:
        return "Answered from the cache, which asks the origin meanwhile.";
    case STET_CACHE_REVALIDATE:
        return "The origin is asked whether it is still good.";
    case STET_CACHE_FORWARD:
        return "The request goes to the origin.";
    default:
        return "504.";
    }
}

static const char *action_brief(enum stet_cache_action action)
{
    switch (action) {
    case STET_CACHE_SERVE:
    case STET_CACHE_SERVE_AND_REVALIDATE:
        return "the cache answers";
    case STET_CACHE_FAIL:
        return "the cache answers 504";
    default:
        return "the cache asks the origin";
    }
}

static void decide(struct scene *scene)
{
    struct stet__chapter *part;
    char age[STET__DURATION_LEN], ttl[STET__DURATION_LEN];
    struct stet__gatherer gatherer =
        begin(scene, "decision", "The cache: what becomes of the request?", &part);
    if (!part)
        return;
    stet__explain_view_read(&scene->held, &scene->policy, &gatherer.trace);
    scene->request.trace = &gatherer.trace;
    stet_cache_decide(&scene->question, &scene->decision);
    scene->request.trace = NULL;
    part->has_reason = true;
    part->reason = scene->decision.reason;
    stet__story_say(scene->story, &part->brief, "%s", action_brief(scene->decision.action));
    stet__story_say(scene->story, &part->verdict, "%s %s", action_words(scene->decision.action),
                    stet__explain_sentence(part->reason));
    if (scene->question.count == 0)
        stet__story_add(scene->story, &part->verdict, "What is stored is of another URI.");
    if (scene->decision.chosen == scene->question.count)
        return;
    stet__story_add(scene->story, &part->verdict, "Age: %s.", stet__duration(scene->decision.age_s, age));
    if (scene->decision.ttl_s > 0)
        stet__story_add(scene->story, &part->verdict, "Fresh for another %s.",
                        stet__duration(scene->decision.ttl_s, ttl));
    else
        stet__story_add(scene->story, &part->verdict, "Stale for %s.",
                        stet__duration(-scene->decision.ttl_s, ttl));
}

static void say_offer(struct scene *scene, struct stet__chapter *part)
{
    const struct stet_validation *asked = &scene->validation;
    struct stet_span *verdict = &part->verdict;
    bool tags = asked->if_none_match.ptr, date = asked->if_modified_since.ptr;
    if (asked->own_fields)
        stet__story_say(scene->story, verdict,
                        "The request goes on as it is, with its own conditions if it has any.");
    else if (!asked->conditional && !asked->has_range)
        stet__story_say(scene->story, verdict, "The whole is asked for, without conditions.");
    else
        stet__story_say(
            scene->story, verdict, "The origin is asked%s%.*s%s%.*s%s.", tags ? " with If-None-Match: " : "",
            tags ? (int)asked->if_none_match.len : 0, tags ? asked->if_none_match.ptr : "",
            !date  ? ""
            : tags ? " and If-Modified-Since: "
                   : " with If-Modified-Since: ",
            date ? (int)asked->if_modified_since.len : 0, date ? asked->if_modified_since.ptr : "",
            asked->has_range ? " for the part that is missing" : "");
}

static void validate(struct scene *scene)
{
    struct stet__chapter *part;
    struct stet__gatherer gatherer =
        begin(scene, "validation", "The cache: what is the origin asked?", &part);
    if (!part)
        return;
    scene->request.trace = &gatherer.trace;
    stet_cache_validation(&scene->question, &scene->decision, scene->tags, sizeof scene->tags,
                          &scene->validation);
    scene->request.trace = NULL;
    say_offer(scene, part);
}

/* Whether this very line is among them. */
static bool is_one_of(const struct stet_field *field, const struct stet_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++)
        if (fields->at[i].value.ptr == field->value.ptr && fields->at[i].name.ptr == field->name.ptr)
            return true;
    return false;
}

/* Takes over the fields of the answer, and says which. */
static void freshen(struct scene *scene, struct stet__chapter *part)
{
    struct stet_stored *stored = &scene->held.stored;
    const struct stet_fields before = stored->response.fields;
    const struct stet_fields *update = &scene->next.stored.response.fields;
    char lifetime[STET__DURATION_LEN];
    size_t count = stet_update_fields(&before, update, &scene->next.stored.control, scene->updated);
    struct stet_fields after = {scene->updated, count, 0};
    struct stet_span names = STET_SPAN_NONE;
    for (size_t i = 0; i < count; i++) {
        const struct stet_field *field = &scene->updated[i];
        if (field->id != STET_FIELD_OTHER)
            after.present |= UINT64_C(1) << field->id;
        if (is_one_of(field, update))
            stet__story_say(scene->story, &names, "%.*s%s%.*s", (int)names.len, names.ptr ? names.ptr : "",
                            names.ptr ? ", " : "", (int)field->name.len, field->name.ptr);
    }
    if (names.ptr)
        stet__story_add(scene->story, &part->verdict, "It takes over: %.*s.", (int)names.len, names.ptr);
    stored->response.fields = after;
    stored->times = scene->next.stored.times;
    stet_stored_read(stored, &scene->policy);
    stet__story_add(scene->story, &part->verdict, "From now on its lifetime is %s.",
                    stet__duration(stored->freshness.lifetime_s, lifetime));
}

static const char *receipt_words(const struct stet_receipt *receipt)
{
    switch (receipt->action) {
    case STET_RECEIVE_PASS:
        return "The answer is passed on and not stored.";
    case STET_RECEIVE_STORE:
        return "The answer is stored and passed on.";
    case STET_RECEIVE_FRESHEN:
        return receipt->set != 0 ? "What is stored is freshened and used."
                                 : "What is stored is confirmed and used, but not updated.";
    case STET_RECEIVE_COMBINE:
        return "The answer and what is stored become one.";
    case STET_RECEIVE_STALE:
        return "What is stored is used in place of the error.";
    case STET_RECEIVE_RETRY:
        return "Nobody can use this answer: the origin is asked once more, without conditions.";
    default:
        return "The cache answers with an error.";
    }
}

static const char *receipt_brief(const struct stet_receipt *receipt)
{
    switch (receipt->action) {
    case STET_RECEIVE_STORE:
        return "it stores the answer";
    case STET_RECEIVE_FRESHEN:
        return receipt->set != 0 ? "it freshens what it has" : "it uses what it has";
    case STET_RECEIVE_COMBINE:
        return "it puts both parts together";
    case STET_RECEIVE_STALE:
        return "it uses what it has in place of the error";
    case STET_RECEIVE_RETRY:
        return "it has to ask again";
    default:
        return "it stores nothing";
    }
}

static void receive(struct scene *scene)
{
    struct stet__chapter *part;
    const struct stet__explain_input *input = scene->input;
    struct stet__gatherer gatherer = begin(scene, "receipt", "The cache: what does the answer do?", &part);
    if (!part)
        return;
    stet__explain_view(&scene->request, &input->exchange->response.head, &scene->policy, input->clock,
                       &scene->next);
    scene->next.stored.times =
        (struct stet_times){scene->question.now, scene->question.now, scene->next.stored.times.age};
    stet__explain_view_read(&scene->next, &scene->policy, &gatherer.trace);
    scene->request.trace = &gatherer.trace;
    stet_cache_receive(&scene->question, &scene->decision, &scene->validation, &scene->next.stored,
                       &scene->receipt);
    scene->request.trace = NULL;
    part->has_reason = true;
    part->reason = scene->receipt.reason;
    if (scene->next.stored.response.status == 304)
        stet__chapter_drop(part, STET_RULE_STORE_STATUS);
    stet__story_say(scene->story, &part->brief, "%s", receipt_brief(&scene->receipt));
    stet__story_say(scene->story, &part->verdict, "%s %s", receipt_words(&scene->receipt),
                    stet__explain_sentence(part->reason));
    if (scene->receipt.action == STET_RECEIVE_PASS && scene->next.stored.response.status != 304)
        stet__story_add(scene->story, &part->verdict, "%s", stet__explain_sentence(scene->receipt.storing));
    if (scene->receipt.action == STET_RECEIVE_FRESHEN && scene->receipt.set != 0)
        freshen(scene, part);
    if (scene->question.count == 0 ||
        !stet__explain_invalidates(&scene->request, &scene->next.stored.response))
        return;
    stet__story_say(scene->story, &part->brief, "%s, and what it had becomes invalid",
                    receipt_brief(&scene->receipt));
    stet__story_add(scene->story, &part->verdict,
                    "What is stored becomes invalid: it is not used again without asking (RFC 9111 4.4).");
}

/* What answers the client: what is stored, or what came; NULL if that is not known or goes out as it is. */
static const struct stet_stored *answering(const struct scene *scene)
{
    if (!asks(&scene->decision) || scene->decision.action == STET_CACHE_SERVE_AND_REVALIDATE)
        return scene->decision.action == STET_CACHE_FAIL ? NULL : &scene->held.stored;
    if (!scene->input->exchange->has_response)
        return NULL;
    switch (scene->receipt.action) {
    case STET_RECEIVE_FRESHEN:
    case STET_RECEIVE_STALE:
        return scene->receipt.chosen < scene->question.count ? &scene->held.stored : NULL;
    case STET_RECEIVE_STORE:
    case STET_RECEIVE_PASS:
        return scene->validation.own_fields ? NULL : &scene->next.stored;
    default:
        return NULL;
    }
}

static void answer(struct scene *scene)
{
    struct stet__chapter *part;
    struct stet_answer given;
    const struct stet_stored *from = answering(scene);
    bool reads = scene->request.method == STET_METHOD_GET || scene->request.method == STET_METHOD_HEAD;
    if (!from || !reads)
        return;
    struct stet__gatherer gatherer = begin(scene, "answer", "The client: what does it get?", &part);
    if (!part)
        return;
    struct stet_request request = scene->request;
    request.trace = &gatherer.trace;
    if (from == &scene->next.stored && scene->receipt.action == STET_RECEIVE_PASS)
        request.fields.present &= ~(UINT64_C(1) << STET_FIELD_RANGE); /* nothing is cut out of what passes */
    stet_cache_answer(&request, from, scene->question.now, &given);
    part->has_reason = true;
    part->reason = given.reason;
    stet__story_say(scene->story, &part->brief, "the client gets a %u", given.status);
    stet__story_say(scene->story, &part->verdict, "The client gets a %u. %s", given.status,
                    stet__explain_sentence(given.reason));
}

/* The request that the stored response was got with: recorded, or taken to be like the one that comes. */
static void set_request(struct scene *scene)
{
    const struct stet__explain_input *input = scene->input;
    scene->request = (struct stet_request){
        .method = STET_METHOD_GET, .method_name = STET_SPAN("GET"), .target = STET_SPAN("/")};
    if (input->exchange->has_request)
        scene->request = input->exchange->request.head;
    scene->got = scene->request;
    if (scene->got.method != STET_METHOD_HEAD)
        scene->got.method = STET_METHOD_GET;
    if (input->stored->has_request)
        scene->got = input->stored->request.head;
    stet__explain_view(&scene->got, &input->stored->response.head, &scene->policy, input->clock,
                       &scene->held);
    struct stet_times *times = &scene->held.stored.times;
    times->request = times->response = stet__explain_time(&input->stored_at, scene->held.arrival);
    stet_stored_read(&scene->held.stored, &scene->policy);
}

/* The target URI in normal form, without what No-Vary-Search of the response leaves out of its query. Absent
 * if the request does not tell its host. */
static struct stet_span target_of(struct scene *scene, const struct stet_http1_request *request)
{
    struct stet_no_vary_search nvs;
    struct stet_span path = request->path_query;
    const char *mark = path.len > 0 ? memchr(path.ptr, '?', path.len) : NULL;
    size_t before = mark ? (size_t)(mark - path.ptr) + 1 : path.len,
           room = 3 * path.len + request->authority.len + 32;
    char *text = request->authority.len > 0 ? stet__arena_alloc(&scene->story->arena, 2 * room) : NULL;
    if (!text)
        return STET_SPAN_NONE;
    stet_no_vary_search_read(&scene->held.stored.response.fields, &nvs);
    size_t query = stet_no_vary_search_write(&nvs, stet_span_skip(path, before), text, room);
    struct stet_span whole = path;
    if (nvs.given && query != SIZE_MAX && before <= room - query) {
        before -= mark && query == 0; /* no query and an empty one are the same then */
        memmove(text + before, text, query);
        memcpy(text, path.ptr, before);
        whole = stet_span_of(text, before + query);
    }
    size_t len = stet_uri_write_target(STET_SPAN("http"), request->authority, whole, text + room, room);
    return len > 0 ? stet_span_of(text + room, len) : STET_SPAN_NONE;
}

/* RFC 9111 section 4: "the presented target URI and that of the stored response match". */
static bool same_target(struct scene *scene)
{
    const struct stet__recorded *comes = scene->input->exchange, *got = scene->input->stored;
    if (!comes->has_request || !got->has_request)
        return true;
    struct stet_span a = target_of(scene, &comes->request), b = target_of(scene, &got->request);
    return !a.ptr || !b.ptr || stet_span_equal(a, b);
}

/* What is said to be stored may be something that no cache of this kind stores. */
static void judge_stored(struct scene *scene)
{
    struct stet_storable storable =
        stet_storable_judge(&scene->got, scene->got.target, &scene->held.stored, &scene->policy);
    if (storable.storable)
        return;
    struct stet__chapter *part =
        stet__story_part(scene->story, "stored",
                         scene->policy.shared ? "What is stored: may a shared cache have it?"
                                              : "What is stored: may a private cache have it?");
    if (!part)
        return;
    part->has_reason = true;
    part->reason = storable.reason;
    stet__story_say(scene->story, &part->brief, "what is stored should not have been");
    stet__story_say(scene->story, &part->verdict, "No. %s What follows is so if it was stored all the same.",
                    stet__explain_sentence(storable.reason));
}

static int64_t time_of(const struct scene *scene)
{
    const struct stet__explain_input *input = scene->input;
    int64_t arrival = scene->held.stored.times.response;
    if (input->now.given)
        return stet__explain_time(&input->now, arrival);
    if (!input->exchange->has_response)
        return input->clock;
    return stet_message_date(&input->exchange->response.head.fields, input->clock);
}

void stet__explain_stored(const struct stet__explain_input *input, bool shared, struct stet__story *story)
{
    struct scene *scene = stet__arena_alloc(&story->arena, sizeof *scene);
    if (!scene)
        return;
    *scene = (struct scene){.input = input, .story = story, .policy = stet__explain_policy(shared)};
    set_request(scene);
    judge_stored(scene);
    scene->at[0] = &scene->held.stored;
    scene->question = (struct stet_cache_question){.request = &scene->request,
                                                   .target = scene->request.target,
                                                   .stored = scene->at,
                                                   .count = same_target(scene),
                                                   .policy = &scene->policy,
                                                   .now = time_of(scene)};
    decide(scene);
    if (asks(&scene->decision))
        validate(scene);
    if (asks(&scene->decision) && input->exchange->has_response)
        receive(scene);
    answer(scene);
}
