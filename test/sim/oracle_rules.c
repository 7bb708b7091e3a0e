/* SPDX-License-Identifier: MIT */
/*
 * What fields say: RFC 9111 sections 4.1, 4.2 and 5.2, RFC 9110 sections 13.2.2 and 14.2, for the values that
 * the traffic and the origin have.
 */
#include "oracle.h"

#include <ctype.h>

#include <stet/date.h>

static bool is_name(const char *at, const char *name)
{
    for (; *name; at++, name++)
        if (tolower((unsigned char)*at) != *name)
            return false;
    return *at == 0 || *at == ',' || *at == '=' || *at == ' ';
}

/* What stands behind the name of a directive, or NULL. */
static const char *directive(const struct sim_head *head, const char *name)
{
    const char *at = sim_get(head, "Cache-Control");
    bool quoted = false, begins = true;
    for (; at && *at; at++) {
        if (begins && *at != ' ' && !quoted && is_name(at, name))
            return at + strlen(name);
        if (*at == '"')
            quoted = !quoted;
        begins = !quoted && (*at == ',' || (begins && *at == ' '));
    }
    return NULL;
}

bool sim_directive(const struct sim_head *head, const char *name)
{
    return directive(head, name) != NULL;
}

int64_t sim_seconds(const struct sim_head *head, const char *name)
{
    const char *at = directive(head, name);
    if (!at || *at++ != '=')
        return -1;
    if (*at == '"') /* section 5.2: recipients ought to accept both forms */
        at++;
    return isdigit((unsigned char)*at) ? strtol(at, NULL, 10) : -1;
}

int64_t sim_window(const struct sim_head *head, const char *name, int64_t otherwise)
{
    if (!sim_directive(head, name))
        return otherwise;
    return sim_seconds(head, name) < 0 ? 0 : sim_seconds(head, name);
}

int64_t sim_date(const struct sim_head *head, const char *name, int64_t otherwise)
{
    const char *text = sim_get(head, name);
    int64_t date;
    return text && stet_date_parse(stet_span_of(text, strlen(text)), 0, &date) == STET_OK ? date : otherwise;
}

bool sim_heuristic_status(unsigned status)
{
    return status == 200 || status == 203 || status == 204 || status == 206 || status == 300 ||
           status == 301 || status == 308 || status == 404 || status == 405 || status == 410 ||
           status == 414 || status == 501;
}

bool sim_explicit(const struct sim_head *response)
{
    return sim_directive(response, "s-maxage") || sim_directive(response, "max-age") ||
           sim_get(response, "Expires");
}

/* Section 4.2.1 and 4.2.2. */
int64_t sim_lifetime(const struct sim_head *response, int64_t response_time)
{
    static const char *const directives[] = {"s-maxage", "max-age"};
    int64_t date = sim_date(response, "Date", response_time);
    for (size_t i = 0; i < 2; i++)
        if (sim_directive(response, directives[i])) {
            int64_t seconds = sim_seconds(response, directives[i]);
            return seconds < 0 ? 0 : seconds;
        }
    if (sim_get(response, "Expires")) {
        int64_t lifetime = sim_date(response, "Expires", date) - date;
        return lifetime < 0 ? 0 : lifetime;
    }
    if (!sim_get(response, "Last-Modified") ||
        !(sim_heuristic_status(response->status) || sim_directive(response, "public")))
        return 0;
    int64_t since = date - sim_date(response, "Last-Modified", date);
    int64_t guess = since < 0 ? 0 : since / 10;
    return guess < 86400 ? guess : 86400;
}

/* Section 4.2.3. */
int64_t sim_age(const struct sim_entry *entry, int64_t now)
{
    int64_t apparent = entry->response_time - sim_date(&entry->response, "Date", entry->response_time);
    int64_t corrected = entry->age_value + (entry->response_time - entry->request_time);
    int64_t initial = apparent > corrected ? apparent : corrected;
    return (initial < 0 ? 0 : initial) + (now - entry->response_time);
}

int64_t sim_ttl(const struct sim_entry *entry, int64_t now)
{
    return sim_lifetime(&entry->response, entry->response_time) - sim_age(entry, now);
}

/* Sections 5.2.2.2, 5.2.2.8 and 5.2.2.10 for a shared cache. */
bool sim_never_stale(const struct sim_head *response)
{
    return sim_directive(response, "must-revalidate") || sim_directive(response, "proxy-revalidate") ||
           sim_directive(response, "s-maxage");
}

/* Section 3.5. */
bool sim_shareable(const struct sim_head *response)
{
    return sim_directive(response, "public") || sim_directive(response, "must-revalidate") ||
           sim_seconds(response, "s-maxage") >= 0;
}

/* Section 4.1, and the method: section 4. */
bool sim_selects(const struct sim_entry *entry, const struct sim_head *request)
{
    const char *vary = sim_get(&entry->response, "Vary");
    if (entry->head && strcmp(request->method, "HEAD") != 0)
        return false;
    if (!vary)
        return true;
    if (strcmp(vary, "*") == 0)
        return false;
    if (strstr(vary, "Language") && sim_language(&entry->request) != sim_language(request))
        return false;
    if (strstr(vary, "encoding") && sim_encoding(&entry->request) != sim_encoding(request))
        return false;
    return !strstr(vary, "Color") || sim_color(&entry->request) == sim_color(request);
}

static const char *opaque(const char *etag)
{
    return strncmp(etag, "W/", 2) == 0 ? etag + 2 : etag;
}

/* RFC 9110 section 13.2.2 for a cache: If-None-Match, else If-Modified-Since. */
static bool not_modified(const struct sim_head *request, const struct sim_head *response,
                         int64_t response_time)
{
    const char *tags = sim_get(request, "If-None-Match"), *etag = sim_get(response, "ETag");
    if (tags)
        return strcmp(tags, "*") == 0 || (etag && strstr(tags, opaque(etag)));
    int64_t since = sim_date(request, "If-Modified-Since", STET_NO_DATE);
    int64_t date = sim_date(response, "Last-Modified", sim_date(response, "Date", response_time));
    return since != STET_NO_DATE && date <= since;
}

static bool range_holds(const struct sim_head *request, const struct sim_head *response,
                        int64_t response_time)
{
    const char *if_range = sim_get(request, "If-Range");
    const char *etag = sim_get(response, "ETag"), *modified = sim_get(response, "Last-Modified");
    if (!if_range)
        return true;
    if (if_range[0] == '"')
        return etag && strcmp(etag, if_range) == 0;
    if (strncmp(if_range, "W/", 2) == 0 || !modified || strcmp(modified, if_range) != 0)
        return false;
    /* RFC 9110 section 8.8.2.2: strong only if Date is later */
    return sim_date(response, "Last-Modified", 0) < sim_date(response, "Date", response_time);
}

/* 206 or 416 with the range, or 0 if Range does not count. */
static unsigned range_of(const struct sim_head *request, uint64_t length, uint64_t *first, uint64_t *last)
{
    const char *range = sim_get(request, "Range");
    if (!range || strcmp(request->method, "GET") != 0 || length == 0)
        return 0;
    char *end;
    range += strlen("bytes=");
    *last = length - 1;
    if (*range == '-') {
        uint64_t suffix = strtoul(range + 1, NULL, 10);
        *first = suffix < length ? length - suffix : 0;
        return 206;
    }
    *first = strtoul(range, &end, 10);
    if (end[1] && strtoul(end + 1, NULL, 10) < *last)
        *last = strtoul(end + 1, NULL, 10);
    return *first < length ? 206 : 416;
}

unsigned sim_status_of(const struct sim_head *request, const struct sim_head *response, int64_t response_time,
                       uint64_t length, uint64_t *first, uint64_t *last)
{
    *first = 0;
    *last = length - 1;
    if (not_modified(request, response, response_time))
        return 304;
    unsigned status =
        range_holds(request, response, response_time) ? range_of(request, length, first, last) : 0;
    if (status != 206) {
        *first = 0;
        *last = length - 1;
    }
    return status != 0 ? status : 200;
}

bool sim_has_octets(const struct sim_entry *entry, const struct sim_head *request)
{
    uint64_t first, last;
    if (!entry->partial)
        return true;
    return range_holds(request, &entry->response, entry->response_time) &&
           range_of(request, entry->length, &first, &last) == 206 && first >= entry->first &&
           last <= entry->last;
}
