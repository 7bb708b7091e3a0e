/* SPDX-License-Identifier: MIT */
#include "proxy/fill.h"

#include <stet/vary.h>

#include "base/assert.h"

#define BUCKETS 1024

struct stet__fills {
    pthread_mutex_t lock;
    struct stet__list buckets[BUCKETS];
};

struct stet__fills *stet__fills_new(void)
{
    struct stet__fills *fills = malloc(sizeof *fills);
    if (!fills)
        return NULL;
    pthread_mutex_init(&fills->lock, NULL);
    for (size_t i = 0; i < BUCKETS; i++)
        stet__list_init(&fills->buckets[i]);
    return fills;
}

void stet__fills_free(struct stet__fills *fills)
{
    if (!fills)
        return;
    pthread_mutex_destroy(&fills->lock);
    free(fills);
}

static struct stet__list *bucket(struct stet__fills *fills, uint64_t hash)
{
    return &fills->buckets[hash % BUCKETS];
}

/* Whether the answer to `leader` may be one for the visit: as far as the Vary of what is stored tells. */
static bool may_share(const struct stet_request *leader, const struct stet__visit *visit)
{
    if (leader->method != visit->question.request->method && leader->method != STET_METHOD_GET)
        return false;
    const struct stet_cache_question *question = &visit->question;
    return question->count == 0 || stet_vary_matches(&question->stored[0]->response.fields, &leader->fields,
                                                     &question->request->fields);
}

static struct stet__fill *find(struct stet__fills *fills, const struct stet__fill *like,
                               const struct stet__visit *visit)
{
    struct stet__list *list = bucket(fills, like->hash);
    for (struct stet__list *node = list->next; node != list; node = node->next) {
        struct stet__fill *fill = stet__list_entry(node, struct stet__fill, node);
        if (fill->hash == like->hash && !fill->headed && stet_span_equal(fill->key, like->key) &&
            (!visit || may_share(fill->request, visit)))
            return fill;
    }
    return NULL;
}

static void list(struct stet__fills *fills, struct stet__fill *fill)
{
    fill->listed = true;
    stet__list_append(bucket(fills, fill->hash), &fill->node);
}

enum stet__lead stet__fill_lead_or_wait(struct stet__fills *fills, struct stet__fill *fill,
                                        struct stet__visit *visit)
{
    enum stet__lead lead = STET__LEAD;
    pthread_mutex_lock(&fills->lock);
    struct stet__fill *other = find(fills, fill, visit);
    if (other) {
        lead = STET__WAIT;
        if (visit) {
            visit->fill = other;
            stet__list_append(&other->waiters, &visit->node);
        }
    } else {
        list(fills, fill);
    }
    pthread_mutex_unlock(&fills->lock);
    return lead;
}

void stet__fill_list(struct stet__fills *fills, struct stet__fill *fill)
{
    pthread_mutex_lock(&fills->lock);
    if (!fill->listed)
        list(fills, fill);
    pthread_mutex_unlock(&fills->lock);
}

void stet__fill_leave(struct stet__fills *fills, struct stet__visit *visit)
{
    pthread_mutex_lock(&fills->lock);
    stet__list_remove(&visit->node);
    visit->fill = NULL;
    pthread_mutex_unlock(&fills->lock);
    stet__wake_cancel(&visit->wake);
}

/* Under the lock. */
static void wake_waiters(struct stet__fill *fill, enum stet_reason failure)
{
    while (!stet__list_empty(&fill->waiters)) {
        struct stet__visit *visit = stet__list_entry(fill->waiters.next, struct stet__visit, node);
        stet__list_remove(&visit->node);
        visit->fill = NULL;
        visit->failure = failure;
        stet__wake_send(&visit->wake);
    }
}

void stet__fill_headed(struct stet__fills *fills, struct stet__fill *fill, struct stet__body *body)
{
    pthread_mutex_lock(&fills->lock);
    fill->headed = true;
    fill->body = body;
    wake_waiters(fill, STET_REASON_OK);
    pthread_mutex_unlock(&fills->lock);
}

void stet__fill_over(struct stet__fills *fills, struct stet__fill *fill, enum stet_reason failure)
{
    pthread_mutex_lock(&fills->lock);
    stet__list_remove(&fill->node);
    fill->listed = false;
    wake_waiters(fill, failure);
    while (!stet__list_empty(&fill->readers)) {
        struct stet__reader *reader = stet__list_entry(fill->readers.next, struct stet__reader, node);
        stet__list_remove(&reader->node);
        reader->fill = NULL;
        if (reader->waiting) {
            reader->waiting = false;
            stet__wake_send(&reader->wake);
        }
    }
    pthread_mutex_unlock(&fills->lock);
    stet__wake_cancel(&fill->writer);
}

/* Readers of the writer's own worker go to `own`. */
static void wake_readers(struct stet__fill *fill, const struct stet__proxy_worker *worker,
                         struct stet__list *own)
{
    for (struct stet__list *node = fill->readers.next, *next; node != &fill->readers; node = next) {
        next = node->next;
        struct stet__reader *reader = stet__list_entry(node, struct stet__reader, node);
        if (!reader->waiting)
            continue;
        if (reader->worker != worker) {
            reader->waiting = false;
            stet__wake_send(&reader->wake);
        } else {
            stet__list_remove(&reader->node);
            stet__list_append(own, &reader->node);
        }
    }
}

void stet__fill_grown(struct stet__fills *fills, struct stet__fill *fill, struct stet__proxy_worker *worker)
{
    struct stet__list own;
    stet__list_init(&own);
    pthread_mutex_lock(&fills->lock);
    wake_readers(fill, worker, &own);
    while (!stet__list_empty(&own)) {
        struct stet__reader *reader = stet__list_entry(own.next, struct stet__reader, node);
        stet__list_remove(&reader->node);
        stet__list_append(&fill->readers, &reader->node);
        reader->waiting = false;
        /* What runs may take this reader or others of `own` out, and needs the lock for that. */
        pthread_mutex_unlock(&fills->lock);
        reader->wake.run(&reader->wake);
        pthread_mutex_lock(&fills->lock);
    }
    pthread_mutex_unlock(&fills->lock);
}

void stet__fill_unkept(struct stet__fills *fills, struct stet__fill *fill)
{
    pthread_mutex_lock(&fills->lock);
    fill->unkept = true;
    pthread_mutex_unlock(&fills->lock);
}

uint64_t stet__fill_trim(struct stet__fills *fills, struct stet__fill *fill)
{
    uint64_t least = UINT64_MAX;
    pthread_mutex_lock(&fills->lock);
    for (struct stet__list *node = fill->readers.next; node != &fill->readers; node = node->next) {
        struct stet__reader *reader = stet__list_entry(node, struct stet__reader, node);
        if (reader->passed < least)
            least = reader->passed;
    }
    if (least != UINT64_MAX)
        stet__body_trim(fill->body, least);
    pthread_mutex_unlock(&fills->lock);
    return least;
}

/* Whether others wait for a reader since longer than the limit, in which it has taken next to nothing. */
static bool is_too_slow(struct stet__reader *reader, bool holds_up, int64_t now_ms, int64_t limit_ms)
{
    if (!holds_up)
        reader->lag_since_ms = 0;
    else if (reader->lag_since_ms == 0 || reader->passed - reader->lag_passed >= STET__FILL_AHEAD)
        reader->lag_since_ms = now_ms, reader->lag_passed = reader->passed;
    return holds_up && now_ms - reader->lag_since_ms > limit_ms;
}

void stet__fill_cut_slow(struct stet__fills *fills, struct stet__fill *fill, int64_t now_ms, int64_t limit_ms)
{
    uint64_t first = 0;
    pthread_mutex_lock(&fills->lock);
    for (struct stet__list *node = fill->readers.next; node != &fill->readers; node = node->next) {
        struct stet__reader *reader = stet__list_entry(node, struct stet__reader, node);
        if (reader->passed > first)
            first = reader->passed;
    }
    for (struct stet__list *node = fill->readers.next; node != &fill->readers; node = node->next) {
        struct stet__reader *reader = stet__list_entry(node, struct stet__reader, node);
        /* In step with the first one, give or take half of what is buffered, it holds nobody up. */
        bool holds_up = first - reader->passed > STET__FILL_AHEAD / 2;
        if (!is_too_slow(reader, holds_up, now_ms, limit_ms))
            continue;
        atomic_store_explicit(&reader->cut, true, memory_order_relaxed);
        stet__wake_send(&reader->wake);
    }
    pthread_mutex_unlock(&fills->lock);
}

bool stet__fill_attach(struct stet__fills *fills, struct stet__reader *reader, uint64_t hash)
{
    pthread_mutex_lock(&fills->lock);
    struct stet__list *list = bucket(fills, hash);
    for (struct stet__list *node = list->next; node != list; node = node->next) {
        struct stet__fill *fill = stet__list_entry(node, struct stet__fill, node);
        if (fill->body == reader->body) {
            reader->fill = fill;
            stet__list_append(&fill->readers, &reader->node);
            break;
        }
    }
    bool there = stet__body_trimmed(reader->body) <= reader->offset;
    pthread_mutex_unlock(&fills->lock);
    return there;
}

void stet__fill_detach(struct stet__fills *fills, struct stet__reader *reader)
{
    pthread_mutex_lock(&fills->lock);
    stet__list_remove(&reader->node);
    if (reader->fill && reader->fill->unkept)
        stet__wake_send(&reader->fill->writer);
    reader->fill = NULL;
    reader->waiting = false;
    pthread_mutex_unlock(&fills->lock);
    stet__wake_cancel(&reader->wake);
}

void stet__fill_pass(struct stet__fills *fills, struct stet__reader *reader)
{
    pthread_mutex_lock(&fills->lock);
    if (reader->passed != reader->offset) {
        reader->passed = reader->offset;
        if (reader->fill && reader->fill->unkept)
            stet__wake_send(&reader->fill->writer);
    }
    pthread_mutex_unlock(&fills->lock);
}

bool stet__fill_await(struct stet__fills *fills, struct stet__reader *reader)
{
    pthread_mutex_lock(&fills->lock);
    reader->waiting = reader->fill && stet__body_state(reader->body) == STET__BODY_GROWING &&
                      stet__body_length(reader->body) <= reader->offset;
    bool waiting = reader->waiting;
    pthread_mutex_unlock(&fills->lock);
    return waiting;
}
