/* SPDX-License-Identifier: MIT */
/*
 * disk_dictionary: what may be a dictionary is found by its origin, comes and goes with its entry, and never
 * costs more than a bounded look-up.
 */
#include "disk_world.h"

#define ORIGIN "https://example.com"

static struct stet__disk_entry dictionaries[STET__DISK_DICTIONARIES_MAX];

static size_t look(struct world *world, const char *uri)
{
    stet__disk_flush(world->disk);
    stet__arena_reset(&world->arena);
    return stet__disk_dictionaries(world->disk, SPAN(uri), &policy, &world->arena, dictionaries);
}

static bool is(size_t i, const char *uri)
{
    return stet_span_equal(dictionaries[i].uri, SPAN(uri));
}

static void test_by_origin_and_pattern(void **state)
{
    struct world *world = *state;
    (void)put_dictionary(world, ORIGIN "/app.v1.js", "match=\"/app*js\"", 0, 0);
    assert_int_equal(look(world, ORIGIN "/app.v2.js"), 1);
    assert_true(is(0, ORIGIN "/app.v1.js"));
    assert_true(dictionaries[0].has_digest);
    assert_int_equal(look(world, ORIGIN "/app.v2.js?q"), 1);
    assert_int_equal(look(world, ORIGIN "/other"), 0);
    assert_int_equal(look(world, ORIGIN ":8443/app.v2.js"), 0);
    assert_int_equal(look(world, "https://example.co/app.v2.js"), 0);
    assert_int_equal(look(world, "http://example.com/app.v2.js"), 0);
    assert_int_equal(faults(world, false, NULL), 0);
}

/* RFC 9842 section 8. */
static void test_only_https(void **state)
{
    struct world *world = *state;
    (void)put_dictionary(world, "http://example.com/a", "match=\"/*\"", 0, 0);
    assert_int_equal(look(world, "http://example.com/b"), 0);
    assert_int_equal(look(world, ORIGIN "/b"), 0);
}

static void test_what_takes_precedence(void **state)
{
    struct world *world = *state;
    (void)put_dictionary(world, ORIGIN "/long", "match=\"/app/*\"", 0, 0);
    (void)put_dictionary(world, ORIGIN "/first", "match=\"/*\"", 0, 0);
    (void)put_dictionary(world, ORIGIN "/last", "match=\"/*\"", 5, 0);
    assert_int_equal(look(world, ORIGIN "/app/x"), 3);
    assert_true(is(0, ORIGIN "/long") && is(1, ORIGIN "/last") && is(2, ORIGIN "/first"));
    for (int i = 0; i < 20; i++) {
        char uri[64];
        snprintf(uri, sizeof uri, ORIGIN "/more/%d", i);
        (void)put_dictionary(world, uri, "match=\"/*\"", 10 + i, 0);
    }
    assert_int_equal(look(world, ORIGIN "/app/x"), STET__DISK_DICTIONARIES_MAX);
    assert_true(is(0, ORIGIN "/long") && is(1, ORIGIN "/more/19") && is(7, ORIGIN "/more/13"));
}

static void test_with_its_entry(void **state)
{
    struct world *world = *state;
    struct answer answer;
    uint64_t id = put_dictionary(world, ORIGIN "/a", "match=\"/*\"", 0, 0);
    assert_int_equal(look(world, ORIGIN "/b"), 1);
    uint64_t next = put_dictionary(world, ORIGIN "/a", "match=\"/b*\"", 1, id);
    assert_int_equal(look(world, ORIGIN "/b"), 1);
    assert_true(dictionaries[0].id == next);
    /* A 304 without the field: stet_update_fields would have kept it, so this is one that was taken away. */
    answer_make(&answer, "\"a\"", "max-age=60");
    const struct stet__disk_put put = {
        .uri = SPAN(ORIGIN "/a"), .stored = &answer.stored, .replaced = &next, .replaced_count = 1};
    assert_true(stet__disk_put_head(world->disk, &dictionaries[0], &put));
    assert_int_equal(look(world, ORIGIN "/b"), 0);
    (void)put_dictionary(world, ORIGIN "/c", "match=\"/*\"", 0, 0);
    assert_int_equal(look(world, ORIGIN "/b"), 1);
    assert_int_equal(stet__disk_remove(world->disk, SPAN(ORIGIN "/c")), 1);
    assert_int_equal(look(world, ORIGIN "/b"), 0);
    assert_int_equal(faults(world, false, NULL), 0);
}

/* That of the entry stored longest ago is offered no more, and is stored all the same. */
static void test_not_too_many(void **state)
{
    struct world *world = *state;
    char uri[64], value[64];
    for (int i = 0; i <= 128; i++) {
        snprintf(uri, sizeof uri, ORIGIN "/%d", i);
        snprintf(value, sizeof value, "match=\"/%d\"", i);
        (void)put_dictionary(world, uri, value, i, 0);
    }
    assert_int_equal(look(world, ORIGIN "/0"), 0);
    assert_int_equal(look(world, ORIGIN "/1"), 1);
    assert_int_equal(look(world, ORIGIN "/128"), 1);
    assert_int_equal(find(world, ORIGIN "/0"), 1);
    assert_int_equal(faults(world, false, NULL), 0);
}

/* What is decoded on its way in is no part that could be gone on with. */
static void test_whole_or_nothing(void **state)
{
    for (int whole = 0; whole < 2; whole++) {
        struct world *world = *state;
        struct answer answer;
        char *octets = calloc(1, 200000);
        answer_make(&answer, "\"a\"", NULL);
        const struct stet__disk_put put = {
            .uri = SPAN(ORIGIN "/a"), .stored = &answer.stored, .whole = whole == 1};
        struct stet__disk_body *body = stet__disk_body_begin(world->disk, &put, NULL, UINT64_MAX);
        assert_non_null(body);
        assert_true(stet__disk_body_append(body, stet_span_of(octets, 200000)));
        stet__disk_body_cut(body);
        assert_int_equal(find(world, ORIGIN "/a"), whole ? 0 : 1);
        (void)stet__disk_remove(world->disk, SPAN(ORIGIN "/a"));
        free(octets);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_by_origin_and_pattern), TEST(test_only_https),   TEST(test_what_takes_precedence),
        TEST(test_with_its_entry),        TEST(test_not_too_many), TEST(test_whole_or_nothing),
    };
    return cmocka_run_group_tests_name("disk_dictionary", tests, NULL, NULL);
}
