/* SPDX-License-Identifier: MIT */
/*
 * disk_world: a folder of its own for the store, and short ways to put and find.
 */
#ifndef STET_TEST_DISK_WORLD_H
#define STET_TEST_DISK_WORLD_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/disk.h"

#define SPAN(text) stet_span_of(text, strlen(text))
#define NOW 1700000000

struct world {
    char folder[64];
    struct stet__disk_settings settings;
    struct stet__disk *disk;
    struct stet__arena arena;
    struct stet__disk_entry found[STET_CANDIDATES_MAX];
    size_t count;
    const char *cause;
};

static const struct stet_cache_policy policy = {.obey_clients = true};

static inline void world_open(struct world *world)
{
    assert_int_equal(stet__disk_open(&world->settings, &world->disk, &world->cause), STET_OK);
}

static inline void world_close(struct world *world)
{
    stet__disk_close(world->disk);
    world->disk = NULL;
}

static inline int world_begin(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    const char *base = getenv("TMPDIR");
    snprintf(world->folder, sizeof world->folder, "%s/stet-disk-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(world->folder))
        return -1;
    world->settings = (struct stet__disk_settings){
        .folder = world->folder, .octets_max = UINT64_C(64) << 20, .object_max = UINT64_C(32) << 20};
    stet__arena_init(&world->arena, (size_t)64 << 20);
    world_open(world);
    *state = world;
    return 0;
}

static inline int remove_one(const char *path, const struct stat *state, int kind, struct FTW *at)
{
    return remove(path);
}

static inline int world_end(void **state)
{
    struct world *world = *state;
    world_close(world);
    stet__arena_release(&world->arena);
    nftw(world->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(world);
    return 0;
}

/* What an origin answered: up to 4 fields, "Name: value". */
struct answer {
    struct stet_field fields[4];
    struct stet_field selecting[2];
    struct stet_stored stored;
};

static inline void add_field(struct stet_field *fields, struct stet_fields *out, const char *name,
                             const char *value)
{
    struct stet_field *field = &fields[out->count++];
    *field = (struct stet_field){SPAN(name), SPAN(value), stet_field_id(SPAN(name))};
    out->present |= UINT64_C(1) << field->id;
    out->at = fields;
}

static inline void answer_make(struct answer *answer, const char *etag, const char *cache_control)
{
    *answer = (struct answer){.stored = {
                                  .response = {.status = 200, .reason_phrase = STET_SPAN("OK")},
                                  .method = STET_METHOD_GET,
                                  .times = {NOW, NOW + 1, 0},
                                  .held = {.complete = true},
                              }};
    add_field(answer->fields, &answer->stored.response.fields, "Content-Type", "text/plain");
    if (etag)
        add_field(answer->fields, &answer->stored.response.fields, "ETag", etag);
    if (cache_control)
        add_field(answer->fields, &answer->stored.response.fields, "Cache-Control", cache_control);
    stet_stored_read(&answer->stored, &policy);
}

/* Octets that differ with `seed`. */
static inline void fill_octets(char *out, size_t len, unsigned seed)
{
    uint32_t x = seed * 2654435761u + 1;
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525u + 1013904223u;
        out[i] = (char)(x >> 24);
    }
}

static inline struct stet__disk_body *put_begin(struct world *world, const char *uri,
                                                const struct stet_stored *stored)
{
    const struct stet__disk_put put = {.uri = SPAN(uri), .stored = stored};
    return stet__disk_body_begin(world->disk, &put, NULL, UINT64_MAX);
}

/* Puts `octets` under `uri` in place of `replaced`, 0 for nothing; the id. */
static inline uint64_t put_instead(struct world *world, const char *uri, const char *etag,
                                   struct stet_span octets, uint64_t replaced)
{
    struct answer answer;
    struct stet__disk_entry entry;
    answer_make(&answer, etag, "max-age=60");
    const struct stet__disk_put put = {
        .uri = SPAN(uri), .stored = &answer.stored, .replaced = &replaced, .replaced_count = replaced != 0};
    struct stet__disk_body *body = stet__disk_body_begin(world->disk, &put, NULL, octets.len);
    assert_non_null(body);
    assert_true(stet__disk_body_append(body, octets));
    assert_true(stet__disk_body_commit(body, &world->arena, &entry));
    return entry.id;
}

static inline uint64_t put(struct world *world, const char *uri, struct stet_span octets)
{
    return put_instead(world, uri, "\"a\"", octets, 0);
}

static inline uint64_t put_filled(struct world *world, const char *uri, size_t len, unsigned seed)
{
    char *octets = malloc(len + 1);
    fill_octets(octets, len, seed);
    uint64_t id = put(world, uri, stet_span_of(octets, len));
    free(octets);
    return id;
}

/* A response that may be a dictionary, fetched so many seconds later, in place of `replaced`; its id. */
static inline uint64_t put_dictionary(struct world *world, const char *uri, const char *use_as_dictionary,
                                      int64_t later, uint64_t replaced)
{
    struct answer answer;
    struct stet__disk_entry entry;
    answer_make(&answer, "\"a\"", "max-age=60");
    add_field(answer.fields, &answer.stored.response.fields, "Use-As-Dictionary", use_as_dictionary);
    answer.stored.times.response += later;
    const struct stet__disk_put put = {
        .uri = SPAN(uri), .stored = &answer.stored, .replaced = &replaced, .replaced_count = replaced != 0};
    struct stet__disk_body *body = stet__disk_body_begin(world->disk, &put, NULL, UINT64_MAX);
    assert_non_null(body);
    assert_true(stet__disk_body_append(body, SPAN(uri)));
    assert_true(stet__disk_body_commit(body, &world->arena, &entry));
    return entry.id;
}

static inline size_t find(struct world *world, const char *uri)
{
    stet__arena_reset(&world->arena);
    assert_int_equal(
        stet__disk_find(world->disk, SPAN(uri), &policy, &world->arena, world->found, &world->count),
        STET_OK);
    return world->count;
}

/* Whether the body of an entry can be read and is `octets`. */
static inline bool holds(struct world *world, const struct stet__disk_entry *entry, struct stet_span octets)
{
    char *room = malloc(octets.len + 2);
    int fd = stet__disk_body(world->disk, entry);
    bool same = false;
    if (fd >= 0) {
        size_t len = 0;
        ssize_t got;
        while ((got = read(fd, room + len, octets.len + 1 - len)) > 0)
            len += (size_t)got;
        same = len == octets.len && memcmp(room, octets.ptr, len) == 0;
        close(fd);
    }
    free(room);
    return same;
}

static inline bool holds_filled(struct world *world, const struct stet__disk_entry *entry, size_t len,
                                unsigned seed)
{
    char *octets = malloc(len + 1);
    fill_octets(octets, len, seed);
    bool same = holds(world, entry, stet_span_of(octets, len));
    free(octets);
    return same;
}

static size_t counted;

static inline int count_one(const char *path, const struct stat *state, int kind, struct FTW *at)
{
    counted += kind == FTW_F;
    return 0;
}

/* Files below a folder of the store. */
static inline size_t files_in(const struct world *world, const char *below)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", world->folder, below);
    counted = 0;
    nftw(path, count_one, 16, FTW_PHYS);
    return counted;
}

static inline void complain(void *owner, const char *fault)
{
    char(*last)[512] = owner;
    if (last)
        snprintf(*last, sizeof *last, "%s", fault);
    else
        print_message("# %s\n", fault);
}

/* Faults that verify finds. */
static inline uint64_t faults(struct world *world, bool mend, char (*last)[512])
{
    struct stet__disk_findings findings;
    assert_int_equal(stet__disk_verify(world->disk, mend, complain, last, &findings), STET_OK);
    return findings.faults;
}

static inline struct stet__disk_stats stats(struct world *world)
{
    struct stet__disk_stats out;
    stet__disk_stats(world->disk, &out);
    return out;
}

#endif
