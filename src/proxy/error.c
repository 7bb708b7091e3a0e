/* SPDX-License-Identifier: MIT */
/*
 * error: answers that the proxy gives itself: a small page with the sentence and the clause of the reason,
 * and Proxy-Status (RFC 9209) if the upstream is to blame. No cache may keep them: they tell about a moment.
 * They have no Cache-Status, which is about answers of others (RFC 9211 section 2); the access log has it.
 */
#include "net/error_page.h"
#include "net/head.h"
#include "proxy/worker.h"

#define PROXY_STATUS_ROOM 512
#define LINES 8

/* RFC 9110 sections 15.6.3 to 15.6.5. */
unsigned stet__status_of_failure(enum stet_reason reason)
{
    switch (reason) {
    case STET_REASON_UPSTREAM_CONNECT_TIMEOUT:
    case STET_REASON_UPSTREAM_READ_TIMEOUT:
    case STET_REASON_MUST_REVALIDATE: /* RFC 9111 section 5.2.2.2 */
    case STET_REASON_ONLY_IF_CACHED:  /* RFC 9111 section 5.2.1.7 */
        return 504;
    case STET_REASON_LENGTH_REQUIRED: /* RFC 9110 section 15.5.12 */
        return 411;
    case STET_REASON_UPSTREAM_UNAVAILABLE:
    case STET_REASON_UPSTREAM_INTERNAL:
    case STET_REASON_OVERLOADED:
        return 503;
    default:
        return 502;
    }
}

static void put_proxy_status(struct stet__proxy_worker *worker, struct stet__lines *lines,
                             enum stet_reason reason)
{
    struct stet_proxy_status status = {
        .proxy = worker->configuration->name, .error = stet_proxy_error_type(reason), .detail = reason};
    char text[PROXY_STATUS_ROOM];
    size_t len = status.error.ptr ? stet_proxy_status_write(&status, text, sizeof text) : 0;
    if (len > 0)
        stet__lines_put(lines, STET_FIELD_PROXY_STATUS,
                        stet__arena_copy(lines->arena, stet_span_of(text, len)));
}

static const struct stet__head *make_head(struct stet__proxy_worker *worker, struct stet__exchange *exchange,
                                          struct stet__refused why, size_t page_len)
{
    struct stet__lines lines;
    stet__lines_begin(&lines, exchange->arena, LINES);
    stet__lines_put(&lines, STET_FIELD_CONTENT_TYPE, STET__ERROR_HTML);
    stet__lines_put_number(&lines, STET_FIELD_CONTENT_LENGTH, page_len);
    stet__lines_put(&lines, STET_FIELD_CACHE_CONTROL, STET_SPAN("no-store"));
    put_proxy_status(worker, &lines, why.reason);
    return lines.failed ? NULL : stet__head_make(exchange->arena, why.status, &lines.fields);
}

void stet__proxy_error(struct stet__proxy_worker *worker, struct stet__exchange *exchange,
                       struct stet__refused why, const struct stet_cache_status *status,
                       struct stet__trace *trace)
{
    struct stet__buffer page;
    struct stet__refusal refusal = stet__refusal_of_reason(why.status, why.reason);
    stet__buffer_init(&page, STET__ERROR_PAGE_MAX);
    stet__error_page_html(&page, &refusal);
    struct stet_span octets = stet__arena_copy(exchange->arena, stet__buffer_span(&page));
    if (page.failed || !octets.ptr)
        octets = STET_SPAN("");
    stet__buffer_release(&page);
    struct stet__part part = stet__part_memory(octets);
    const struct stet__head *head = make_head(worker, exchange, why, octets.len);
    struct stet__extra extra;
    stet__extra_begin(&extra);
    if (status)
        stet__extra_log(&extra, worker, status);
    stet__trace_answer(trace, why.status, why.reason);
    stet__extra_trace(&extra, trace);
    struct stet__reply reply = {.head = head ? head : &stet__error_no_memory,
                                .extra = extra.at,
                                .extra_count = extra.count,
                                .parts = &part,
                                .part_count = head && octets.len > 0,
                                .reason = why.reason,
                                .cache = extra.cache};
    stet__exchange_answer(exchange, &reply);
}
