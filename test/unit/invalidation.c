/* SPDX-License-Identifier: MIT */
/*
 * invalidation: every method and status, rooms that are too small, and groups against the limits. The cases
 * by name are in test/spec/invalidation.md and cache-groups.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stet/invalidation.h>

#include "guard.h"

static struct guard guard;

static void test_every_method_and_status(void **state)
{
    const struct stet_uri target = {.scheme = STET_SPAN("http"), .host = STET_SPAN("h"), .port = 80};
    for (unsigned method = STET_METHOD_OTHER; method <= STET_METHOD_QUERY; method++)
        for (unsigned status = 100; status < 1000; status++) {
            const struct stet_response response = {.status = status};
            struct stet_invalidation invalidation;
            bool safe = method == STET_METHOD_GET || method == STET_METHOD_HEAD ||
                        method == STET_METHOD_OPTIONS || method == STET_METHOD_TRACE ||
                        method == STET_METHOD_QUERY;
            bool error = status < 200 || status >= 400;
            assert_true(stet_invalidation_begin(&invalidation, (enum stet_method)method, &response,
                                                &target) == (!safe && !error));
        }
}

/* Whatever room there is, each URI is given or refused, and none is left out. */
static void test_every_room(void **state)
{
    static const char *const want[] = {"http://h/a", "http://h/bcd", "http://h/?e"};
    const struct stet_field lines[] = {
        {STET_SPAN("Location"), STET_SPAN("bcd"), STET_FIELD_LOCATION},
        {STET_SPAN("Location"), STET_SPAN("//other"), STET_FIELD_LOCATION},
        {STET_SPAN("Content-Location"), STET_SPAN("/?e"), STET_FIELD_CONTENT_LOCATION}};
    const struct stet_response response = {.status = 200, .fields = {.at = lines, .count = 3}};
    struct stet_uri target;
    assert_int_equal(stet_uri_parse(STET_SPAN("http://h/a"), &target), STET_OK);
    for (size_t room = 0; room < 16; room++) {
        struct stet_invalidation invalidation;
        char out[16];
        size_t len = 99;
        assert_true(stet_invalidation_begin(&invalidation, STET_METHOD_PUT, &response, &target));
        for (size_t i = 0; i < 3; i++) {
            int status = stet_invalidation_next(&invalidation, out, room, &len);
            assert_int_equal(status, strlen(want[i]) <= room ? STET_OK : STET_E_NO_ROOM);
            if (status == STET_OK)
                assert_true(len == strlen(want[i]) && memcmp(out, want[i], len) == 0);
        }
        assert_int_equal(stet_invalidation_next(&invalidation, out, room, &len), STET_END);
        assert_int_equal(stet_invalidation_next(&invalidation, out, room, &len), STET_END);
    }
}

static size_t count_groups(struct stet_span value, enum stet_group_source source, size_t *longest)
{
    const struct stet_field lines[] = {
        {STET_SPAN("Cache-Groups"), value, STET_FIELD_CACHE_GROUPS},
        {STET_SPAN("Cache-Group-Invalidation"), value, STET_FIELD_CACHE_GROUP_INVALIDATION},
        {STET_SPAN("Surrogate-Key"), value, STET_FIELD_SURROGATE_KEY},
        {STET_SPAN("Cache-Tag"), value, STET_FIELD_CACHE_TAG}};
    const struct stet_fields fields = {lines, 4,
                                       1ull << STET_FIELD_CACHE_GROUPS |
                                           1ull << STET_FIELD_CACHE_GROUP_INVALIDATION |
                                           1ull << STET_FIELD_SURROGATE_KEY | 1ull << STET_FIELD_CACHE_TAG};
    struct stet_group_list list;
    struct stet_span group;
    char *room = guard_room(&guard, STET_GROUP_OCTETS_MAX);
    size_t count = 0;
    *longest = 0;
    stet_group_list_begin(&list, &fields, source);
    while (stet_group_list_next(&list, room, &group) == STET_OK) {
        *longest = group.len > *longest ? group.len : *longest;
        count++;
    }
    assert_int_equal(stet_group_list_next(&list, room, &group), STET_END);
    return count;
}

/* `n` groups of `len` octets, quoted for the structured fields. */
static struct stet_span list_of(size_t n, size_t len, char octet, enum stet_group_source source)
{
    static char text[1u << 17];
    bool quoted = source == STET_GROUPS || source == STET_GROUPS_INVALIDATED;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            text[at++] = source == STET_GROUPS_SURROGATE ? ' ' : ',';
        if (quoted)
            text[at++] = '"';
        for (size_t k = 0; k < len; k++) {
            if (quoted && octet == '\\')
                text[at++] = '\\';
            text[at++] = octet;
        }
        if (quoted)
            text[at++] = '"';
    }
    return stet_span_of(text, at);
}

static void test_group_limits(void **state)
{
    static const size_t counts[] = {1, 32, 127, 128, 129, 200};
    static const size_t lens[] = {1, 32, 255, 256, 257};
    for (unsigned source = STET_GROUPS; source <= STET_GROUPS_CACHE_TAG; source++)
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
            for (size_t k = 0; k < sizeof lens / sizeof *lens; k++)
                for (int escaped = 0; escaped < 2; escaped++) {
                    enum stet_group_source from = (enum stet_group_source)source;
                    struct stet_span value = list_of(counts[i], lens[k], escaped ? '\\' : 'a', from);
                    size_t longest;
                    size_t got = count_groups(value, from, &longest);
                    size_t most = counts[i] < STET_GROUPS_MAX ? counts[i] : STET_GROUPS_MAX;
                    bool fits = lens[k] <= STET_GROUP_OCTETS_MAX;
                    assert_int_equal(got, fits ? most : 0);
                    assert_int_equal(longest, fits ? lens[k] : 0);
                }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_method_and_status),
        cmocka_unit_test(test_every_room),
        cmocka_unit_test(test_group_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
