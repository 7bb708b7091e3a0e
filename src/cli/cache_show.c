/* SPDX-License-Identifier: MIT */
/*
 * cache_show: `stet cache ls` and `stet cache show`: what is stored, and what core says of it now. What comes
 * from a server is printed without control octets, so that it cannot talk to the terminal.
 */
#include "cli/cache.h"

#include <unistd.h>

#include <stet/date.h>

#include "cli/cli.h"

#define ARENA_MAX ((size_t)128 << 20)

static void print_clean(struct stet_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        putchar(c < 0x20 || c == 0x7f ? '?' : c);
    }
}

static struct stet_span tag_of(const struct stet__disk_entry *entry)
{
    const struct stet_field *field = stet_fields_find(&entry->stored.response.fields, STET_FIELD_ETAG, 0);
    return field ? field->value : STET_SPAN_NONE;
}

static int64_t ttl_of(const struct stet__disk_entry *entry, int64_t now)
{
    return stet_freshness_ttl(&entry->stored.freshness, now);
}

/* What core would do with it, for the request that it was got with. */
static struct stet_cache_decision decide(const struct stet__cache_run *run,
                                         const struct stet__disk_entry *entry)
{
    const struct stet_stored *stored = &entry->stored;
    const struct stet_request request = {
        .method = stored->method,
        .method_name = stored->method == STET_METHOD_HEAD ? STET_SPAN("HEAD") : STET_SPAN("GET"),
        .fields = stored->selecting,
    };
    const struct stet_cache_question question = {
        .request = &request,
        .stored = &stored,
        .count = 1,
        .invalidated = entry->invalidated,
        .policy = &run->policy,
        .now = run->now,
    };
    struct stet_cache_decision decision;
    stet_cache_decide(&question, &decision);
    return decision;
}

static const char *state_of(const struct stet__cache_run *run, const struct stet__disk_entry *entry)
{
    if (!entry->stored.held.complete)
        return "part";
    if (decide(run, entry).action == STET_CACHE_SERVE)
        return "fresh";
    return ttl_of(entry, run->now) > 0 ? "validate" : "stale";
}

/* "58 s", "3 h" */
static void duration_text(int64_t seconds, char out[32])
{
    static const struct {
        int64_t of_s;
        const char *name;
    } units[] = {{86400 * 365, "y"}, {86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    uint64_t s = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
    size_t i = 0;
    while (i < 4 && s < 2 * (uint64_t)units[i].of_s)
        i++;
    snprintf(out, 32, "%ju %s", (uintmax_t)(s / (uint64_t)units[i].of_s), units[i].name);
}

static void digest_text(const unsigned char *digest, char out[2 * STET__DISK_DIGEST_BYTES + 1])
{
    for (size_t i = 0; i < STET__DISK_DIGEST_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* --- JSON --- */

static json_t *fields_json(const struct stet_fields *fields)
{
    json_t *list = json_array();
    for (size_t i = 0; i < fields->count; i++)
        json_array_append_new(list, json_pack("[o, o]", stet__json_text(fields->at[i].name),
                                              stet__json_text(fields->at[i].value)));
    return list;
}

static json_t *entry_json(const struct stet__cache_run *run, const struct stet__disk_entry *entry)
{
    const struct stet_stored *stored = &entry->stored;
    char digest[2 * STET__DISK_DIGEST_BYTES + 1] = "";
    json_t *json = json_pack(
        "{s:o, s:s, s:i, s:s, s:I, s:I, s:I, s:o, s:I}", "uri", stet__json_text(entry->uri), "method",
        stored->method == STET_METHOD_HEAD ? "HEAD" : "GET", "status", (int)stored->response.status, "state",
        state_of(run, entry), "octets", (json_int_t)entry->octets, "age",
        (json_int_t)stet_freshness_age(&stored->freshness, run->now), "ttl",
        (json_int_t)ttl_of(entry, run->now), "etag", stet__json_text(tag_of(entry)), "used_at",
        (json_int_t)entry->used_at);
    if (entry->has_digest)
        digest_text(entry->digest, digest);
    json_object_set_new(json, "sha256", entry->has_digest ? json_string(digest) : json_null());
    json_object_set_new(json, "invalidated", json_boolean(entry->invalidated));
    return json;
}

static json_t *details_json(const struct stet__cache_run *run, const struct stet__disk_entry *entry)
{
    const struct stet_stored *stored = &entry->stored;
    const struct stet_reason_row *decided = stet_reason_row(decide(run, entry).reason),
                                 *lifetime = stet_reason_row(stored->freshness.reason);
    char path[STET__DISK_PATH_ROOM];
    bool filed = stet__disk_body_path(run->disk, entry, path, sizeof path);
    json_t *json = entry_json(run, entry);
    json_object_set_new(json, "reason", json_string(decided->name));
    json_object_set_new(json, "clause", json_string(decided->clause));
    json_object_set_new(json, "lifetime", json_integer(stored->freshness.lifetime_s));
    json_object_set_new(json, "lifetime_reason", json_string(lifetime->name));
    json_object_set_new(json, "requested_at", json_integer(stored->times.request));
    json_object_set_new(json, "received_at", json_integer(stored->times.response));
    json_object_set_new(json, "file", filed ? json_string(path) : json_null());
    json_object_set_new(json, "request_fields", fields_json(&stored->selecting));
    json_object_set_new(json, "fields", fields_json(&stored->response.fields));
    return json;
}

/* --- ls --- */

struct listing {
    struct stet__cache_run *run;
    struct stet_span prefix;
    json_t *json; /* NULL: text */
};

static void print_row(const struct stet__cache_run *run, const struct stet__disk_entry *entry)
{
    struct stet_span tag = tag_of(entry);
    char ttl[32];
    duration_text(ttl_of(entry, run->now), ttl);
    printf("%-8s %6s %3u %10ju  ", state_of(run, entry), ttl, entry->stored.response.status,
           (uintmax_t)entry->octets);
    print_clean(tag.ptr ? tag : STET_SPAN("-"));
    printf("  ");
}

static bool list_one(void *owner, const struct stet__disk_entry *entry)
{
    struct listing *listing = owner;
    if (!stet_span_starts(entry->uri, listing->prefix))
        return true;
    if (listing->json)
        return json_array_append_new(listing->json, entry_json(listing->run, entry)) == 0;
    if (listing->run->options->detailed)
        print_row(listing->run, entry);
    print_clean(entry->uri);
    putchar('\n');
    return !ferror(stdout);
}

int stet__cache_ls(struct stet__cache_run *run)
{
    const char *prefix = run->options->prefix ? run->options->prefix : "";
    struct listing listing = {run, stet_span_of(prefix, strlen(prefix)), NULL};
    if (run->options->json)
        listing.json = json_array();
    int code = stet__disk_each(run->disk, &run->policy, list_one, &listing);
    if (code != STET_OK) {
        json_decref(listing.json);
        stet__cli_complain("cache: %s", stet_status_row(code)->sentence);
        return STET__EXIT_FAILURE;
    }
    return listing.json ? stet__cache_print_json(listing.json) : stet__cli_told();
}

/* --- show --- */

static void print_date(const char *name, int64_t at)
{
    char date[STET_DATE_LEN];
    stet_date_format(at, date);
    printf("  %-10s %.*s\n", name, STET_DATE_LEN, date);
}

static void print_freshness(const struct stet__cache_run *run, const struct stet__disk_entry *entry)
{
    const struct stet_stored *stored = &entry->stored;
    const struct stet_reason_row *decided = stet_reason_row(decide(run, entry).reason),
                                 *lifetime = stet_reason_row(stored->freshness.reason);
    int64_t ttl = ttl_of(entry, run->now);
    char left[32], age[32];
    duration_text(ttl, left);
    duration_text(stet_freshness_age(&stored->freshness, run->now), age);
    printf("  %-10s %s", "now", state_of(run, entry));
    if (stored->held.complete)
        printf(", %s %s; age %s", ttl > 0 ? "fresh for" : "stale for", left, age);
    printf("\n  %-10s %s (%s)\n", "", decided->sentence, decided->clause);
    printf("  %-10s %jd s: %s (%s)\n", "lifetime", (intmax_t)stored->freshness.lifetime_s, lifetime->sentence,
           lifetime->clause);
}

static void print_content(const struct stet__cache_run *run, const struct stet__disk_entry *entry)
{
    const struct stet_held *held = &entry->stored.held;
    char digest[2 * STET__DISK_DIGEST_BYTES + 1], path[STET__DISK_PATH_ROOM];
    printf("  %-10s %ju octets", "content", (uintmax_t)entry->octets);
    if (!held->complete && held->length_known)
        printf(" of %ju", (uintmax_t)held->complete_length);
    if (entry->has_digest) {
        digest_text(entry->digest, digest);
        printf(", SHA-256 %s", digest);
    }
    if (stet__disk_body_path(run->disk, entry, path, sizeof path))
        printf("\n  %-10s %s/%s\n", "", run->folder, path);
    else
        printf("\n  %-10s in the index\n", "");
}

static void print_fields(const struct stet_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        printf("    ");
        print_clean(fields->at[i].name);
        printf(": ");
        print_clean(fields->at[i].value);
        putchar('\n');
    }
}

static void print_entry(const struct stet__cache_run *run, const struct stet__disk_entry *entry)
{
    const struct stet_stored *stored = &entry->stored;
    print_clean(entry->uri);
    putchar('\n');
    print_freshness(run, entry);
    print_date("received", stored->times.response);
    print_date("last used", entry->used_at);
    print_content(run, entry);
    printf("  %-10s %s\n", "request", stored->method == STET_METHOD_HEAD ? "HEAD" : "GET");
    print_fields(&stored->selecting);
    printf("  %-10s %u ", "response", stored->response.status);
    print_clean(stored->response.reason_phrase);
    putchar('\n');
    print_fields(&stored->response.fields);
}

static int print_body(const struct stet__cache_run *run, const struct stet__disk_entry *entry)
{
    char room[16384];
    ssize_t got = 0;
    int fd = stet__disk_body(run->disk, entry);
    while (fd >= 0 && (got = read(fd, room, sizeof room)) > 0 && fwrite(room, 1, (size_t)got, stdout) > 0) {
    }
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && got >= 0)
        return stet__cli_told();
    stet__cli_complain("cache: its content is gone or damaged");
    return STET__EXIT_FAILURE;
}

static int show_found(struct stet__cache_run *run, const struct stet__disk_entry *found, size_t count)
{
    if (run->options->body)
        return print_body(run, &found[0]);
    json_t *json = run->options->json ? json_array() : NULL;
    for (size_t i = 0; i < count; i++) {
        if (json)
            json_array_append_new(json, details_json(run, &found[i]));
        else
            print_entry(run, &found[i]);
    }
    return json ? stet__cache_print_json(json) : stet__cli_told();
}

int stet__cache_show(struct stet__cache_run *run)
{
    struct stet__disk_entry *found = calloc(STET_CANDIDATES_MAX, sizeof *found);
    struct stet__arena arena;
    size_t count = 0;
    char *key = run->count == 1 ? stet__cache_key(run->operands[0]) : NULL;
    int code = STET__EXIT_FAILURE;
    if (run->count != 1)
        stet__cli_complain("cache show: one URL at a time");
    stet__arena_init(&arena, ARENA_MAX);
    if (!key)
        code = STET__EXIT_USAGE;
    else if (!found || stet__disk_find(run->disk, stet_span_of(key, strlen(key)), &run->policy, &arena, found,
                                       &count) != STET_OK)
        stet__cli_complain("cache: the index cannot be read");
    else if (count == 0)
        stet__cli_complain("cache: nothing is stored under %s; stet cache ls names what is", key);
    else
        code = show_found(run, found, count);
    stet__arena_release(&arena);
    free(found);
    free(key);
    return code;
}
