/* SPDX-License-Identifier: MIT */
/*
 * Records of the store on disk, as a damaged index has them: disk_record.c of src/store.
 *
 * The first octet says what the rest is, and whether it gets the checksum that it should have, so that what
 * is behind that is reached too. What must hold: no octet beyond the end is read; what is read as an entry
 * has a key, a status and a method that an answer can have, a range that does not wrap, and gives the same
 * entry when it is written and read again; core can decide about it.
 */
#include <stdlib.h>

#include "store/disk_inside.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define NOW INT64_C(1795253400)

enum { CONTENT = 1, SEALED = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void same_fields(const struct stet_fields *a, const struct stet_fields *b)
{
    require(a->count == b->count && a->present == b->present);
    for (size_t i = 0; i < a->count; i++)
        require(a->at[i].id == b->at[i].id && stet_span_equal(a->at[i].name, b->at[i].name) &&
                stet_span_equal(a->at[i].value, b->at[i].value));
}

static void same(const struct stet__disk_entry *a, const struct stet__disk_entry *b)
{
    const struct stet_stored *x = &a->stored, *y = &b->stored;
    require(a->id == b->id && stet_span_equal(a->uri, b->uri) && a->invalidated == b->invalidated);
    require(a->has_digest == b->has_digest && memcmp(a->digest, b->digest, sizeof a->digest) == 0);
    require(a->octets == b->octets && a->part == b->part);
    require(x->response.status == y->response.status && x->method == y->method);
    require(stet_span_equal(x->response.reason_phrase, y->response.reason_phrase));
    require(x->times.request == y->times.request && x->times.response == y->times.response &&
            x->times.age == y->times.age);
    require(x->authorized == y->authorized && x->synthesised == y->synthesised);
    require(x->held.complete == y->held.complete && x->held.length_known == y->held.length_known &&
            (!x->held.length_known || x->held.complete_length == y->held.complete_length));
    require(x->held.range.first == y->held.range.first && x->held.range.last == y->held.range.last);
    same_fields(&x->response.fields, &y->response.fields);
    same_fields(&x->selecting, &y->selecting);
}

static void write_again(const struct stet__disk_entry *entry, struct stet__arena *arena)
{
    struct stet__disk_entry again;
    struct stet__buffer out;
    stet__buffer_init(&out, 8u << 20);
    require(stet__disk_record_write(entry, &out));
    require(stet__disk_record_read(stet__disk_val(out.ptr, out.len), arena, &again) == STET_OK);
    same(entry, &again);
    stet__buffer_release(&out);
}

static void decide(struct stet_stored *stored, const struct stet_cache_policy *policy, bool ranged)
{
    static const struct stet_field range[] = {{{"Range", 5}, {"bytes=0-", 8}, STET_FIELD_RANGE}};
    const struct stet_stored *const candidates[] = {stored};
    struct stet_request request = {
        .method = STET_METHOD_GET, .method_name = STET_SPAN("GET"), .target = STET_SPAN("/")};
    struct stet_cache_question question = {&request, STET_SPAN("/"),   candidates,
                                           1,        .policy = policy, .now = NOW};
    struct stet_cache_decision decision;
    struct stet_validation validation;
    struct stet_answer answer;
    char tags[256];
    if (ranged)
        request.fields = (struct stet_fields){range, 1, UINT64_C(1) << STET_FIELD_RANGE};
    stet_stored_read(stored, policy);
    stet_cache_decide(&question, &decision);
    require(decision.chosen <= 1);
    stet_cache_validation(&question, &decision, tags, sizeof tags, &validation);
    if (decision.action == STET_CACHE_SERVE || decision.action == STET_CACHE_SERVE_AND_REVALIDATE)
        stet_cache_answer(&request, stored, NOW, &answer);
}

static void check_entry(struct stet__disk_entry *entry, struct stet__arena *arena)
{
    static const struct stet_cache_policy personal = {.obey_clients = true};
    const struct stet_stored *stored = &entry->stored;
    require(entry->uri.len > 0 && entry->has_digest == (entry->part == 0));
    require(stored->response.status >= 100 && stored->response.status <= 999);
    require(stored->method == STET_METHOD_GET || stored->method == STET_METHOD_HEAD);
    require(stored->held.range.first <= stored->held.range.last);
    write_again(entry, arena);
    decide(&entry->stored, &personal, false);
    decide(&entry->stored, &STET_CACHE_POLICY_SHARED, true);
}

static void look_at_record(char *octets, size_t len, bool sealed)
{
    struct stet__disk_record record;
    struct stet__disk_entry entry;
    struct stet__arena arena;
    const MDB_val value = stet__disk_val(octets, len);
    if (sealed && len >= sizeof record) {
        memcpy(&record, octets, sizeof record);
        stet__disk_record_seal(octets, len, &record);
    }
    stet__arena_init(&arena, 16u << 20);
    bool good = stet__disk_record_check(value, &record);
    int read = stet__disk_record_read(value, &arena, &entry);
    require(good ? read == STET_OK : read == STET_E_STORE_INDEX);
    if (good) {
        require(stet_span_equal(stet__disk_record_uri(value, &record), entry.uri));
        check_entry(&entry, &arena);
    }
    stet__arena_release(&arena);
}

static void seal_content(char *octets, size_t len)
{
    struct stet__disk_content content;
    const size_t from = sizeof content.check;
    memcpy(&content, octets, sizeof content);
    content.check = XXH3_64bits((const char *)&content + from, sizeof content - from);
    if (content.small)
        content.check = XXH3_64bits_withSeed(octets + sizeof content, len - sizeof content, content.check);
    memcpy(octets, &content.check, sizeof content.check);
}

static void look_at_content(char *octets, size_t len, bool sealed)
{
    struct stet__disk_content content;
    if (sealed && len >= sizeof content)
        seal_content(octets, len);
    if (stet__disk_content_check(stet__disk_val(octets, len), &content))
        require(content.small <= 1 && len - sizeof content == (content.small ? content.octets : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *octets = malloc(size);
    require(octets != NULL);
    memcpy(octets, data + 1, size - 1);
    octets = realloc(octets, size > 1 ? size - 1 : 1);
    if (data[0] & CONTENT)
        look_at_content(octets, size - 1, data[0] & SEALED);
    else
        look_at_record(octets, size - 1, data[0] & SEALED);
    free(octets);
    return 0;
}
