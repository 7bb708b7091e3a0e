/* SPDX-License-Identifier: MIT */
/*
 * What all writers of a report share: grades, addresses of clauses, times, and for which server there is
 * advice.
 */
#include "check/report.h"

#include <stdio.h>

#include "check/text.h"

void stet__check_grade(const size_t counts[STET_LINT_BAD + 1], char out[3])
{
    size_t bad = counts[STET_LINT_BAD], warn = counts[STET_LINT_WARN], note = counts[STET_LINT_NOTE];
    const char *grade = bad > 1    ? "F"
                        : bad == 1 ? "D"
                        : warn > 2 ? "C"
                        : warn > 0 ? "B"
                        : note > 0 ? "A"
                                   : "A+";
    memcpy(out, grade, strlen(grade) + 1);
}

/* "RFC 9110 13.1.2" -> https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2; "RFC 9110 B" is an appendix. */
bool stet__check_clause_uri(const char *clause, char out[STET__CLAUSE_URI_LEN])
{
    const char *space = strrchr(clause, ' ');
    int document = space ? (int)(space - clause) : 0;
    if (!space)
        return false;
    const char *part = space[1] >= '0' && space[1] <= '9' ? "section" : "appendix";
    int len;
    if (strncmp(clause, "RFC ", 4) == 0)
        len = snprintf(out, STET__CLAUSE_URI_LEN, "https://www.rfc-editor.org/rfc/rfc%.*s#%s-%s",
                       document - 4, clause + 4, part, space + 1);
    else
        len = snprintf(out, STET__CLAUSE_URI_LEN, "https://datatracker.ietf.org/doc/html/%.*s#%s-%s",
                       document, clause, part, space + 1);
    return len > 0 && len < STET__CLAUSE_URI_LEN;
}

/* Days since 1970-01-01 to a date of the Gregorian calendar; the year begins in March, so that the odd day is
 * its last. */
void stet__check_time(int64_t at, char out[STET__CHECK_TIME_LEN])
{
    static const int64_t last = INT64_C(253402300799); /* of the year 9999 */
    at = at < 0 ? 0 : at > last ? last : at;
    int64_t days = at / 86400 + 719468, second = at % 86400;
    int64_t era = days / 146097, day_of_era = days % 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    unsigned day = (unsigned)(day_of_year - (153 * march_month + 2) / 5 + 1);
    unsigned month = (unsigned)(march_month < 10 ? march_month + 3 : march_month - 9);
    unsigned year = (unsigned)(year_of_era + era * 400 + (month <= 2)), of_day = (unsigned)second;
    snprintf(out, STET__CHECK_TIME_LEN, "%04u-%02u-%02uT%02u:%02u:%02uZ", year % 10000, month % 100,
             day % 100, of_day / 3600 % 100, of_day / 60 % 60, of_day % 60);
}

static const struct {
    const char *name, *product; /* as the Server field has it, in lower case */
} servers[] = {
    [STET__SERVER_NGINX] = {"nginx", "nginx"},
    [STET__SERVER_APACHE] = {"Apache", "apache"},
    [STET__SERVER_CADDY] = {"Caddy", "caddy"},
    [STET__SERVER_EXPRESS] = {"Express", "express"},
};

const char *stet__check_server_name(enum stet__check_server server)
{
    return servers[server].name;
}

static bool begins(struct stet_span value, const char *product)
{
    struct stet_span want = stet__text_of(product);
    return value.len >= want.len && stet_span_equal_nocase(stet_span_of(value.ptr, want.len), want);
}

/* Express says so in X-Powered-By, if at all. What runs behind another server is told by neither. */
static bool is_express(const struct stet__check_resource *resource)
{
    struct stet_span rest, line;
    if (resource->exchange_count == 0)
        return false;
    rest = resource->exchanges[0].response;
    while (stet__text_line(&rest, &line))
        if (begins(line, "x-powered-by: express"))
            return true;
    return false;
}

enum stet__check_server stet__check_server_of(const struct stet__check_resource *resource)
{
    for (int i = 0; i < STET__SERVER_COUNT; i++)
        if (begins(resource->server, servers[i].product))
            return (enum stet__check_server)i;
    return is_express(resource) ? STET__SERVER_EXPRESS : STET__SERVER_COUNT;
}

size_t stet__check_exchange_number(const struct stet__check_resource *resource,
                                   const struct stet__check_exchange *exchange)
{
    for (size_t i = 0; i < resource->exchange_count; i++)
        if (exchange == &resource->exchanges[i])
            return i + 1;
    return 0;
}

static struct stet_span value_of(struct stet_span line)
{
    const char *colon = line.len > 0 ? memchr(line.ptr, ':', line.len) : NULL;
    return colon ? stet_span_trim(stet_span_skip(line, (size_t)(colon - line.ptr) + 1)) : STET_SPAN_NONE;
}

/* The line of `head` that `value` is of, or else one with that value, or the value by itself. */
static struct stet_span line_of(struct stet_span head, struct stet_span value)
{
    struct stet_span line, alike = value;
    while (value.len > 0 && stet__text_line(&head, &line)) {
        struct stet_span here = value_of(line);
        if (here.ptr == value.ptr && here.len == value.len)
            return line;
        if (alike.ptr == value.ptr && here.ptr && stet_span_equal(here, value))
            alike = line;
    }
    return alike;
}

static bool is_named(struct stet_span line, const char *name)
{
    struct stet_span want = stet__text_of(name);
    return line.len > want.len && line.ptr[want.len] == ':' && begins(line, name);
}

/* Lines that a probe is made of: conditions, a range, and a coding that is asked for. */
static bool is_asking(struct stet_span line)
{
    if (is_named(line, "accept-encoding"))
        return !stet_span_equal_nocase(value_of(line), STET_SPAN("identity"));
    return is_named(line, "range") || is_named(line, "if-match") || is_named(line, "if-none-match") ||
           is_named(line, "if-modified-since") || is_named(line, "if-unmodified-since") ||
           is_named(line, "if-range");
}

/* `line` of `head`, with the lines before and behind it that ask something, too: probe.c writes them one
 * after the other. */
static struct stet_span with_neighbours(struct stet_span head, struct stet_span line)
{
    struct stet_span next, all = STET_SPAN_NONE;
    bool found = false;
    while (is_asking(line) && stet__text_line(&head, &next)) {
        if (!is_asking(next) && found)
            break;
        if (!is_asking(next))
            all = STET_SPAN_NONE;
        else
            all = all.ptr ? stet_span_of(all.ptr, (size_t)(next.ptr + next.len - all.ptr)) : next;
        found |= next.ptr == line.ptr;
    }
    return found ? all : line;
}

static struct stet_span first_line(struct stet_span head)
{
    struct stet_span line;
    return stet__text_line(&head, &line) ? line : STET_SPAN_NONE;
}

struct stet__check_shown stet__check_sent(const struct stet__check_finding *finding)
{
    const struct stet__check_exchange *exchange = finding->exchange;
    if (!exchange || !finding->sent.ptr)
        return (struct stet__check_shown){STET_SPAN_NONE, finding->sent};
    struct stet_span line = line_of(exchange->request, finding->sent);
    return (struct stet__check_shown){first_line(exchange->request),
                                      with_neighbours(exchange->request, line)};
}

/* Of an answer to a plain GET all know how it begins. */
struct stet__check_shown stet__check_came(const struct stet__check_finding *finding)
{
    const struct stet__check_exchange *exchange = finding->exchange;
    if (!exchange || (!finding->sent.ptr && !finding->came.ptr))
        return (struct stet__check_shown){STET_SPAN_NONE, finding->came};
    struct stet_span first = first_line(exchange->response);
    bool plain = exchange->kind == STET_PROBE_GET && !finding->sent.ptr;
    return (struct stet__check_shown){plain || stet_span_equal(first, finding->came) ? STET_SPAN_NONE : first,
                                      line_of(exchange->response, finding->came)};
}

const char *stet__check_plural(size_t n)
{
    return n == 1 ? "" : "s";
}
