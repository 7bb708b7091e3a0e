/* SPDX-License-Identifier: MIT */
/*
 * purge: by URI, prefix, group and all, soft and hard; the index against a look at every object; what leaves
 * while a purge goes on; what comes after it and was asked for before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "stored_objects.h"

static struct stet__object *object_in(struct stet__store *store, const char *key, const char *const *groups,
                                      size_t count)
{
    struct stet_span spans[8];
    for (size_t i = 0; i < count; i++)
        spans[i] = stet_span_of(groups[i], strlen(groups[i]));
    struct stet__object_parts parts = {
        .key = stet_span_of(key, strlen(key)), .groups = spans, .group_count = count};
    return object_made(store, &parts);
}

static void add(struct stet__store *store, const char *key, const char *group)
{
    struct stet__object *object = object_in(store, key, &group, group ? 1 : 0);
    assert_true(stet__store_add(store, object, NULL, 0));
    stet__object_release(object);
}

static size_t invalidated(struct stet__store *store, const char *key)
{
    struct stet__candidate found[STET_CANDIDATES_MAX];
    size_t count = find(store, key, found, STET_CANDIDATES_MAX), invalid = 0;
    for (size_t i = 0; i < count; i++)
        invalid += found[i].invalidated;
    release(found, count);
    return invalid;
}

/* All variants at once. */
static void test_uri(void **state)
{
    struct stet__store *store = store_of(64 << 20);
    add(store, "http://h/a", NULL);
    add(store, "http://h/a", NULL);
    add(store, "http://h/ab", NULL);
    assert_int_equal(purge(store, STET__SELECT_URI, "http://h/none", false), 0);
    assert_int_equal(purge(store, STET__SELECT_URI, "http://h/a", false), 2);
    assert_int_equal(invalidated(store, "http://h/a"), 2);
    assert_int_equal(invalidated(store, "http://h/ab"), 0);
    assert_int_equal(purge(store, STET__SELECT_URI, "http://h/a", true), 2);
    assert_int_equal(purge(store, STET__SELECT_URI, "http://h/a", true), 0);
    assert_int_equal(stored(store), 1);
    stet__store_free(store);
}

static void test_prefix(void **state)
{
    static const char *const keys[] = {"http://h/",      "http://h/a", "http://h/a/1", "http://h/a/2?q",
                                       "http://h/a/2?r", "http://h/b", "http://i/a/1", "https://h/a/1"};
    static const struct {
        const char *prefix;
        size_t count;
    } rows[] = {{"http://h/a/", 3},   {"http://h/a", 4}, {"http://h/", 6}, {"http", 8},
                {"http://h/a/2", 2},  {"http://j", 0},   {"", 8},          {"https://h/a/1", 1},
                {"https://h/a/11", 0}};
    struct stet__store *store = store_of(64 << 20);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        add(store, keys[i], NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(purge(store, STET__SELECT_PREFIX, rows[i].prefix, false), rows[i].count);
    assert_int_equal(purge(store, STET__SELECT_PREFIX, "http://h/a/", true), 3);
    assert_int_equal(purge(store, STET__SELECT_PREFIX, "http://h/", true), 3);
    assert_int_equal(stored(store), 2);
    stet__store_free(store);
}

/* RFC 9875 section 2.1: a group is of one origin. */
static void test_group(void **state)
{
    static const char *const both[] = {"red", "blue", ""};
    struct stet__store *store = store_of(64 << 20);
    add(store, "http://h/1", "red");
    add(store, "http://h/2", "Red");
    add(store, "http://i/3", "red");
    add(store, "http://h:81/4", "red");
    struct stet__object *object = object_in(store, "http://h/5", both, 3);
    assert_true(stet__store_add(store, object, NULL, 0));
    struct stet_span red = STET_SPAN("red"), origin = STET_SPAN("http://h");
    assert_int_equal(stet__store_purge(store, STET__SELECT_GROUP, red, origin, false), 2);
    assert_int_equal(invalidated(store, "http://h/1"), 1);
    assert_int_equal(invalidated(store, "http://h/2"), 0);
    assert_int_equal(invalidated(store, "http://i/3"), 0);
    assert_int_equal(invalidated(store, "http://h:81/4"), 0);
    assert_int_equal(purge(store, STET__SELECT_GROUP, "", false), 1);
    assert_int_equal(purge(store, STET__SELECT_GROUP, "green", true), 0);
    assert_int_equal(purge(store, STET__SELECT_GROUP, "blue", true), 1);
    assert_int_equal(purge(store, STET__SELECT_GROUP, "red", true), 3);
    assert_int_equal(purge(store, STET__SELECT_GROUP, "red", true), 0);
    assert_int_equal(stored(store), 1);
    stet__object_release(object);
    stet__store_free(store);
}

/* A 304 may bring other groups. */
static void test_group_of_update(void **state)
{
    static const char *const first[] = {"a", "b"}, *const second[] = {"b", "c"};
    struct stet__store *store = store_of(64 << 20);
    struct stet__object *old = object_in(store, "http://h/", first, 2);
    struct stet__object *new = object_in(store, "http://h/", second, 2);
    assert_true(stet__store_add(store, old, NULL, 0));
    assert_true(stet__store_update(store, old, new));
    assert_int_equal(purge(store, STET__SELECT_GROUP, "a", false), 0);
    assert_int_equal(purge(store, STET__SELECT_GROUP, "b", false), 1);
    assert_int_equal(purge(store, STET__SELECT_GROUP, "c", false), 1);
    assert_int_equal(purge(store, STET__SELECT_PREFIX, "http://h", false), 1);
    stet__object_release(old);
    stet__object_release(new);
    stet__store_free(store);
}

/* The same counts as a look at every key would give, through growth and removal. */
static void test_many(void **state)
{
    struct stet__store *store = store_of(256 << 20);
    struct stet__object *objects[3000];
    char key[64], group[16];
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(key, sizeof key, "http://h/%u/%u", i * 7919 % 100, i);
        snprintf(group, sizeof group, "g%u", i % 150);
        const char *groups[] = {group, i % 2 ? "odd" : "even"};
        objects[i] = object_in(store, key, groups, 2);
        assert_true(stet__store_add(store, objects[i], NULL, 0));
    }
    for (unsigned i = 0; i < 3000; i += 3)
        stet__store_remove(store, objects[i]);
    for (unsigned prefix = 0; prefix < 100; prefix++) {
        size_t want = 0;
        snprintf(key, sizeof key, "http://h/%u/", prefix);
        for (unsigned i = 0; i < 3000; i++)
            want += i % 3 != 0 && i * 7919 % 100 == prefix;
        assert_int_equal(purge(store, STET__SELECT_PREFIX, key, false), want);
    }
    assert_int_equal(purge(store, STET__SELECT_GROUP, "g7", true), 20); /* 7, 157, ...: 3 divides none */
    assert_int_equal(purge(store, STET__SELECT_GROUP, "g6", true), 0);  /* 6, 156, ...: 3 divides all */
    for (unsigned i = 0; i < 3000; i++)
        assert_int_equal(stet__store_holds(store, objects[i]), i % 3 != 0 && i % 150 != 7);
    size_t left = stored(store);
    assert_int_equal(
        purge(store, STET__SELECT_GROUP, "odd", true) + purge(store, STET__SELECT_GROUP, "even", true), left);
    assert_int_equal(purge(store, STET__SELECT_ALL, "", true), 0);
    for (unsigned i = 0; i < 3000; i++)
        stet__object_release(objects[i]);
    stet__store_free(store);
}

static void test_all(void **state)
{
    struct stet__store *store = store_of(64 << 20);
    char key[64];
    for (unsigned i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "http://h/%u", i);
        add(store, key, NULL);
    }
    assert_int_equal(purge(store, STET__SELECT_ALL, "", false), 100);
    assert_int_equal(invalidated(store, "http://h/50"), 1);
    assert_int_equal(purge(store, STET__SELECT_ALL, "", true), 100);
    assert_int_equal(stored(store), 0);
    struct stet__store_statistics told;
    stet__store_statistics(store, &told);
    assert_int_equal(told.purged, 200);
    stet__store_free(store);
}

static bool add_asked(struct stet__store *store, const char *key, const char *group, const char *search,
                      uint64_t asked_at)
{
    struct stet_span span = stet_span_of(group, strlen(group));
    struct stet__object_parts parts = {.key = stet_span_of(key, strlen(key)),
                                       .groups = &span,
                                       .group_count = 1,
                                       .no_vary_search =
                                           search ? stet_span_of(search, strlen(search)) : STET_SPAN_NONE,
                                       .asked_at = asked_at};
    struct stet__object *object = object_made(store, &parts);
    bool in = stet__store_add(store, object, NULL, 0);
    stet__object_release(object);
    return in;
}

/* RFC 9111 section 4.4: what was asked for before a purge and comes after it is as old as what was purged. */
static void test_on_its_way(void **state)
{
    static const struct {
        enum stet__selector selector;
        const char *what, *origin;
        bool selects;
    } rows[] = {
        {STET__SELECT_URI, "http://h/a?q", NULL, true},
        {STET__SELECT_URI, "http://h/a", NULL, false},
        {STET__SELECT_URI, "http://h/a?p", NULL, false},
        {STET__SELECT_PREFIX, "http://h/", NULL, true},
        {STET__SELECT_PREFIX, "http://h/a?q", NULL, true},
        {STET__SELECT_PREFIX, "http://h/b", NULL, false},
        {STET__SELECT_PREFIX, "http://h/a?q1", NULL, false},
        {STET__SELECT_PREFIX, "", NULL, true},
        {STET__SELECT_GROUP, "red", NULL, true},
        {STET__SELECT_GROUP, "Red", NULL, false},
        {STET__SELECT_GROUP, "red", "http://h", true},
        {STET__SELECT_GROUP, "red", "http://i", false},
        {STET__SELECT_GROUP, "red", "http://h:81", false},
        {STET__SELECT_GROUP, "http://h/a?q", NULL, false},
        {STET__SELECT_ALL, "", NULL, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int hard = 0; hard < 2; hard++) {
            struct stet__store *store = store_of(64 << 20);
            uint64_t before = stet__store_moment(store);
            struct stet_span origin =
                rows[i].origin ? stet_span_of(rows[i].origin, strlen(rows[i].origin)) : STET_SPAN_NONE;
            stet__store_purge(store, rows[i].selector, stet_span_of(rows[i].what, strlen(rows[i].what)),
                              origin, hard);
            assert_int_equal(add_asked(store, "http://h/a?q", "red", NULL, before),
                             !(rows[i].selects && hard));
            assert_int_equal(invalidated(store, "http://h/a?q"), rows[i].selects && !hard);
            assert_true(add_asked(store, "http://h/a?q", "red", NULL, stet__store_moment(store)));
            assert_int_equal(invalidated(store, "http://h/a?q"), rows[i].selects && !hard);
            stet__store_free(store);
        }
}

/* A purge of a URI also selects its equivalents, which only the answer names. */
static void test_equivalent_on_its_way(void **state)
{
    struct stet__store *store = store_of(64 << 20);
    uint64_t before = stet__store_moment(store);
    purge(store, STET__SELECT_URI, "http://h/a?x=1", false);
    assert_true(add_asked(store, "http://h/a?x=2", "", "params=(\"x\")", before));
    assert_true(add_asked(store, "http://h/b?x=2", "", "params=(\"x\")", before));
    assert_true(add_asked(store, "http://h/a?x=3", "", NULL, before));
    assert_int_equal(invalidated(store, "http://h/a?x=2"), 1);
    assert_int_equal(invalidated(store, "http://h/b?x=2"), 0);
    assert_int_equal(invalidated(store, "http://h/a?x=3"), 0);
    stet__store_free(store);
}

/* A 304 that was asked for before the purge confirms nothing after it. */
static void test_validation_on_its_way(void **state)
{
    struct stet__store *store = store_of(64 << 20);
    struct stet__object_parts parts = {.key = STET_SPAN("http://h/")};
    struct stet__object *old = object_made(store, &parts);
    assert_true(stet__store_add(store, old, NULL, 0));
    parts.asked_at = stet__store_moment(store);
    struct stet__object *late = object_made(store, &parts);
    assert_int_equal(purge(store, STET__SELECT_URI, "http://h/", false), 1);
    assert_true(stet__store_update(store, old, late));
    assert_int_equal(invalidated(store, "http://h/"), 1);
    parts.asked_at = stet__store_moment(store);
    struct stet__object *timely = object_made(store, &parts);
    assert_true(stet__store_update(store, late, timely));
    assert_int_equal(invalidated(store, "http://h/"), 0);
    stet__object_release(old);
    stet__object_release(late);
    stet__object_release(timely);
    stet__store_free(store);
}

/* However many purges there were, none is missed; prefixes beyond those remembered count for all. */
static void test_many_on_their_way(void **state)
{
    struct stet__store *store = store_of(64 << 20);
    uint64_t before = stet__store_moment(store);
    char key[64];
    purge(store, STET__SELECT_URI, "http://h/a", true);
    for (unsigned i = 0; i < 10000; i++) {
        snprintf(key, sizeof key, "http://h/%u", i);
        purge(store, STET__SELECT_URI, key, false);
    }
    assert_false(add_asked(store, "http://h/a", "", NULL, before));
    before = stet__store_moment(store);
    for (unsigned i = 0; i < 16; i++) {
        snprintf(key, sizeof key, "http://h/p%u/", i);
        purge(store, STET__SELECT_PREFIX, key, false);
    }
    assert_true(add_asked(store, "http://h/q", "", NULL, before));
    assert_true(add_asked(store, "http://h/p0/q", "", NULL, before));
    assert_int_equal(invalidated(store, "http://h/q"), 0);
    assert_int_equal(invalidated(store, "http://h/p0/q"), 1);
    purge(store, STET__SELECT_PREFIX, "http://h/p16/", false);
    assert_true(add_asked(store, "http://h/r", "", NULL, before));
    assert_int_equal(invalidated(store, "http://h/r"), 1);
    stet__store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uri),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_group),
        cmocka_unit_test(test_group_of_update),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_on_its_way),
        cmocka_unit_test(test_equivalent_on_its_way),
        cmocka_unit_test(test_validation_on_its_way),
        cmocka_unit_test(test_many_on_their_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
