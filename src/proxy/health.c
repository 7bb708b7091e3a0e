/* SPDX-License-Identifier: MIT */
/*
 * health: active checks. Every interval each origin is asked for a path; 2xx and 3xx are good.
 */
#include "proxy/origins.h"

struct check {
    struct stet__health *health;
    size_t index;
    struct stet__upstream *upstream;
    struct stet__resolve resolve;
    bool resolving;
    unsigned status;
};

struct stet__health {
    struct stet__proxy_worker *worker;
    int64_t next_s;
    struct check checks[STET__ORIGINS_MAX];
};

static void on_head(void *owner, const struct stet_http1_response *response)
{
    struct check *check = owner;
    check->status = response->head.status;
}

static size_t on_data(void *owner, struct stet_span octets)
{
    return octets.len;
}

static void on_end(void *owner, enum stet_reason reason, const struct stet_fields *trailers)
{
    struct check *check = owner;
    check->upstream = NULL;
    bool good = reason == STET_REASON_OK && check->status >= 200 && check->status < 400;
    stet__origin_checked(check->health->worker, check->index, good);
}

static const struct stet__upstream_events events = {.head = on_head, .data = on_data, .end = on_end};

static void ask(struct check *check, const struct stet__listen_address *address)
{
    struct stet__proxy_worker *worker = check->health->worker;
    const struct stet__proxy_origin *origin = &worker->configuration->origins[check->index];
    struct stet__buffer head;
    stet__buffer_init(&head, 16384);
    stet__buffer_append_text(&head, "GET ");
    stet__buffer_append(&head, worker->configuration->health.path);
    stet__buffer_append_text(&head, " HTTP/1.1\r\nHost: ");
    stet__buffer_append(&head, origin->authority.len > 0 ? origin->authority : STET_SPAN("localhost"));
    stet__buffer_append_text(&head, "\r\nUser-Agent: stet\r\nVia: ");
    stet__buffer_append(&head, worker->proxy->via);
    stet__buffer_append_text(&head, "\r\n\r\n");
    struct stet__upstream_request request = {.address = address,
                                             .tls = origin->tls,
                                             .head = stet__buffer_span(&head),
                                             .method = STET_METHOD_GET,
                                             .idempotent = true,
                                             .events = &events,
                                             .owner = check};
    check->status = 0;
    if (!head.failed)
        check->upstream = stet__upstream_ask(worker->upstreams, &request);
    stet__buffer_release(&head);
}

static void use(struct check *check, const struct stet__resolved *resolved)
{
    if (resolved->count > 0)
        ask(check, &resolved->at[0]);
    else
        stet__origin_checked(check->health->worker, check->index, false);
}

static void resolved(struct stet__resolve *resolve, const struct stet__resolved *answer)
{
    struct check *check = stet__list_entry(resolve, struct check, resolve);
    check->resolving = false;
    use(check, answer);
}

static void begin(struct check *check)
{
    struct stet__proxy_worker *worker = check->health->worker;
    const struct stet__proxy_origin *origin = &worker->configuration->origins[check->index];
    struct stet__resolved answer;
    if (check->upstream || check->resolving)
        return;
    if (!origin->host.ptr) {
        ask(check, &origin->local);
        return;
    }
    check->resolve = (struct stet__resolve){.done = resolved, .loop = worker->loop};
    check->resolving = true;
    if (stet__resolve_ask(worker->proxy->resolver, &check->resolve, origin->host, origin->port, &answer)) {
        check->resolving = false;
        use(check, &answer);
    }
}

struct stet__health *stet__health_new(struct stet__proxy_worker *worker)
{
    struct stet__health *health = calloc(1, sizeof *health);
    if (!health)
        return NULL;
    health->worker = worker;
    for (size_t i = 0; i < STET__ORIGINS_MAX; i++) {
        health->checks[i].health = health;
        health->checks[i].index = i;
    }
    return health;
}

void stet__health_free(struct stet__health *health)
{
    if (!health)
        return;
    for (size_t i = 0; i < STET__ORIGINS_MAX; i++) {
        if (health->checks[i].resolving)
            stet__resolve_cancel(health->worker->proxy->resolver, &health->checks[i].resolve);
        if (health->checks[i].upstream)
            stet__upstream_cancel(health->checks[i].upstream);
    }
    free(health);
}

void stet__health_second(struct stet__health *health)
{
    int64_t now_s = stet__loop_monotonic_ms(health->worker->loop) / 1000;
    if (now_s < health->next_s)
        return;
    unsigned interval = health->worker->configuration->health.interval_s;
    health->next_s = now_s + (interval ? interval : 1);
    for (size_t i = 0; i < health->worker->configuration->origin_count; i++)
        begin(&health->checks[i]);
}
