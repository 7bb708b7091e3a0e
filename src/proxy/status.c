/* SPDX-License-Identifier: MIT */
/*
 * status: what a reply says about how it came to be: Age (RFC 9111 section 5.1), Cache-Status (RFC 9211),
 * and for whoever holds the token the whole decision.
 */
#include <stdarg.h>

#include "proxy/worker.h"

#define DEBUG_FIELD "Stet-Debug"

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

void stet__extra_status(struct stet__extra *extra, struct stet__proxy_worker *worker,
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
    if (len == 0)
        return;
    extra->cache = stet_span_of(extra->status, len);
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

/* ---- the trace ---- */

static bool has_token(const struct stet__proxy_worker *worker, const struct stet_request *request)
{
    struct stet_span token = worker->configuration->debug_token;
    if (!token.ptr)
        return false;
    for (size_t i = 0; i < request->fields.count; i++) {
        const struct stet_field *field = &request->fields.at[i];
        if (!stet_span_equal_nocase(field->name, STET_SPAN(DEBUG_FIELD)) || field->value.len != token.len)
            continue;
        /* Every octet is looked at, so that time tells nothing about the token. */
        unsigned char differ = 0;
        for (size_t k = 0; k < token.len; k++)
            differ |= (unsigned char)(field->value.ptr[k] ^ token.ptr[k]);
        return differ == 0;
    }
    return false;
}

__attribute__((format(printf, 4, 5))) static void put(char *out, size_t room, size_t *len, const char *format,
                                                      ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(out + *len, room - *len, format, arguments);
    va_end(arguments);
    if (n > 0 && (size_t)n < room - *len)
        *len += (size_t)n;
}

/* hit; reason="..."; clause="..."; ttl=...: one field that a person reads. */
void stet__extra_trace(struct stet__extra *extra, struct stet__proxy_worker *worker,
                       const struct stet_request *request, const struct stet_cache_status *status)
{
    if (!has_token(worker, request))
        return;
    const struct stet_reason_row *row = stet_reason_row(status->detail);
    struct stet_span cause = stet_forward_cause_name(status->forward);
    size_t len = 0, room = sizeof extra->trace;
    put(extra->trace, room, &len, "%s", status->hit ? "hit" : "forwarded");
    if (cause.ptr)
        put(extra->trace, room, &len, "; cause=%.*s", (int)cause.len, cause.ptr);
    put(extra->trace, room, &len, "; reason=%s; clause=\"%s\"; sentence=\"%s\"", row->name, row->clause,
        row->sentence);
    if (status->has_ttl)
        put(extra->trace, room, &len, "; ttl=%lld", (long long)status->ttl_s);
    if (status->forward_status)
        put(extra->trace, room, &len, "; origin=%u", status->forward_status);
    put(extra->trace, room, &len, "; stored=%s", status->stored ? "yes" : "no");
    if (status->key.ptr)
        put(extra->trace, room, &len, "; key=\"%.*s\"", (int)status->key.len, status->key.ptr);
    extra->at[extra->count++] =
        (struct stet_field){STET_SPAN(DEBUG_FIELD), stet_span_of(extra->trace, len), STET_FIELD_OTHER};
}
