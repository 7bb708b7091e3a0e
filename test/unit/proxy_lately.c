/* SPDX-License-Identifier: MIT */
/* Keys that were not cacheable lately: remembered for a while, and no longer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/lately.h"

#define HASH UINT64_C(0x0123456789abcdef)
#define NOW INT64_C(1795266406)

static int make(void **state)
{
    *state = stet__lately_new();
    return *state ? 0 : -1;
}

static int drop(void **state)
{
    stet__lately_free(*state);
    return 0;
}

static void knows_what_was_put(void **state)
{
    assert_false(stet__lately_has(*state, HASH, NOW));
    stet__lately_put(*state, HASH, NOW);
    assert_true(stet__lately_has(*state, HASH, NOW));
    assert_true(stet__lately_has(*state, HASH, NOW + STET__LATELY_S - 1));
    assert_false(stet__lately_has(*state, HASH ^ UINT64_C(1) << 60, NOW));
    assert_false(stet__lately_has(*state, HASH + 1, NOW));
}

static void forgets_after_a_while(void **state)
{
    stet__lately_put(*state, HASH, NOW);
    assert_false(stet__lately_has(*state, HASH, NOW + STET__LATELY_S));
    /* Across the wrap of the 16 bits that are kept of the time. */
    stet__lately_put(*state, HASH, 0xffff);
    assert_true(stet__lately_has(*state, HASH, 0x10001));
    assert_false(stet__lately_has(*state, HASH, 0x10000 + STET__LATELY_S));
}

static void drops_only_what_is_meant(void **state)
{
    stet__lately_put(*state, HASH, NOW);
    stet__lately_drop(*state, HASH ^ UINT64_C(1) << 60);
    assert_true(stet__lately_has(*state, HASH, NOW));
    stet__lately_drop(*state, HASH);
    assert_false(stet__lately_has(*state, HASH, NOW));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(knows_what_was_put, make, drop),
        cmocka_unit_test_setup_teardown(forgets_after_a_while, make, drop),
        cmocka_unit_test_setup_teardown(drops_only_what_is_meant, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
