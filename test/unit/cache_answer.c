/* SPDX-License-Identifier: MIT */
/*
 * cache_answer: the product of conditions, ranges and stored responses, against a reading of RFC 9111
 * section 4.3.2 that never parses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/cache.h>

#define NOW INT64_C(1795253400) /* Sat, 21 Nov 2026 09:30:00 GMT */
#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

struct none_match {
    const char *text;
    bool any, matches; /* the tag "a" */
};

static const struct none_match none_matches[] = {
    {NULL, false, false},    {"\"a\"", false, true}, {"W/\"a\"", false, true}, {"\"b\", \"a\"", false, true},
    {"\"b\"", false, false}, {"*", true, false},     {"a", false, false},
};

/* Dates: of Last-Modified 9:00, of Date 9:20, of arrival 9:25. */
struct since {
    const char *text;
    unsigned minute; /* 0: none that counts */
};

static const struct since sinces[] = {
    {NULL, 0},
    {"Sat, 21 Nov 2026 08:59:00 GMT", 1},
    {"Sat, 21 Nov 2026 09:00:00 GMT", 2},
    {"Sat, 21 Nov 2026 09:10:00 GMT", 3},
    {"Sat, 21 Nov 2026 09:20:00 GMT", 4},
    {"Sat, 21 Nov 2026 09:22:00 GMT", 5},
    {"Sat, 21 Nov 2026 09:25:00 GMT", 6},
    {"Mon, 21 Nov 2050 09:25:00 GMT", 7},
    {"yesterday", 0},
};

enum { AT_LAST_MODIFIED = 2, AT_DATE = 4, AT_ARRIVAL = 6 };

struct ranged {
    const char *text, *if_range;
    bool held_then; /* the If-Range holds for "a" */
    unsigned status;
};

static const struct ranged ranges[] = {
    {NULL, NULL, true, 200},
    {"bytes=2-3", NULL, true, 206},
    {"bytes=10-", NULL, true, 416},
    {"bytes=3-2", NULL, true, 200},
    {"bytes=2-3", "\"a\"", true, 206},
    {"bytes=2-3", "\"b\"", false, 206},
    {"bytes=2-3", "Sat, 21 Nov 2026 09:20:00 GMT", false, 206}, /* Date is no validator */
    {NULL, "\"b\"", true, 200},
};

struct point {
    const struct none_match *none_match;
    const struct since *since;
    const struct ranged *range;
    enum stet_method method;
    unsigned status;
    bool etag, last_modified, date, length_known, for_origin;
};

static bool not_modified(const struct point *p)
{
    unsigned against = p->last_modified ? AT_LAST_MODIFIED : p->date ? AT_DATE : AT_ARRIVAL;
    if (p->none_match->text)
        return p->none_match->any || (p->etag && p->none_match->matches);
    return p->since->minute >= against;
}

static unsigned oracle(const struct point *p)
{
    if (p->status != 200)
        return p->status;
    if (not_modified(p))
        return 304;
    bool if_range = !p->range->if_range || !p->range->text || (p->range->held_then && p->etag);
    if (p->method != STET_METHOD_GET || !if_range || !p->length_known)
        return 200;
    return p->range->status;
}

static void add(struct stet_fields *fields, struct stet_field *room, enum stet_field_id id, const char *value)
{
    if (!value)
        return;
    room[fields->count++] = (struct stet_field){stet_field_name(id), stet_span_of(value, strlen(value)), id};
    fields->present |= 1ull << id;
}

static void make_stored(struct stet_stored *stored, struct stet_field *room, const struct point *p)
{
    const struct stet_cache_policy policy = STET_CACHE_POLICY_SHARED;
    struct stet_fields *fields = &stored->response.fields;
    *stored = (struct stet_stored){.response = {.status = p->status, .fields = {room, 0, 0}},
                                   .method = STET_METHOD_GET,
                                   .times = {NOW - 300, NOW - 300, 0},
                                   .held = {true, p->length_known, p->length_known ? 10 : 0, {0, 0}}};
    add(fields, room, STET_FIELD_ETAG, p->etag ? "\"a\"" : NULL);
    add(fields, room, STET_FIELD_LAST_MODIFIED, p->last_modified ? "Sat, 21 Nov 2026 09:00:00 GMT" : NULL);
    add(fields, room, STET_FIELD_DATE, p->date ? "Sat, 21 Nov 2026 09:20:00 GMT" : NULL);
    stet_stored_read(stored, &policy);
}

static void make_request(struct stet_request *request, struct stet_field *room, const struct point *p)
{
    *request = (struct stet_request){.method = p->method, .fields = {room, 0, 0}};
    add(&request->fields, room, STET_FIELD_IF_NONE_MATCH, p->none_match->text);
    add(&request->fields, room, STET_FIELD_IF_MODIFIED_SINCE, p->since->text);
    add(&request->fields, room, STET_FIELD_RANGE, p->range->text);
    add(&request->fields, room, STET_FIELD_IF_RANGE, p->range->if_range);
    add(&request->fields, room, STET_FIELD_IF_MATCH, p->for_origin ? "\"other\"" : NULL);
    add(&request->fields, room, STET_FIELD_IF_UNMODIFIED_SINCE,
        p->for_origin ? "Sat, 06 Nov 1994 09:00:00 GMT" : NULL);
}

/* A copy with a tag of its own, that the client holds under the base's: If-None-Match is as before, If-Range
 * is never true. A copy that is the base is answered as the base. */
static void check_coded(const struct point *p, const struct stet_request *request,
                        const struct stet_stored *stored, const struct stet_answer *plain)
{
    struct stet_representation selected = stored->selected;
    struct stet_answer answer;
    struct ranged range = *p->range;
    struct point coded = *p;
    selected.length = p->length_known ? 10 : UINT64_MAX;
    stet_cache_answer_coded(request, stored, &selected, NOW, &answer);
    assert_int_equal(answer.status, plain->status);
    assert_int_equal(answer.reason, plain->reason);
    selected.held = selected.etag;
    selected.etag = (struct stet_etag){STET_SPAN("a;br-5f3a9c02"), false};
    coded.range = &range;
    range.held_then = false;
    stet_cache_answer_coded(request, stored, &selected, NOW, &answer);
    if (answer.status != oracle(&coded))
        fail_msg("%u %s, want %u", answer.status, stet_reason_row(answer.reason)->name, oracle(&coded));
    bool held = p->status == 200 && p->etag && p->none_match->matches;
    assert_int_equal(answer.reason == STET_REASON_IF_NONE_MATCH_EQUIVALENT, held);
}

static void check(const struct point *p)
{
    struct stet_field answered[4], asked[8];
    struct stet_stored stored;
    struct stet_request request;
    struct stet_answer answer;
    make_stored(&stored, answered, p);
    make_request(&request, asked, p);
    stet_cache_answer(&request, &stored, NOW, &answer);
    check_coded(p, &request, &stored, &answer);
    if (answer.status != oracle(p) || (answer.ranges.count > 0) != (answer.status == 206))
        fail_msg(
            "%u %s, want %u; If-None-Match %s, If-Modified-Since %s, Range %s, If-Range %s; tag %d date %d "
            "modified %d status %u",
            answer.status, stet_reason_row(answer.reason)->name, oracle(p), p->none_match->text,
            p->since->text, p->range->text, p->range->if_range, p->etag, p->date, p->last_modified,
            p->status);
    assert_int_equal(answer.reason == STET_REASON_REPLAYED, p->status != 200);
}

static void test_product(void **state)
{
    (void)state;
    static const unsigned statuses[] = {200, 203, 204, 301, 404, 410, 503};
    struct point p;
    for (size_t i = 0; i < COUNT(none_matches) * COUNT(sinces) * COUNT(ranges) * COUNT(statuses); i++) {
        p.none_match = &none_matches[i % COUNT(none_matches)];
        p.since = &sinces[i / COUNT(none_matches) % COUNT(sinces)];
        p.range = &ranges[i / COUNT(none_matches) / COUNT(sinces) % COUNT(ranges)];
        p.status = statuses[i / COUNT(none_matches) / COUNT(sinces) / COUNT(ranges)];
        for (unsigned bits = 0; bits < 64; bits++) {
            p.etag = (bits & 1) != 0;
            p.last_modified = (bits & 2) != 0;
            p.date = (bits & 4) != 0;
            p.length_known = (bits & 8) != 0;
            p.for_origin = (bits & 16) != 0;
            p.method = (bits & 32) != 0 ? STET_METHOD_HEAD : STET_METHOD_GET;
            check(&p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_product)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
