/* SPDX-License-Identifier: MIT */
/* Pipes: bounded, in order, and each side is told when the other has done something. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/pipe.h"

struct ends {
    struct stet__pipe pipe;
    unsigned ready, drained;
};

static void on_ready(void *owner)
{
    struct ends *ends = owner;
    ends->ready++;
}

static void on_drained(void *owner)
{
    struct ends *ends = owner;
    ends->drained++;
}

static int open_ends(void **state)
{
    static struct ends ends;
    ends = (struct ends){.ready = 0};
    stet__pipe_init(&ends.pipe);
    ends.pipe.owner = &ends;
    ends.pipe.ready = on_ready;
    ends.pipe.drained = on_drained;
    *state = &ends;
    return 0;
}

static int close_ends(void **state)
{
    struct ends *ends = *state;
    stet__pipe_release(&ends->pipe);
    return 0;
}

static void passes_octets_in_order(void **state)
{
    struct ends *ends = *state;
    struct stet__part part;
    assert_int_equal(stet__pipe_put(&ends->pipe, STET_SPAN("one")), 3);
    assert_int_equal(stet__pipe_next(&ends->pipe, &part), STET__SUPPLY_PART);
    assert_int_equal(stet__pipe_put(&ends->pipe, STET_SPAN("two")), 3);
    /* A part is good until the next call of next, whatever is put meanwhile. */
    assert_true(stet_span_equal(part.memory, STET_SPAN("one")));
    assert_int_equal(stet__pipe_next(&ends->pipe, &part), STET__SUPPLY_PART);
    assert_true(stet_span_equal(part.memory, STET_SPAN("two")));
    assert_int_equal(stet__pipe_next(&ends->pipe, &part), STET__SUPPLY_WAIT);
    stet__pipe_end(&ends->pipe, true);
    assert_int_equal(stet__pipe_next(&ends->pipe, &part), STET__SUPPLY_END);
}

static void tells_a_receiver_that_waits(void **state)
{
    struct ends *ends = *state;
    struct stet__part part;
    stet__pipe_put(&ends->pipe, STET_SPAN("a"));
    assert_int_equal(ends->ready, 0);
    stet__pipe_next(&ends->pipe, &part);
    assert_int_equal(stet__pipe_next(&ends->pipe, &part), STET__SUPPLY_WAIT);
    stet__pipe_put(&ends->pipe, STET_SPAN("b"));
    stet__pipe_put(&ends->pipe, STET_SPAN("c"));
    assert_int_equal(ends->ready, 1);
}

static void holds_a_fast_sender_back(void **state)
{
    static char octets[STET__PIPE_BYTES + 1000];
    struct ends *ends = *state;
    struct stet__part part;
    struct stet_span many = {octets, sizeof octets};
    assert_int_equal(stet__pipe_put(&ends->pipe, many), STET__PIPE_BYTES);
    assert_int_equal(stet__pipe_put(&ends->pipe, STET_SPAN("x")), 0);
    assert_int_equal(ends->drained, 0);
    assert_int_equal(stet__pipe_next(&ends->pipe, &part), STET__SUPPLY_PART);
    assert_int_equal(part.length, STET__PIPE_BYTES);
    assert_int_equal(ends->drained, 1);
    assert_int_equal(stet__pipe_put(&ends->pipe, STET_SPAN("x")), 1);
}

static void a_cut_comes_after_what_was_there(void **state)
{
    struct ends *ends = *state;
    struct stet__part part;
    stet__pipe_put(&ends->pipe, STET_SPAN("a"));
    stet__pipe_end(&ends->pipe, false);
    assert_int_equal(stet__pipe_next(&ends->pipe, &part), STET__SUPPLY_PART);
    assert_int_equal(stet__pipe_next(&ends->pipe, &part), STET__SUPPLY_CUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(passes_octets_in_order, open_ends, close_ends),
        cmocka_unit_test_setup_teardown(tells_a_receiver_that_waits, open_ends, close_ends),
        cmocka_unit_test_setup_teardown(holds_a_fast_sender_back, open_ends, close_ends),
        cmocka_unit_test_setup_teardown(a_cut_comes_after_what_was_there, open_ends, close_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
