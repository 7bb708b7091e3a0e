/* SPDX-License-Identifier: MIT */
/*
 * The model origin: resources that change, each with its own validators, caching fields and habits. It
 * evaluates conditions and ranges as RFC 9110 section 13.2.2 says, most of the time: now and then it says 304
 * to a request without a condition, or does not answer at all.
 *
 * Each answer but a 304 has a number (Sim-Origin; Sim-Head for HEAD), by which the oracle knows what is
 * stored.
 */
#include "sim.h"

#include <stet/date.h>

enum sim_validators { STRONG, STRONG_AND_DATE, WEAK, DATE, NEITHER, VALIDATORS };
enum sim_vary { VARY_NOT, VARY_LANGUAGE, VARY_TWO, VARY_COLOR, VARY_ANY, VARIES };

/* %u: a number of seconds. */
static const char *const caching[] = {
    "max-age=%u",
    "max-age=%u",
    "max-age=%u",
    "public, max-age=%u",
    "s-maxage=%u, max-age=5",
    "max-age=%u, must-revalidate",
    "max-age=%u, proxy-revalidate",
    "max-age=%u, stale-while-revalidate=20",
    "max-age=%u, stale-while-revalidate=30, stale-if-error=90",
    "max-age=%u, stale-if-error=60",
    "max-age=%u, immutable",
    "max-age=%u, stale-while-revalidate=junk",
    "max-age=%u, private=\"set-cookie\"",
    "no-cache",
    "no-cache, max-age=%u",
    "no-store",
    "private, max-age=%u",
    "must-revalidate",
    "public",
    "max-age=junk",
    "max-age=\"%u\"",
    "MAX-AGE=%u",
    "max-age=0, stale-while-revalidate=40",
    NULL, /* none: a heuristic */
    NULL, /* Expires */
    NULL, /* Expires: 0 */
};

#define CACHING (sizeof caching / sizeof *caching)
#define EXPIRES (CACHING - 2)
#define EXPIRES_INVALID (CACHING - 1)

static void change(struct sim_origin *origin, struct sim_resource *resource, int64_t now)
{
    struct sim_random *random = origin->random;
    if (now <= resource->changed) /* two versions of one second could not be told apart by a date */
        return;
    resource->changed = now;
    resource->version++;
    if (!sim_chance(random, 30))
        return;
    resource->version++; /* the weak tag is another one, too */
    resource->validators = sim_below(random, VALIDATORS);
    resource->caching = sim_below(random, CACHING);
    resource->vary = sim_chance(random, 60) ? VARY_NOT : sim_below(random, VARIES);
    resource->status = sim_chance(random, 90) ? 200 : sim_chance(random, 50) ? 404 : 301;
    resource->group = sim_below(random, 6);
    resource->ranges = sim_chance(random, 60);
    resource->personal = resource->validators <= STRONG_AND_DATE && sim_chance(random, 30);
    resource->search = sim_chance(random, 30);
    resource->cookie = sim_chance(random, 5);
}

void sim_origin_begin(struct sim_origin *origin, struct sim_random *random, int64_t now)
{
    *origin = (struct sim_origin){.random = random};
    for (unsigned i = 0; i < SIM_RESOURCES; i++) {
        struct sim_resource *resource = &origin->resources[i];
        *resource = (struct sim_resource){.status = 200};
        for (unsigned round = 0; round < 12; round++)
            change(origin, resource, now - 100000 + round * 1000 + sim_below(random, 900));
    }
}

void sim_origin_change(struct sim_origin *origin, int64_t now)
{
    struct sim_random *random = origin->random;
    if (sim_chance(random, 8))
        change(origin, &origin->resources[sim_below(random, SIM_RESOURCES)], now);
    if (sim_below(random, 400) == 0)
        origin->down_until = now + sim_below(random, 60);
    if (sim_below(random, 400) == 0)
        origin->failing_until = now + sim_below(random, 60);
}

size_t sim_content(const struct sim_version *version, char out[SIM_CONTENT_MAX])
{
    unsigned seed = version->version * 31 + version->resource * 7 + version->language * 3 +
                    version->encoding * 5 + version->color * 11 + version->user * 13;
    size_t len = version->version * 7 % 50;
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1103515245 + 12345;
        out[i] = (char)('a' + (seed >> 16) % 26);
    }
    int tail =
        snprintf(out + len, SIM_CONTENT_MAX - len, "r%u v%u l%u e%u c%u u%u", version->resource,
                 version->version, version->language, version->encoding, version->color, version->user);
    return len + (size_t)tail;
}

struct sim_version sim_origin_version(const struct sim_origin *origin, const struct sim_head *request,
                                      unsigned number)
{
    const struct sim_resource *resource = &origin->resources[number];
    struct sim_version version = {.resource = number, .version = resource->version};
    bool language =
        resource->vary == VARY_LANGUAGE || resource->vary == VARY_TWO || resource->vary == VARY_ANY;
    version.language = language ? sim_language(request) : 0;
    if (version.language == 3) /* who likes German best gets what those get who want nothing else */
        version.language = 1;
    version.encoding = resource->vary == VARY_TWO ? sim_encoding(request) : 0;
    version.color = resource->vary == VARY_COLOR ? sim_color(request) : 0;
    version.user = resource->personal ? sim_user(request) : 0;
    version.weak = resource->validators == WEAK;
    return version;
}

static void put_etag(const struct sim_resource *resource, const struct sim_version *version,
                     struct sim_head *out)
{
    unsigned what = version->language * 1000 + version->encoding * 100 + version->color * 10 + version->user;
    if (resource->validators <= STRONG_AND_DATE)
        sim_put(out, "ETag", "\"%u.%u.%u\"", version->resource, version->version, what);
    if (resource->validators == WEAK)
        sim_put(out, "ETag", "W/\"w%u.%u.%u\"", version->resource, version->version / 2, what);
}

static void put_date(struct sim_head *out, const char *name, int64_t date)
{
    char text[STET_DATE_LEN];
    stet_date_format(date, text);
    sim_put(out, name, "%.*s", STET_DATE_LEN, text);
}

static void put_caching(struct sim_origin *origin, const struct sim_resource *resource, int64_t now,
                        struct sim_head *out)
{
    static const char *const varies[] = {NULL, "Accept-Language", "accept-encoding,Accept-Language",
                                         "X-Color", "*"};
    struct sim_random *random = origin->random;
    if (caching[resource->caching]) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
        sim_put(out, "Cache-Control", caching[resource->caching], sim_below(random, 120));
#pragma GCC diagnostic pop
    }
    if (resource->caching == EXPIRES)
        put_date(out, "Expires", now + (int64_t)sim_below(random, 120) - 20);
    if (resource->caching == EXPIRES_INVALID)
        sim_put(out, "Expires", "0");
    if (varies[resource->vary])
        sim_put(out, "Vary", "%s", varies[resource->vary]);
    if (sim_chance(random, 10))
        sim_put(out, "Age", "%u", sim_below(random, 60));
    if (resource->group > 0)
        sim_put(out, "Cache-Groups", "\"g%u\"", resource->group);
    if (resource->search)
        sim_put(out, "No-Vary-Search", "params=(\"u\")");
}

static bool lists_tag(const char *list, const char *etag)
{
    if (strcmp(list, "*") == 0)
        return true;
    return etag && strstr(list, strncmp(etag, "W/", 2) == 0 ? etag + 2 : etag) != NULL;
}

/* RFC 9110 section 13.2.2, steps 3 and 4. */
static bool not_modified(const struct sim_resource *resource, const struct sim_head *request,
                         const struct sim_head *response)
{
    const char *tags = sim_get(request, "If-None-Match"), *since = sim_get(request, "If-Modified-Since");
    int64_t date;
    if (tags)
        return lists_tag(tags, sim_get(response, "ETag"));
    return since && sim_get(response, "Last-Modified") &&
           stet_date_parse(stet_span_of(since, strlen(since)), 0, &date) == STET_OK &&
           resource->changed <= date;
}

static bool range_holds(const struct sim_head *request, const struct sim_head *response)
{
    const char *if_range = sim_get(request, "If-Range");
    const char *etag = sim_get(response, "ETag"), *date = sim_get(response, "Last-Modified");
    if (!if_range)
        return true;
    if (if_range[0] == '"')
        return etag && strcmp(if_range, etag) == 0;
    return date && strcmp(if_range, date) == 0;
}

static void take_part(const struct sim_head *request, struct sim_answer *out)
{
    const char *range = sim_get(request, "Range");
    unsigned long first = 0, last = out->len - 1;
    if (!range || strncmp(range, "bytes=", 6) != 0 || !range_holds(request, &out->head) || out->len == 0)
        return;
    if (range[6] == '-') {
        unsigned long suffix = strtoul(range + 7, NULL, 10);
        first = suffix < out->len ? out->len - suffix : 0;
    } else {
        char *end;
        first = strtoul(range + 6, &end, 10);
        if (end[1] && strtoul(end + 1, NULL, 10) < last)
            last = strtoul(end + 1, NULL, 10);
    }
    if (first >= out->len) {
        out->head.status = 416;
        sim_put(&out->head, "Content-Range", "bytes */%zu", out->len);
        out->of_version = false;
        out->len = 0;
        return;
    }
    out->head.status = 206;
    sim_put(&out->head, "Content-Range", "bytes %lu-%lu/%zu", first, last, out->len);
    memmove(out->body, out->body + first, last - first + 1);
    out->len = last - first + 1;
}

static void answer_read(struct sim_origin *origin, const struct sim_head *request, unsigned number,
                        int64_t now, struct sim_answer *out)
{
    const struct sim_resource *resource = &origin->resources[number];
    struct sim_random *random = origin->random;
    const char *if_match = sim_get(request, "If-Match");
    bool head = strcmp(request->method, "HEAD") == 0;
    out->version = sim_origin_version(origin, request, number);
    out->of_version = true;
    out->head.status = resource->status;
    put_etag(resource, &out->version, &out->head);
    if (resource->validators == STRONG_AND_DATE || resource->validators == DATE)
        put_date(&out->head, "Last-Modified", resource->changed);
    put_caching(origin, resource, now, &out->head);
    if (resource->cookie)
        sim_put(&out->head, "Set-Cookie", "s=%u", origin->exchanges);
    bool whole = resource->status == 200;
    const char *etag = sim_get(&out->head, "ETag");
    if (whole && if_match && (!etag || etag[0] == 'W' || !lists_tag(if_match, etag))) {
        out->head.status = 412;
        out->of_version = false;
        return;
    }
    bool founded = not_modified(resource, request, &out->head);
    if (whole && (founded || sim_below(random, 300) == 0)) {
        out->head.status = 304;
        out->unfounded = !founded;
        return;
    }
    out->len = sim_content(&out->version, out->body);
    if (whole && resource->ranges && !head)
        take_part(request, out);
    if (sim_chance(random, 90) && out->head.status != 416)
        sim_put(&out->head, "Content-Length", "%zu", out->len);
    if (head)
        out->len = 0;
}

static void answer_write(struct sim_origin *origin, const struct sim_head *request, unsigned number,
                         int64_t now, struct sim_answer *out)
{
    struct sim_random *random = origin->random;
    struct sim_resource *resource = &origin->resources[number];
    bool post = strcmp(request->method, "POST") == 0;
    out->head.status = sim_chance(random, 80) ? 200 : sim_chance(random, 50) ? 303 : 403;
    if (strcmp(request->method, "OPTIONS") == 0)
        return;
    if (out->head.status < 400)
        change(origin, resource, now);
    if (sim_chance(random, 30))
        sim_put(&out->head, sim_chance(random, 50) ? "Location" : "Content-Location", "/r%u",
                sim_below(random, SIM_RESOURCES));
    else if (post && sim_chance(random, 50))
        sim_put(&out->head, "Content-Location", "/r%u", number);
    if (sim_chance(random, 20))
        sim_put(&out->head, "Cache-Group-Invalidation", "\"g%u\"", 1 + sim_below(random, 5));
    if (post && sim_chance(random, 50)) {
        out->version = sim_origin_version(origin, request, number);
        out->of_version = true;
        put_caching(origin, resource, now, &out->head);
        out->len = sim_content(&out->version, out->body);
    }
}

void sim_origin_answer(struct sim_origin *origin, const struct sim_head *request, unsigned resource,
                       int64_t now, struct sim_answer *out)
{
    bool head = strcmp(request->method, "HEAD") == 0, read = head || strcmp(request->method, "GET") == 0;
    out->none = now < origin->down_until || sim_below(origin->random, 500) == 0;
    out->head.count = 0;
    out->len = 0;
    out->of_version = out->unfounded = false;
    out->version = (struct sim_version){.resource = resource};
    origin->exchanges++;
    if (out->none)
        return;
    put_date(&out->head, "Date",
             now + (sim_chance(origin->random, 10) ? (int64_t)sim_below(origin->random, 40) - 30 : 0));
    if (now < origin->failing_until) {
        out->head.status = 503;
        if (sim_chance(origin->random, 10))
            sim_put(&out->head, "Cache-Control", "max-age=3");
    } else if (read) {
        answer_read(origin, request, resource, now, out);
    } else {
        answer_write(origin, request, resource, now, out);
    }
    if (out->head.status != 304)
        sim_put(&out->head, head ? "Sim-Head" : "Sim-Origin", "%u", origin->exchanges);
}
