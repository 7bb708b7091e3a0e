/* SPDX-License-Identifier: MIT */
/*
 * played: a loop and a driver for the test of a role, in place of those of net: events come when wake_up is
 * called, what is posted runs when run_post is called, and the answer stays in `answer`. It holds
 * definitions, so one file of a program includes it.
 */
#ifndef STET_TEST_UNIT_PLAYED_H
#define STET_TEST_UNIT_PLAYED_H

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/exchange.h"
#include "net/loop.h"

/* The loop */

static struct stet__watch *watch;
static struct stet__tick *tick;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t posted = PTHREAD_COND_INITIALIZER;
static void (*posted_run)(void *arg);
static void *posted_arg;

int stet__loop_add(struct stet__loop *loop, struct stet__watch *added, uint32_t events)
{
    (void)loop, (void)events;
    assert_true(added->early);
    watch = added;
    return 0;
}

void stet__loop_remove(struct stet__loop *loop, struct stet__watch *removed)
{
    (void)loop, (void)removed;
    watch = NULL;
}

void stet__loop_add_tick(struct stet__loop *loop, struct stet__tick *added)
{
    (void)loop;
    tick = added;
}

void stet__loop_remove_tick(struct stet__loop *loop, struct stet__tick *removed)
{
    (void)loop, (void)removed;
    tick = NULL;
}

int stet__loop_post(struct stet__loop *loop, void (*run)(void *arg), void *arg)
{
    (void)loop;
    pthread_mutex_lock(&lock);
    posted_run = run;
    posted_arg = arg;
    pthread_cond_signal(&posted);
    pthread_mutex_unlock(&lock);
    return 0;
}

static void run_post(void)
{
    pthread_mutex_lock(&lock);
    while (!posted_run)
        pthread_cond_wait(&posted, &lock);
    pthread_mutex_unlock(&lock);
    posted_run(posted_arg);
    posted_run = NULL;
}

/* What inotify has to say, before the next request. */
static void wake_up(void)
{
    struct pollfd p = {watch ? watch->fd : -1, POLLIN, 0};
    while (watch && poll(&p, 1, 0) == 1) {
        watch->ready(watch, POLLIN);
        p.fd = watch ? watch->fd : -1;
    }
}

/* The driver */

static struct {
    unsigned status;
    enum stet_reason reason;
    char head[4096];
    char body[65536];
    size_t body_len;
    int64_t expires_after_s;
    bool held;
    void *owner;
    void (*release)(void *owner);
    bool (*intact)(void *owner);
} answer;

static bool hold_next;

static void play_answer(struct stet__exchange *exchange, const struct stet__reply *reply)
{
    (void)exchange;
    memset(&answer, 0, sizeof(answer));
    answer.status = reply->head->status;
    answer.reason = reply->reason;
    answer.expires_after_s = reply->head->expires_after_s;
    memcpy(answer.head, reply->head->h1.ptr, reply->head->h1.len);
    for (size_t i = 0; i < reply->part_count; i++) {
        const struct stet__part *part = &reply->parts[i];
        assert_true(answer.body_len + part->length <= sizeof(answer.body));
        char *to = answer.body + answer.body_len;
        if (part->memory.ptr)
            memcpy(to, part->memory.ptr, part->length);
        else
            assert_int_equal(pread(part->fd, to, part->length, (off_t)part->offset), part->length);
        answer.body_len += part->length;
    }
    if (hold_next && reply->hold) {
        reply->hold(reply->owner);
        answer.held = true;
        answer.owner = reply->owner;
        answer.release = reply->release;
        answer.intact = reply->intact;
    }
    hold_next = false;
}

static const struct stet__exchange_driver played_driver = {.answer = play_answer};

#endif
