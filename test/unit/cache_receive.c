/* SPDX-License-Identifier: MIT */
/*
 * cache_receive: what must hold of every answer to every request, whatever is stored. Each combination is
 * judged, and each statement of RFC 9111 that can be said without repeating the code is checked on it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/cache.h>

#define NOW INT64_C(1795253400)
#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

/* A message in words: fields by pairs. */
struct words {
    const char *pairs[7]; /* name, value, ..., NULL */
};

static const struct words stored_rows[] = {
    {{"ETag", "\"s\"", NULL}},
    {{"ETag", "W/\"s\"", NULL}},
    {{"Date", "Sat, 21 Nov 2026 09:29:00 GMT", "Last-Modified", "Fri, 20 Nov 2026 09:30:00 GMT", NULL}},
    {{NULL}},
    {{"ETag", "\"s\"", "Vary", "X", NULL}},
};

static const char *const stored_controls[] = {
    "max-age=60",
    "max-age=60, stale-if-error=99",
    "max-age=60, stale-if-error=99, must-revalidate",
    "max-age=60, stale-if-error=99, no-cache",
    "max-age=60, stale-while-revalidate=99, public",
};

static const struct words request_rows[] = {
    {{NULL}},
    {{"If-None-Match", "\"c\"", NULL}},
    {{"If-None-Match", "\"c\", \"s\"", NULL}},
    {{"If-None-Match", "*", NULL}},
    {{"If-Modified-Since", "Fri, 20 Nov 2026 09:30:00 GMT", NULL}},
    {{"Range", "bytes=0-1", NULL}},
    {{"Range", "bytes=3-7", "If-None-Match", "\"c\"", NULL}},
    {{"Authorization", "x", NULL}},
    {{"If-Match", "\"s\"", "If-None-Match", "\"c\"", NULL}},
    {{"Cache-Control", "no-store", "If-None-Match", "\"c\"", NULL}},
    {{"Cache-Control", "no-cache", NULL}},
    {{"X", "1", NULL}},
};

static const struct words answer_rows[] = {
    {{"Cache-Control", "max-age=60", "ETag", "\"s\"", NULL}},
    {{"Cache-Control", "max-age=60", "ETag", "W/\"s\"", NULL}},
    {{"Cache-Control", "max-age=60", "ETag", "\"c\"", NULL}},
    {{"Cache-Control", "max-age=60", "ETag", "\"t\"", NULL}},
    {{"Cache-Control", "max-age=60", "ETag", "\"new\"", "Content-Range", "bytes 5-9/10", NULL}},
    {{"Cache-Control", "max-age=60", "ETag", "\"s\"", "Content-Range", "bytes 5-9/10", NULL}},
    {{"Cache-Control", "max-age=60", NULL}},
    {{"Cache-Control", "no-store", "ETag", "\"s\"", NULL}},
    {{"Cache-Control", "private, max-age=60", NULL}},
    {{"Last-Modified", "Fri, 20 Nov 2026 09:30:00 GMT", NULL}},
};

static const unsigned statuses[] = {200, 206, 301, 304, 404, 412, 416, 500, 503};

static const enum stet_method methods[] = {STET_METHOD_GET, STET_METHOD_HEAD, STET_METHOD_POST};

struct message {
    struct stet_field fields[8];
    struct stet_stored stored;
};

static void add(struct stet_fields *fields, struct stet_field *room, const char *name, const char *value)
{
    struct stet_span span = stet_span_of(name, strlen(name));
    enum stet_field_id id = stet_field_id(span);
    room[fields->count++] = (struct stet_field){span, stet_span_of(value, strlen(value)), id};
    if (id != STET_FIELD_OTHER)
        fields->present |= 1ull << id;
}

static void add_words(struct stet_fields *fields, struct stet_field *room, const struct words *words)
{
    for (size_t i = 0; words->pairs[i]; i += 2)
        add(fields, room, words->pairs[i], words->pairs[i + 1]);
}

struct scene {
    struct message first, second, answer;
    struct stet_field asked[4];
    struct stet_request request;
    const struct stet_stored *at[2];
    struct stet_cache_policy policy;
    struct stet_cache_question question;
    struct stet_cache_decision decision;
    struct stet_validation validation;
    struct stet_receipt receipt;
    char text[64];
};

static void make_stored(struct message *m, const struct words *words, const char *control, int64_t age)
{
    m->stored = (struct stet_stored){.response = {.status = 200, .fields = {m->fields, 0, 0}},
                                     .method = STET_METHOD_GET,
                                     .times = {NOW - age, NOW - age, 0},
                                     .held = {true, true, 10, {0, 0}}};
    add(&m->stored.response.fields, m->fields, "Cache-Control", control);
    add_words(&m->stored.response.fields, m->fields, words);
}

static void make_answer(struct scene *s, const struct words *words, unsigned status)
{
    struct message *m = &s->answer;
    m->stored = (struct stet_stored){.response = {.status = status, .fields = {m->fields, 0, 0}},
                                     .method = s->request.method == STET_METHOD_HEAD ? STET_METHOD_HEAD
                                                                                     : STET_METHOD_GET,
                                     .times = {NOW, NOW, 0}};
    add_words(&m->stored.response.fields, m->fields, words);
    if (stet_held_read(&m->stored.response, &m->stored.held) != STET_OK)
        m->stored.held = (struct stet_held){.complete = false};
    stet_stored_read(&m->stored, &s->policy);
}

static bool has(const struct scene *s, enum stet_field_id id)
{
    return stet_fields_have(&s->request.fields, id);
}

static bool conditional(const struct scene *s)
{
    return has(s, STET_FIELD_IF_NONE_MATCH) || has(s, STET_FIELD_IF_MODIFIED_SINCE);
}

/* What the client gets, as the proxy would make it. */
static unsigned client_status(const struct scene *s)
{
    struct stet_answer answer;
    const struct stet_receipt *r = &s->receipt;
    const struct stet_stored *source = r->chosen < s->question.count ? s->at[r->chosen] : &s->answer.stored;
    if (source == &s->answer.stored && s->validation.own_fields)
        return source->response.status;
    if (r->action == STET_RECEIVE_COMBINE)
        return 200;
    stet_cache_answer(&s->request, source, NOW, &answer);
    return answer.status;
}

static unsigned adoptions;

#define HOLDS(s, statement)                    \
    do {                                       \
        if (!(statement))                      \
            complain(s, __LINE__, #statement); \
    } while (0)

static void complain(const struct scene *s, int line, const char *statement)
{
    fail_msg("line %d: %s does not hold; method %d, request %s, stored %s %s, answer %u %s: action %d %s",
             line, statement, (int)s->request.method,
             s->request.fields.count > 0 ? s->request.fields.at[0].value.ptr : "-",
             s->first.fields[0].value.ptr,
             s->first.stored.response.fields.count > 1 ? s->first.fields[1].value.ptr : "-",
             s->answer.stored.response.status, s->answer.fields[0].value.ptr, (int)s->receipt.action,
             stet_reason_row(s->receipt.reason)->name);
}

static bool selected(const struct scene *s, size_t i)
{
    return stet_vary_matches(&s->at[i]->response.fields, &s->at[i]->selecting, &s->request.fields);
}

/* Section 4.1: by a strong tag that was offered, for somebody who may have it, in place of his own alone. */
static void check_adopted(const struct scene *s)
{
    const struct stet_receipt *r = &s->receipt;
    const struct stet_stored *from = s->at[r->chosen], *next = &s->answer.stored;
    HOLDS(s, s->request.method == STET_METHOD_GET && s->decision.may_store && !s->validation.own_fields);
    HOLDS(s, !selected(s, r->chosen) && from->held.complete);
    HOLDS(s, stet_etag_strong_equal(next->selected.etag, from->selected.etag));
    HOLDS(s, !has(s, STET_FIELD_AUTHORIZATION) || stet_stored_shareable(from) || !s->policy.shared);
    for (size_t i = 0; i < s->question.count; i++)
        HOLDS(s, (r->set >> i & 1) == selected(s, i));
    struct stet_storable kept = stet_cache_adopt(&s->question, next, from);
    HOLDS(s, !kept.storable || !(stet_cache_control_has(&next->control, STET_CC_NO_STORE) ||
                                 stet_cache_control_has(&next->control, STET_CC_PRIVATE)));
    adoptions++;
}

static void check_304(const struct scene *s)
{
    const struct stet_receipt *r = &s->receipt;
    bool asked = s->validation.own_fields ? conditional(s) : s->validation.conditional;
    HOLDS(s, r->action == STET_RECEIVE_PASS || r->action == STET_RECEIVE_FRESHEN ||
                 r->action == STET_RECEIVE_RETRY);
    HOLDS(s, asked || r->action == STET_RECEIVE_RETRY);
    HOLDS(s, !r->adopts || r->action == STET_RECEIVE_FRESHEN);
    if (r->adopts) {
        check_adopted(s);
    } else if (r->action == STET_RECEIVE_FRESHEN) {
        struct stet_etag tag = s->answer.stored.selected.etag, old = s->at[r->chosen]->selected.etag;
        HOLDS(s, !stet_etag_present(tag) || stet_etag_weak_equal(tag, old));
        /* Section 4.3.4: a strong tag updates only those that have it; nothing that the request does not
         * select */
        for (size_t i = 0; i < s->question.count; i++) {
            bool in_set = (r->set >> i & 1) != 0;
            bool strong = stet_etag_present(tag) && !tag.weak;
            HOLDS(s, !in_set || !strong || stet_etag_strong_equal(tag, s->at[i]->selected.etag));
            HOLDS(s, !in_set || stet_vary_matches(&s->at[i]->response.fields, &s->at[i]->selecting,
                                                  &s->request.fields));
        }
    }
}

static void check_stored(const struct scene *s)
{
    const struct stet_receipt *r = &s->receipt;
    unsigned status = s->answer.stored.response.status;
    struct stet_storable judged =
        stet_storable_judge(&s->request, s->question.target, &s->answer.stored, &s->policy);
    bool storable = judged.storable && s->decision.may_store;
    bool stores = r->action == STET_RECEIVE_STORE || r->action == STET_RECEIVE_COMBINE;
    HOLDS(s, !stores || storable);
    HOLDS(s, !stores || (status != 304 && status != 412 && status != 416));
    if (storable && status == 200 && s->request.method == STET_METHOD_GET)
        HOLDS(s, r->action == STET_RECEIVE_STORE);
    if (!s->decision.may_store)
        HOLDS(s, r->set == 0 && !stores);
    if (status == 206)
        HOLDS(s, r->action != STET_RECEIVE_STORE || has(s, STET_FIELD_RANGE));
    if (status == 206)
        HOLDS(s, !stores || s->request.method == STET_METHOD_GET);
}

static void check(struct scene *s)
{
    struct stet_receipt *r = &s->receipt;
    unsigned status = s->answer.stored.response.status;
    bool reads = s->request.method != STET_METHOD_POST;
    bool error = status == 500 || status == 503;
    stet_cache_receive(&s->question, &s->decision, &s->validation, &s->answer.stored, r);
    if (reads && status == 304)
        check_304(s);
    check_stored(s);
    HOLDS(s, r->action != STET_RECEIVE_FAIL);
    HOLDS(s, r->action != STET_RECEIVE_RETRY || status == 304 || (s->validation.has_range && status > 200));
    HOLDS(s, r->action != STET_RECEIVE_STALE || (error && reads && r->chosen < s->question.count));
    HOLDS(s, (r->set >> s->question.count) == 0 && (r->invalidated >> s->question.count) == 0);
    HOLDS(s, (r->set & r->invalidated) == 0);
    if (!reads)
        HOLDS(s, r->action == STET_RECEIVE_PASS || r->action == STET_RECEIVE_STORE);
    if (r->action == STET_RECEIVE_STALE) {
        struct stet_receipt none;
        stet_cache_unanswered(&s->question, &s->decision, STET_REASON_UPSTREAM_RESET, &none);
        HOLDS(s, none.action == STET_RECEIVE_STALE && none.chosen == r->chosen);
        HOLDS(s, !stet_cache_control_has(&s->at[r->chosen]->control, STET_CC_MUST_REVALIDATE));
    }
    /* Never a 304 to a client that sent no condition. */
    if (reads && r->action != STET_RECEIVE_RETRY && client_status(s) == 304)
        HOLDS(s, conditional(s));
}

/* What is forwarded fills the cache, so nothing may come back that only this client could use. */
static void check_forwarded(const struct scene *s)
{
    const struct stet_validation *v = &s->validation;
    if (s->decision.action != STET_CACHE_FORWARD || v->own_fields)
        return;
    HOLDS(s, !v->clients && !v->if_modified_since.ptr);
    HOLDS(s, !v->conditional ||
                 (s->decision.forward == STET_FWD_VARY_MISS && s->request.method == STET_METHOD_GET));
    HOLDS(s, !v->conditional || !(has(s, STET_FIELD_AUTHORIZATION) || has(s, STET_FIELD_RANGE) ||
                                  has(s, STET_FIELD_IF_MATCH)));
}

static void for_each_answer(struct scene *s)
{
    stet_cache_decide(&s->question, &s->decision);
    stet_cache_validation(&s->question, &s->decision, s->text, sizeof(s->text), &s->validation);
    check_forwarded(s);
    if (s->decision.action == STET_CACHE_SERVE) /* nothing is asked, so nothing is received */
        return;
    for (size_t i = 0; i < COUNT(statuses) * COUNT(answer_rows); i++) {
        make_answer(s, &answer_rows[i / COUNT(statuses)], statuses[i % COUNT(statuses)]);
        check(s);
    }
}

static void for_each_request(struct scene *s)
{
    for (size_t i = 0; i < COUNT(request_rows) * COUNT(methods) * 2; i++) {
        s->request = (struct stet_request){.method = methods[i % COUNT(methods)], .fields = {s->asked, 0, 0}};
        add_words(&s->request.fields, s->asked, &request_rows[i / COUNT(methods) % COUNT(request_rows)]);
        s->question.invalidated = i >= COUNT(request_rows) * COUNT(methods);
        for_each_answer(s);
    }
}

/* The first stored response in all its forms, beside none and beside another variant. */
static void test_product(void **state)
{
    (void)state;
    static struct scene s;
    static const struct words variant = {{"ETag", "\"t\"", "Vary", "X", NULL}};
    s.policy = STET_CACHE_POLICY_SHARED;
    s.question = (struct stet_cache_question){
        .request = &s.request, .target = STET_SPAN("/"), .stored = s.at, .policy = &s.policy, .now = NOW};
    s.at[0] = &s.first.stored;
    s.at[1] = &s.second.stored;
    for (size_t i = 0; i < COUNT(stored_rows) * COUNT(stored_controls) * 2 * 2 * 3; i++) {
        size_t rest = i / COUNT(stored_rows) / COUNT(stored_controls);
        make_stored(&s.first, &stored_rows[i % COUNT(stored_rows)],
                    stored_controls[i / COUNT(stored_rows) % COUNT(stored_controls)], rest % 2 ? 70 : 10);
        if (rest / 2 % 2 != 0)
            s.first.stored.held = (struct stet_held){false, true, 10, {0, 4}};
        stet_stored_read(&s.first.stored, &s.policy);
        make_stored(&s.second, &variant, "max-age=60", 20);
        add(&s.second.stored.selecting, s.second.fields + 5, "X", "1");
        s.second.stored.selecting.at = s.second.fields + 5;
        stet_stored_read(&s.second.stored, &s.policy);
        s.question.count = rest / 4;
        for_each_request(&s);
    }
    assert_true(adoptions > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_product)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
