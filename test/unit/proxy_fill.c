/* SPDX-License-Identifier: MIT */
/* Fills: who leads, who waits, whom a head, an end and new octets wake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/fill.h"

#define HASH 7

struct table {
    struct stet__proxy proxy;
    struct stet__proxy_worker worker;
    struct stet_request request;
    struct stet__fill first, second;
    struct stet__visit visit;
    unsigned woken;
};

static struct table *the_table;

static void on_wake(struct stet__wake *wake)
{
    the_table->woken++;
}

static void begin_fill(struct table *table, struct stet__fill *fill)
{
    *fill = (struct stet__fill){.hash = HASH, .key = STET_SPAN("http://h/"), .request = &table->request};
    stet__list_init(&fill->node);
    stet__list_init(&fill->waiters);
    stet__list_init(&fill->readers);
    stet__wake_init(&fill->writer, &table->worker.mailbox, on_wake);
}

static int set_up(void **state)
{
    struct table *table = calloc(1, sizeof *table);
    if (!table)
        return -1;
    the_table = table;
    table->proxy.fills = stet__fills_new();
    table->worker.proxy = &table->proxy;
    table->worker.loop = stet__loop_new();
    if (!table->proxy.fills || !table->worker.loop)
        return -1;
    stet__mailbox_init(&table->worker.mailbox, table->worker.loop);
    table->request.method = STET_METHOD_GET;
    table->visit.worker = &table->worker;
    table->visit.question.request = &table->request;
    stet__list_init(&table->visit.node);
    stet__wake_init(&table->visit.wake, &table->worker.mailbox, on_wake);
    begin_fill(table, &table->first);
    begin_fill(table, &table->second);
    *state = table;
    return 0;
}

static int tear_down(void **state)
{
    struct table *table = *state;
    stet__mailbox_close(&table->worker.mailbox);
    stet__fills_free(table->proxy.fills);
    stet__loop_free(table->worker.loop);
    free(table);
    return 0;
}

static void the_first_leads_and_the_next_waits(void **state)
{
    struct table *table = *state;
    struct stet__fills *fills = table->proxy.fills;
    assert_int_equal(stet__fill_lead_or_wait(fills, &table->first, NULL), STET__LEAD);
    assert_int_equal(stet__fill_lead_or_wait(fills, &table->second, &table->visit), STET__WAIT);
    assert_ptr_equal(table->visit.fill, &table->first);
    stet__fill_over(fills, &table->first, STET_REASON_UPSTREAM_REFUSED);
    stet__mailbox_run(&table->worker.mailbox);
    assert_int_equal(table->woken, 1);
    assert_int_equal(table->visit.failure, STET_REASON_UPSTREAM_REFUSED);
    /* The lease: whoever comes next leads. */
    assert_int_equal(stet__fill_lead_or_wait(fills, &table->second, &table->visit), STET__LEAD);
    stet__fill_over(fills, &table->second, STET_REASON_OK);
}

static void nobody_waits_for_what_has_a_head(void **state)
{
    struct table *table = *state;
    struct stet__fills *fills = table->proxy.fills;
    struct stet__body *body = stet__body_new(4);
    stet__fill_lead_or_wait(fills, &table->first, NULL);
    stet__fill_lead_or_wait(fills, &table->second, &table->visit);
    stet__fill_headed(fills, &table->first, body);
    stet__mailbox_run(&table->worker.mailbox);
    assert_int_equal(table->woken, 1);
    assert_int_equal(table->visit.failure, STET_REASON_OK);
    assert_int_equal(stet__fill_lead_or_wait(fills, &table->second, &table->visit), STET__LEAD);
    stet__fill_over(fills, &table->first, STET_REASON_OK);
    stet__fill_over(fills, &table->second, STET_REASON_OK);
    stet__body_finish(body, false);
    stet__body_release(body);
}

static void who_leaves_is_not_woken(void **state)
{
    struct table *table = *state;
    struct stet__fills *fills = table->proxy.fills;
    stet__fill_lead_or_wait(fills, &table->first, NULL);
    stet__fill_lead_or_wait(fills, &table->second, &table->visit);
    stet__fill_leave(fills, &table->visit);
    stet__fill_over(fills, &table->first, STET_REASON_OK);
    stet__mailbox_run(&table->worker.mailbox);
    assert_int_equal(table->woken, 0);
}

static void a_reader_follows_a_body_to_its_end(void **state)
{
    struct table *table = *state;
    struct stet__fills *fills = table->proxy.fills;
    struct stet__body *body = stet__body_new(STET__BODY_LENGTH_UNKNOWN);
    struct stet__source source;
    struct stet__part part;
    stet__fill_lead_or_wait(fills, &table->first, NULL);
    stet__fill_headed(fills, &table->first, body);
    struct stet__reader *reader = stet__reader_new(&table->worker, NULL, body, 0, UINT64_MAX);
    assert_non_null(reader);
    reader->wake.run = on_wake;
    assert_true(stet__reader_attach(reader, HASH));
    stet__reader_source(reader, &source);
    assert_int_equal(source.next(source.owner, &part), STET__SUPPLY_WAIT);
    assert_true(stet__body_append(body, STET_SPAN("octets")));
    stet__fill_grown(fills, &table->first, &table->worker);
    assert_int_equal(table->woken, 1);
    assert_int_equal(source.next(source.owner, &part), STET__SUPPLY_PART);
    assert_int_equal(part.length, 6);
    assert_int_equal(stet__fill_trim(fills, &table->first), 0);
    assert_int_equal(source.next(source.owner, &part), STET__SUPPLY_WAIT);
    assert_int_equal(stet__fill_trim(fills, &table->first), 6);
    stet__body_finish(body, true);
    stet__fill_over(fills, &table->first, STET_REASON_OK);
    stet__mailbox_run(&table->worker.mailbox);
    assert_int_equal(table->woken, 2);
    assert_int_equal(source.next(source.owner, &part), STET__SUPPLY_END);
    source.done(source.owner, true);
    stet__body_release(body);
}

static void a_body_that_is_cut_cuts_its_readers(void **state)
{
    struct table *table = *state;
    struct stet__fills *fills = table->proxy.fills;
    struct stet__body *body = stet__body_new(10);
    struct stet__source source;
    struct stet__part part;
    stet__fill_lead_or_wait(fills, &table->first, NULL);
    stet__fill_headed(fills, &table->first, body);
    assert_true(stet__body_append(body, STET_SPAN("1234")));
    struct stet__reader *reader = stet__reader_new(&table->worker, NULL, body, 2, 10);
    assert_non_null(reader);
    assert_true(stet__reader_attach(reader, HASH));
    stet__reader_source(reader, &source);
    assert_int_equal(source.next(source.owner, &part), STET__SUPPLY_PART);
    assert_int_equal(part.length, 2);
    stet__body_finish(body, false);
    stet__fill_over(fills, &table->first, STET_REASON_OK);
    assert_int_equal(source.next(source.owner, &part), STET__SUPPLY_CUT);
    source.done(source.owner, false);
    stet__body_release(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_leads_and_the_next_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_waits_for_what_has_a_head, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_leaves_is_not_woken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_follows_a_body_to_its_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_body_that_is_cut_cuts_its_readers, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
