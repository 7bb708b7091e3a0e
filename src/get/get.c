/* SPDX-License-Identifier: MIT */
/*
 * get: jobs that run beside one another in one thread. As many tasks as may run at once are there from the
 * begin, and are used over and over: a task keeps a block of memory, so ten thousand small jobs ask for none.
 */
#include "get/get.h"

#include <stdlib.h>
#include <time.h>

#include "get/task.h"

#define ARENA_MAX (64u << 20)
#define STEP_MS 250  /* how long a signal may go unnoticed */
#define TURN_JOBS 64 /* jobs begun before the transfers have a turn */

int64_t stet__now(void)
{
    return (int64_t)time(NULL);
}

void stet__get_free(struct stet__get *get)
{
    if (!get)
        return;
    for (size_t i = 0; get->tasks && i < get->task_count; i++) {
        stet__arena_release(&get->tasks[i].arena);
        stet__arena_release(&get->tasks[i].hop_arena);
    }
    free(get->tasks);
    free(get->found);
    free(get);
}

struct stet__get *stet__get_new(const struct stet__get_settings *settings, struct stet__transfers *transfers,
                                struct stet__disk *disk)
{
    struct stet__get *get = calloc(1, sizeof *get);
    if (!get)
        return NULL;
    get->settings = *settings;
    get->transfers = transfers;
    get->disk = settings->store ? disk : NULL;
    get->task_count = settings->parallel > 0 ? settings->parallel : 1;
    get->tasks = calloc(get->task_count, sizeof *get->tasks);
    get->found = calloc(STET_CANDIDATES_MAX, sizeof *get->found);
    stet__list_init(&get->idle);
    stet__list_init(&get->ready);
    if (!get->tasks || !get->found) {
        stet__get_free(get);
        return NULL;
    }
    for (size_t i = 0; i < get->task_count; i++) {
        struct stet__task *task = &get->tasks[i];
        task->get = get;
        task->step = STET__STEP_END;
        stet__arena_init(&task->arena, ARENA_MAX);
        stet__arena_init(&task->hop_arena, ARENA_MAX);
        stet__list_append(&get->idle, &task->node);
    }
    return get;
}

void stet__task_wake(struct stet__task *task)
{
    stet__list_append(&task->get->ready, &task->node);
    task->get->busy--;
}

void stet__task_release(struct stet__task *leader)
{
    struct stet__get *get = leader->get;
    for (size_t i = 0; i < get->task_count; i++) {
        struct stet__task *task = &get->tasks[i];
        if (task->step != STET__STEP_WAIT || task->leader != leader)
            continue;
        task->leader = NULL;
        task->step = STET__STEP_LOOK;
        stet__task_wake(task);
    }
}

struct stet__task *stet__task_leader(const struct stet__task *task)
{
    struct stet__get *get = task->get;
    if (!task->hop.decision.may_collapse || task->hop.uncached)
        return NULL;
    for (size_t i = 0; i < get->task_count; i++) {
        struct stet__task *other = &get->tasks[i];
        if (other != task && other->step == STET__STEP_ASKING && !other->hop.uncached &&
            other->hop.decision.may_collapse && other->hop.request.method == STET_METHOD_GET &&
            stet_span_equal(other->key, task->key))
            return other;
    }
    return NULL;
}

/* Until it waits for something, or has ended. */
static void run(struct stet__task *task)
{
    struct stet__get *get = task->get;
    if (stet__task_run(task))
        stet__list_append(&get->idle, &task->node);
    else
        get->busy++;
}

static struct stet__task *take(struct stet__list *list)
{
    struct stet__task *task = stet__list_entry(list->next, struct stet__task, node);
    stet__list_remove(&task->node);
    return task;
}

/* Cuts off what is under way; parts are kept. */
static void stop_all(struct stet__get *get)
{
    get->stopping = true;
    for (size_t i = 0; i < get->task_count; i++)
        if (get->tasks[i].step == STET__STEP_ASKING && get->tasks[i].transfer)
            stet__transfer_stop(get->tasks[i].transfer);
}

/* Begins jobs as long as there are tasks for them. False: there are no more. */
static bool begin_jobs(struct stet__get *get, stet__get_supply *supply, void *owner)
{
    struct stet__get_job job;
    for (int i = 0; i < TURN_JOBS && !stet__list_empty(&get->idle); i++) {
        if (!supply(owner, &job))
            return false;
        struct stet__task *task = take(&get->idle);
        stet__task_begin(task, &job);
        run(task);
    }
    return true;
}

void stet__get_run(struct stet__get *get, stet__get_supply *supply, void *owner, const volatile int *stop)
{
    bool more = true;
    get->stopping = false;
    for (;;) {
        if (*stop && !get->stopping)
            stop_all(get);
        while (!stet__list_empty(&get->ready))
            run(take(&get->ready));
        if (more && !get->stopping)
            more = begin_jobs(get, supply, owner);
        bool begins = more && !get->stopping && !stet__list_empty(&get->idle);
        if (get->busy == 0 && stet__list_empty(&get->ready) && !begins)
            break;
        bool waits = stet__list_empty(&get->ready) && !begins;
        if (get->busy > 0)
            stet__transfers_step(get->transfers, waits ? STEP_MS : 0);
    }
    if (get->disk)
        stet__disk_flush(get->disk);
}
