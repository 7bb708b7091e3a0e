/* SPDX-License-Identifier: MIT */
/*
 * stored: the view is a function of what was given and the policy alone, whatever stood there before; which
 * fields are kept, by every row of field_name.def. The cases by name are in test/spec/storing.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/stored.h>

#define NOW INT64_C(1783425600) /* 2026-07-07 12:00:00 */
#define FIELD(id, value)                          \
    {                                             \
        stet_field_name(id), STET_SPAN(value), id \
    }

static struct stet_fields fields_of(const struct stet_field *at, size_t count)
{
    struct stet_fields fields = {at, count, 0};
    for (size_t i = 0; i < count; i++)
        fields.present |= at[i].id == STET_FIELD_OTHER ? 0 : 1ull << at[i].id;
    return fields;
}

/* The halves that are read hold nothing of what they held before. */
static void test_read_all(void **state)
{
    struct stet_field full[] = {FIELD(STET_FIELD_CACHE_CONTROL, "max-age=60, private=\"a\", no-cache=\"b\""),
                                FIELD(STET_FIELD_ETAG, "\"a\""),
                                FIELD(STET_FIELD_LAST_MODIFIED, "Tue, 07 Jul 2026 11:00:00 GMT"),
                                FIELD(STET_FIELD_DATE, "Tue, 07 Jul 2026 11:59:00 GMT")};
    struct stet_cache_policy policy = STET_CACHE_POLICY_SHARED;
    struct stet_stored stored = {.response = {.status = 200, .fields = fields_of(full, 4)},
                                 .method = STET_METHOD_GET,
                                 .times = {NOW, NOW, 0},
                                 .held = {.complete = true, .complete_length = 9}};
    stet_stored_read(&stored, &policy);
    assert_int_equal(stored.date, NOW - 60);
    assert_int_equal(stored.freshness.initial_age_s, 60);
    assert_int_equal(stored.selected.length, 9);
    assert_true(stored.selected.exists && stored.selected.last_modified_strong);
    assert_true(stored.selected.last_modified == NOW - 3600 && stet_etag_present(stored.selected.etag));
    assert_true(stored.control.private_fields.ptr && stored.control.no_cache_fields.ptr);

    stored.response.fields = fields_of(full, 0);
    stored.held = (struct stet_held){.complete = false};
    stet_stored_read(&stored, &policy);
    assert_int_equal(stored.date, NOW);
    assert_true(stored.freshness.initial_age_s == 0 && stored.freshness.lifetime_s == 0);
    assert_true(stored.selected.length == 0 && !stored.selected.last_modified_strong);
    assert_true(stored.selected.last_modified == STET_NO_DATE && !stet_etag_present(stored.selected.etag));
    assert_true(stored.control.present == 0 && !stored.control.private_fields.ptr);
    assert_false(stored.control.no_cache_fields.ptr);
}

static void test_policies(void **state)
{
    struct stet_field lines[] = {FIELD(STET_FIELD_CACHE_CONTROL, "s-maxage=5, max-age=60, private=\"a\""),
                                 {STET_SPAN("Stet-Cache-Control"), STET_SPAN("max-age=7"), STET_FIELD_OTHER}};
    struct stet_span target = STET_SPAN("stet-cache-control");
    struct stet_stored stored = {.response = {.status = 200, .fields = fields_of(lines, 2)}};
    struct stet_cache_policy shared = STET_CACHE_POLICY_SHARED, private = shared, targeted = shared;
    private.shared = false;
    targeted.targets = &target;
    targeted.target_count = 1;
    stet_stored_read(&stored, &shared);
    assert_int_equal(stored.freshness.lifetime_s, 5);
    assert_true(stored.control.private_fields.ptr);
    stet_stored_read(&stored, &private);
    assert_int_equal(stored.freshness.lifetime_s, 60);
    assert_false(stored.control.private_fields.ptr);
    assert_true(stet_cache_control_has(&stored.control, STET_CC_PRIVATE));
    stet_stored_read(&stored, &targeted);
    assert_int_equal(stored.freshness.lifetime_s, 7);
    assert_true(stored.control.targeted);
}

/* Every known field is kept but for those of a connection, of a proxy, and Age. */
static void test_keeps_each(void **state)
{
    static const char *const hop[] = {
#define HOP true
#define OTHER false
#define REPRESENTATION false
#define VALIDATOR false
#define X(symbol, name, kind, slot) [symbol] = kind ? name : NULL,
#include <stet/field_name.def>
#undef X
    };
    struct stet_cache_control control = {.present = 0};
    for (unsigned id = 1; id < STET_FIELD_ID_COUNT; id++) {
        struct stet_field field = {stet_field_name(id), STET_SPAN("x"), id};
        struct stet_fields fields = fields_of(&field, 1);
        bool dropped = hop[id] || id == STET_FIELD_AGE || id == STET_FIELD_PROXY_AUTHENTICATE ||
                       id == STET_FIELD_PROXY_AUTHENTICATION_INFO || id == STET_FIELD_PROXY_AUTHORIZATION;
        if (stet_stored_keeps(&field, &fields, &control) == dropped)
            fail_msg("%.*s", (int)field.name.len, field.name.ptr);
    }
}

/* Both lists leave out, whichever case the names are in, and known fields as well as others. */
static void test_keeps_listed(void **state)
{
    struct stet_field lines[] = {FIELD(STET_FIELD_SET_COOKIE, "a=b"),
                                 {STET_SPAN("X-User"), STET_SPAN("1"), STET_FIELD_OTHER},
                                 {STET_SPAN("x-other"), STET_SPAN("1"), STET_FIELD_OTHER}};
    struct stet_fields fields = fields_of(lines, 3);
    struct stet_cache_control control = {.private_fields = STET_SPAN("x-USER"),
                                         .no_cache_fields = STET_SPAN("y, set-cookie")};
    assert_false(stet_stored_keeps(&lines[0], &fields, &control));
    assert_false(stet_stored_keeps(&lines[1], &fields, &control));
    assert_true(stet_stored_keeps(&lines[2], &fields, &control));
}

/* All sets of the directives that bear on it, with and without Authorization. */
static void test_shareable(void **state)
{
    const uint32_t allowing = UINT32_C(1) << STET_CC_PUBLIC | UINT32_C(1) << STET_CC_MUST_REVALIDATE |
                              UINT32_C(1) << STET_CC_S_MAXAGE;
    for (uint32_t present = 0; present < UINT32_C(1) << STET_CC_COUNT; present++)
        for (unsigned how = 0; how < 4; how++) {
            struct stet_stored stored = {.authorized = how & 1, .control = {.present = present}};
            stored.control.invalid = how & 2 ? present & UINT32_C(1) << STET_CC_S_MAXAGE : 0;
            bool want = !(how & 1) || (present & ~stored.control.invalid & allowing) != 0;
            if (stet_stored_shareable(&stored) != want)
                fail_msg("present %x, how %u", present, how);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_all),   cmocka_unit_test(test_policies),
        cmocka_unit_test(test_keeps_each), cmocka_unit_test(test_keeps_listed),
        cmocka_unit_test(test_shareable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
