/* SPDX-License-Identifier: MIT */
#include "proxy/origins.h"

#include <stdatomic.h>

struct origin {
    atomic_uint failures, successes; /* in a row */
    atomic_bool down;
    atomic_llong retry_at_s;
    atomic_uint preferred; /* of its addresses, the one that answered last */
    atomic_bool http10;    /* it answered last in HTTP/1.0 */
};

struct stet__origins {
    const struct stet__proxy_configuration *configuration;
    atomic_uint turn;
    struct origin at[STET__ORIGINS_MAX];
};

struct stet__origins *stet__origins_new(const struct stet__proxy_configuration *configuration)
{
    struct stet__origins *origins = calloc(1, sizeof *origins);
    if (origins)
        origins->configuration = configuration;
    return origins;
}

void stet__origins_free(struct stet__origins *origins)
{
    free(origins);
}

bool stet__origin_healthy(const struct stet__origins *origins, size_t index)
{
    return !atomic_load_explicit(&origins->at[index].down, memory_order_relaxed);
}

static int64_t now_s(const struct stet__proxy_worker *worker)
{
    return stet__loop_monotonic_ms(worker->loop) / 1000;
}

void stet__origin_failed(struct stet__proxy_worker *worker, size_t index)
{
    const struct stet__proxy_health *health = &worker->configuration->health;
    struct origin *origin = &worker->proxy->origins->at[index];
    unsigned fall = health->fall ? health->fall : 1;
    atomic_store(&origin->successes, 0);
    if (atomic_fetch_add(&origin->failures, 1) + 1 < fall)
        return;
    atomic_store(&origin->retry_at_s, now_s(worker) + health->retry_s);
    atomic_store(&origin->down, true);
}

void stet__origin_checked(struct stet__proxy_worker *worker, size_t index, bool good)
{
    struct origin *origin = &worker->proxy->origins->at[index];
    if (!good) {
        stet__origin_failed(worker, index);
        return;
    }
    atomic_store(&origin->failures, 0);
    if (atomic_fetch_add(&origin->successes, 1) + 1 >= worker->configuration->health.rise)
        atomic_store(&origin->down, false);
}

void stet__attempt_worked(struct stet__attempt *attempt, unsigned minor)
{
    if (attempt->authority.ptr)
        return;
    struct origin *origin = &attempt->worker->proxy->origins->at[attempt->origin];
    if (atomic_load_explicit(&origin->failures, memory_order_relaxed) > 0)
        atomic_store(&origin->failures, 0);
    atomic_store_explicit(&origin->preferred, (unsigned)attempt->at, memory_order_relaxed);
    if (atomic_load_explicit(&origin->http10, memory_order_relaxed) != (minor == 0))
        atomic_store_explicit(&origin->http10, minor == 0, memory_order_relaxed);
    /* With active checks only they revive an origin. */
    if (!attempt->worker->configuration->health.path.ptr &&
        atomic_load_explicit(&origin->down, memory_order_relaxed))
        atomic_store(&origin->down, false);
}

bool stet__attempt_is_http10(const struct stet__attempt *attempt)
{
    return !attempt->authority.ptr &&
           atomic_load_explicit(&attempt->worker->proxy->origins->at[attempt->origin].http10,
                                memory_order_relaxed);
}

/* Healthy, or the only one, or its turn to be tried again has come: for one request. */
static bool is_usable(struct stet__proxy_worker *worker, size_t index)
{
    struct origin *origin = &worker->proxy->origins->at[index];
    bool checked = worker->configuration->health.path.ptr != NULL;
    if (!atomic_load_explicit(&origin->down, memory_order_relaxed))
        return true;
    if (checked)
        return false;
    if (worker->configuration->origin_count == 1)
        return true;
    long long at = atomic_load(&origin->retry_at_s), now = now_s(worker);
    return now >= at && atomic_compare_exchange_strong(&origin->retry_at_s, &at,
                                                       now + worker->configuration->health.retry_s);
}

/* Requests under way to an origin, by this worker: of the addresses that are known without asking. */
static unsigned load_of(struct stet__proxy_worker *worker, size_t index)
{
    const struct stet__proxy_origin *origin = &worker->configuration->origins[index];
    struct stet__resolved resolved;
    struct stet__resolve none = {.done = NULL, .loop = worker->loop};
    if (!origin->host.ptr)
        return stet__upstreams_load(worker->upstreams, &origin->local);
    if (!stet__resolve_ask(worker->proxy->resolver, &none, origin->host, origin->port, &resolved)) {
        stet__resolve_cancel(worker->proxy->resolver, &none);
        return 0;
    }
    unsigned load = 0;
    for (size_t i = 0; i < resolved.count; i++)
        load += stet__upstreams_load(worker->upstreams, &resolved.at[i]);
    return load;
}

/* False: there is none. */
static bool choose(struct stet__attempt *attempt)
{
    struct stet__proxy_worker *worker = attempt->worker;
    const struct stet__proxy_configuration *configuration = worker->configuration;
    size_t count = configuration->origin_count, best = count;
    unsigned least = UINT32_MAX;
    unsigned first = atomic_fetch_add_explicit(&worker->proxy->origins->turn, 1, memory_order_relaxed);
    for (size_t i = 0; i < count; i++) {
        size_t index = (first + i) % count;
        if ((attempt->tried >> index & 1) != 0 || !is_usable(worker, index))
            continue;
        if (configuration->balance == STET__BALANCE_ROUND_ROBIN || count == 1) {
            best = index;
            break;
        }
        unsigned load = load_of(worker, index);
        if (load < least) {
            least = load;
            best = index;
        }
    }
    if (best == count)
        return false;
    attempt->origin = best;
    attempt->tried |= UINT64_C(1) << best;
    return true;
}

static void found(struct stet__attempt *attempt, enum stet_reason failure)
{
    attempt->failure = failure;
    attempt->found(attempt);
}

static void use_resolved(struct stet__attempt *attempt)
{
    if (attempt->resolved.count == 0) {
        found(attempt, STET_REASON_UPSTREAM_DNS);
        return;
    }
    unsigned preferred = 0;
    if (!attempt->authority.ptr)
        preferred = atomic_load_explicit(&attempt->worker->proxy->origins->at[attempt->origin].preferred,
                                         memory_order_relaxed);
    attempt->at = preferred % attempt->resolved.count;
    attempt->addresses_tried = 1;
    attempt->address = attempt->resolved.at[attempt->at];
    found(attempt, STET_REASON_OK);
}

static void resolved(struct stet__resolve *resolve, const struct stet__resolved *answer)
{
    struct stet__attempt *attempt = stet__list_entry(resolve, struct stet__attempt, resolve);
    attempt->resolving = false;
    attempt->resolved = *answer;
    use_resolved(attempt);
}

static void resolve_name(struct stet__attempt *attempt, struct stet_span host, unsigned port)
{
    attempt->resolve = (struct stet__resolve){.done = resolved, .loop = attempt->worker->loop};
    attempt->resolving = true;
    if (stet__resolve_ask(attempt->worker->proxy->resolver, &attempt->resolve, host, port,
                          &attempt->resolved)) {
        attempt->resolving = false;
        use_resolved(attempt);
    }
}

/* host[:port] */
static void resolve_authority(struct stet__attempt *attempt)
{
    struct stet_span text = attempt->authority, host = text;
    uint64_t port = 80;
    for (size_t i = text.len; i > 0 && text.ptr[i - 1] != ']'; i--) {
        if (text.ptr[i - 1] != ':')
            continue;
        host.len = i - 1;
        if (i < text.len && (stet_span_to_u64(stet_span_skip(text, i), &port) != STET_OK || port > 65535))
            port = 0;
        break;
    }
    if (host.len == 0 || port == 0)
        found(attempt, STET_REASON_UPSTREAM_DNS);
    else
        resolve_name(attempt, host, (unsigned)port);
}

void stet__attempt_begin(struct stet__attempt *attempt)
{
    attempt->tries++;
    if (attempt->authority.ptr) {
        resolve_authority(attempt);
        return;
    }
    if (!choose(attempt)) {
        found(attempt, STET_REASON_UPSTREAM_UNAVAILABLE);
        return;
    }
    const struct stet__proxy_origin *origin = &attempt->worker->configuration->origins[attempt->origin];
    if (origin->host.ptr) {
        resolve_name(attempt, origin->host, origin->port);
        return;
    }
    attempt->resolved.count = 0;
    attempt->at = 0;
    attempt->address = origin->local;
    found(attempt, STET_REASON_OK);
}

static bool is_connect_failure(enum stet_reason reason)
{
    return reason == STET_REASON_UPSTREAM_REFUSED || reason == STET_REASON_UPSTREAM_UNREACHABLE ||
           reason == STET_REASON_UPSTREAM_CONNECT_TIMEOUT || reason == STET_REASON_UPSTREAM_TLS ||
           reason == STET_REASON_UPSTREAM_CERTIFICATE || reason == STET_REASON_UPSTREAM_NAME;
}

bool stet__attempt_next(struct stet__attempt *attempt, enum stet_reason reason, bool safe)
{
    if (is_connect_failure(reason) && attempt->addresses_tried < attempt->resolved.count) {
        attempt->addresses_tried++;
        attempt->at = (attempt->at + 1) % attempt->resolved.count;
        attempt->address = attempt->resolved.at[attempt->at];
        found(attempt, STET_REASON_OK);
        return true;
    }
    if (attempt->authority.ptr)
        return false;
    if (reason != STET_REASON_UPSTREAM_UNAVAILABLE && reason != STET_REASON_UPSTREAM_INTERNAL)
        stet__origin_failed(attempt->worker, attempt->origin);
    size_t count = attempt->worker->configuration->origin_count;
    bool others = false;
    for (size_t i = 0; i < count; i++)
        others |= (attempt->tried >> i & 1) == 0;
    if (!safe || !others || attempt->tries >= attempt->worker->configuration->tries)
        return false;
    stet__attempt_begin(attempt);
    return true;
}

void stet__attempt_cancel(struct stet__attempt *attempt)
{
    if (attempt->resolving)
        stet__resolve_cancel(attempt->worker->proxy->resolver, &attempt->resolve);
    attempt->resolving = false;
}
