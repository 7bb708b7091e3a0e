/* SPDX-License-Identifier: MIT */
/*
 * explain: recorded heads are read as people have them, and what is told of an exchange is what is so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "explain/explain.h"

#define CLOCK INT64_C(1795253400) /* Sat, 21 Nov 2026 09:30:00 GMT */
#define DATE "Date: Sat, 21 Nov 2026 09:30:00 GMT\n"

static struct stet_span span(const char *text)
{
    return stet_span_of(text, strlen(text));
}

/* --- heads --- */

static struct stet__recorded *read_heads(const char *text)
{
    struct stet__recorded *recorded = calloc(1, sizeof *recorded);
    assert_non_null(recorded);
    stet__recorded_init(recorded);
    const char *wrong = stet__recorded_add(recorded, span(text));
    if (wrong)
        fail_msg("%s: %s", text, wrong);
    return recorded;
}

static void drop(struct stet__recorded *recorded)
{
    if (!recorded)
        return;
    stet__recorded_release(recorded);
    free(recorded);
}

static void expect_target(const char *text, const char *target, size_t fields)
{
    struct stet__recorded *recorded = read_heads(text);
    assert_true(recorded->has_request);
    assert_true(stet_span_equal(recorded->request.head.target, span(target)));
    assert_int_equal(recorded->request.head.fields.count, fields);
    drop(recorded);
}

static void test_requests(void **state)
{
    expect_target("GET /a HTTP/1.1\r\nHost: b\r\n\r\n", "/a", 1);
    expect_target("GET /a HTTP/1.1\nHost: b\n", "/a", 1);
    expect_target("GET /a HTTP/2\nhost: b", "/a", 1);
    expect_target("GET /a", "/a", 0);
    expect_target("\n\nGET /a HTTP/1.1\n:authority: b\nAccept: c\n\ncontent of it: GET /b HTTP/1.1", "/a", 1);
    expect_target("* Connected\n> GET /a HTTP/2\n> host: b\n> \n{ [5 bytes data]\n", "/a", 1);
    expect_target(":authority: b\n:method: GET\n:path: /a\n:scheme: https\nAccept: c\n", "/a", 1);
    expect_target("\xef\xbb\xbfGET /a HTTP/1.1\nHost: b\n", "/a", 1);
    expect_target(
        "GET /a HTTP/1.1\nHost: b\n\nHTTP/1.1 301 Moved\n\nGET /c HTTP/1.1\nHost: b\n\nHTTP/1.1 200 OK\n",
        "/c", 1);
    expect_target("GET /a HTTP/1.1\nHost: b\n\nHTTP/1.1 200 OK\n\nGET /c HTTP/1.1\nis what one sends.\n",
                  "/a", 1);
    expect_target(
        "> GET /a HTTP/1.1\n> Host: b\n>\n< HTTP/1.1 301 Moved\n<\n> GET /c HTTP/1.1\n> Host: b\n>\n", "/c",
        1);
}

static void expect_status(const char *text, unsigned status, size_t fields)
{
    struct stet__recorded *recorded = read_heads(text);
    assert_true(recorded->has_response);
    assert_int_equal(recorded->response.head.status, status);
    assert_int_equal(recorded->response.head.fields.count, fields);
    drop(recorded);
}

static void test_responses(void **state)
{
    expect_status("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", 304, 1);
    expect_status("HTTP/2 200 \netag: \"a\"\n\n<p>HTTP/1.1 500 is not a status line here", 200, 1);
    expect_status("HTTP/3 200\n", 200, 0);
    expect_status(":status: 304\netag: \"a\"\n", 304, 1);
    expect_status("HTTP/1.1 103 Early Hints\nLink: a\n\nHTTP/1.1 200 OK\nETag: \"a\"\n\n", 200, 1);
    expect_status("GET / HTTP/1.1\nHost: a\n\nHTTP/1.1 412 Precondition Failed\n\n", 412, 0);
    expect_status("HTTP/1.1 200 OK\nA: b\n  folded\n\n", 200, 1);
}

static void expect_wrong(const char *text)
{
    struct stet__recorded *recorded = calloc(1, sizeof *recorded);
    assert_non_null(recorded);
    stet__recorded_init(recorded);
    assert_non_null(stet__recorded_add(recorded, span(text)));
    drop(recorded);
}

static void test_what_is_none(void **state)
{
    expect_wrong("");
    expect_wrong("\n\n");
    expect_wrong("what is this?\n");
    expect_wrong("GET / HTTP/1.1\nHost: a\n b\n\n");
    expect_wrong("HTTP/1.1 2000 OK\n\n");
    expect_wrong("GET / HTTP/1.1\nHost\n\n");
    expect_wrong(":path: /\n");
    expect_wrong("\xff\xfeG");
}

/* All of a text cut short anywhere, and any octet turned into another, is read or refused. */
static void test_damage(void **state)
{
    static const char whole[] =
        "> GET /a HTTP/2\r\n> host: b\r\n>\r\n< HTTP/2 304 \r\n< etag: \"a\"\r\n<\r\n";
    char text[sizeof whole];
    for (size_t i = 0; i < sizeof whole - 1; i++) {
        for (unsigned mask = 0; mask < 256; mask += 15) {
            struct stet__recorded *recorded = calloc(1, sizeof *recorded);
            assert_non_null(recorded);
            memcpy(text, whole, sizeof whole);
            text[i] = (char)(text[i] ^ mask);
            stet__recorded_init(recorded);
            (void)stet__recorded_add(recorded, stet_span_of(text, mask == 0 ? i : sizeof whole - 1));
            drop(recorded);
        }
    }
}

/* --- times --- */

static void test_times(void **state)
{
    struct stet__explain_when when = {.given = false};
    assert_int_equal(stet__explain_time(&when, 5), 5);
    assert_true(stet__explain_when_read("+60", CLOCK, &when));
    assert_int_equal(stet__explain_time(&when, 5), 65);
    assert_int_equal(stet__explain_time(&when, INT64_MAX - 59), INT64_MAX);
    assert_true(stet__explain_when_read("1795253400", CLOCK, &when));
    assert_int_equal(stet__explain_time(&when, 5), CLOCK);
    assert_true(stet__explain_when_read("Sat, 21 Nov 2026 09:30:00 GMT", CLOCK, &when));
    assert_int_equal(stet__explain_time(&when, 5), CLOCK);
    assert_false(stet__explain_when_read("+", CLOCK, &when));
    assert_false(stet__explain_when_read("today", CLOCK, &when));
    assert_false(stet__explain_when_read("+99999999999999999999", CLOCK, &when));
}

static void test_durations(void **state)
{
    char text[STET__DURATION_LEN];
    assert_string_equal(stet__duration(0, text), "0 s");
    assert_string_equal(stet__duration(119, text), "119 s");
    assert_string_equal(stet__duration(3600, text), "3600 s (1 h)");
    assert_string_equal(stet__duration(90000, text), "90000 s (1 d 1 h)");
    assert_string_equal(stet__duration(-180, text), "-180 s (3 min)");
    assert_string_equal(stet__duration(INT64_C(2147483648), text), "2147483648 s (68 y 35 d)");
}

/* --- stories --- */

struct told {
    struct stet__story story;
    struct stet__recorded *exchange, *stored;
};

static void tell(struct told *told, const char *exchange, const char *stored, const char *now)
{
    struct stet__explain_input input = {.clock = CLOCK};
    told->exchange = read_heads(exchange);
    told->stored = stored ? read_heads(stored) : NULL;
    if (now)
        assert_true(stet__explain_when_read(now, CLOCK, &input.now));
    input.exchange = told->exchange;
    input.stored = told->stored;
    stet__story_init(&told->story);
    stet__explain(&input, &told->story);
}

static void forget(struct told *told)
{
    stet__story_release(&told->story);
    drop(told->exchange);
    drop(told->stored);
}

static const struct stet__chapter *chapter(const struct told *told, const char *name)
{
    for (size_t i = 0; i < told->story.count; i++)
        if (strcmp(told->story.parts[i]->name, name) == 0)
            return told->story.parts[i];
    fail_msg("there is no part %s", name);
    return NULL;
}

static void expect_conclusion(const char *exchange, const char *stored, const char *now,
                              const char *conclusion)
{
    struct told told;
    tell(&told, exchange, stored, now);
    if (!stet_span_equal(told.story.conclusion, span(conclusion)))
        fail_msg("%s\nconcludes %.*s\nnot %s", exchange, (int)told.story.conclusion.len,
                 told.story.conclusion.ptr, conclusion);
    forget(&told);
}

#define ASK "GET /a HTTP/1.1\nHost: b\nIf-None-Match: \"a\"\n\n"

static void test_exchanges(void **state)
{
    expect_conclusion(ASK "HTTP/1.1 304 Not Modified\n" DATE "ETag: W/\"a\"\n", NULL, NULL,
                      "304 is right; a cache freshens what it has.");
    expect_conclusion(ASK "HTTP/1.1 304 Not Modified\n" DATE, NULL, NULL,
                      "304 cannot be checked; a cache freshens what it has.");
    expect_conclusion("GET / HTTP/1.1\nHost: a\nIf-None-Match: *\n\nHTTP/1.1 304 Not Modified\n", NULL, NULL,
                      "304 is right; a cache freshens what it has.");
    expect_conclusion(ASK "HTTP/1.1 404 Not Found\n" DATE "Cache-Control: max-age=60\n", NULL, NULL,
                      "404, whatever the conditions; any cache stores it: fresh for 60 s.");
    expect_conclusion(ASK "HTTP/1.1 304 Not Modified\n" DATE "ETag: \"b\"\n", NULL, NULL,
                      "304 came where 200 is due; a cache freshens what it has.");
    expect_conclusion(
        ASK "HTTP/1.1 200 OK\n" DATE "ETag: \"a\"\nCache-Control: private, max-age=60\n", NULL, NULL,
        "200 came where 304 is due; a private cache stores it: fresh for 60 s; a shared cache does "
        "not store it.");
    expect_conclusion(ASK "HTTP/1.1 200 OK\n" DATE "ETag: \"b\"\nCache-Control: max-age=60\n", NULL, "+50",
                      "200 is right; any cache stores it: fresh for 10 s.");
    expect_conclusion("GET / HTTP/1.1\nHost: a\nRange: bytes=0-1\n\nHTTP/1.1 200 OK\nContent-Length: 9\n" DATE
                      "Cache-Control: no-store\n",
                      NULL, NULL, "200 is right; no cache stores it.");
    expect_conclusion("GET / HTTP/1.1\nHost: a\n\nHTTP/1.1 302 Found\n" DATE "Location: /b\n", NULL, NULL,
                      "No cache stores it.");
    expect_conclusion("GET / HTTP/1.1\nHost: a\nRange: bytes=0-1\n\nHTTP/1.1 206 Partial Content\n" DATE
                      "Content-Range: bytes 0-1/9\nETag: \"a\"\nCache-Control: max-age=60\n",
                      NULL, NULL, "206 is right; any cache stores it, as a part.");
    expect_conclusion("HTTP/1.1 200 OK\n" DATE "Cache-Control: no-cache\nETag: \"a\"\n", NULL, NULL,
                      "Any cache stores it and asks again before each use.");
}

/* What a 2xx names after a change is what is there now, not what If-Match was compared with. */
static void test_changes(void **state)
{
    expect_conclusion("PUT /a HTTP/1.1\nHost: a\nIf-Match: \"b\"\n\nHTTP/1.1 204 No Content\n" DATE
                      "ETag: \"a\"\n",
                      NULL, NULL, "204 cannot be checked; no cache stores it.");
    expect_conclusion("PUT /a HTTP/1.1\nHost: a\nIf-None-Match: *\n\nHTTP/1.1 201 Created\n" DATE
                      "ETag: \"a\"\n",
                      NULL, NULL, "201 cannot be checked; no cache stores it.");
    expect_conclusion("PUT /a HTTP/1.1\nHost: a\nIf-Match: \"a\"\n\nHTTP/1.1 412 Precondition Failed\n" DATE
                      "ETag: \"a\"\n",
                      NULL, NULL, "412 came where 200 is due; no cache stores it.");
    expect_conclusion("PUT /a HTTP/1.1\nHost: a\nIf-None-Match: *\n\nHTTP/1.1 412 Precondition Failed\n" DATE,
                      NULL, NULL, "412 is right; no cache stores it.");
    expect_conclusion("DELETE /a HTTP/1.1\nHost: a\n\nHTTP/1.1 204 No Content\n" DATE, NULL, NULL,
                      "204 is right; no cache stores it.");
}

#define PART "HTTP/1.1 206 Partial Content\n" DATE "ETag: \"a\"\nContent-Range: bytes "

static void test_parts(void **state)
{
    expect_conclusion("GET / HTTP/1.1\nHost: a\nRange: bytes=0-1\n\n" PART "2-3/9\n", NULL, NULL,
                      "206 has other octets than were asked for; any cache stores it, as a part.");
    expect_conclusion("GET / HTTP/1.1\nHost: a\nRange: bytes=1-2,6-7\n\n" PART "1-7/9\n", NULL, NULL,
                      "206 is right; any cache stores it, as a part.");
    expect_conclusion("GET / HTTP/1.1\nHost: a\n\n" PART "0-1/9\n", NULL, NULL,
                      "206 came where 200 is due; any cache stores it, as a part.");
}

/* A field that means nothing, where one that means something seems to stand. */
static void test_slips(void **state)
{
    static const char *const slips[][2] = {
        {"GET / HTTP/1.1\nHost: a\nIf-None-Match: a\n\nHTTP/1.1 200 OK\nETag: \"a\"\n",
         "If-None-Match: a has no entity tag"},
        {"GET / HTTP/1.1\nHost: a\n\nHTTP/1.1 200 OK\nETag: w/\"a\"\n", "ETag: w/\"a\" is no entity tag"},
        {"HTTP/1.1 200 OK\nETag: \"a\"\nETag: \"b\"\n", "ETag is there 2 times"},
        {"HTTP/1.1 200 OK\nLast-Modified: yesterday\n", "Last-Modified: yesterday is no date"},
    };
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        struct told told;
        tell(&told, slips[i][0], NULL, NULL);
        assert_int_equal(told.story.note_count, 1);
        assert_true(stet_span_starts(told.story.notes[0], span(slips[i][1])));
        forget(&told);
    }
    struct told told;
    tell(&told, "GET / HTTP/1.1\nHost: a\nIf-None-Match: *\n\nHTTP/1.1 200 OK\n" DATE "ETag: \"a\"\n", NULL,
         NULL);
    assert_int_equal(told.story.note_count, 0);
    forget(&told);
}

static void expect_verdict(const char *exchange, const char *part, const char *words)
{
    struct told told;
    tell(&told, exchange, NULL, NULL);
    const struct stet__chapter *found = chapter(&told, part);
    if (!memmem(found->verdict.ptr, found->verdict.len, words, strlen(words)))
        fail_msg("%s\nis %.*s\nwithout %s", exchange, (int)found->verdict.len, found->verdict.ptr, words);
    forget(&told);
}

#define BOTH(tag, day) \
    "GET /a HTTP/1.1\nHost: b\nIf-None-Match: \"" tag "\"\nIf-Modified-Since: " day " 09:30:00 GMT\n\n"
#define DATED DATE "ETag: \"a\"\nLast-Modified: Fri, 20 Nov 2026 09:30:00 GMT\n"

/* What servers are known to do wrong is named. */
static void test_guesses(void **state)
{
    expect_verdict(BOTH("a", "Thu, 19 Nov 2026") "HTTP/1.1 200 OK\n" DATED, "origin",
                   "seems to go by If-Modified-Since");
    expect_verdict(BOTH("b", "Sat, 21 Nov 2026") "HTTP/1.1 304 Not Modified\n" DATED, "origin",
                   "seems to go by If-Modified-Since");
    expect_verdict(BOTH("a-gzip", "Sat, 21 Nov 2026") "HTTP/1.1 200 OK\n" DATED, "origin", "200 is right.");
    expect_verdict(BOTH("a-gzip", "Sat, 21 Nov 2026") "HTTP/1.1 200 OK\n" DATED, "origin",
                   "when it codes the content");
    expect_verdict("GET /a HTTP/1.1\nHost: b\nIf-Modified-Since: Sat, 21 Nov 2026 09:30:00 GMT\n\nHTTP/1.1 "
                   "200 OK\n" DATED,
                   "origin", "It should, but need not, be a 304");
    expect_verdict("GET /a HTTP/1.1\nHost: b\nRange: bytes=90-\n\nHTTP/1.1 200 OK\nContent-Length: 9\n" DATED,
                   "origin", "a server may ignore Range");
    expect_verdict(ASK "HTTP/1.1 404 Not Found\n" DATE, "origin",
                   "The answer is 404 whatever the conditions");
    expect_verdict(
        "GET /a HTTP/1.1\nHost: b\nIf-None-Match: \"a-gzip\"\n\nHTTP/1.1 200 OK\nETag: \"a-gzip\"\n",
        "origin", "does not know it again");
}

#define STORED "HTTP/1.1 200 OK\n" DATE "ETag: \"a\"\nCache-Control: max-age=60\nContent-Length: 3\n"

static void test_with_what_is_stored(void **state)
{
    expect_conclusion(ASK, STORED, "+30", "The cache answers; the client gets a 304.");
    expect_conclusion("GET /a HTTP/1.1\nHost: b\n", STORED, "+30",
                      "The cache answers; the client gets a 200.");
    expect_conclusion("GET /a HTTP/1.1\nHost: b\n", STORED, "+90", "The cache asks the origin.");
    expect_conclusion("GET /a HTTP/1.1\nHost: b\nCache-Control: only-if-cached\n", STORED, "+90",
                      "The cache answers 504.");
    expect_conclusion("GET /a HTTP/1.1\nHost: b\n\nHTTP/1.1 304 Not Modified\nETag: \"a\"\nAge: 0\n", STORED,
                      "+90", "The cache asks the origin; it freshens what it has; the client gets a 200.");
    expect_conclusion("GET /a HTTP/1.1\nHost: b\n\nHTTP/1.1 304 Not Modified\nETag: \"z\"\n", STORED, "+90",
                      "The cache asks the origin; it has to ask again.");
    expect_conclusion("GET /a HTTP/1.1\nHost: b\n\nHTTP/1.1 200 OK\nCache-Control: max-age=9\n", STORED,
                      "+90", "The cache asks the origin; it stores the answer; the client gets a 200.");
}

#define NEWS "GET /news HTTP/1.1\nHost: b\n\n"

/* What is stored is of its own URI, and only what may be is stored. */
static void test_what_is_not_stored(void **state)
{
    expect_conclusion(NEWS, NEWS STORED, "+30", "The cache answers; the client gets a 200.");
    expect_conclusion("GET http://B:80/news HTTP/1.1\nHost: b\n", NEWS STORED, "+30",
                      "The cache answers; the client gets a 200.");
    expect_conclusion("GET /a HTTP/1.1\nHost: b\n", NEWS STORED, "+30", "The cache asks the origin.");
    expect_conclusion("GET /news HTTP/1.1\nHost: c\n", NEWS STORED, "+30", "The cache asks the origin.");
    expect_conclusion("GET /news?b&a HTTP/1.1\nHost: b\n",
                      "GET /news?a&b HTTP/1.1\nHost: b\n\n" STORED "No-Vary-Search: key-order\n", "+30",
                      "The cache answers; the client gets a 200.");
    expect_conclusion(NEWS, "HTTP/1.1 200 OK\n" DATE "Cache-Control: no-store\nETag: \"a\"\n", "+1",
                      "What is stored should not have been; the cache asks the origin.");
}

/* After a change what was stored is not used without asking. */
static void test_invalidated(void **state)
{
    expect_conclusion("POST /a HTTP/1.1\nHost: b\n\nHTTP/1.1 200 OK\n" DATE, STORED, NULL,
                      "The cache asks the origin; it stores nothing, and what it had becomes invalid.");
    expect_conclusion("POST /a HTTP/1.1\nHost: b\n\nHTTP/1.1 500 Oops\n" DATE, STORED, NULL,
                      "The cache asks the origin; it stores nothing.");
}

/* A date alone is asked about in a whole sentence. */
static void test_asked_by_date(void **state)
{
    struct told told;
    tell(&told, NEWS, "HTTP/1.1 200 OK\n" DATE "Last-Modified: Wed, 01 Jan 2020 00:00:00 GMT\n", "+999999");
    const struct stet__chapter *part = chapter(&told, "validation");
    assert_true(
        stet_span_equal(part->verdict, span("The origin is asked with If-Modified-Since: Wed, 01 Jan 2020 "
                                            "00:00:00 GMT.")));
    forget(&told);
}

static void test_freshened(void **state)
{
    struct told told;
    tell(&told,
         "GET /a HTTP/1.1\nHost: b\n\nHTTP/1.1 304 Not Modified\nETag: \"a\"\nCache-Control: max-age=5\nX: "
         "1\n",
         STORED, "+90");
    const struct stet__chapter *part = chapter(&told, "receipt");
    assert_int_equal(part->reason, STET_REASON_UPDATE_STRONG);
    assert_non_null(memmem(part->verdict.ptr, part->verdict.len, "It takes over: Cache-Control, X.", 32));
    assert_non_null(memmem(part->verdict.ptr, part->verdict.len, "lifetime is 5 s", 15));
    forget(&told);
}

/* Several lines of a field are shown as the one list that they are; secrets are not shown. */
static void test_what_is_shown(void **state)
{
    struct told told;
    tell(&told,
         "GET /a HTTP/1.1\nHost: b\nIf-None-Match: \"z\"\nIf-None-Match: \"a\"\n\nHTTP/1.1 304 X\nETag: "
         "\"a\"\n",
         NULL, NULL);
    const struct stet__chapter *part = chapter(&told, "origin");
    bool found = false;
    for (size_t i = 0; i < part->count; i++)
        if (part->steps[i].step.rule == STET_RULE_IF_NONE_MATCH) {
            found = true;
            assert_true(stet_span_equal(part->steps[i].input, span("\"z\", \"a\"")));
            assert_true(stet_span_equal(part->steps[i].against, span("\"a\"")));
        }
    assert_true(found);
    forget(&told);
    tell(&told, "GET /a HTTP/1.1\nHost: b\nCookie: secret=1\n",
         "GET /a HTTP/1.1\nHost: b\nCookie: secret=2\n\n" STORED "Vary: Cookie\n", "+1");
    json_t *json = stet__story_json(&told.story);
    char *text = json_dumps(json, 0);
    assert_non_null(strstr(text, "\"variant-field\""));
    assert_null(strstr(text, "secret"));
    free(text);
    json_decref(json);
    forget(&told);
}

/* Octets of a sender do not speak to a terminal, and are valid JSON. */
static void test_hostile(void **state)
{
    struct told told;
    struct stet__buffer out;
    const struct stet__story_look look = {80, false, true};
    tell(&told,
         "GET /a HTTP/1.1\nHost: b\nIf-None-Match: \"\xff\x9b\"\n\nHTTP/1.1 200 OK\nETag: \"\xc3\"\nVary: "
         "\xe9\n",
         NULL, NULL);
    stet__buffer_init(&out, 1u << 20);
    stet__story_write(&told.story, &look, &out);
    assert_false(out.failed);
    for (size_t i = 0; i < out.len; i++)
        assert_true(out.ptr[i] == '\n' || (out.ptr[i] >= 0x20 && out.ptr[i] < 0x7f));
    stet__buffer_release(&out);
    json_t *json = stet__story_json(&told.story);
    assert_non_null(json);
    json_decref(json);
    forget(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_exchanges),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_slips),
        cmocka_unit_test(test_guesses),
        cmocka_unit_test(test_with_what_is_stored),
        cmocka_unit_test(test_what_is_not_stored),
        cmocka_unit_test(test_invalidated),
        cmocka_unit_test(test_asked_by_date),
        cmocka_unit_test(test_freshened),
        cmocka_unit_test(test_what_is_shown),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
