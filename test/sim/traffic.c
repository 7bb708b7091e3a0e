/* SPDX-License-Identifier: MIT */
/*
 * Requests of all kinds that a shared cache sees. Some fields have few values, so that requests meet.
 */
#include "sim.h"

#include <stet/date.h>

struct value {
    const char *text; /* NULL: the field is absent */
    unsigned class;   /* values of one class mean the same: RFC 9111 section 4.1 */
};

static const struct value languages[] = {{NULL, 0},           {"de", 1},          {"fr", 2},
                                         {"de, fr;q=0.5", 3}, {"fr;q=0.5,de", 3}, {"DE", 1}};
static const struct value encodings[] = {{NULL, 0}, {"gzip", 1}, {"br, gzip", 2}, {"gzip,br", 2}};
static const struct value colors[] = {{NULL, 0}, {"red", 1}, {"blue", 2}};
static const struct value users[] = {{NULL, 0}, {"Basic YWxpY2U=", 1}, {"Basic Ym9i", 2}};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static unsigned class_of(const struct value *values, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (text && values[i].text && strcmp(values[i].text, text) == 0)
            return values[i].class;
    return 0;
}

unsigned sim_language(const struct sim_head *request)
{
    return class_of(languages, COUNT(languages), sim_get(request, "Accept-Language"));
}

unsigned sim_encoding(const struct sim_head *request)
{
    return class_of(encodings, COUNT(encodings), sim_get(request, "Accept-Encoding"));
}

unsigned sim_color(const struct sim_head *request)
{
    return class_of(colors, COUNT(colors), sim_get(request, "X-Color"));
}

unsigned sim_user(const struct sim_head *request)
{
    return class_of(users, COUNT(users), sim_get(request, "Authorization"));
}

static void put_one_of(struct sim_random *random, struct sim_head *head, const char *name,
                       const struct value *values, size_t count)
{
    const char *text = values[sim_below(random, (unsigned)count)].text;
    if (text)
        sim_put(head, name, "%s", text);
}

static void put_directives(struct sim_random *random, struct sim_head *head)
{
    unsigned s = sim_below(random, 60);
    static const char *const directives[] = {
        "no-cache",  "no-store",           "max-age=0",    "only-if-cached",
        "max-stale", "no-cache, no-store", "max-age=junk", "no-store, only-if-cached"};
    switch (sim_below(random, 14)) {
    case 0:
        sim_put(head, "Cache-Control", "max-age=%u", s);
        break;
    case 1:
        sim_put(head, "Cache-Control", "max-stale=%u", s);
        break;
    case 2:
        sim_put(head, "Cache-Control", "min-fresh=%u", s);
        break;
    case 3:
        sim_put(head, "Cache-Control", "max-age=%u, max-stale=%u", s, s / 2);
        break;
    case 4:
        sim_put(head, "Cache-Control", "stale-if-error=%u", s);
        break;
    case 5:
        sim_put(head, "Pragma", "no-cache");
        break;
    default:
        sim_put(head, "Cache-Control", "%s", directives[sim_below(random, COUNT(directives))]);
    }
}

static void put_conditions(struct sim_random *random, const struct sim_seen *seen, int64_t now,
                           struct sim_request *out)
{
    const char *etag = seen->etag[out->resource], *date = seen->date[out->resource];
    char some[STET_DATE_LEN];
    unsigned kind = sim_below(random, 10);
    if (kind < 4 && etag[0])
        sim_put(&out->head, "If-None-Match", sim_chance(random, 20) ? "\"other\", %s" : "%s", etag);
    else if (kind == 4)
        sim_put(&out->head, "If-None-Match", sim_chance(random, 50) ? "*" : "\"nobody's\"");
    if (kind >= 3 && kind < 7 && date[0])
        sim_put(&out->head, "If-Modified-Since", "%s", date);
    if (kind == 7) {
        stet_date_format(now - (int64_t)sim_below(random, 400), some);
        sim_put(&out->head, "If-Modified-Since", "%.*s", STET_DATE_LEN, some);
    }
    if (kind == 8 && etag[0])
        sim_put(&out->head, "If-Match", "%s", etag);
    if (kind == 9)
        sim_put(&out->head, "If-Modified-Since", "yesterday");
}

static void put_range(struct sim_random *random, const struct sim_seen *seen, struct sim_request *out)
{
    unsigned first = sim_below(random, 40);
    const char *etag = seen->etag[out->resource], *date = seen->date[out->resource];
    switch (sim_below(random, 4)) {
    case 0:
        sim_put(&out->head, "Range", "bytes=%u-", first);
        break;
    case 1:
        sim_put(&out->head, "Range", "bytes=-%u", first + 1);
        break;
    default:
        sim_put(&out->head, "Range", "bytes=%u-%u", first, first + sim_below(random, 30));
    }
    if (sim_chance(random, 15) && etag[0])
        sim_put(&out->head, "If-Range", "%s", etag);
    else if (sim_chance(random, 10) && date[0])
        sim_put(&out->head, "If-Range", "%s", date);
}

static const char *method_of(struct sim_random *random)
{
    static const char *const unsafe[] = {"POST", "PUT", "DELETE", "PATCH"};
    unsigned kind = sim_below(random, 100);
    if (kind < 86)
        return "GET";
    if (kind < 94)
        return "HEAD";
    return kind == 94 ? "OPTIONS" : unsafe[sim_below(random, COUNT(unsafe))];
}

void sim_traffic(struct sim_random *random, const struct sim_seen *seen, int64_t now, struct sim_request *out)
{
    unsigned a = sim_below(random, SIM_RESOURCES), b = sim_below(random, SIM_RESOURCES);
    out->resource = a < b ? a : b; /* some are more popular */
    out->head.count = 0;
    snprintf(out->head.method, sizeof out->head.method, "%s", method_of(random));
    int len = snprintf(out->uri, sizeof out->uri, "%s/r%u", SIM_ORIGIN, out->resource);
    if (sim_chance(random, 25))
        snprintf(out->uri + len, sizeof out->uri - (size_t)len, "?u=%u", sim_below(random, 3));
    if (sim_chance(random, 30))
        put_one_of(random, &out->head, "Accept-Language", languages, COUNT(languages));
    if (sim_chance(random, 30))
        put_one_of(random, &out->head, "Accept-Encoding", encodings, COUNT(encodings));
    if (sim_chance(random, 20))
        put_one_of(random, &out->head, "X-Color", colors, COUNT(colors));
    if (sim_chance(random, 12))
        put_one_of(random, &out->head, "Authorization", users, COUNT(users));
    if (sim_chance(random, 15))
        put_directives(random, &out->head);
    if (sim_chance(random, 20))
        put_conditions(random, seen, now, out);
    if (sim_chance(random, 18))
        put_range(random, seen, out);
}
