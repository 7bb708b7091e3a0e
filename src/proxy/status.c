/* SPDX-License-Identifier: MIT */
/*
 * status: what a reply says about how it came to be: Age (RFC 9111 section 5.1), Cache-Status (RFC 9211),
 * and for whoever holds the token the whole decision (trace.c).
 */
#include "proxy/worker.h"

void stet__extra_begin(struct stet__extra *extra)
{
    extra->count = 0;
    extra->cache = STET_SPAN_NONE;
}

void stet__extra_age(struct stet__extra *extra, int64_t age_s)
{
    struct stet_span text = stet_span_of(extra->age, stet_format_u64((uint64_t)age_s, extra->age));
    extra->at[extra->count++] = (struct stet_field){stet_field_name(STET_FIELD_AGE), text, STET_FIELD_AGE};
}

void stet__extra_log(struct stet__extra *extra, struct stet__proxy_worker *worker,
                     const struct stet_cache_status *status)
{
    if (worker->configuration->quiet)
        return;
    struct stet_cache_status full = *status;
    full.cache = worker->configuration->name;
    if (!worker->configuration->tell_key)
        full.key = STET_SPAN_NONE;
    size_t len = stet_cache_status_write(&full, extra->status, sizeof extra->status);
    if (len == 0 && full.key.ptr) {
        full.key = STET_SPAN_NONE;
        len = stet_cache_status_write(&full, extra->status, sizeof extra->status);
    }
    if (len > 0)
        extra->cache = stet_span_of(extra->status, len);
}

void stet__extra_status(struct stet__extra *extra, struct stet__proxy_worker *worker,
                        const struct stet_cache_status *status)
{
    stet__extra_log(extra, worker, status);
    if (!extra->cache.ptr)
        return;
    extra->at[extra->count++] =
        (struct stet_field){stet_field_name(STET_FIELD_CACHE_STATUS), extra->cache, STET_FIELD_CACHE_STATUS};
}

struct stet_cache_status stet__status_of(const struct stet__visit *visit)
{
    const struct stet_cache_decision *decision = &visit->decision;
    bool serve = decision->action == STET_CACHE_SERVE || decision->action == STET_CACHE_SERVE_AND_REVALIDATE;
    return (struct stet_cache_status){
        .hit = serve,
        .forward = serve ? STET_FWD_NONE : decision->forward,
        .has_ttl = serve && decision->chosen < visit->count,
        .ttl_s = decision->ttl_s,
        .has_collapsed = visit->collapsed || visit->alone,
        .collapsed = visit->collapsed && !visit->alone,
        .key = visit->target.key,
        .detail = decision->reason,
    };
}

void stet__extra_trace(struct stet__extra *extra, const struct stet__trace *trace)
{
    if (!trace)
        return;
    struct stet_span text = stet_span_of(trace->text, trace->len);
    extra->at[extra->count++] = (struct stet_field){STET_SPAN(STET__TRACE_FIELD), text, STET_FIELD_OTHER};
}
