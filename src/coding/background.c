/* SPDX-License-Identifier: MIT */
/*
 * One list of jobs for each state, one lock, which is never held while a job works or is dropped.
 */
#include "coding/background.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"

#define NICE 10
#define POST_AGAIN_NS 20000000 /* when there was no memory to post */

struct stet__background {
    pthread_mutex_t lock;
    pthread_cond_t work;
    bool stopping;
    struct stet__list urgent, queue, running, unposted, posted;
    unsigned queued, queue_max;
    unsigned thread_count;
    pthread_t threads[];
};

static struct stet__job *job_of(struct stet__list *node)
{
    return stet__list_entry(node, struct stet__job, node);
}

/* On the asker's thread. */
static void deliver(void *arg)
{
    struct stet__job *job = arg;
    struct stet__background *background = job->background;
    pthread_mutex_lock(&background->lock);
    stet__list_remove(&job->node);
    job->state = STET__JOB_YOURS;
    pthread_mutex_unlock(&background->lock);
    if (atomic_load(&job->stop))
        job->drop(job);
    else
        job->done(job);
}

/* Under the lock, so that whoever cancels or forgets either sees it as posted or has stopped it. */
static void post(struct stet__background *background, struct stet__job *job)
{
    bool posted = job->asker.post(job->asker.to, deliver, job) == 0;
    stet__list_remove(&job->node);
    stet__list_append(posted ? &background->posted : &background->unposted, &job->node);
    job->state = posted ? STET__JOB_POSTED : STET__JOB_UNPOSTED;
}

static void post_again(struct stet__background *background)
{
    struct stet__list *last = background->unposted.prev, *node;
    bool more = last != &background->unposted;
    while (more) {
        node = background->unposted.next;
        more = node != last;
        post(background, job_of(node));
    }
}

/* Under the lock: until there may be something to do. */
static void wait(struct stet__background *background)
{
    struct timespec until;
    post_again(background);
    if (stet__list_empty(&background->unposted)) {
        pthread_cond_wait(&background->work, &background->lock);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += POST_AGAIN_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&background->work, &background->lock, &until);
}

/* Waits for a job; NULL if it is time to end. */
static struct stet__job *next_job(struct stet__background *background)
{
    struct stet__job *job = NULL;
    pthread_mutex_lock(&background->lock);
    while (background->queued == 0 && !background->stopping)
        wait(background);
    if (!background->stopping) {
        bool urgent = !stet__list_empty(&background->urgent);
        job = job_of(urgent ? background->urgent.next : background->queue.next);
        stet__list_remove(&job->node);
        stet__list_append(&background->running, &job->node);
        job->state = STET__JOB_RUNNING;
        background->queued--;
    }
    pthread_mutex_unlock(&background->lock);
    return job;
}

static void finish_job(struct stet__background *background, struct stet__job *job)
{
    pthread_mutex_lock(&background->lock);
    bool stopped = atomic_load(&job->stop);
    if (stopped)
        stet__list_remove(&job->node);
    else
        post(background, job);
    pthread_mutex_unlock(&background->lock);
    if (stopped)
        job->drop(job);
}

static void *run(void *arg)
{
    struct stet__background *background = arg;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    /* On Linux the nice value is the thread's own. */
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
    struct stet__job *job;
    while ((job = next_job(background)) != NULL) {
        job->work(job);
        finish_job(background, job);
    }
    return NULL;
}

/* Ends the threads there are. */
static void join(struct stet__background *background)
{
    pthread_mutex_lock(&background->lock);
    background->stopping = true;
    for (struct stet__list *node = background->running.next; node != &background->running; node = node->next)
        atomic_store(&job_of(node)->stop, true);
    pthread_cond_broadcast(&background->work);
    pthread_mutex_unlock(&background->lock);
    for (unsigned i = 0; i < background->thread_count; i++)
        pthread_join(background->threads[i], NULL);
}

static void destroy(struct stet__background *background)
{
    pthread_cond_destroy(&background->work);
    pthread_mutex_destroy(&background->lock);
    free(background);
}

struct stet__background *stet__background_new(unsigned threads, unsigned queue_max)
{
    struct stet__background *background = calloc(1, sizeof *background + threads * sizeof(pthread_t));
    if (!background)
        return NULL;
    stet__list_init(&background->urgent);
    stet__list_init(&background->queue);
    stet__list_init(&background->running);
    stet__list_init(&background->unposted);
    stet__list_init(&background->posted);
    background->queue_max = queue_max;
    pthread_mutex_init(&background->lock, NULL);
    pthread_cond_init(&background->work, NULL);
    int status = 0;
    while (background->thread_count < threads && status == 0) {
        status = pthread_create(&background->threads[background->thread_count], NULL, run, background);
        background->thread_count += status == 0;
    }
    /* Fewer threads do, too. */
    if (background->thread_count > 0)
        return background;
    destroy(background);
    errno = status;
    return NULL;
}

/* Moves the jobs of `to`, or all if it is NULL, from `from` to `into`; returns how many. */
static unsigned move(struct stet__list *from, const void *to, struct stet__list *into)
{
    unsigned count = 0;
    for (struct stet__list *node = from->next, *next; node != from; node = next) {
        next = node->next;
        if (to && job_of(node)->asker.to != to)
            continue;
        stet__list_remove(node);
        stet__list_append(into, node);
        count++;
    }
    return count;
}

static void drop_all(struct stet__list *list)
{
    while (!stet__list_empty(list)) {
        struct stet__job *job = job_of(list->next);
        stet__list_remove(&job->node);
        job->drop(job);
    }
}

void stet__background_forget(struct stet__background *background, const void *to)
{
    struct stet__list dropped;
    stet__list_init(&dropped);
    pthread_mutex_lock(&background->lock);
    background->queued -= move(&background->urgent, to, &dropped);
    background->queued -= move(&background->queue, to, &dropped);
    move(&background->unposted, to, &dropped);
    move(&background->posted, to, &dropped);
    for (struct stet__list *node = background->running.next; node != &background->running; node = node->next)
        if (!to || job_of(node)->asker.to == to)
            atomic_store(&job_of(node)->stop, true);
    pthread_mutex_unlock(&background->lock);
    drop_all(&dropped);
}

void stet__background_free(struct stet__background *background)
{
    if (!background)
        return;
    join(background);
    stet__background_forget(background, NULL);
    destroy(background);
}

bool stet__background_ask(struct stet__background *background, struct stet__job *job, bool urgent)
{
    pthread_mutex_lock(&background->lock);
    bool taken = background->queued < background->queue_max;
    if (taken) {
        job->background = background;
        job->state = STET__JOB_QUEUED;
        atomic_store(&job->stop, false);
        stet__list_init(&job->node);
        stet__list_append(urgent ? &background->urgent : &background->queue, &job->node);
        background->queued++;
        pthread_cond_signal(&background->work);
    }
    pthread_mutex_unlock(&background->lock);
    return taken;
}

void stet__background_cancel(struct stet__job *job)
{
    struct stet__background *background = job->background;
    pthread_mutex_lock(&background->lock);
    bool queued = job->state == STET__JOB_QUEUED, at_once = queued || job->state == STET__JOB_UNPOSTED;
    stet__assert(job->state != STET__JOB_YOURS);
    atomic_store(&job->stop, true);
    background->queued -= queued;
    if (at_once) {
        stet__list_remove(&job->node);
        job->state = STET__JOB_YOURS;
    }
    pthread_mutex_unlock(&background->lock);
    if (at_once)
        job->drop(job);
}
