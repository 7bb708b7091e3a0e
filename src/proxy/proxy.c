/* SPDX-License-Identifier: MIT */
/*
 * proxy: the life of a request, from top to bottom: what it is for, what is stored for that, core's decision,
 * and then serve, wait, forward or fail. What an answer does is in receive.c.
 */
#include <sys/random.h>

#include "proxy/coded.h"
#include "proxy/fetch.h"
#include "proxy/lately.h"

#define SCRATCH_MAX (1024 * 1024)

/* Room for a visit is in the exchange's arena; a hit needs no more than that. */
static void request(void *state, struct stet__exchange *exchange)
{
    struct stet__proxy_worker *worker = state;
    struct stet__refused refused = {503, STET_REASON_OVERLOADED};
    struct stet__visit *visit;
    if (exchange->request->head.method == STET_METHOD_CONNECT) {
        if (worker->configuration->forward)
            stet__tunnel_begin(worker, exchange);
        else
            stet__proxy_error(worker, exchange, (struct stet__refused){421, STET_REASON_NOT_A_PROXY}, NULL,
                              NULL);
        return;
    }
    visit = stet__arena_alloc(exchange->arena, sizeof *visit);
    if (!visit || !stet__target_read(worker, exchange, &visit->target, &refused)) {
        if (refused.status == 200)
            stet__proxy_answer_itself(worker, exchange, refused);
        else
            stet__proxy_error(worker, exchange, refused, NULL, NULL);
        return;
    }
    visit->trace = stet__trace_begin(exchange, worker->configuration->debug_token);
    visit->worker = worker;
    visit->exchange = exchange;
    visit->count = 0;
    visit->fill = NULL;
    visit->fetch = NULL;
    visit->waits = 0;
    visit->collapsed = visit->alone = false;
    visit->failure = STET_REASON_OK;
    stet__visit_consider(visit);
}

/* An answer that was cut off is not one, whichever version of its head still stands in the store; nor is one
 * that turned out too large to be kept. */
static void drop_lost(struct stet__visit *visit)
{
    for (size_t i = 0; i < visit->count;) {
        struct stet__object *object = visit->candidates[i].object;
        if (!object->body || !stet__body_lost(object->body)) {
            i++;
            continue;
        }
        stet__store_remove(visit->worker->proxy->store, object);
        stet__object_release(object);
        visit->count--;
        for (size_t k = i; k < visit->count; k++)
            visit->candidates[k] = visit->candidates[k + 1];
    }
}

/* What is stored for it. */
static void find(struct stet__visit *visit)
{
    struct stet__proxy_worker *worker = visit->worker;
    visit->count = 0;
    if (visit->target.cacheable)
        visit->count = stet__store_find(worker->proxy->store, visit->target.key, visit->target.hash,
                                        visit->candidates, STET_CANDIDATES_MAX);
    drop_lost(visit);
    visit->question = (struct stet_cache_question){.request = &visit->exchange->request->head,
                                                   .target = visit->target.path_query,
                                                   .stored = visit->stored,
                                                   .count = visit->count,
                                                   .policy = &worker->configuration->policy,
                                                   .now = stet__loop_now_s(worker->loop)};
    for (size_t i = 0; i < visit->count; i++) {
        visit->stored[i] = &visit->candidates[i].object->stored;
        if (visit->candidates[i].invalidated)
            visit->question.invalidated |= UINT64_C(1) << i;
    }
}

bool stet__fetch_overtaken(const struct stet__fetch *fetch)
{
    struct stet__candidate latest;
    if (stet__store_find(fetch->worker->proxy->store, fetch->target.key, fetch->target.hash, &latest, 1) == 0)
        return false;
    bool newer = fetch->count == 0 || latest.object != fetch->candidates[0].object;
    stet__object_release(latest.object);
    return newer;
}

static void decide(struct stet__visit *visit)
{
    if (!visit->target.bypassed && !visit->target.upgrade) {
        stet_cache_decide(&visit->question, &visit->decision);
        return;
    }
    visit->target.bypassed = true;
    visit->decision = (struct stet_cache_decision){
        .action = STET_CACHE_FORWARD, .reason = STET_REASON_BYPASS, .forward = STET_FWD_BYPASS};
}

void stet__visit_release(struct stet__visit *visit)
{
    for (size_t i = 0; i < visit->count; i++)
        stet__object_release(visit->candidates[i].object);
    visit->count = 0;
}

/* Serves a candidate. The visit is gone with its answer: what is not needed for that goes before. */
static void serve(struct stet__visit *visit, size_t chosen, const struct stet_cache_status *status)
{
    struct stet__object *object = visit->candidates[chosen].object;
    visit->candidates[chosen] = visit->candidates[--visit->count];
    stet__visit_release(visit);
    stet__serve_object(visit, object, status);
    stet__object_release(object);
}

static void serve_and_revalidate(struct stet__visit *visit)
{
    struct stet_cache_status status = stet__status_of(visit);
    struct stet__object *object = stet__object_acquire(visit->candidates[visit->decision.chosen].object);
    /* Without memory for it the next request tries again. */
    stet__fetch_begin(visit, false);
    stet__visit_release(visit);
    stet__serve_object(visit, object, &status);
    stet__object_release(object);
}

static void fail(struct stet__visit *visit, enum stet_reason reason)
{
    struct stet_cache_status status = stet__status_of(visit);
    struct stet__refused why = {stet__status_of_failure(reason), reason};
    status.detail = reason;
    stet__visit_release(visit);
    stet__proxy_error(visit->worker, visit->exchange, why, &status, visit->trace);
}

/* The client is gone: nobody needs the visit, but what it began may go on for others. */
static void gone(struct stet__exchange *exchange)
{
    static const struct stet__head nothing = {
        .status = 499, .h1 = {"HTTP/1.1 499 \r\n", 15}, .expires_after_s = -1};
    struct stet__visit *visit = exchange->owner;
    if (visit->fetch)
        stet__fetch_desert(visit->fetch);
    else
        stet__fill_leave(visit->worker->proxy->fills, visit);
    struct stet__reply reply = {.head = &nothing, .reason = STET_REASON_FORWARDED, .close = true};
    stet__exchange_answer(exchange, &reply);
}

/* The fill that it waited for has a head, or is over. */
static void woken(struct stet__wake *wake)
{
    struct stet__visit *visit = stet__list_entry(wake, struct stet__visit, wake);
    visit->exchange->owner = NULL;
    visit->exchange->gone = NULL;
    visit->collapsed = true;
    stet__trace_waited(visit);
    stet__visit_consider(visit);
}

static void forward(struct stet__visit *visit)
{
    visit->exchange->owner = visit;
    visit->exchange->gone = gone;
    visit->waits++;
    visit->fill = NULL;
    stet__list_init(&visit->node);
    stet__wake_init(&visit->wake, &visit->worker->mailbox, woken);
    if (!stet__fetch_begin(visit, true)) {
        visit->exchange->gone = NULL;
        fail(visit, STET_REASON_OVERLOADED);
    }
}

/* What others were told a moment ago is not asked again: the origin cannot be reached. */
static void share_failure(struct stet__visit *visit)
{
    struct stet_receipt receipt;
    stet_cache_unanswered(&visit->question, &visit->decision, visit->failure, &receipt);
    if (receipt.action != STET_RECEIVE_STALE) {
        fail(visit, receipt.reason);
        return;
    }
    struct stet_cache_status status = stet__status_of(visit);
    status.detail = receipt.reason;
    serve(visit, receipt.chosen, &status);
}

void stet__visit_consider(struct stet__visit *visit)
{
    struct stet_cache_status status;
    find(visit);
    decide(visit);
    stet__trace_decided(visit);
    switch (visit->decision.action) {
    case STET_CACHE_SERVE:
        status = stet__status_of(visit);
        serve(visit, visit->decision.chosen, &status);
        return;
    case STET_CACHE_SERVE_AND_REVALIDATE:
        serve_and_revalidate(visit);
        return;
    case STET_CACHE_REVALIDATE:
    case STET_CACHE_FORWARD:
        if (visit->failure == STET_REASON_OK)
            forward(visit);
        else
            share_failure(visit);
        return;
    case STET_CACHE_FAIL:
        fail(visit, visit->decision.reason);
        return;
    }
}

/* ---- the role ---- */

static void second(struct stet__tick *tick)
{
    struct stet__proxy_worker *worker = stet__list_entry(tick, struct stet__proxy_worker, tick);
    stet__mailbox_run(&worker->mailbox);
    for (struct stet__list *node = worker->fetches.next, *next; node != &worker->fetches; node = next) {
        next = node->next;
        stet__fetch_second(stet__list_entry(node, struct stet__fetch, node));
    }
    if (worker->health)
        stet__health_second(worker->health);
}

static void *start(const void *configuration, struct stet__loop *loop, const char **error)
{
    struct stet__proxy *proxy = (struct stet__proxy *)(uintptr_t)configuration;
    struct stet__proxy_worker *worker = calloc(1, sizeof *worker);
    *error = "out of memory";
    if (!worker)
        return NULL;
    worker->proxy = proxy;
    worker->configuration = proxy->configuration;
    worker->loop = loop;
    worker->upstreams = stet__upstreams_new(loop, &proxy->configuration->upstream);
    if (!worker->upstreams) {
        free(worker);
        return NULL;
    }
    stet__mailbox_init(&worker->mailbox, loop);
    stet__list_init(&worker->fetches);
    stet__list_init(&worker->spares);
    stet__arena_init(&worker->scratch, SCRATCH_MAX);
    /* The first worker that starts looks after the origins. */
    if (proxy->configuration->health.path.ptr && !atomic_exchange(&proxy->checked, true))
        worker->health = stet__health_new(worker);
    worker->tick.run = second;
    stet__loop_add_tick(loop, &worker->tick);
    *error = NULL;
    return worker;
}

static void stop(void *state)
{
    struct stet__proxy_worker *worker = state;
    stet__loop_remove_tick(worker->loop, &worker->tick);
    while (!stet__list_empty(&worker->fetches)) {
        struct stet__fetch *fetch = stet__list_entry(worker->fetches.next, struct stet__fetch, node);
        fetch->visit = NULL;
        stet__fetch_free(fetch);
    }
    stet__fetch_free_spares(worker);
    stet__health_free(worker->health);
    stet__mailbox_close(&worker->mailbox);
    stet__upstreams_free(worker->upstreams);
    stet__arena_release(&worker->scratch);
    free(worker);
}

const struct stet__role stet__proxy_role = {
    .start = start, .request = request, .stop = stop, .reads_bodies = true, .intermediary = true};

/* ---- what workers share ---- */

static bool name_it(struct stet__proxy *proxy)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char suffix[4];
    struct stet_span name = proxy->configuration->name;
    if (getrandom(proxy->secret, sizeof proxy->secret, 0) != (ssize_t)sizeof proxy->secret ||
        getrandom(suffix, sizeof suffix, 0) != (ssize_t)sizeof suffix)
        return false;
    if (name.len > STET__PSEUDONYM_MAX - 16)
        name.len = STET__PSEUDONYM_MAX - 16;
    char *to = proxy->text;
    memcpy(to, "1.1 ", 4);
    memcpy(to + 4, name.ptr, name.len);
    to += 4 + name.len;
    *to++ = '-';
    for (size_t i = 0; i < sizeof suffix; i++) {
        *to++ = digits[suffix[i] >> 4];
        *to++ = digits[suffix[i] & 15];
    }
    proxy->via = stet_span_of(proxy->text, (size_t)(to - proxy->text));
    proxy->pseudonym = stet_span_skip(proxy->via, 4);
    memcpy(proxy->text_http10, proxy->text, proxy->via.len);
    memcpy(proxy->text_http10, "1.0", 3);
    proxy->via_http10 = stet_span_of(proxy->text_http10, proxy->via.len);
    return true;
}

struct stet__proxy *stet__proxy_new(const struct stet__proxy_configuration *configuration, const char **error)
{
    struct stet__proxy *proxy = calloc(1, sizeof *proxy);
    *error = "out of memory";
    if (!proxy)
        return NULL;
    if (configuration->origin_count > STET__ORIGINS_MAX) {
        *error = "there are more than 64 origins";
        free(proxy);
        return NULL;
    }
    proxy->configuration = configuration;
    stet_no_vary_search_read_value(configuration->ignore_query, &proxy->ignore_query);
    proxy->ignore_query.prefixes = true;
    proxy->store = stet__store_new(&configuration->store);
    proxy->resolver = stet__resolver_new();
    proxy->fills = stet__fills_new();
    proxy->lately = stet__lately_new();
    proxy->origins = stet__origins_new(configuration);
    bool copies = configuration->coding.made != 0;
    proxy->copying = copies ? stet__copying_new(proxy) : NULL;
    if ((proxy->copying || !copies) && proxy->store && proxy->resolver && proxy->fills && proxy->lately &&
        proxy->origins && name_it(proxy)) {
        *error = NULL;
        return proxy;
    }
    stet__proxy_free(proxy);
    return NULL;
}

void stet__proxy_free(struct stet__proxy *proxy)
{
    if (!proxy)
        return;
    stet__copying_free(proxy->copying);
    stet__origins_free(proxy->origins);
    stet__lately_free(proxy->lately);
    stet__fills_free(proxy->fills);
    if (proxy->resolver)
        stet__resolver_free(proxy->resolver);
    if (proxy->store)
        stet__store_free(proxy->store);
    free(proxy);
}
