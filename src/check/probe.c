/* SPDX-License-Identifier: MIT */
/*
 * The requests of lint_probe.def.
 *
 * Tags that nobody has begin with "stet-": whoever reads a log knows where they come from. Dates stand around
 * Last-Modified, never after the server's own Date: a recipient may ignore those.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <stet/date.h>
#include <stet/etag.h>
#include <stet/freshness.h>
#include <stet/uri.h>

#include "check/gather.h"
#include "check/probe.h"

#define NO_SUCH_TAG "\"stet-no-such-tag\""
enum { VALUE_MAX = 2048, LONG_TAGS = 49, YEARS_50_S = 50 * 365 * 86400 };

struct maker {
    struct stet__arena *arena;
    const struct stet_lint_exchange *base;
    struct stet__probe *out;
    struct stet_span tag_text; /* T as it came */
    struct stet_etag tag;
    struct stet_span date_text; /* D as it came */
    int64_t date;
    uint64_t length; /* of the content */
    bool length_known;
    bool failed;
};

static void add(struct maker *maker, const char *name, const char *value)
{
    struct stet__probe *probe = maker->out;
    if (!value || probe->field_count == STET__PROBE_FIELDS_MAX)
        maker->failed = true;
    else
        probe->fields[probe->field_count++] = (struct stet__probe_field){name, value};
}

__attribute__((format(printf, 3, 4))) static void put(struct maker *maker, const char *name,
                                                      const char *format, ...)
{
    char text[VALUE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int len =
        vsnprintf(text, sizeof text, format, arguments); /* NOLINT(clang-analyzer-valist.Uninitialized) */
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof text)
        maker->failed = true;
    else
        add(maker, name, stet__gather_text(maker->arena, stet_span_of(text, (size_t)len)));
}

static int width(struct stet_span s)
{
    return s.len > VALUE_MAX ? VALUE_MAX : (int)s.len;
}

#define TEXT(span) width(span), (span).ptr

static const char none_match[] = "If-None-Match", modified_since[] = "If-Modified-Since",
                  match[] = "If-Match", unmodified_since[] = "If-Unmodified-Since", range[] = "Range",
                  if_range[] = "If-Range";

static void put_tag(struct maker *maker, const char *name)
{
    put(maker, name, "%.*s", TEXT(maker->tag_text));
}

static void put_date(struct maker *maker, const char *name, int64_t date)
{
    char text[STET_DATE_LEN];
    stet_date_format(date, text);
    put(maker, name, "%.*s", STET_DATE_LEN, text);
}

/* T with the other strength. */
static void put_other_strength(struct maker *maker, const char *name)
{
    put(maker, name, "%s\"%.*s\"", maker->tag.weak ? "" : "W/", TEXT(maker->tag.opaque));
}

/* A tag that T begins with, and one that begins with T. */
static void put_prefix(struct maker *maker)
{
    struct stet_span opaque = maker->tag.opaque;
    maker->failed |= opaque.len < 2;
    if (!maker->failed)
        put(maker, none_match, "\"%.*s\", \"%.*s0\"", width(opaque) - 1, opaque.ptr, TEXT(opaque));
}

static void put_unquoted(struct maker *maker)
{
    struct stet_span opaque = maker->tag.opaque;
    maker->failed |= opaque.len == 0 || memchr(opaque.ptr, ',', opaque.len) != NULL;
    put(maker, none_match, "%.*s", TEXT(opaque));
}

static void put_long(struct maker *maker)
{
    char text[VALUE_MAX];
    size_t len = 0;
    for (int i = 0; i < LONG_TAGS; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "\"stet-no-%02d\", ", i);
    put(maker, none_match, "%.*s%.*s", (int)len, text, TEXT(maker->tag_text));
}

/* The server's clock. */
static int64_t server_now(const struct maker *maker)
{
    return stet_message_date(&maker->base->response.fields, maker->base->received_at);
}

/* Halfway between D and now. */
static void put_later(struct maker *maker)
{
    int64_t now = server_now(maker);
    maker->failed |= now - maker->date < 2;
    if (!maker->failed)
        put_date(maker, modified_since, maker->date + (now - maker->date) / 2);
}

/* "Sunday, 06-Nov-94 08:49:37 GMT", as long as its year is not ambiguous: RFC 9110 section 5.6.7. */
static void put_rfc850(struct maker *maker)
{
    static const char *const rest[] = {"Mon",   "day", "Tue", "sday", "Wed",   "nesday", "Thu",
                                       "rsday", "Fri", "day", "Sat",  "urday", "Sun",    "day"};
    char at[STET_DATE_LEN];
    stet_date_format(maker->date, at); /* Sun, 06 Nov 1994 08:49:37 GMT */
    maker->failed |= server_now(maker) - maker->date >= YEARS_50_S;
    for (unsigned i = 0; i < 14; i += 2)
        if (memcmp(at, rest[i], 3) == 0)
            put(maker, modified_since, "%.3s%s, %.2s-%.3s-%.2s %.8s GMT", at, rest[i + 1], at + 5, at + 8,
                at + 14, at + 17);
}

/* "Sun Nov  6 08:49:37 1994". */
static void put_asctime(struct maker *maker)
{
    char at[STET_DATE_LEN];
    stet_date_format(maker->date, at);
    put(maker, modified_since, "%.3s %.3s %c%c %.8s %.4s", at, at + 8, at[5] == '0' ? ' ' : at[5], at[6],
        at + 17, at + 12);
}

static void make_tag(struct maker *maker)
{
    switch (maker->out->kind) {
    case STET_PROBE_INM_WEAK:
        put_other_strength(maker, none_match);
        break;
    case STET_PROBE_INM_LIST:
        put(maker, none_match, NO_SUCH_TAG ", %.*s", TEXT(maker->tag_text));
        break;
    case STET_PROBE_INM_LIST_COMMA:
        put(maker, none_match, "\"stet,no\", , %.*s", TEXT(maker->tag_text));
        break;
    case STET_PROBE_INM_LINES:
        add(maker, none_match, NO_SUCH_TAG);
        put_tag(maker, none_match);
        break;
    case STET_PROBE_INM_ANY:
        add(maker, none_match, "*");
        break;
    case STET_PROBE_INM_OTHER:
        add(maker, none_match, NO_SUCH_TAG);
        break;
    case STET_PROBE_INM_PREFIX:
        put_prefix(maker);
        break;
    case STET_PROBE_INM_UNQUOTED:
        put_unquoted(maker);
        break;
    case STET_PROBE_INM_EMPTY:
        add(maker, none_match, "");
        break;
    case STET_PROBE_INM_LONG:
        put_long(maker);
        break;
    default: /* INM, INM_HEAD, INM_CODING */
        put_tag(maker, none_match);
    }
}

static void make_date(struct maker *maker)
{
    switch (maker->out->kind) {
    case STET_PROBE_IMS_LATER:
        put_later(maker);
        break;
    case STET_PROBE_IMS_EARLIER:
        put_date(maker, modified_since, maker->date - 1);
        break;
    case STET_PROBE_IMS_RFC850:
        put_rfc850(maker);
        break;
    case STET_PROBE_IMS_ASCTIME:
        put_asctime(maker);
        break;
    case STET_PROBE_IMS_INVALID:
        add(maker, modified_since, "the day before yesterday");
        break;
    case STET_PROBE_IF_UNMODIFIED_SINCE:
        put(maker, unmodified_since, "%.*s", TEXT(maker->date_text));
        break;
    case STET_PROBE_IF_UNMODIFIED_SINCE_OLD:
        put_date(maker, unmodified_since, maker->date - 1);
        break;
    default: /* IMS, IMS_HEAD */
        put(maker, modified_since, "%.*s", TEXT(maker->date_text));
    }
}

static void make_both(struct maker *maker)
{
    switch (maker->out->kind) {
    case STET_PROBE_INM_BEATS_IMS:
        add(maker, none_match, NO_SUCH_TAG);
        put(maker, modified_since, "%.*s", TEXT(maker->date_text));
        break;
    case STET_PROBE_IF_MATCH_WITH_OLD_IUS:
        maker->failed |= maker->tag.weak;
        put_tag(maker, match);
        put_date(maker, unmodified_since, maker->date - 1);
        break;
    default:
        put_tag(maker, none_match);
        put_date(maker, modified_since, maker->date - 1);
    }
}

/* No weak tag ever matches, so T has to be strong for these to say something. */
static void make_match(struct maker *maker)
{
    if (maker->out->kind == STET_PROBE_IF_MATCH_OTHER) {
        add(maker, match, NO_SUCH_TAG);
        return;
    }
    maker->failed |= maker->tag.weak;
    if (maker->out->kind == STET_PROBE_IF_MATCH_WEAK)
        put_other_strength(maker, match);
    else
        put_tag(maker, match);
}

static void put_range(struct maker *maker, unsigned number)
{
    unsigned long long last = maker->length - 1, first = maker->length / 3;
    unsigned long long end = first + 999 < last ? first + 999 : last;
    switch (maker->out->kind) {
    case STET_PROBE_RANGE_SUFFIX:
        put(maker, range, "bytes=-%llu", last < 16 ? last : 16);
        break;
    case STET_PROBE_RANGE_BEYOND:
        put(maker, range, "bytes=%llu-", last + 1);
        break;
    case STET_PROBE_RANGE_INVALID:
        add(maker, range, "bytes=5-2");
        break;
    case STET_PROBE_RANGE_UNIT:
        add(maker, range, "stets=0-0");
        break;
    case STET_PROBE_RANGE_SEVERAL:
        maker->failed |= last < 9;
        put(maker, range, "bytes=0-1,%llu-%llu", last - 1, last);
        break;
    default:
        if (maker->out->kind == STET_PROBE_RANGE && number == 1)
            put(maker, range, "bytes=%llu-%llu", first, end);
        else
            add(maker, range, "bytes=0-0");
    }
}

static void put_if_range(struct maker *maker)
{
    switch (maker->out->kind) {
    case STET_PROBE_RANGE_INM:
        put_tag(maker, none_match);
        break;
    case STET_PROBE_RANGE_INM_WEAK:
        maker->failed |= maker->tag.weak; /* RANGE_INM has been that */
        put_other_strength(maker, none_match);
        break;
    case STET_PROBE_IF_RANGE:
        maker->failed |= maker->tag.weak;
        put_tag(maker, if_range);
        break;
    case STET_PROBE_IF_RANGE_OTHER:
        add(maker, if_range, NO_SUCH_TAG);
        break;
    case STET_PROBE_IF_RANGE_WEAK:
        if (maker->tag.weak)
            put_tag(maker, if_range);
        else
            put_other_strength(maker, if_range);
        break;
    case STET_PROBE_IF_RANGE_DATE:
        put(maker, if_range, "%.*s", TEXT(maker->date_text));
        break;
    case STET_PROBE_IF_RANGE_DATE_OTHER:
        put_date(maker, if_range, maker->date + 1);
        break;
    default:
        break;
    }
}

static struct stet_span value(const struct stet_lint_exchange *base, enum stet_field_id id)
{
    const struct stet_field *field = stet_fields_find(&base->response.fields, id, 0);
    return field ? field->value : STET_SPAN_NONE;
}

static void read_base(struct maker *maker)
{
    maker->tag_text = value(maker->base, STET_FIELD_ETAG);
    maker->date_text = value(maker->base, STET_FIELD_LAST_MODIFIED);
    maker->tag = STET_NO_ETAG;
    maker->date = STET_NO_DATE;
    if (maker->tag_text.ptr)
        (void)stet_etag_parse(maker->tag_text, &maker->tag);
    if (maker->date_text.ptr)
        (void)stet_date_parse(maker->date_text, maker->base->received_at, &maker->date);
    struct stet_span length = value(maker->base, STET_FIELD_CONTENT_LENGTH);
    maker->length_known = maker->base->content_known;
    maker->length = maker->base->content_length;
    if (!maker->length_known && length.ptr)
        maker->length_known = stet_span_to_u64(length, &maker->length) == STET_OK;
}

static bool needs_tag(enum stet_lint_probe_kind kind)
{
    switch (kind) {
    case STET_PROBE_INM_BEATS_IMS:
    case STET_PROBE_INM_WITH_OLD_IMS:
    case STET_PROBE_IF_MATCH:
    case STET_PROBE_IF_MATCH_OTHER:
    case STET_PROBE_IF_MATCH_WEAK:
    case STET_PROBE_IF_MATCH_WITH_OLD_IUS:
    case STET_PROBE_RANGE_INM:
    case STET_PROBE_RANGE_INM_WEAK:
    case STET_PROBE_IF_RANGE:
    case STET_PROBE_IF_RANGE_OTHER:
    case STET_PROBE_IF_RANGE_WEAK:
        return true;
    default:
        return kind >= STET_PROBE_INM && kind <= STET_PROBE_INM_CODING && kind != STET_PROBE_INM_ANY;
    }
}

static bool needs_date(enum stet_lint_probe_kind kind)
{
    switch (kind) {
    case STET_PROBE_INM_BEATS_IMS:
    case STET_PROBE_INM_WITH_OLD_IMS:
    case STET_PROBE_IF_MATCH_WITH_OLD_IUS:
    case STET_PROBE_IF_UNMODIFIED_SINCE:
    case STET_PROBE_IF_UNMODIFIED_SINCE_OLD:
    case STET_PROBE_IF_RANGE_DATE:
    case STET_PROBE_IF_RANGE_DATE_OTHER:
        return true;
    default:
        return kind >= STET_PROBE_IMS && kind <= STET_PROBE_IMS_HEAD;
    }
}

static bool by_head(enum stet_lint_probe_kind kind)
{
    return kind == STET_PROBE_HEAD || kind == STET_PROBE_INM_HEAD || kind == STET_PROBE_IMS_HEAD ||
           kind == STET_PROBE_RANGE_HEAD;
}

unsigned stet__probe_count(enum stet_lint_probe_kind kind)
{
    return kind == STET_PROBE_RANGE ? 2 : 1;
}

bool stet__probe_make(struct stet__arena *arena, enum stet_lint_probe_kind kind, unsigned number,
                      const struct stet_lint_exchange *base, struct stet__probe *out)
{
    struct maker maker = {.arena = arena, .base = base, .out = out};
    *out = (struct stet__probe){
        .kind = kind, .method = by_head(kind) ? "HEAD" : "GET", .accept_encoding = "identity"};
    read_base(&maker);
    bool tag = stet_etag_present(maker.tag), date = maker.date != STET_NO_DATE;
    if ((needs_tag(kind) && !tag) || (needs_date(kind) && !date) ||
        (kind == STET_PROBE_INM_ANY && !tag && !date))
        return false;
    if (kind >= STET_PROBE_RANGE) {
        if (!maker.length_known || maker.length < 2)
            return false;
        if (kind == STET_PROBE_RANGE)
            out->variant = number == 0 ? "the first octet" : "from the middle";
        put_range(&maker, number);
        put_if_range(&maker);
    } else if (kind >= STET_PROBE_IF_MATCH && kind <= STET_PROBE_IF_MATCH_WEAK) {
        make_match(&maker);
    } else if (needs_tag(kind) && needs_date(kind)) {
        make_both(&maker);
    } else if (needs_date(kind)) {
        make_date(&maker);
    } else if (needs_tag(kind) || kind == STET_PROBE_INM_ANY) {
        make_tag(&maker);
    }
    return !maker.failed;
}

static bool own(const struct stet__probe *probe, const struct stet_field *field)
{
    if (field->id == STET_FIELD_ACCEPT_ENCODING || field->id == STET_FIELD_CONNECTION)
        return true;
    for (unsigned i = 0; i < probe->field_count; i++)
        if (stet_span_equal_nocase(field->name,
                                   stet_span_of(probe->fields[i].name, strlen(probe->fields[i].name))))
            return true;
    return false;
}

static bool given(const struct stet__check_settings *settings, enum stet_field_id id)
{
    return settings->fields && stet_fields_have(settings->fields, id);
}

static void write_line(struct stet__buffer *out, struct stet_span name, struct stet_span line)
{
    stet__buffer_append(out, name);
    stet__buffer_append_text(out, ": ");
    stet__buffer_append(out, line);
    stet__buffer_append_text(out, "\r\n");
}

static void write_text(struct stet__buffer *out, const char *name, const char *text)
{
    write_line(out, stet_span_of(name, strlen(name)), stet_span_of(text, strlen(text)));
}

static void write_start(struct stet__buffer *out, const struct stet__probe *probe, const struct stet_uri *uri)
{
    stet__buffer_append_text(out, probe->method);
    stet__buffer_append_text(out, " ");
    stet__buffer_append(out, uri->path.len > 0 ? uri->path : STET_SPAN("/"));
    if (uri->query.ptr) {
        stet__buffer_append_text(out, "?");
        stet__buffer_append(out, uri->query);
    }
    stet__buffer_append_text(out, " HTTP/1.1\r\n");
}

static void write_host(struct stet__buffer *out, const struct stet_uri *uri)
{
    bool secure = stet_span_equal_nocase(uri->scheme, STET_SPAN("https"));
    stet__buffer_append_text(out, "Host: ");
    stet__buffer_append(out, uri->host);
    if (uri->port != (secure ? 443 : 80)) {
        stet__buffer_append_text(out, ":");
        stet__buffer_append_u64(out, uri->port);
    }
    stet__buffer_append_text(out, "\r\n");
}

bool stet__probe_write(const struct stet__check_settings *settings, const char *uri,
                       const struct stet__probe *probe, struct stet__buffer *out)
{
    struct stet_uri parts;
    if (stet_uri_parse(stet_span_of(uri, strlen(uri)), &parts) != STET_OK)
        return false;
    write_start(out, probe, &parts);
    if (!given(settings, STET_FIELD_HOST))
        write_host(out, &parts);
    if (!given(settings, STET_FIELD_USER_AGENT))
        write_text(out, "User-Agent", settings->user_agent);
    if (!given(settings, STET_FIELD_ACCEPT))
        write_text(out, "Accept", "*/*");
    write_text(out, "Accept-Encoding", probe->accept_encoding);
    for (size_t i = 0; settings->fields && i < settings->fields->count; i++)
        if (!own(probe, &settings->fields->at[i]))
            write_line(out, settings->fields->at[i].name, settings->fields->at[i].value);
    for (unsigned i = 0; i < probe->field_count; i++)
        write_text(out, probe->fields[i].name, probe->fields[i].value);
    stet__buffer_append_text(out, "\r\n");
    return !out->failed;
}
