/* SPDX-License-Identifier: MIT */
/*
 * The i-th allocation fails in the store on disk: it is opened anew, bodies of every kind are put, shared,
 * cut off and gone on with, found, read, freshened, invalidated and removed, and it is verified.
 *
 * What has to hold: no crash, no leak (with the address sanitizer); it does not open and says why, or what is
 * found is what was put. After a single failure everything works. Whatever failed, nothing in the folder is
 * found wrong afterwards, nor while memory fails.
 */
#include <unistd.h>

#include "folder.h"
#include "store/disk.h"
#include "sweep.h"

#define NOW 1795253400
#define LARGE 150000u
#define HALF 80000u

static const struct stet_cache_policy policy = {.obey_clients = true};
static char folder[FOLDER_ROOM];
static char octets[LARGE];

/* What is put, and under which URI; of two with the same seed the octets are the same. */
static const struct row {
    const char *uri;
    size_t length;
    unsigned seed;
} rows[] = {{"http://a/empty", 0, 0},     {"http://a/small", 500, 1},   {"http://a/small-too", 500, 1},
            {"http://a/large", LARGE, 2}, {"http://b/large", LARGE, 2}, {"http://a/part", LARGE, 3},
            {"http://a/gone", 5000, 4},   {"http://a/small", 600, 5}};

enum { ROWS = sizeof rows / sizeof *rows, PART = 5 };

static struct stet_span content_of(const struct row *row)
{
    memset(octets, (int)('a' + row->seed), row->length);
    return stet_span_of(octets, row->length);
}

static struct stet_span uri_of(const struct row *row)
{
    return stet_span_of(row->uri, strlen(row->uri));
}

static void make_stored(struct stet_stored *out)
{
    static const struct stet_field fields[] = {
        {{"ETag", 4}, {"\"x\"", 3}, STET_FIELD_ETAG},
        {{"Cache-Control", 13}, {"max-age=60", 10}, STET_FIELD_CACHE_CONTROL}};
    *out = (struct stet_stored){
        .response = {.status = 200,
                     .reason_phrase = STET_SPAN("OK"),
                     .fields = {fields, 2,
                                UINT64_C(1) << STET_FIELD_ETAG | UINT64_C(1) << STET_FIELD_CACHE_CONTROL}},
        .method = STET_METHOD_GET,
        .times = {NOW, NOW, 0},
        .held = {.complete = true}};
    stet_stored_read(out, &policy);
}

/* As far as memory allows. */
static void put_one(struct stet__disk *disk, const struct row *row)
{
    struct stet_stored stored;
    struct stet__disk_entry entry;
    struct stet__arena arena;
    struct stet_span content = content_of(row);
    make_stored(&stored);
    const struct stet__disk_put put = {.uri = uri_of(row), .stored = &stored};
    stet__arena_init(&arena, 1u << 20);
    struct stet__disk_body *body = stet__disk_body_begin(disk, &put, NULL, content.len);
    if (body) {
        (void)stet__disk_body_append(body, stet_span_of(content.ptr, content.len / 2));
        (void)stet__disk_body_fd(body);
        (void)stet__disk_body_append(body, stet_span_skip(content, content.len / 2));
        (void)stet__disk_body_commit(body, &arena, row->seed % 2 ? &entry : NULL);
    }
    stet__arena_release(&arena);
}

/* Cut off in the middle, and gone on with. */
static void put_in_parts(struct stet__disk *disk, const struct row *row)
{
    struct stet_stored stored;
    struct stet__disk_entry found[STET_CANDIDATES_MAX];
    struct stet__arena arena;
    struct stet_span content = content_of(row);
    size_t count = 0;
    make_stored(&stored);
    const struct stet__disk_put put = {.uri = uri_of(row), .stored = &stored};
    stet__arena_init(&arena, 1u << 20);
    struct stet__disk_body *body = stet__disk_body_begin(disk, &put, NULL, UINT64_MAX);
    if (body) {
        (void)stet__disk_body_append(body, stet_span_of(content.ptr, HALF));
        stet__disk_body_cut(body);
    }
    if (stet__disk_find(disk, put.uri, &policy, &arena, found, &count) == STET_OK && count > 0 &&
        found[0].part != 0 && (body = stet__disk_body_begin(disk, &put, &found[0], UINT64_MAX))) {
        (void)stet__disk_body_append(body, stet_span_skip(content, (size_t)stet__disk_body_octets(body)));
        (void)stet__disk_body_commit(body, NULL, NULL);
    }
    stet__arena_release(&arena);
}

/* Whether it has the content of some row with this URI, or its begin if it is a part. */
static bool is_right(const struct row *row, const char *got, size_t len, bool part)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].uri, row->uri) == 0 && (part ? len <= rows[i].length : len == rows[i].length) &&
            (len == 0 || memcmp(got, content_of(&rows[i]).ptr, len) == 0))
            return true;
    return false;
}

static bool read_one(struct stet__disk *disk, const struct row *row, const struct stet__disk_entry *entry,
                     struct stet__arena *arena)
{
    static char got[LARGE + 1];
    char path[STET__DISK_PATH_ROOM];
    struct stet_span small = stet__disk_body_small(disk, entry, arena);
    bool right = !small.ptr || is_right(row, small.ptr, small.len, false);
    (void)stet__disk_body_path(disk, entry, path, sizeof path);
    int fd = stet__disk_body(disk, entry);
    if (fd >= 0) {
        ssize_t len = pread(fd, got, sizeof got, 0);
        right = right && len >= 0 && is_right(row, got, (size_t)len, entry->part != 0);
        close(fd);
    }
    return right;
}

/* How many there are; SIZE_MAX if one is not what was put. */
static size_t find_one(struct stet__disk *disk, const struct row *row)
{
    struct stet__disk_entry found[STET_CANDIDATES_MAX];
    struct stet__arena arena;
    size_t count = 0;
    bool right = true;
    stet__arena_init(&arena, 1u << 20);
    if (stet__disk_find(disk, uri_of(row), &policy, &arena, found, &count) != STET_OK)
        count = 0;
    for (size_t i = 0; i < count && right; i++) {
        right = stet_span_equal(found[i].uri, uri_of(row)) && read_one(disk, row, &found[i], &arena);
        stet__disk_touch(disk, &found[i], NOW + 600);
    }
    stet__arena_release(&arena);
    return right ? count : SIZE_MAX;
}

/* A 304 for it, and another answer that its body serves. */
static void freshen_one(struct stet__disk *disk, const struct row *row)
{
    struct stet__disk_entry found[STET_CANDIDATES_MAX];
    struct stet__arena arena;
    struct stet_stored stored;
    size_t count = 0;
    make_stored(&stored);
    stet__arena_init(&arena, 1u << 20);
    if (stet__disk_find(disk, uri_of(row), &policy, &arena, found, &count) == STET_OK && count > 0) {
        struct stet__disk_put put = {.uri = uri_of(row), .stored = &stored};
        (void)stet__disk_put_head(disk, &found[0], &put);
        put.replaced = &found[0].id;
        put.replaced_count = 1;
        (void)stet__disk_put_head(disk, &found[0], &put);
    }
    stet__arena_release(&arena);
}

static bool visit(void *owner, const struct stet__disk_entry *entry)
{
    size_t *count = owner;
    *count += entry->uri.len > 0;
    return true;
}

static void note_fault(void *owner, const char *fault)
{
    static char words[200];
    const char **problem = owner;
    snprintf(words, sizeof words, "verify: %s", fault);
    *problem = words;
}

/* What is wrong in the folder by now; without memory nothing is to be said. */
static const char *verify(struct stet__disk *disk, bool memory_is_enough)
{
    struct stet__disk_findings findings = {.faults = 0};
    const char *problem = NULL;
    int code = stet__disk_verify(disk, false, note_fault, &problem, &findings);
    if (!problem && memory_is_enough && (code != STET_OK || findings.faults > 0))
        problem = "it cannot be verified";
    return problem;
}

static void keep_output(struct stet__disk *disk)
{
    struct stet__disk_output output = {.decoded = true};
    stet__disk_output_put(disk, folder, &output);
    (void)stet__disk_output_find(disk, folder, &output);
}

static const char *use(struct stet__disk *disk, bool memory_is_enough)
{
    struct stet__disk_stats stats;
    size_t count = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (i == PART)
            put_in_parts(disk, &rows[i]);
        else
            put_one(disk, &rows[i]);
        size_t found = find_one(disk, &rows[i]);
        if (found == SIZE_MAX)
            return "something is found that was not put";
        if (memory_is_enough && found == 0)
            return "what was put is not found";
    }
    freshen_one(disk, &rows[1]);
    freshen_one(disk, &rows[3]);
    keep_output(disk);
    stet__disk_count(disk, STET__DISK_HIT, 1);
    (void)stet__disk_invalidate(disk, uri_of(&rows[2]));
    if (stet__disk_remove(disk, uri_of(&rows[6])) > 0 && find_one(disk, &rows[6]) != 0)
        return "what was removed is found";
    (void)stet__disk_remove_prefix(disk, STET_SPAN("http://b/"));
    stet__disk_flush(disk);
    stet__disk_stats(disk, &stats);
    (void)stet__disk_each(disk, &policy, visit, &count);
    if (memory_is_enough && count != stats.entries)
        return "not every entry is shown";
    return verify(disk, memory_is_enough);
}

/* Opens what is there, and looks whether all of it is right. */
static const char *look_again(void)
{
    const struct stet__disk_settings settings = {.folder = folder, .map_octets = 1u << 24};
    struct stet__disk *disk = NULL;
    const char *cause, *problem = NULL;
    if (stet__disk_open(&settings, &disk, &cause) != STET_OK)
        return "it cannot be opened again";
    if (cause)
        problem = "it began anew";
    for (size_t i = 0; i < ROWS && !problem; i++)
        problem = find_one(disk, &rows[i]) == SIZE_MAX ? "something is found that was not put" : NULL;
    if (!problem)
        problem = verify(disk, true);
    stet__disk_close(disk);
    return problem;
}

static const char *play(unsigned long n, bool all_after, unsigned long *calls)
{
    const struct stet__disk_settings settings = {
        .folder = folder, .octets_max = 1u << 24, .object_max = 1u << 20, .map_octets = 1u << 24};
    struct stet__disk *disk = NULL;
    const char *cause = NULL, *problem = NULL;
    folder_clear(folder);
    failing_arm(n, all_after);
    int code = stet__disk_open(&settings, &disk, &cause);
    if (code == STET_OK)
        problem = use(disk, n == 0);
    *calls = failing_calls();
    failing_arm(0, false);
    if (code != STET_OK && (n == 0 || !cause))
        problem = n == 0 ? "it does not open" : "it does not open and does not say why";
    if (code == STET_OK && !problem && n > 0)
        problem = use(disk, true);
    if (code == STET_OK)
        stet__disk_close(disk);
    if (!problem)
        problem = look_again();
    return !problem && leaks() ? "a leak" : problem;
}

int main(void)
{
    if (!folder_make(folder)) {
        printf("Bail out! no folder for the store\n");
        return 1;
    }
    int code = sweep(play);
    folder_remove(folder);
    return code;
}
