/* SPDX-License-Identifier: MIT */
/*
 * Cache-Status: RFC 9211 section 2. A hit writes one, so the words of the vocabulary stand ready with their
 * punctuation and the serialiser of sf_write.c is not asked. Proxy-Status is in proxy_status.c.
 *
 * "hit" and "fwd" never stand together (section 2.1), and "stored", "collapsed" and "fwd-status" only beside
 * "fwd" (sections 2.3, 2.5 and 2.6).
 */
#include <stet/cache_status.h>

#include "core/status_member.h"

#define SPAN(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct stet_span causes[] = {
    [STET_FWD_NONE] = {NULL, 0},
    [STET_FWD_BYPASS] = SPAN(";fwd=bypass"),
    [STET_FWD_METHOD] = SPAN(";fwd=method"),
    [STET_FWD_URI_MISS] = SPAN(";fwd=uri-miss"),
    [STET_FWD_VARY_MISS] = SPAN(";fwd=vary-miss"),
    [STET_FWD_MISS] = SPAN(";fwd=miss"),
    [STET_FWD_REQUEST] = SPAN(";fwd=request"),
    [STET_FWD_STALE] = SPAN(";fwd=stale"),
    [STET_FWD_PARTIAL] = SPAN(";fwd=partial"),
};

static const struct stet_span details[STET_REASON_COUNT] = {
#define X(symbol, name, clause, sentence) [symbol] = SPAN(";detail=" name),
#include <stet/reason.def>
#undef X
};

struct stet_span stet_forward_cause_name(enum stet_forward_cause cause)
{
    return cause == STET_FWD_NONE ? STET_SPAN_NONE : stet_span_skip(causes[cause], sizeof ";fwd=" - 1);
}

static void put_forward(struct stet__text *text, const struct stet_cache_status *status)
{
    stet__text_put(text, causes[status->forward]);
    if (status->forward_status > 0) {
        stet__text_put(text, STET_SPAN(";fwd-status="));
        stet__text_put_u64(text, status->forward_status);
    }
    if (status->stored)
        stet__text_put(text, STET_SPAN(";stored"));
    if (status->has_collapsed)
        stet__text_put(text, status->collapsed ? STET_SPAN(";collapsed") : STET_SPAN(";collapsed=?0"));
}

/* An Integer of RFC 9651 has 15 digits at most. */
static void put_ttl(struct stet__text *text, int64_t ttl_s)
{
    const int64_t max = 999999999999999;
    int64_t ttl = ttl_s > max ? max : ttl_s < -max ? -max : ttl_s;
    stet__text_put(text, ttl < 0 ? STET_SPAN(";ttl=-") : STET_SPAN(";ttl="));
    stet__text_put_u64(text, (uint64_t)(ttl < 0 ? -ttl : ttl));
}

size_t stet_cache_status_write(const struct stet_cache_status *status, char *out, size_t room)
{
    struct stet__text text = {.out = out, .room = room};
    stet__status_put_name(&text, status->cache);
    if (status->hit)
        stet__text_put(&text, STET_SPAN(";hit"));
    else if (status->forward != STET_FWD_NONE)
        put_forward(&text, status);
    if (status->has_ttl)
        put_ttl(&text, status->ttl_s);
    if (status->key.ptr) {
        stet__text_put(&text, STET_SPAN(";key="));
        stet__status_put_string(&text, status->key);
    }
    stet__text_put(&text, details[status->detail]);
    return stet__text_end(&text);
}
