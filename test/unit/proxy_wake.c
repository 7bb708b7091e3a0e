/* SPDX-License-Identifier: MIT */
/* Wakes: sent from any thread, run once on the worker's, and not after they are taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/wake.h"

#define SENDERS 4
#define TIMES 1000

struct sleeper {
    struct stet__wake wake;
    struct stet__loop *loop;
    unsigned run, stop_at;
};

static void on_wake(struct stet__wake *wake)
{
    struct sleeper *sleeper = stet__list_entry(wake, struct sleeper, wake);
    if (++sleeper->run == sleeper->stop_at)
        stet__loop_stop(sleeper->loop);
}

struct desk {
    struct stet__loop *loop;
    struct stet__mailbox mailbox;
    struct sleeper a, b;
};

static int open_desk(void **state)
{
    static struct desk desk;
    desk = (struct desk){.loop = stet__loop_new()};
    if (!desk.loop)
        return -1;
    stet__mailbox_init(&desk.mailbox, desk.loop);
    desk.a.loop = desk.b.loop = desk.loop;
    stet__wake_init(&desk.a.wake, &desk.mailbox, on_wake);
    stet__wake_init(&desk.b.wake, &desk.mailbox, on_wake);
    *state = &desk;
    return 0;
}

static int close_desk(void **state)
{
    struct desk *desk = *state;
    stet__mailbox_close(&desk->mailbox);
    stet__loop_free(desk->loop);
    return 0;
}

static void runs_once_however_often_it_is_sent(void **state)
{
    struct desk *desk = *state;
    stet__wake_send(&desk->a.wake);
    stet__wake_send(&desk->a.wake);
    stet__wake_send(&desk->b.wake);
    desk->b.stop_at = 1;
    stet__loop_run(desk->loop);
    assert_int_equal(desk->a.run, 1);
    assert_int_equal(desk->b.run, 1);
}

static void does_not_run_once_taken_back(void **state)
{
    struct desk *desk = *state;
    stet__wake_send(&desk->a.wake);
    stet__wake_cancel(&desk->a.wake);
    stet__wake_send(&desk->b.wake);
    desk->b.stop_at = 1;
    stet__loop_run(desk->loop);
    assert_int_equal(desk->a.run, 0);
}

static void a_closed_mailbox_takes_nothing(void **state)
{
    struct desk *desk = *state;
    stet__mailbox_close(&desk->mailbox);
    stet__wake_send(&desk->a.wake);
    stet__mailbox_run(&desk->mailbox);
    assert_int_equal(desk->a.run, 0);
}

static void *send_many(void *arg)
{
    struct desk *desk = arg;
    for (int i = 0; i < TIMES; i++)
        stet__wake_send(&desk->a.wake);
    return NULL;
}

/* However the threads run, the last send is followed by a run. */
static void none_is_lost_between_threads(void **state)
{
    struct desk *desk = *state;
    pthread_t threads[SENDERS];
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, send_many, desk), 0);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
    desk->b.stop_at = 1;
    stet__wake_send(&desk->b.wake);
    stet__loop_run(desk->loop);
    assert_int_equal(desk->a.run, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_once_however_often_it_is_sent, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(does_not_run_once_taken_back, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_closed_mailbox_takes_nothing, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(none_is_lost_between_threads, open_desk, close_desk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
