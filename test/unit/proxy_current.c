/* SPDX-License-Identifier: MIT */
/*
 * coded: whoever is told by the shortcut that what it has is current would be told so the long way too, by
 * core's choice and core's answer, of the same octets: all combinations of field values that clients and
 * caches send, of stored responses with any of their copies there, and of some without codings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/cache.h>

#include "proxy/coded.h"
#include "stored_objects.h"

#define SPAN(text) stet_span_of(text, strlen(text))
#define COUNT(array) (sizeof(array) / sizeof *(array))
#define NOW 1000000000
#define BIT(coding) (1u << (coding))
#define ALL (BIT(STET_CODING_GZIP) | BIT(STET_CODING_BR) | BIT(STET_CODING_ZSTD))

static const char *const accepts[] = {NULL,
                                      "",
                                      "gzip",
                                      "gzip, deflate, br, zstd",
                                      "br;q=0.5, gzip;q=0.4",
                                      "*;q=0.1",
                                      "*;q=0",
                                      "identity;q=0, br",
                                      "gzip;q=0, identity",
                                      "malformed;;q="};
static const char *const tags[] = {"\"x\"",
                                   "W/\"x\"",
                                   "\"x;br-00000002\"",
                                   "\"x;gzip-00000001\"",
                                   "\"x;zstd-00000003\"",
                                   "\"x;identity-00000000\"",
                                   "W/\"x;br-00000002\"",
                                   "\"x;br-99999999\"",
                                   "\"x;br-00000002;gzip-00000001\"",
                                   "\"x-gzip\"",
                                   "\"\"",
                                   "x",
                                   "\"other\"",
                                   "\"other\", \"x\"",
                                   "*",
                                   "",
                                   "\"x;br-00000002\", \"x\""};
static const struct {
    enum stet_field_id id;
    const char *value;
} others[] = {{STET_FIELD_ACCEPT, "*/*"},
              {STET_FIELD_RANGE, "bytes=0-1"},
              {STET_FIELD_CACHE_CONTROL, "no-transform"},
              {STET_FIELD_CACHE_CONTROL, "max-age=0"},
              {STET_FIELD_IF_RANGE, "\"x;zstd-00000003\""},
              {STET_FIELD_IF_MATCH, "\"x;gzip-00000001\""},
              {STET_FIELD_ACCEPT_ENCODING, "zstd, identity;q=0"},
              {STET_FIELD_IF_UNMODIFIED_SINCE, "Sat, 01 Jan 2000 00:00:00 GMT"},
              {STET_FIELD_IF_MODIFIED_SINCE, "Sat, 01 Jan 2000 00:00:00 GMT"},
              {STET_FIELD_IF_NONE_MATCH, "\"x;zstd-00000003\""}};
static const enum stet_method methods[] = {STET_METHOD_GET, STET_METHOD_HEAD, STET_METHOD_POST};

/* A stored response; `kept`: the set of codings of which there is a copy. */
static const struct kind {
    unsigned status;
    const char *tag;
    enum stet_coding own;
    unsigned codings, kept;
} kinds[] = {
    {200, "\"x\"", STET_CODING_IDENTITY, 0, 0},
    {200, "\"x\"", STET_CODING_GZIP, 0, 0},
    {200, "\"x\"", STET_CODING_UNKNOWN, 0, 0},
    {200, NULL, STET_CODING_IDENTITY, 0, 0},
    {200, NULL, STET_CODING_IDENTITY, ALL, ALL},
    {200, "x", STET_CODING_IDENTITY, 0, 0},
    {404, "\"x\"", STET_CODING_IDENTITY, 0, 0},
    {404, "\"x\"", STET_CODING_IDENTITY, ALL, ALL},
    {200, "W/\"x\"", STET_CODING_IDENTITY, ALL, ALL},
    {200, "\"x;br-00000002\"", STET_CODING_IDENTITY, ALL, ALL},
    {200, "\"\"", STET_CODING_IDENTITY, ALL, 0},
    {200, "\"x\"", STET_CODING_GZIP, BIT(STET_CODING_IDENTITY), 0},
    {200, "\"x\"", STET_CODING_GZIP, BIT(STET_CODING_IDENTITY), BIT(STET_CODING_IDENTITY)},
    {200, "\"x\"", STET_CODING_IDENTITY, ALL, 0},
    {200, "\"x\"", STET_CODING_IDENTITY, ALL, BIT(STET_CODING_GZIP)},
    {200, "\"x\"", STET_CODING_IDENTITY, ALL, BIT(STET_CODING_BR)},
    {200, "\"x\"", STET_CODING_IDENTITY, ALL, BIT(STET_CODING_BR) | BIT(STET_CODING_ZSTD)},
    {200, "\"x\"", STET_CODING_IDENTITY, ALL, ALL},
};

static struct stet__proxy_configuration configuration = {.policy = {.shared = true}};
static struct stet__proxy proxy = {
    .configuration = &configuration, .via = {"1.1 p", 5}, .via_http10 = {"1.0 p", 5}};
static struct stet__proxy_worker worker = {.proxy = &proxy, .configuration = &configuration};
static struct stet__exchange exchange = {.now = NOW};
static unsigned told, copies_told;

static void put(struct stet_request *request, struct stet_field *room, enum stet_field_id id,
                const char *value)
{
    if (!value)
        return;
    room[request->fields.count++] = (struct stet_field){stet_field_name(id), SPAN(value), id};
    request->fields.present |= UINT64_C(1) << id;
}

static struct stet__serving serving_of(struct stet__object *object, const struct stet_request *request)
{
    return (struct stet__serving){.exchange = &exchange,
                                  .request = request,
                                  .stored = &object->stored,
                                  .body = object->body,
                                  .object = object,
                                  .codable = {.own = object->coding, .codings = object->codings}};
}

/* The long way of serve_stored.c. */
static void ask_core(struct stet__serving *serving, struct stet_answer *answer)
{
    stet__coded_choose(&worker, serving);
    if (serving->coded)
        stet_cache_answer_coded(serving->request, serving->stored, &serving->selected, NOW, answer);
    else
        stet_cache_answer(serving->request, serving->stored, NOW, answer);
}

static void compare(struct stet__object *object, const struct stet_request *request)
{
    struct stet__serving quick = serving_of(object, request), core = serving_of(object, request);
    struct stet_answer answer;
    if (!stet__coded_current(&quick))
        return;
    ask_core(&core, &answer);
    assert_int_equal(answer.status, 304);
    assert_int_equal(answer.reason, STET_REASON_IF_NONE_MATCH_MATCHES);
    assert_ptr_equal(quick.object, core.object);
    assert_ptr_equal(quick.stored, core.stored);
    assert_ptr_equal(quick.body, core.body);
    assert_ptr_equal(quick.copy, core.copy);
    assert_int_equal(quick.coded, core.coded);
    assert_false(core.passing || core.starved || quick.passing || quick.starved);
    if (core.coded) {
        assert_int_equal(quick.choice.coding, core.choice.coding);
        assert_int_equal(quick.choice.reason, core.choice.reason);
        assert_int_equal(quick.choice.held.weak, core.choice.held.weak);
        assert_true(stet_etag_weak_equal(quick.choice.held, core.choice.held));
    }
    told++;
    copies_told += quick.copy != NULL;
    stet__object_release(quick.copy);
    stet__object_release(core.copy);
}

static void compare_all(struct stet__object *object)
{
    for (size_t i = 0; i < COUNT(accepts) * COUNT(tags) * (COUNT(others) + 1) * COUNT(methods); i++) {
        struct stet_field room[4];
        struct stet_request request = {.fields = {.at = room}};
        size_t rest = i;
        request.method = methods[rest % COUNT(methods)];
        rest /= COUNT(methods);
        put(&request, room, STET_FIELD_ACCEPT_ENCODING, accepts[rest % COUNT(accepts)]);
        rest /= COUNT(accepts);
        put(&request, room, STET_FIELD_IF_NONE_MATCH, tags[rest % COUNT(tags)]);
        rest /= COUNT(tags);
        if (rest < COUNT(others))
            put(&request, room, others[rest].id, others[rest].value);
        compare(object, &request);
    }
}

static struct stet__object *object_like(const struct kind *kind)
{
    struct stet_field etag = {STET_SPAN("ETag"), STET_SPAN_NONE, STET_FIELD_ETAG};
    struct stet_stored stored = {.response = {.status = kind->status},
                                 .method = STET_METHOD_GET,
                                 .held = {.complete = true, .length_known = true, .complete_length = 1000}};
    if (kind->tag) {
        etag.value = SPAN(kind->tag);
        stored.response.fields = (struct stet_fields){&etag, 1, UINT64_C(1) << STET_FIELD_ETAG};
    }
    struct stet__object_parts parts = {.key = STET_SPAN("http://h/"),
                                       .hash = stet__store_hash(proxy.store, STET_SPAN("http://h/")),
                                       .stored = &stored,
                                       .body = body_of(1000),
                                       .coding = kind->own,
                                       .codings = kind->codings};
    struct stet__object *object = stet__object_new(&parts, &configuration.policy);
    assert_non_null(object);
    stet__body_release(parts.body);
    assert_true(stet__store_add(proxy.store, object, NULL, 0));
    return object;
}

/* Its octets, marked with its number, and its head as the first client to ask for it has that made. */
static void make_copy(struct stet__object *object, enum stet_coding coding)
{
    struct stet_field room[1];
    struct stet_request request = {.method = STET_METHOD_GET, .fields = {.at = room}};
    struct stet__body *coded = body_of(100);
    bool too_large;
    char accept[32];
    assert_true(stet__codings_begin(object->body, coding));
    assert_true(stet__store_code(proxy.store, object, coding, coded, (uint32_t)coding, &too_large));
    stet__body_release(coded);
    struct stet_span name = stet_coding_name(coding);
    snprintf(accept, sizeof accept, "%.*s", (int)name.len, name.ptr);
    put(&request, room, STET_FIELD_ACCEPT_ENCODING, accept);
    struct stet__serving serving = serving_of(object, &request);
    stet__coded_choose(&worker, &serving);
    assert_non_null(serving.copy);
    assert_ptr_equal(serving.copy, stet__object_copy(object, coding));
    stet__object_release(serving.copy);
}

static void tells_what_core_tells(void **state)
{
    (void)state;
    proxy.store = store_of(64 << 20);
    stet__arena_init(&worker.scratch, 1 << 20);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        unsigned before = told;
        struct stet__object *object = object_like(&kinds[i]);
        for (enum stet_coding coding = 0; coding < STET__CODINGS_MADE; coding++)
            if ((kinds[i].kept & stet_coding_bit(coding)) != 0)
                make_copy(object, coding);
        compare_all(object);
        /* It is of use, and for 200 with a tag alone. */
        assert_int_equal(told > before,
                         kinds[i].status == 200 && kinds[i].tag && strcmp(kinds[i].tag, "x") != 0);
        stet__store_remove(proxy.store, object);
        stet__object_release(object);
    }
    assert_true(told > 1000);
    assert_true(copies_told > 500);
    stet__arena_release(&worker.scratch);
    stet__store_free(proxy.store);
}

int main(void)
{
    const struct CMUnitTest cases[] = {cmocka_unit_test(tells_what_core_tells)};
    return cmocka_run_group_tests(cases, NULL, NULL);
}
