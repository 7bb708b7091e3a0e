/* SPDX-License-Identifier: MIT */
/*
 * trace: the steps of a decision as members of a List. Each is written whole or not at all.
 *
 * Values are Strings where RFC 9651 section 3.3.3 lets them be, and Byte Sequences where they have other
 * octets: an entity tag may. Long ones are shortened, because a URI alone could fill a trace.
 */
#include "proxy/trace.h"

#include <stet/sf.h>

#include "proxy/fetch.h"

#define CUT ", cut"
#define VALUE_MAX 200
#define INTEGER_MAX INT64_C(999999999999999) /* RFC 9651 section 3.3.1 */

/* Every octet is looked at, so that time tells nothing about the token but its length. */
static bool is_token(struct stet_span value, struct stet_span token)
{
    unsigned char differ = 0;
    if (value.len != token.len)
        return false;
    for (size_t i = 0; i < token.len; i++)
        differ |= (unsigned char)(value.ptr[i] ^ token.ptr[i]);
    return differ == 0;
}

struct stet__trace *stet__trace_begin(struct stet__exchange *exchange, struct stet_span token)
{
    const struct stet_fields *fields = &exchange->request->head.fields;
    struct stet__trace *trace = NULL;
    if (!token.ptr)
        return NULL;
    for (size_t i = 0; i < fields->count && !trace; i++) {
        const struct stet_field *field = &fields->at[i];
        if (field->id == STET_FIELD_OTHER &&
            stet_span_equal_nocase(field->name, STET_SPAN(STET__TOKEN_FIELD)) &&
            is_token(field->value, token))
            trace = stet__arena_alloc(exchange->arena, sizeof *trace);
    }
    if (trace) {
        trace->len = 0;
        trace->cut = false;
    }
    return trace;
}

/* ---- one step ---- */

struct step {
    struct stet__trace *trace;
    struct stet_sf_writer writer;
    size_t begin; /* where its member stands */
};

static void begin(struct step *step, struct stet__trace *trace, struct stet_span name)
{
    struct stet_sf_item item = {.type = STET_SF_TOKEN, .text = name};
    step->trace = trace;
    step->begin = trace->len > 0 ? trace->len + 2 : 0;
    size_t room = sizeof trace->text - (sizeof CUT - 1);
    if (step->begin > room)
        step->begin = room;
    room -= step->begin;
    stet_sf_write_begin(&step->writer, trace->text + step->begin, room);
    stet_sf_write_item(&step->writer, &item);
}

static void end(struct step *step)
{
    struct stet__trace *trace = step->trace;
    struct stet_span member;
    if (trace->cut)
        return;
    if (stet_sf_finish(&step->writer, &member) != STET_OK) {
        size_t comma = trace->len > 0 ? 0 : 2;
        memcpy(trace->text + trace->len, &CUT[comma], sizeof CUT - 1 - comma);
        trace->len += sizeof CUT - 1 - comma;
        trace->cut = true;
        return;
    }
    if (step->begin > 0)
        memcpy(trace->text + trace->len, ", ", 2);
    trace->len = step->begin + member.len;
}

static void put_flag(struct step *step, const char *key, bool value)
{
    if (value)
        stet_sf_write_param(&step->writer, stet_span_of(key, strlen(key)), NULL);
}

static void put_token(struct step *step, const char *key, struct stet_span value)
{
    struct stet_sf_item item = {.type = STET_SF_TOKEN, .text = value};
    if (value.ptr)
        stet_sf_write_param(&step->writer, stet_span_of(key, strlen(key)), &item);
}

static void put_number(struct step *step, const char *key, int64_t value)
{
    value = value > INTEGER_MAX ? INTEGER_MAX : value < -INTEGER_MAX ? -INTEGER_MAX : value;
    struct stet_sf_item item = {.type = STET_SF_INTEGER, .integer = value};
    stet_sf_write_param(&step->writer, stet_span_of(key, strlen(key)), &item);
}

static void put_position(struct step *step, const char *key, uint64_t value)
{
    put_number(step, key, value > INTEGER_MAX ? INTEGER_MAX : (int64_t)value);
}

static void put_text(struct step *step, const char *key, struct stet_span value)
{
    struct stet_sf_item item = {.type = STET_SF_STRING, .text = value};
    char shortened[VALUE_MAX];
    if (!value.ptr)
        return;
    if (value.len > VALUE_MAX) {
        memcpy(shortened, value.ptr, VALUE_MAX - 3);
        memcpy(shortened + VALUE_MAX - 3, "...", 3);
        item.text = stet_span_of(shortened, VALUE_MAX);
    }
    for (size_t i = 0; i < item.text.len; i++)
        if (item.text.ptr[i] < ' ' || item.text.ptr[i] > '~')
            item.type = STET_SF_BYTES;
    stet_sf_write_param(&step->writer, stet_span_of(key, strlen(key)), &item);
}

/* A method may begin with what no Token of RFC 9651 begins with. */
static void put_method(struct step *step, struct stet_span method)
{
    char first = method.len > 0 ? (char)(method.ptr[0] | 0x20) : ' ';
    if (first >= 'a' && first <= 'z')
        put_token(step, "method", method);
    else
        put_text(step, "method", method);
}

static void put_reason(struct step *step, const char *key, enum stet_reason reason)
{
    const char *name = stet_reason_row(reason)->name;
    put_token(step, key, stet_span_of(name, strlen(name)));
}

static void put_why(struct step *step, enum stet_reason reason)
{
    const char *clause = stet_reason_row(reason)->clause;
    put_reason(step, "reason", reason);
    put_text(step, "clause", stet_span_of(clause, strlen(clause)));
}

/* The candidates that `set` has, by their numbers. */
static void put_set(struct step *step, const char *key, uint64_t set)
{
    char text[STET_CANDIDATES_MAX * 3];
    size_t len = 0;
    for (size_t i = 0; i < STET_CANDIDATES_MAX; i++) {
        if ((set >> i & 1) == 0)
            continue;
        if (len > 0)
            text[len++] = ' ';
        if (i >= 10)
            text[len++] = (char)('0' + i / 10);
        text[len++] = (char)('0' + i % 10);
    }
    if (len > 0)
        put_text(step, key, stet_span_of(text, len));
}

static void put_stored(struct step *step, const struct stet_stored *stored)
{
    const struct stet_field *etag = stet_fields_find(&stored->response.fields, STET_FIELD_ETAG, 0);
    put_number(step, "status", stored->response.status);
    if (etag)
        put_text(step, "etag", etag->value);
    put_flag(step, "synthesised", stored->synthesised);
    put_flag(step, "partial", !stored->held.complete);
    put_number(step, "lifetime", stored->freshness.lifetime_s);
    put_reason(step, "lifetime-reason", stored->freshness.reason);
}

/* ---- what is stored, and what was decided ---- */

static void tell_candidate(const struct stet__visit *visit, size_t i)
{
    const struct stet_stored *stored = visit->stored[i];
    const struct stet_cache_question *question = &visit->question;
    struct step step;
    begin(&step, visit->trace, STET_SPAN("candidate"));
    put_number(&step, "n", (int64_t)i);
    put_why(&step, stet_cache_candidate(question, &visit->decision, i));
    put_stored(&step, stored);
    put_number(&step, "age", stet_freshness_age(&stored->freshness, question->now));
    put_number(&step, "ttl", stet_freshness_ttl(&stored->freshness, question->now));
    put_flag(&step, "invalidated", (question->invalidated >> i & 1) != 0);
    end(&step);
}

static struct stet_span action_name(enum stet_cache_action action)
{
    switch (action) {
    case STET_CACHE_SERVE:
        return STET_SPAN("serve");
    case STET_CACHE_SERVE_AND_REVALIDATE:
        return STET_SPAN("serve-and-revalidate");
    case STET_CACHE_REVALIDATE:
        return STET_SPAN("revalidate");
    case STET_CACHE_FORWARD:
        return STET_SPAN("forward");
    case STET_CACHE_FAIL:
        return STET_SPAN("fail");
    }
    return STET_SPAN_NONE;
}

void stet__trace_decided(const struct stet__visit *visit)
{
    const struct stet_cache_decision *decision = &visit->decision;
    struct step step;
    if (!visit->trace)
        return;
    begin(&step, visit->trace, STET_SPAN("request"));
    put_method(&step, visit->question.request->method_name);
    put_text(&step, "key", visit->target.key);
    put_number(&step, "candidates", (int64_t)visit->count);
    end(&step);
    for (size_t i = 0; i < visit->count; i++)
        tell_candidate(visit, i);
    begin(&step, visit->trace, STET_SPAN("decide"));
    put_token(&step, "action", action_name(decision->action));
    put_why(&step, decision->reason);
    put_token(&step, "fwd", stet_forward_cause_name(decision->forward));
    end(&step);
}

void stet__trace_waited(const struct stet__visit *visit)
{
    struct step step;
    if (!visit->trace)
        return;
    begin(&step, visit->trace, STET_SPAN("collapsed"));
    if (visit->failure != STET_REASON_OK)
        put_why(&step, visit->failure);
    end(&step);
}

/* ---- the origin ---- */

static bool begin_of(struct step *step, const struct stet__fetch *fetch, struct stet_span name)
{
    if (!fetch->visit || !fetch->visit->trace)
        return false;
    begin(step, fetch->visit->trace, name);
    return true;
}

static struct stet_span origin_of(const struct stet__fetch *fetch)
{
    const struct stet__proxy_configuration *configuration = fetch->worker->configuration;
    if (fetch->target.elsewhere)
        return fetch->target.authority;
    return fetch->attempt.origin < configuration->origin_count
               ? configuration->origins[fetch->attempt.origin].text
               : STET_SPAN_NONE;
}

void stet__trace_asked(const struct stet__fetch *fetch)
{
    const struct stet_validation *validation = &fetch->validation;
    struct step step;
    if (!begin_of(&step, fetch, STET_SPAN("ask")))
        return;
    put_text(&step, "origin", origin_of(fetch));
    put_flag(&step, "own-fields", validation->own_fields);
    put_text(&step, "if-none-match", validation->if_none_match);
    put_text(&step, "if-modified-since", validation->if_modified_since);
    if (validation->has_range) {
        put_position(&step, "first", validation->range.first);
        if (validation->range.last != STET_RANGE_OPEN)
            put_position(&step, "last", validation->range.last);
        put_text(&step, "if-range", validation->if_range);
    }
    put_flag(&step, "whole", fetch->widened);
    put_flag(&step, "shared", fetch->leads);
    put_flag(&step, "again", fetch->retried);
    end(&step);
}

void stet__trace_came(const struct stet__fetch *fetch)
{
    const struct stet_fields *fields = &fetch->response.fields;
    struct step step;
    if (!begin_of(&step, fetch, STET_SPAN("came")))
        return;
    const struct stet_field *etag = stet_fields_find(fields, STET_FIELD_ETAG, 0);
    put_number(&step, "status", fetch->response.status);
    if (etag)
        put_text(&step, "etag", etag->value);
    put_number(&step, "age", fetch->times.age);
    end(&step);
}

void stet__trace_failed(const struct stet__fetch *fetch, enum stet_reason reason)
{
    struct step step;
    if (!begin_of(&step, fetch, STET_SPAN("failed")))
        return;
    put_text(&step, "origin", origin_of(fetch));
    put_why(&step, reason);
    end(&step);
}

static struct stet_span receipt_name(enum stet_receipt_action action)
{
    switch (action) {
    case STET_RECEIVE_PASS:
        return STET_SPAN("pass");
    case STET_RECEIVE_STORE:
        return STET_SPAN("store");
    case STET_RECEIVE_FRESHEN:
        return STET_SPAN("freshen");
    case STET_RECEIVE_COMBINE:
        return STET_SPAN("combine");
    case STET_RECEIVE_STALE:
        return STET_SPAN("stale");
    case STET_RECEIVE_RETRY:
        return STET_SPAN("retry");
    case STET_RECEIVE_FAIL:
        return STET_SPAN("fail");
    }
    return STET_SPAN_NONE;
}

void stet__trace_receipt(const struct stet__fetch *fetch, const struct stet_receipt *receipt)
{
    struct step step;
    if (!begin_of(&step, fetch, STET_SPAN("receive")))
        return;
    put_token(&step, "action", receipt_name(receipt->action));
    put_why(&step, receipt->reason);
    bool replaces = receipt->action == STET_RECEIVE_STORE || receipt->adopts;
    if (receipt->storing != STET_REASON_NO_PRECONDITION && !receipt->adopts)
        put_reason(&step, "storing", receipt->storing);
    put_set(&step, replaces ? "replaced" : "freshened", receipt->set);
    put_set(&step, "invalidated", receipt->invalidated);
    if (receipt->action == STET_RECEIVE_STORE) {
        put_number(&step, "lifetime", fetch->next.freshness.lifetime_s);
        put_reason(&step, "lifetime-reason", fetch->next.freshness.reason);
    }
    end(&step);
}

void stet__trace_not_kept(const struct stet__fetch *fetch)
{
    struct step step;
    if (!begin_of(&step, fetch, STET_SPAN("not-kept")))
        return;
    put_why(&step, fetch->receipt.storing);
    end(&step);
}

void stet__trace_adopted(const struct stet__fetch *fetch)
{
    struct step step;
    if (!begin_of(&step, fetch, STET_SPAN("adopted")))
        return;
    put_reason(&step, "storing", fetch->receipt.storing);
    end(&step);
}

void stet__trace_tagged(const struct stet__fetch *fetch, struct stet_span etag)
{
    struct step step;
    if (!begin_of(&step, fetch, STET_SPAN("tag")))
        return;
    put_text(&step, "etag", etag);
    put_flag(&step, "synthesised", true);
    end(&step);
}

/* ---- the client ---- */

void stet__trace_coding(const struct stet__serving *serving)
{
    struct step step;
    if (!serving->trace || !serving->coded)
        return;
    begin(&step, serving->trace, STET_SPAN("coding"));
    put_token(&step, "chosen", stet_coding_name(serving->choice.coding));
    put_why(&step, serving->choice.reason);
    put_flag(&step, "kept", serving->copy != NULL);
    put_flag(&step, "passing", serving->passing);
    end(&step);
}

void stet__trace_answer(struct stet__trace *trace, unsigned status, enum stet_reason reason)
{
    struct step step;
    if (!trace)
        return;
    begin(&step, trace, STET_SPAN("answer"));
    put_number(&step, "status", status);
    put_why(&step, reason);
    end(&step);
}
