/* SPDX-License-Identifier: MIT */
/*
 * transfer_end: many transfers at once, and whose turn it is; every way in which a transfer can end early:
 * time, nobody there, the caller, the end of the group.
 */
#include "told.h"

#include <time.h>

static void fetch_many(const struct stet__transfer_settings *settings, unsigned count, unsigned open_most)
{
    static const struct answering_row rows[] = {{.target = "/hello", .text = HELLO}};
    static struct told told[300];
    memset(told, 0, sizeof told);
    answering_start(rows, 1);
    open_group(settings);
    for (unsigned i = 0; i < count; i++)
        begin(&told[i], "/hello");
    run_group();
    for (unsigned i = 0; i < count; i++)
        assert_string_equal(told[i].story, "(200)hellook");
    assert_true(answering.open_most <= open_most);
    close_group();
    answering_stop();
}

static void test_parallel(void **state)
{
    fetch_many(&(struct stet__transfer_settings){.proxy = "", .connections_max = 100}, 100, 100);
    fetch_many(&(struct stet__transfer_settings){.proxy = "", .connections_max = 10}, 300, 10);
    fetch_many(&(struct stet__transfer_settings){.proxy = "", .per_host_max = 2}, 100, 2);
    fetch_many(&(struct stet__transfer_settings){.proxy = "", .connections_max = 1}, 20, 1);
}

/* Time does not count while a transfer waits: the last of these waits for longer than any time-out. */
static void test_waiting_is_no_silence(void **state)
{
    static const struct answering_row rows[] = {
        {.target = "/", .text = H "200 OK\r\nContent-Length: 5\r\n\r\nhel", .after_ms = 60, .later = "lo"}};
    static const struct stet__transfer_settings settings = {
        .proxy = "", .connections_max = 1, .silence_ms = 200, .whole_ms = 200, .connect_ms = 200};
    struct told told[6] = {0};
    answering_start(rows, 1);
    open_group(&settings);
    for (size_t i = 0; i < 6; i++)
        begin(&told[i], "/");
    run_group();
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(told[i].story, "(200)hellook");
    close_group();
    answering_stop();
}

static void expect_late(const struct stet__transfer_settings *settings, const char *target, const char *story)
{
    struct told told = {0};
    open_group(settings);
    begin(&told, target);
    run_group();
    assert_string_equal(told.story, story);
    assert_true(told.result.timed_out);
    close_group();
}

static void test_late(void **state)
{
    static const struct answering_row rows[] = {
        {.target = "/nothing"},
        {.target = "/part", .text = H "200 OK\r\nContent-Length: 10\r\n\r\nhello"},
    };
    static const struct stet__transfer_settings silent = {.proxy = "", .silence_ms = 50},
                                                whole = {.proxy = "", .whole_ms = 50};
    answering_start(rows, 2);
    expect_late(&silent, "/nothing", "timeout");
    expect_late(&silent, "/part", "(200)hellotimeout cut");
    expect_late(&whole, "/nothing", "timeout");
    expect_late(&whole, "/part", "(200)hellotimeout cut");
    answering_stop();
}

static void test_nobody(void **state)
{
    static const struct answering_row rows[] = {{.target = "/", .text = HELLO}};
    struct told refused = {0}, unknown = {0};
    answering_start(rows, 1);
    answering_stop();
    fetch(&refused, "GET", "/");
    assert_string_equal(refused.story, "connect");
    assert_true(refused.result.refused);
    assert_int_equal(refused.result.major, 0);
    /* A label of 64 octets is no name, so no resolver has to be asked (RFC 1035 section 2.3.4). */
    struct stet__transfer_request request = {
        .method = "GET",
        .uri = "http://a234567890123456789012345678901234567890123456789012345678901234.test/"};
    open_group(NULL);
    assert_non_null(stet__transfer_begin(group, &request, &events, &unknown));
    run_group();
    assert_string_equal(unknown.story, "resolve");
    assert_false(unknown.result.refused);
    close_group();
}

static const struct answering_row stoppable[] = {
    {.target = "/hello", .text = HELLO},
    {.target = "/nothing"},
    {.target = "/endless", .text = H "200 OK\r\nContent-Length: 10000000\r\n\r\n", .filler = 1000000},
};

static void test_stop_inside(void **state)
{
    struct told in_head = {.stop_in_head = true}, in_data = {.stop_in_data = true, .quiet = true};
    answering_start(stoppable, 3);
    fetch(&in_head, "GET", "/hello");
    assert_string_equal(in_head.story, "(200)stopped cut");
    fetch(&in_data, "GET", "/endless");
    assert_string_equal(in_data.story, "(200)stopped cut");
    assert_true(in_data.octets < 1000000);
    assert_int_equal(in_data.octets, in_data.result.content_octets);
    answering_stop();
}

static void test_stop_outside(void **state)
{
    struct told waiting = {0}, running = {0}, asked = {0};
    answering_start(stoppable, 3);
    open_group(&(struct stet__transfer_settings){.proxy = "", .connections_max = 1});
    struct stet__transfer *first = begin(&running, "/nothing"), *second = begin(&waiting, "/hello");
    begin(&asked, "/hello");
    while (answering.accepted == 0)
        assert_int_equal(stet__transfers_step(group, 10), 3);
    stet__transfer_stop(second);
    assert_string_equal(waiting.story, "stopped");
    stet__transfer_stop(first);
    assert_string_equal(running.story, "stopped");
    run_group();
    assert_string_equal(asked.story, "(200)hellook");
    assert_int_equal(running.done + waiting.done + asked.done, 3);
    close_group();
    answering_stop();
}

/* Within the events of another one: one that runs, one that waits. */
static void test_stop_another(void **state)
{
    for (unsigned connections = 1; connections <= 2; connections++) {
        struct told victim = {0}, told = {0}, later = {0};
        answering_start(stoppable, 3);
        open_group(&(struct stet__transfer_settings){.proxy = "", .connections_max = connections});
        begin(&told, "/hello");
        told.victim = begin(&victim, "/nothing");
        run_group();
        assert_string_equal(victim.story, "stopped");
        assert_string_equal(told.story, "(200)hellook");
        begin(&later, "/hello");
        run_group();
        assert_string_equal(later.story, "(200)hellook");
        assert_int_equal(victim.done, 1);
        close_group();
        answering_stop();
    }
}

static void test_begin_inside(void **state)
{
    struct told told = {.next = true};
    memset(&next_told, 0, sizeof next_told);
    answering_start(stoppable, 3);
    open_group(NULL);
    begin(&told, "/hello");
    run_group();
    assert_int_equal(told.done, 1);
    assert_int_equal(next_told.done, 2);
    assert_int_equal(next_told.octets, 10);
    close_group();
    answering_stop();
}

static unsigned chain_left;

static void chain_done(void *owner, const struct stet__transfer_result *result);

static const struct stet__transfer_events chain_events = {.done = chain_done};

static void chain_done(void *owner, const struct stet__transfer_result *result)
{
    struct stet__transfer_request request = {.method = "GET", .uri = uri_of("/hello")};
    assert_int_equal(result->status, STET_OK);
    if (chain_left == 0)
        return;
    chain_left--;
    assert_non_null(stet__transfer_begin(group, &request, &chain_events, owner));
}

/* One that is begun at the end of another does not wait for anything else to happen. */
static void test_chain(void **state)
{
    struct stet__transfer_result begun = {.status = STET_OK};
    struct timespec before, after;
    answering_start(stoppable, 3);
    open_group(&(struct stet__transfer_settings){.proxy = "", .connections_max = 8, .silence_ms = 20000});
    clock_gettime(CLOCK_MONOTONIC, &before);
    chain_left = 2000;
    for (unsigned i = 0; i < 8; i++)
        chain_done(NULL, &begun);
    while (stet__transfers_step(group, -1) > 0)
        continue;
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(after.tv_sec - before.tv_sec < 20);
    assert_int_equal(chain_left, 0);
    close_group();
    answering_stop();
}

/* Nothing is told, and the sanitizer sees that nothing is left. */
static void test_free_running(void **state)
{
    struct told told[8] = {0};
    answering_start(stoppable, 3);
    open_group(&(struct stet__transfer_settings){.proxy = "", .connections_max = 4});
    for (size_t i = 0; i < 8; i++)
        begin(&told[i], i % 2 ? "/nothing" : "/endless");
    while (answering.accepted < 4)
        assert_int_equal(stet__transfers_step(group, 10), 8);
    close_group();
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(told[i].done, 0);
    answering_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parallel),     cmocka_unit_test(test_waiting_is_no_silence),
        cmocka_unit_test(test_late),         cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_stop_inside),  cmocka_unit_test(test_stop_outside),
        cmocka_unit_test(test_stop_another), cmocka_unit_test(test_begin_inside),
        cmocka_unit_test(test_chain),        cmocka_unit_test(test_free_running),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
