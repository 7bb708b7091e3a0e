/* SPDX-License-Identifier: MIT */
/*
 * Proxy-Status: RFC 9209 sections 2.1 and 2.3.
 */
#include <stet/cache_status.h>

#include "core/status_member.h"

size_t stet_proxy_status_write(const struct stet_proxy_status *status, char *out, size_t room)
{
    struct stet__text text = {.out = out, .room = room};
    const char *detail = stet_reason_row(status->detail)->name;
    stet__status_put_name(&text, status->proxy);
    if (status->error.ptr) {
        stet__text_put(&text, STET_SPAN(";error="));
        stet__status_put_name(&text, status->error);
    }
    if (status->next_hop.ptr) {
        stet__text_put(&text, STET_SPAN(";next-hop="));
        stet__status_put_string(&text, status->next_hop);
    }
    if (status->received_status > 0) {
        stet__text_put(&text, STET_SPAN(";received-status="));
        stet__text_put_u64(&text, status->received_status);
    }
    /* "details" is a String (section 2.1.5), whatever stands in it. */
    stet__text_put(&text, STET_SPAN(";details=\""));
    while (*detail)
        stet__text_put_octet(&text, *detail++);
    stet__text_put_octet(&text, '"');
    return stet__text_end(&text);
}

struct stet_span stet_proxy_error_type(enum stet_reason reason)
{
    switch (reason) {
    case STET_REASON_UPSTREAM_UNAVAILABLE:
        return STET_SPAN("destination_unavailable");
    case STET_REASON_UPSTREAM_DNS:
        return STET_SPAN("dns_error");
    case STET_REASON_UPSTREAM_REFUSED:
        return STET_SPAN("connection_refused");
    case STET_REASON_UPSTREAM_CONNECT_TIMEOUT:
        return STET_SPAN("connection_timeout");
    case STET_REASON_UPSTREAM_UNREACHABLE:
        return STET_SPAN("destination_ip_unroutable");
    case STET_REASON_UPSTREAM_RESET:
        return STET_SPAN("connection_terminated");
    case STET_REASON_UPSTREAM_READ_TIMEOUT:
        return STET_SPAN("http_response_timeout");
    case STET_REASON_UPSTREAM_MALFORMED:
        return STET_SPAN("http_protocol_error");
    case STET_REASON_UPSTREAM_HEAD_TOO_LARGE:
        return STET_SPAN("http_response_header_section_size");
    case STET_REASON_UPSTREAM_TRUNCATED:
        return STET_SPAN("http_response_incomplete");
    case STET_REASON_UPSTREAM_TLS:
        return STET_SPAN("tls_protocol_error");
    case STET_REASON_UPSTREAM_CERTIFICATE:
    case STET_REASON_UPSTREAM_NAME:
        return STET_SPAN("tls_certificate_error");
    case STET_REASON_UPSTREAM_INTERNAL:
        return STET_SPAN("proxy_internal_error");
    case STET_REASON_LOOP:
        return STET_SPAN("proxy_loop_detected");
    case STET_REASON_NOT_A_PROXY:
        return STET_SPAN("http_request_denied");
    default:
        return STET_SPAN_NONE;
    }
}
