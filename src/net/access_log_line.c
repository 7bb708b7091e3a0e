/* SPDX-License-Identifier: MIT */
#include "net/access_log_line.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stet/date.h>

static bool plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* `escape` is what stands before the two hexadecimal digits. */
static void put_escaped(struct stet__buffer *out, struct stet_span text, const char *escape)
{
    static const char digits[] = "0123456789abcdef";
    while (text.len > 0) {
        size_t n = 0;
        while (n < text.len && plain((unsigned char)text.ptr[n]))
            n++;
        stet__buffer_append(out, stet_span_of(text.ptr, n));
        text = stet_span_skip(text, n);
        if (text.len == 0)
            break;
        unsigned char c = (unsigned char)text.ptr[0];
        char hex[] = {digits[c >> 4], digits[c & 15]};
        stet__buffer_append_text(out, escape);
        stet__buffer_append(out, stet_span_of(hex, sizeof hex));
        text = stet_span_skip(text, 1);
    }
}

static void put_peer(struct stet__buffer *out, const uint8_t *peer)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    memcpy(&address, peer, sizeof address);
    if (IN6_IS_ADDR_UNSPECIFIED(&address)) {
        stet__buffer_append_text(out, "unix:");
        return;
    }
    bool v4 = IN6_IS_ADDR_V4MAPPED(&address);
    if (inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? peer + 12 : peer, text, sizeof text))
        stet__buffer_append_text(out, text);
}

/* "Sat, 21 Nov 2026 09:30:00 GMT" becomes "21/Nov/2026:09:30:00 +0000". */
static void put_common_date(struct stet__buffer *out, int64_t when)
{
    char date[STET_DATE_LEN];
    stet_date_format(when, date);
    date[7] = date[11] = '/';
    date[16] = ':';
    stet__buffer_append(out, stet_span_of(date + 5, 20));
    stet__buffer_append_text(out, " +0000");
}

/* The same becomes "2026-11-21T09:30:00Z". */
static void put_iso_date(struct stet__buffer *out, int64_t when)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char date[STET_DATE_LEN], month[] = "-00-";
    unsigned number = 0;
    stet_date_format(when, date);
    while (memcmp(months + (size_t)3 * number, date + 8, 3) != 0)
        number++;
    number++;
    month[1] = (char)('0' + number / 10);
    month[2] = (char)('0' + number % 10);
    stet__buffer_append(out, stet_span_of(date + 12, 4));
    stet__buffer_append_text(out, month);
    stet__buffer_append(out, stet_span_of(date + 5, 2));
    stet__buffer_append_text(out, "T");
    stet__buffer_append(out, stet_span_of(date + 17, 8));
    stet__buffer_append_text(out, "Z");
}

static void put_quoted(struct stet__buffer *out, struct stet_span text)
{
    stet__buffer_append_text(out, " \"");
    if (text.ptr)
        put_escaped(out, text, "\\x");
    else
        stet__buffer_append_text(out, "-");
    stet__buffer_append_text(out, "\"");
}

/* "1.1", "2.0": with both numbers for all versions, as readers of logs expect. */
static void put_version(struct stet__buffer *out, const struct stet__log_record *record)
{
    stet__buffer_append_u64(out, record->major);
    stet__buffer_append_text(out, ".");
    stet__buffer_append_u64(out, record->minor);
}

static void put_request_line(struct stet__buffer *out, const struct stet__log_record *record)
{
    if (!record->method.ptr) {
        put_quoted(out, STET_SPAN_NONE);
        return;
    }
    stet__buffer_append_text(out, " \"");
    put_escaped(out, record->method, "\\x");
    stet__buffer_append_text(out, " ");
    put_escaped(out, record->target, "\\x");
    stet__buffer_append_text(out, " HTTP/");
    put_version(out, record);
    stet__buffer_append_text(out, "\"");
}

static void put_text_line(bool combined, const struct stet__log_record *record, struct stet__buffer *out)
{
    put_peer(out, record->peer);
    stet__buffer_append_text(out, " - - [");
    put_common_date(out, record->when);
    stet__buffer_append_text(out, "]");
    put_request_line(out, record);
    stet__buffer_append_text(out, " ");
    stet__buffer_append_u64(out, record->status);
    stet__buffer_append_text(out, " ");
    stet__buffer_append_u64(out, record->body_bytes);
    if (combined) {
        put_quoted(out, record->referer);
        put_quoted(out, record->user_agent);
    }
    stet__buffer_append_text(out, " ");
    stet__buffer_append_text(out, record->reason);
    stet__buffer_append_text(out, record->aborted ? " aborted\n" : "\n");
}

static void put_json_text(struct stet__buffer *out, const char *name, struct stet_span text)
{
    if (!text.ptr)
        return;
    stet__buffer_append_text(out, ",\"");
    stet__buffer_append_text(out, name);
    stet__buffer_append_text(out, "\":\"");
    put_escaped(out, text, "\\u00");
    stet__buffer_append_text(out, "\"");
}

static void put_json_number(struct stet__buffer *out, const char *name, uint64_t number)
{
    stet__buffer_append_text(out, ",\"");
    stet__buffer_append_text(out, name);
    stet__buffer_append_text(out, "\":");
    stet__buffer_append_u64(out, number);
}

static void put_json_line(const struct stet__log_record *record, struct stet__buffer *out)
{
    stet__buffer_append_text(out, "{\"time\":\"");
    put_iso_date(out, record->when);
    stet__buffer_append_text(out, "\",\"peer\":\"");
    put_peer(out, record->peer);
    stet__buffer_append_text(out, "\"");
    put_json_text(out, "method", record->method);
    put_json_text(out, "target", record->target);
    stet__buffer_append_text(out, ",\"version\":\"");
    put_version(out, record);
    stet__buffer_append_text(out, "\"");
    put_json_number(out, "status", record->status);
    put_json_number(out, "bytes", record->body_bytes);
    put_json_number(out, "duration_us", record->duration_us);
    put_json_text(out, "reason", stet_span_of(record->reason, strlen(record->reason)));
    put_json_text(out, "cache", record->cache);
    put_json_text(out, "referer", record->referer);
    put_json_text(out, "user_agent", record->user_agent);
    stet__buffer_append_text(out, record->aborted ? ",\"aborted\":true}\n" : "}\n");
}

void stet__log_line(enum stet__log_format format, const struct stet__log_record *record,
                    struct stet__buffer *out)
{
    if (format == STET__LOG_JSON)
        put_json_line(record, out);
    else
        put_text_line(format == STET__LOG_COMBINED, record, out);
}

void stet__log_dropped_line(enum stet__log_format format, uint64_t count, struct stet__buffer *out)
{
    bool json = format == STET__LOG_JSON;
    stet__buffer_append_text(out, json ? "{\"dropped\":" : "log: ");
    stet__buffer_append_u64(out, count);
    stet__buffer_append_text(out, json ? "}\n" : " records dropped\n");
}
