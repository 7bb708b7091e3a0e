/* SPDX-License-Identifier: MIT */
/*
 * background: every job that was taken ends with one call of done or of drop, whatever becomes of it. A
 * semaphore holds the thread in its work; the loop is played by this file.
 */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "coding/background.h"

/* One loop: what is posted waits until a test takes it. */
struct loop {
    sem_t posted;
    atomic_bool refuses;
    void (*run)(void *arg);
    void *arg;
};

static int post(void *to, void (*run)(void *arg), void *arg)
{
    struct loop *loop = to;
    if (atomic_load(&loop->refuses))
        return -1;
    loop->run = run;
    loop->arg = arg;
    sem_post(&loop->posted);
    return 0;
}

static void run_post(struct loop *loop)
{
    sem_wait(&loop->posted);
    loop->run(loop->arg);
}

struct test_job {
    struct stet__job job;
    sem_t begun, go, dropped;
    int worked, done, drops;
};

static struct test_job *of(struct stet__job *job)
{
    return (struct test_job *)(void *)job;
}

static void work(struct stet__job *job)
{
    of(job)->worked++;
    sem_post(&of(job)->begun);
    sem_wait(&of(job)->go);
}

/* Works until it is told not to. */
static void work_on(struct stet__job *job)
{
    of(job)->worked++;
    sem_post(&of(job)->begun);
    while (!atomic_load(&job->stop))
        sched_yield();
}

static void done(struct stet__job *job)
{
    of(job)->done++;
}

static void drop(struct stet__job *job)
{
    of(job)->drops++;
    sem_post(&of(job)->dropped);
}

static void job_init(struct test_job *job, struct loop *loop)
{
    *job = (struct test_job){.job = {.work = work, .done = done, .drop = drop, .asker = {post, loop}}};
    sem_init(&job->begun, 0, 0);
    sem_init(&job->go, 0, 0);
    sem_init(&job->dropped, 0, 0);
}

static void loop_init(struct loop *loop)
{
    *loop = (struct loop){.refuses = false};
    sem_init(&loop->posted, 0, 0);
}

static void assert_ended(const struct test_job *job, int worked, int done_calls, int drops)
{
    assert_int_equal(job->worked, worked);
    assert_int_equal(job->done, done_calls);
    assert_int_equal(job->drops, drops);
}

static void works_and_tells(void **state)
{
    struct stet__background *background = stet__background_new(1, 10);
    struct loop loop;
    struct test_job job;
    (void)state;
    loop_init(&loop);
    job_init(&job, &loop);
    sem_post(&job.go);
    assert_true(stet__background_ask(background, &job.job, false));
    run_post(&loop);
    assert_ended(&job, 1, 1, 0);
    /* It is the owner's again, who may ask again. */
    sem_post(&job.go);
    assert_true(stet__background_ask(background, &job.job, false));
    run_post(&loop);
    assert_ended(&job, 2, 2, 0);
    stet__background_free(background);
}

static void says_not_now(void **state)
{
    struct stet__background *background = stet__background_new(1, 2);
    struct loop loop;
    struct test_job jobs[4];
    (void)state;
    loop_init(&loop);
    for (int i = 0; i < 4; i++)
        job_init(&jobs[i], &loop);
    assert_true(stet__background_ask(background, &jobs[0].job, false));
    sem_wait(&jobs[0].begun);
    assert_true(stet__background_ask(background, &jobs[1].job, false));
    assert_true(stet__background_ask(background, &jobs[2].job, true));
    assert_false(stet__background_ask(background, &jobs[3].job, true));
    static const int in_order[] = {0, 2, 1}; /* the urgent one goes first */
    for (int i = 0; i < 3; i++) {
        if (i > 0)
            sem_wait(&jobs[in_order[i]].begun);
        sem_post(&jobs[in_order[i]].go);
        run_post(&loop);
    }
    for (int i = 0; i < 3; i++)
        assert_ended(&jobs[i], 1, 1, 0);
    assert_ended(&jobs[3], 0, 0, 0);
    stet__background_free(background);
}

static void cancels_in_every_state(void **state)
{
    struct stet__background *background = stet__background_new(1, 10);
    struct loop loop;
    struct test_job running, queued, posted;
    (void)state;
    loop_init(&loop);
    job_init(&running, &loop);
    job_init(&queued, &loop);
    job_init(&posted, &loop);
    running.job.work = work_on;
    assert_true(stet__background_ask(background, &running.job, false));
    assert_true(stet__background_ask(background, &queued.job, false));
    sem_wait(&running.begun);
    stet__background_cancel(&queued.job);
    assert_ended(&queued, 0, 0, 1);
    stet__background_cancel(&running.job);
    sem_wait(&running.dropped);
    assert_ended(&running, 1, 0, 1);
    sem_post(&posted.go);
    assert_true(stet__background_ask(background, &posted.job, false));
    sem_wait(&loop.posted);
    stet__background_cancel(&posted.job);
    assert_ended(&posted, 1, 0, 0);
    loop.run(loop.arg);
    assert_ended(&posted, 1, 0, 1);
    stet__background_free(background);
}

/* A loop that ends takes its own with it, and no other's. */
static void forgets_one_loop(void **state)
{
    struct stet__background *background = stet__background_new(1, 10);
    struct loop ending, staying;
    struct test_job running, posted, queued, other;
    (void)state;
    loop_init(&ending);
    loop_init(&staying);
    job_init(&posted, &ending);
    job_init(&running, &ending);
    job_init(&queued, &ending);
    job_init(&other, &staying);
    running.job.work = work_on;
    sem_post(&posted.go);
    sem_post(&other.go);
    assert_true(stet__background_ask(background, &posted.job, false));
    sem_wait(&ending.posted);
    assert_true(stet__background_ask(background, &running.job, false));
    sem_wait(&running.begun);
    assert_true(stet__background_ask(background, &queued.job, false));
    assert_true(stet__background_ask(background, &other.job, false));
    stet__background_forget(background, &ending);
    assert_ended(&posted, 1, 0, 1);
    assert_ended(&queued, 0, 0, 1);
    sem_wait(&running.dropped);
    assert_ended(&running, 1, 0, 1);
    run_post(&staying);
    assert_ended(&other, 1, 1, 0);
    stet__background_free(background);
}

/* No memory to post with: what is done is told as soon as there is, and can be cancelled or forgotten until
 * then. */
static void posts_again(void **state)
{
    struct stet__background *background = stet__background_new(1, 10);
    struct loop loop, other;
    struct test_job cancelled, forgotten, told;
    (void)state;
    loop_init(&loop);
    loop_init(&other);
    atomic_store(&loop.refuses, true);
    atomic_store(&other.refuses, true);
    job_init(&cancelled, &loop);
    job_init(&forgotten, &other);
    job_init(&told, &loop);
    sem_post(&cancelled.go);
    sem_post(&forgotten.go);
    sem_post(&told.go);
    /* When the next one has begun, the one before waits to be posted. */
    assert_true(stet__background_ask(background, &cancelled.job, false));
    assert_true(stet__background_ask(background, &forgotten.job, false));
    sem_wait(&forgotten.begun);
    stet__background_cancel(&cancelled.job);
    assert_ended(&cancelled, 1, 0, 1);
    assert_true(stet__background_ask(background, &told.job, false));
    sem_wait(&told.begun);
    stet__background_forget(background, &other);
    assert_ended(&forgotten, 1, 0, 1);
    atomic_store(&loop.refuses, false);
    run_post(&loop);
    assert_ended(&told, 1, 1, 0);
    stet__background_free(background);
}

static void ends_in_the_middle(void **state)
{
    struct stet__background *background = stet__background_new(2, 10);
    struct loop loop;
    struct test_job jobs[5];
    (void)state;
    loop_init(&loop);
    for (int i = 0; i < 5; i++) {
        job_init(&jobs[i], &loop);
        jobs[i].job.work = work_on;
        assert_true(stet__background_ask(background, &jobs[i].job, i == 3));
    }
    sem_wait(&jobs[0].begun);
    stet__background_free(background);
    for (int i = 0; i < 5; i++)
        assert_ended(&jobs[i], jobs[i].worked, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(works_and_tells),
        cmocka_unit_test(says_not_now),
        cmocka_unit_test(cancels_in_every_state),
        cmocka_unit_test(forgets_one_loop),
        cmocka_unit_test(posts_again),
        cmocka_unit_test(ends_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
