/* SPDX-License-Identifier: MIT */
/*
 * receive: what is done with an answer, as core says (stet_cache_receive).
 */
#include <stet/field.h>
#include <stet/invalidation.h>

#include "proxy/coded.h"
#include "proxy/fetch.h"
#include "proxy/lately.h"

#define URI_ROOM 9000

/* ---- what an unsafe request makes suspect: RFC 9111 section 4.4, RFC 9875 ---- */

static struct stet_span origin_of(struct stet_span key)
{
    size_t len = 0, slashes = 0;
    while (len < key.len && (key.ptr[len] != '/' || ++slashes < 3))
        len++;
    return stet_span_of(key.ptr, len);
}

static uint64_t invalidate_groups(struct stet__fetch *fetch)
{
    uint64_t count = 0;
    struct stet_group_list list;
    struct stet_span group;
    char room[STET_GROUP_OCTETS_MAX];
    stet_group_list_begin(&list, &fetch->response.fields, STET_GROUPS_INVALIDATED);
    for (; stet_group_list_next(&list, room, &group) == STET_OK; count++)
        stet__store_purge(fetch->worker->proxy->store, STET__SELECT_GROUP, group,
                          origin_of(fetch->target.key), false);
    return count;
}

static void invalidate(struct stet__fetch *fetch)
{
    struct stet_invalidation invalidation;
    struct stet_uri target;
    if (stet_method_safe(fetch->request.head.method) || !fetch->target.key.ptr ||
        stet_uri_parse(fetch->target.key, &target) != STET_OK ||
        !stet_invalidation_begin(&invalidation, fetch->request.head.method, &fetch->response, &target))
        return;
    char uri[URI_ROOM];
    size_t len;
    int status;
    struct stet__store *store = fetch->worker->proxy->store;
    struct stet__object asked = {
        .key = fetch->target.key, .hash = fetch->target.hash, .asked_at = fetch->asked_at};
    bool purged = stet__store_purged(store, &asked) != STET__PURGED_NOT;
    uint64_t before = stet__store_moment(store), count = 0;
    while ((status = stet_invalidation_next(&invalidation, uri, sizeof uri, &len)) != STET_END)
        if (status == STET_OK) {
            stet__store_purge(store, STET__SELECT_URI, stet_span_of(uri, len), STET_SPAN_NONE, false);
            count++;
        }
    count += invalidate_groups(fetch);
    /* What it does itself does not count for its own answer, which may be stored (RFC 9110 section 9.3.3). */
    if (!purged && stet__store_moment(store) == before + count)
        fetch->asked_at = before + count;
}

/* ---- the answer as it would be stored ---- */

static void make_next(struct stet__fetch *fetch)
{
    struct stet_held held = {.complete = false};
    stet_held_read(&fetch->response, &held);
    fetch->next = (struct stet_stored){
        .response = fetch->response,
        .method = fetch->request.head.method == STET_METHOD_HEAD ? STET_METHOD_HEAD : STET_METHOD_GET,
        .selecting = fetch->request.head.fields,
        .times = fetch->times,
        .held = held,
        .authorized = stet_fields_have(&fetch->request.head.fields, STET_FIELD_AUTHORIZATION),
    };
    stet_stored_read(&fetch->next, &fetch->worker->configuration->policy);
}

/* ---- tags for those who have none ---- */

static bool is_event_stream(const struct stet_fields *fields)
{
    const struct stet_field *type = stet_fields_find(fields, STET_FIELD_CONTENT_TYPE, 0);
    struct stet_span thing, params;
    if (!type)
        return false;
    stet_member_split(type->value, &thing, &params);
    return stet_span_equal_nocase(thing, STET_SPAN("text/event-stream"));
}

static bool lacks_tag(const struct stet__fetch *fetch)
{
    return fetch->request.head.method == STET_METHOD_GET && fetch->response.status == 200 &&
           fetch->framing != STET_BODY_NONE && fetch->worker->configuration->etag_bytes > 0 &&
           !stet_fields_have(&fetch->response.fields, STET_FIELD_ETAG) &&
           !is_event_stream(&fetch->response.fields);
}

/* Whether it is held back until it is complete, and then goes out with its tag. */
static bool begin_hold(struct stet__fetch *fetch)
{
    if (!lacks_tag(fetch) || (fetch->framing == STET_BODY_LENGTH &&
                              fetch->content_length > fetch->worker->configuration->etag_bytes))
        return false;
    fetch->body = stet__body_new(fetch->framing == STET_BODY_LENGTH ? fetch->content_length
                                                                    : STET__BODY_LENGTH_UNKNOWN);
    if (!fetch->body)
        return false;
    fetch->digester = stet__digester_new();
    fetch->held_since_ms = stet__loop_monotonic_ms(fetch->worker->loop);
    fetch->state = STET__FETCH_HOLD;
    return true;
}

bool stet__add_tag(struct stet__lines *lines, const struct stet__digest *digest)
{
    char text[STET__DIGEST_TAG_LEN + 2];
    text[0] = text[sizeof text - 1] = '"';
    stet__digest_tag(digest, text + 1);
    stet__lines_put(lines, STET_FIELD_ETAG, stet__arena_copy(lines->arena, stet_span_of(text, sizeof text)));
    return !lines->failed;
}

/* Its fields, with a tag (`digest` may be NULL) and the length of the body that has come. */
static bool complete_fields(struct stet__fetch *fetch, struct stet_fields *fields,
                            const struct stet__digest *digest)
{
    struct stet__lines lines;
    stet__lines_begin(&lines, &fetch->arena, fields->count + 2);
    for (size_t i = 0; i < fields->count; i++)
        stet__lines_add(&lines, &fields->at[i]);
    if (digest)
        stet__add_tag(&lines, digest);
    if (!stet_fields_have(fields, STET_FIELD_CONTENT_LENGTH))
        stet__lines_put_number(&lines, STET_FIELD_CONTENT_LENGTH, stet__body_length(fetch->body));
    if (!lines.failed)
        *fields = lines.fields;
    return !lines.failed;
}

static void take_tag(struct stet__fetch *fetch)
{
    struct stet__digest digest;
    bool tagged = fetch->digester && stet__digester_finish(fetch->digester, &digest);
    fetch->digester = NULL;
    if (!complete_fields(fetch, &fetch->response.fields, tagged ? &digest : NULL) ||
        !complete_fields(fetch, &fetch->forwarded, tagged ? &digest : NULL))
        return;
    make_next(fetch);
    fetch->next.synthesised = tagged;
    if (tagged)
        stet__trace_tagged(fetch, stet_fields_find(&fetch->response.fields, STET_FIELD_ETAG, 0)->value);
}

/* ---- answers ---- */

/* Whether the ready-made head of the stored answer is that of the one that came: none of its fields was left
 * out, and its status is the same. */
static bool is_stored_as_it_came(const struct stet__fetch *fetch)
{
    const struct stet_response *stored = &fetch->object->stored.response;
    return stored->status == fetch->response.status && stored->fields.count == fetch->forwarded.count &&
           stet_fields_have(&fetch->forwarded, STET_FIELD_DATE);
}

/* What may be made of the answer that came. */
static struct stet__codable codable_of(const struct stet__fetch *fetch)
{
    bool known = fetch->framing == STET_BODY_LENGTH;
    return stet__coded_judge(fetch->worker->configuration, &fetch->response,
                             known ? fetch->content_length : STET__BODY_LENGTH_UNKNOWN);
}

/* The visit's answer is the one that came, from the body as it is or grows. */
static void answer_visit(struct stet__fetch *fetch, const struct stet_stored *stored, bool kept)
{
    struct stet__visit *visit = fetch->visit;
    if (!visit)
        return;
    struct stet__serving serving = {
        .exchange = visit->exchange,
        .trace = visit->trace,
        .request = &visit->exchange->request->head,
        .stored = stored,
        .body = fetch->body,
        .fields = fetch->forwarded,
        .http10 = fetch->http10,
        .hash = fetch->target.hash,
        .status = stet__fetch_status(fetch),
        .as_it_came = fetch->response.status != 200 ||
                      (fetch->validation.own_fields && !fetch->next.synthesised) ||
                      fetch->request.head.method == STET_METHOD_POST,
        .came_status = fetch->response.status,
        .came_length = UINT64_MAX,
        .codable = codable_of(fetch),
        .codes = stet__coded_may_pass(fetch->worker, kept),
    };
    if (fetch->framing == STET_BODY_LENGTH)
        serving.came_length = fetch->content_length;
    if (kept && is_stored_as_it_came(fetch))
        serving.object = fetch->object;
    else if (!stet__coded_add_vary(visit->exchange->arena, &serving.codable, &serving.fields))
        serving.codable.codings = 0;
    serving.status.stored = kept;
    /* Why it is stored or not; fwd says why it was asked for. */
    bool storing = kept || fetch->receipt.reason == STET_REASON_FORWARDED;
    serving.status.detail = storing ? fetch->receipt.storing : fetch->receipt.reason;
    fetch->visit = NULL;
    visit->fetch = NULL;
    stet__serve(fetch->worker, &serving);
}

/*
 * The client's own conditions did not go to the origin, so they are judged here: whoever has the
 * representation is not sent it again, although it may not be stored.
 */
static bool answer_not_modified(struct stet__fetch *fetch)
{
    struct stet_answer answer;
    if (!fetch->visit || fetch->validation.own_fields || fetch->response.status != 200)
        return false;
    struct stet__codable codable = codable_of(fetch);
    stet_cache_answer(&fetch->request.head, &fetch->next, stet__loop_now_s(fetch->worker->loop), &answer);
    if (answer.status != 304 && !stet__coded_held(fetch, &codable))
        return false;
    answer_visit(fetch, &fetch->next, false);
    return true;
}

/* Without a tag of ours: to who does not have it already. */
static void relay_unless_had(struct stet__fetch *fetch)
{
    if (!fetch->visit || answer_not_modified(fetch))
        stet__fetch_drop(fetch);
    else
        stet__relay_begin(fetch);
}

static void pass(struct stet__fetch *fetch)
{
    struct stet__proxy *proxy = fetch->worker->proxy;
    if (fetch->target.cacheable && fetch->decision.may_store && !fetch->purged)
        stet__lately_put(proxy->lately, fetch->target.hash, stet__loop_now_s(fetch->worker->loop));
    for (size_t i = 0; i < fetch->count; i++)
        if ((fetch->receipt.invalidated >> i & 1) != 0)
            stet__store_invalidate(proxy->store, fetch->candidates[i].object);
    if (fetch->leads)
        stet__fill_over(proxy->fills, &fetch->fill, STET_REASON_OK);
    fetch->leads = false;
    /* A 304 has the tag that the 200 would have had (RFC 9110 section 15.4.5): it waits, too. */
    bool sending = fetch->has_body && !fetch->up.ended;
    fetch->pass_held = fetch->visit && !sending && !fetch->body && begin_hold(fetch);
    if (!fetch->pass_held)
        relay_unless_had(fetch);
}

/* ---- storing ---- */

static bool needs_body(const struct stet__fetch *fetch)
{
    return fetch->request.head.method != STET_METHOD_HEAD;
}

static bool is_fresh(const struct stet__fetch *fetch)
{
    return stet_freshness_ttl(&fetch->next.freshness, stet__loop_now_s(fetch->worker->loop)) > 0 &&
           !stet_cache_control_unqualified(&fetch->next.control, STET_CC_NO_CACHE);
}

/* Others need not wait for what they would have to validate each for itself. */
static void remember(struct stet__fetch *fetch)
{
    struct stet__proxy *proxy = fetch->worker->proxy;
    if (is_fresh(fetch))
        stet__lately_drop(proxy->lately, fetch->target.hash);
    else
        stet__lately_put(proxy->lately, fetch->target.hash, stet__loop_now_s(fetch->worker->loop));
}

static void not_kept(struct stet__fetch *fetch, bool complete)
{
    enum stet_reason why = fetch->purged ? STET_REASON_NOT_STORED_PURGED : STET_REASON_NOT_STORED_TOO_LARGE;
    fetch->receipt.storing = why;
    fetch->receipt.reason = why;
    stet__trace_not_kept(fetch);
    if (complete) {
        answer_visit(fetch, &fetch->next, false);
        stet__fetch_free(fetch);
        return;
    }
    pass(fetch);
}

static void fill(struct stet__fetch *fetch, bool complete)
{
    struct stet__proxy *proxy = fetch->worker->proxy;
    if (!fetch->body && needs_body(fetch)) {
        fetch->body = fetch->framing == STET_BODY_NONE
                          ? stet__body_of(STET_SPAN(""))
                          : stet__body_new(fetch->framing == STET_BODY_LENGTH ? fetch->content_length
                                                                              : STET__BODY_LENGTH_UNKNOWN);
        if (!fetch->body) {
            stet__fetch_failed(fetch, STET_REASON_UPSTREAM_INTERNAL);
            return;
        }
        if (lacks_tag(fetch))
            fetch->digester = stet__digester_new();
    }
    complete |= fetch->framing == STET_BODY_NONE;
    if (complete && fetch->body && stet__body_state(fetch->body) == STET__BODY_GROWING)
        stet__body_finish(fetch->body, true);
    if (!stet__commit(fetch)) {
        not_kept(fetch, complete);
        return;
    }
    remember(fetch);
    fetch->state = STET__FETCH_FILL;
    stet__fill_headed(proxy->fills, &fetch->fill, fetch->body);
    if (complete)
        stet__fill_over(proxy->fills, &fetch->fill, STET_REASON_OK);
    else
        stet__fill_list(proxy->fills, &fetch->fill);
    fetch->leads = !complete;
    if (complete)
        stet__coded_filled(fetch->worker, fetch->object, &fetch->request.head);
    answer_visit(fetch, &fetch->object->stored, true);
    if (complete)
        stet__fetch_drop(fetch);
}

static void store(struct stet__fetch *fetch)
{
    bool sending = fetch->has_body && !fetch->up.ended;
    bool large = fetch->framing == STET_BODY_LENGTH &&
                 fetch->content_length > fetch->worker->configuration->store.object_bytes;
    if (sending || large) {
        not_kept(fetch, false);
        return;
    }
    if (!begin_hold(fetch))
        fill(fetch, false);
}

void stet__fetch_release_hold(struct stet__fetch *fetch, bool complete)
{
    if (complete) {
        stet__body_finish(fetch->body, true);
        take_tag(fetch);
        fetch->framing = STET_BODY_LENGTH;
        fetch->content_length = stet__body_length(fetch->body);
    }
    if (!fetch->pass_held) {
        fill(fetch, complete);
        return;
    }
    if (complete || !fetch->visit) {
        answer_visit(fetch, &fetch->next, false);
        stet__fetch_free(fetch);
    } else {
        relay_unless_had(fetch);
    }
}

/* ---- what is stored is confirmed, completed or used after all ---- */

static void serve_held(struct stet__fetch *fetch, struct stet__object *object, bool kept)
{
    struct stet__visit *visit = fetch->visit;
    if (!visit)
        return;
    struct stet_cache_status status = stet__fetch_status(fetch);
    status.detail = fetch->receipt.reason;
    status.stored = kept;
    fetch->visit = NULL;
    visit->fetch = NULL;
    stet__serve_object(visit, object, &status);
}

/* A copy of another variant answers; whoever waits finds it, or goes on alone if it is this client's only. */
static void adopt(struct stet__fetch *fetch)
{
    struct stet__proxy *proxy = fetch->worker->proxy;
    struct stet__object *old = fetch->candidates[fetch->receipt.chosen].object;
    struct stet__object *adopted = stet__commit_adopted(fetch, old);
    if (!adopted) {
        stet__fetch_failed(fetch, STET_REASON_UPSTREAM_INTERNAL);
        return;
    }
    bool kept = stet__commit_adopt(fetch, old, adopted);
    stet__trace_adopted(fetch);
    if (!kept)
        stet__lately_put(proxy->lately, fetch->target.hash, stet__loop_now_s(fetch->worker->loop));
    if (fetch->leads)
        stet__fill_over(proxy->fills, &fetch->fill, STET_REASON_OK);
    fetch->leads = false;
    serve_held(fetch, adopted, kept);
    stet__object_release(adopted);
    stet__fetch_drop(fetch);
}

static void freshen(struct stet__fetch *fetch)
{
    struct stet__proxy *proxy = fetch->worker->proxy;
    size_t chosen = fetch->receipt.chosen;
    if (fetch->receipt.adopts) {
        adopt(fetch);
        return;
    }
    for (size_t i = 0; i < fetch->count; i++) {
        struct stet__object *old = fetch->candidates[i].object;
        struct stet__object *updated =
            (fetch->receipt.set >> i & 1) != 0 ? stet__commit_freshened(fetch, old) : NULL;
        if (!updated)
            continue;
        stet__store_update(proxy->store, old, updated);
        fetch->candidates[i].object = updated;
        stet__object_release(old);
    }
    for (size_t i = 0; i < fetch->count; i++)
        if ((fetch->receipt.invalidated >> i & 1) != 0)
            stet__store_invalidate(proxy->store, fetch->candidates[i].object);
    if (chosen >= fetch->count) {
        fetch->receipt.invalidated = 0;
        if (fetch->visit)
            stet__relay_begin(fetch);
        else
            stet__fetch_drop(fetch);
        return;
    }
    if (fetch->leads)
        stet__fill_over(proxy->fills, &fetch->fill, STET_REASON_OK);
    fetch->leads = false;
    serve_held(fetch, fetch->candidates[chosen].object, false);
    stet__fetch_drop(fetch);
}

static void collect(struct stet__fetch *fetch)
{
    fetch->body = stet__body_new(fetch->framing == STET_BODY_LENGTH ? fetch->content_length
                                                                    : STET__BODY_LENGTH_UNKNOWN);
    if (fetch->body)
        fetch->state = STET__FETCH_COLLECT;
    else
        stet__fetch_failed(fetch, STET_REASON_UPSTREAM_INTERNAL);
}

/* The body that results; a reference. NULL without memory. */
static struct stet__body *join(struct stet__fetch *fetch, struct stet__object *old,
                               const struct stet_combination *combination)
{
    switch (combination->verdict) {
    case STET_COMBINE_AFTER:
        return stet__body_join(old->body, fetch->body, combination->skip);
    case STET_COMBINE_BEFORE:
        return stet__body_join(fetch->body, old->body, combination->skip);
    default:
        return stet__body_acquire(old->body);
    }
}

static bool is_whole(const struct stet__fetch *fetch)
{
    const struct stet_held *held = &fetch->next.held;
    return held->complete || stet__body_length(fetch->body) == held->range.last - held->range.first + 1;
}

void stet__fetch_collected(struct stet__fetch *fetch)
{
    struct stet__object *old = fetch->candidates[fetch->receipt.chosen].object, *combined = NULL;
    struct stet_combination combination;
    if (!is_whole(fetch)) {
        stet__fetch_failed(fetch, STET_REASON_UPSTREAM_TRUNCATED);
        return;
    }
    stet__body_finish(fetch->body, true);
    stet_partial_combine(&old->stored, &fetch->next, &combination);
    struct stet__body *body = stet__body_state(old->body) == STET__BODY_COMPLETE &&
                                      !stet__body_lost(old->body) && combination.verdict != STET_COMBINE_NOT
                                  ? join(fetch, old, &combination)
                                  : NULL;
    if (body) {
        combined = stet__commit_combined(fetch, old, &combination, body);
        stet__body_release(body);
    }
    if (!combined) {
        /* What came cannot be used beside what is stored: the whole is asked for. */
        stet__body_release(fetch->body);
        fetch->body = NULL;
        fetch->validation = (struct stet_validation){.conditional = false};
        stet__fetch_again(fetch);
        return;
    }
    bool kept = stet__store_add(fetch->worker->proxy->store, combined, &old, 1);
    if (fetch->leads)
        stet__fill_over(fetch->worker->proxy->fills, &fetch->fill, STET_REASON_OK);
    fetch->leads = false;
    serve_held(fetch, combined, kept);
    stet__object_release(combined);
    stet__fetch_free(fetch);
}

static void retry(struct stet__fetch *fetch)
{
    if (fetch->retried) {
        stet__fetch_failed(fetch, STET_REASON_UPSTREAM_MALFORMED);
        return;
    }
    fetch->retried = true;
    fetch->validation = (struct stet_validation){.conditional = false};
    stet__fetch_again(fetch);
}

static void stale(struct stet__fetch *fetch)
{
    if (fetch->leads)
        stet__fill_over(fetch->worker->proxy->fills, &fetch->fill, STET_REASON_OK);
    fetch->leads = false;
    serve_held(fetch, fetch->candidates[fetch->receipt.chosen].object, false);
    stet__fetch_drop(fetch);
}

/* More than can be kept for the sake of a range: the range is asked for after all. */
static bool narrow(struct stet__fetch *fetch)
{
    bool large = fetch->framing == STET_BODY_LENGTH &&
                 fetch->content_length > fetch->worker->configuration->store.object_bytes;
    if (!fetch->widened || !fetch->visit || !large)
        return false;
    fetch->widened = false;
    fetch->validation.own_fields = true;
    stet__fetch_again(fetch);
    return true;
}

/* What would be the answer may have been cut off, or freed as too large, since it was found. */
static void judge_loss(struct stet__fetch *fetch)
{
    struct stet_receipt *receipt = &fetch->receipt;
    if (!stet__fetch_chosen_lost(fetch, receipt->chosen))
        return;
    if (receipt->action == STET_RECEIVE_FRESHEN)
        receipt->action = STET_RECEIVE_RETRY;
    if (receipt->action != STET_RECEIVE_STALE)
        return;
    receipt->action = STET_RECEIVE_PASS;
    receipt->reason = STET_REASON_FORWARDED;
}

/* RFC 9110 section 15.4.5: to other methods, and past the cache, a 304 without a condition is nobody's. */
static bool is_nobodys(const struct stet__fetch *fetch)
{
    enum stet_method method = fetch->request.head.method;
    const struct stet_fields *asked = &fetch->request.head.fields;
    bool judged = fetch->validating && (method == STET_METHOD_GET || method == STET_METHOD_HEAD);
    return fetch->response.status == 304 && !judged && !stet_fields_have(asked, STET_FIELD_IF_NONE_MATCH) &&
           !stet_fields_have(asked, STET_FIELD_IF_MODIFIED_SINCE);
}

void stet__fetch_received(struct stet__fetch *fetch)
{
    if (is_nobodys(fetch)) {
        stet__fetch_failed(fetch, STET_REASON_UPSTREAM_MALFORMED);
        return;
    }
    if (narrow(fetch))
        return;
    invalidate(fetch);
    make_next(fetch);
    fetch->receipt = (struct stet_receipt){
        .action = STET_RECEIVE_PASS, .reason = STET_REASON_BYPASS, .storing = STET_REASON_NOT_STORED_BYPASS};
    if (fetch->validating)
        stet_cache_receive(&fetch->question, &fetch->decision, &fetch->validation, &fetch->next,
                           &fetch->receipt);
    judge_loss(fetch);
    stet__trace_receipt(fetch, &fetch->receipt);
    switch (fetch->receipt.action) {
    case STET_RECEIVE_STORE:
        store(fetch);
        return;
    case STET_RECEIVE_FRESHEN:
        freshen(fetch);
        return;
    case STET_RECEIVE_COMBINE:
        collect(fetch);
        return;
    case STET_RECEIVE_STALE:
        stale(fetch);
        return;
    case STET_RECEIVE_RETRY:
        retry(fetch);
        return;
    case STET_RECEIVE_PASS:
    case STET_RECEIVE_FAIL:
        pass(fetch);
        return;
    }
}
