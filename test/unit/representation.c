/* SPDX-License-Identifier: MIT */
/*
 * representation: when the time of a change is a Last-Modified, and a strong one (RFC 9110 section 8.8.2).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stet/precondition.h>

#define NOW 1700000000

static void expect(int64_t changed, int64_t now, int64_t date, bool strong, int64_t again)
{
    /* Whatever stood there. */
    for (int i = 0; i < 2; i++) {
        struct stet_representation selected = {
            .exists = true, .last_modified = i ? 1 : STET_NO_DATE, .last_modified_strong = i, .length = 7};
        int64_t got = stet_representation_date(&selected, changed, now);
        if (selected.last_modified != date || selected.last_modified_strong != strong || got != again)
            fail_msg("a change at %lld, seen at %lld: %lld, %s, again at %lld", (long long)changed,
                     (long long)now, (long long)selected.last_modified,
                     selected.last_modified_strong ? "strong" : "weak", (long long)got);
        assert_true(selected.exists && selected.length == 7 && !stet_etag_present(selected.etag));
    }
}

/* Section 8.8.2.2: a second change within the second of the date must not hide behind it. */
static void test_strength(void **state)
{
    expect(NOW, NOW, NOW, false, NOW + 2);
    expect(NOW - 1, NOW, NOW - 1, false, NOW + 1);
    expect(NOW - 2, NOW, NOW - 2, true, INT64_MAX);
    expect(NOW - 86400, NOW, NOW - 86400, true, INT64_MAX);
}

/* Section 8.8.2.1: no Last-Modified that is later than Date. */
static void test_future(void **state)
{
    expect(NOW + 1, NOW, STET_NO_DATE, false, NOW + 1);
    expect(NOW + 86400, NOW, STET_NO_DATE, false, NOW + 86400);
    expect(INT64_MAX, NOW, STET_NO_DATE, false, INT64_MAX);
}

/* 0: Nix and many archives; 1: OSTree; 1980: ZIP, in any time zone. */
static void test_normalised(void **state)
{
    static const int64_t constants[] = {INT64_MIN, -1, 0, 1, 315532800 - 43200, 315532800 + 50400, 315705599};
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        expect(constants[i], NOW, STET_NO_DATE, false, INT64_MAX);
    expect(315705600, NOW, 315705600, true, INT64_MAX);
}

/* Clocks that cannot be right do no harm. */
static void test_clocks(void **state)
{
    expect(NOW, INT64_MIN, STET_NO_DATE, false, NOW);
    expect(NOW, INT64_MAX, NOW, true, INT64_MAX);
    expect(INT64_MAX - 1, INT64_MAX - 1, INT64_MAX - 1, false, INT64_MAX);
    expect(INT64_MIN, INT64_MIN, STET_NO_DATE, false, INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strength),
        cmocka_unit_test(test_future),
        cmocka_unit_test(test_normalised),
        cmocka_unit_test(test_clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
