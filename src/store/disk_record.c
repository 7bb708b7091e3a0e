/* SPDX-License-Identifier: MIT */
/*
 * disk_record: entries to octets and back.
 *
 * A record is read as if somebody else had written it: the checksum finds what a disk did, the bounds hold
 * whatever the numbers say. What does not parse is no entry.
 */
#include "store/disk_inside.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define VERSION 1
#define RECORD_MAX (1 << 20)
#define FIELDS_MAX 1024
#define CHECKED sizeof(uint64_t) /* octets before those that the checksum covers */

void stet__disk_big_endian(uint64_t n, unsigned char out[8])
{
    for (int i = 7; i >= 0; i--, n >>= 8)
        out[i] = (unsigned char)n;
}

uint64_t stet__disk_from_big_endian(const unsigned char in[8])
{
    uint64_t n = 0;
    for (int i = 0; i < 8; i++)
        n = n << 8 | in[i];
    return n;
}

void stet__disk_key_make(struct stet_span uri, uint64_t id, struct stet__disk_key *out)
{
    size_t kept = uri.len < STET__DISK_URI_KEPT ? uri.len : STET__DISK_URI_KEPT;
    XXH128_canonical_t hash;
    XXH128_canonicalFromHash(&hash, XXH3_128bits(uri.ptr, uri.len));
    memcpy(out->octets, uri.ptr, kept);
    out->octets[kept] = 0;
    memcpy(out->octets + kept + 1, hash.digest, sizeof hash.digest);
    stet__disk_big_endian(id, out->octets + kept + 1 + sizeof hash.digest);
    out->len = kept + 1 + sizeof hash.digest + 8;
}

uint64_t stet__disk_key_id(MDB_val key)
{
    const unsigned char *octets = key.mv_data;
    return key.mv_size < 8 ? 0 : stet__disk_from_big_endian(octets + key.mv_size - 8);
}

static uint64_t check_of(const char *octets, size_t len)
{
    return XXH3_64bits(octets + CHECKED, len - CHECKED);
}

static bool append_lengths(struct stet__buffer *out, const struct stet_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        uint32_t lengths[2] = {(uint32_t)fields->at[i].name.len, (uint32_t)fields->at[i].value.len};
        if (fields->at[i].name.len > RECORD_MAX || fields->at[i].value.len > RECORD_MAX ||
            !stet__buffer_append(out, stet_span_of((const char *)lengths, sizeof lengths)))
            return false;
    }
    return true;
}

static void append_texts(struct stet__buffer *out, const struct stet_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        stet__buffer_append(out, fields->at[i].name);
        stet__buffer_append(out, fields->at[i].value);
    }
}

static uint32_t flags_of(const struct stet__disk_entry *entry)
{
    const struct stet_stored *stored = &entry->stored;
    return (entry->has_digest ? STET__DISK_RECORD_COMPLETE : 0) |
           (stored->held.length_known ? STET__DISK_RECORD_LENGTH_KNOWN : 0) |
           (stored->authorized ? STET__DISK_RECORD_AUTHORIZED : 0) |
           (stored->synthesised ? STET__DISK_RECORD_SYNTHESISED : 0) |
           (entry->invalidated ? STET__DISK_RECORD_INVALIDATED : 0);
}

static void fill(const struct stet__disk_entry *entry, struct stet__disk_record *out)
{
    const struct stet_stored *stored = &entry->stored;
    *out = (struct stet__disk_record){
        .version = VERSION,
        .flags = flags_of(entry),
        .id = entry->id,
        .request = stored->times.request,
        .response = stored->times.response,
        .age = stored->times.age,
        .first = stored->held.complete ? 0 : stored->held.range.first,
        .complete_length = stored->held.length_known ? stored->held.complete_length : 0,
        .octets = entry->octets,
        .part = entry->part,
        .uri_len = (uint32_t)entry->uri.len,
        .reason_len = (uint32_t)stored->response.reason_phrase.len,
        .fields = (uint32_t)stored->response.fields.count,
        .selecting = (uint32_t)stored->selecting.count,
        .status = (uint16_t)stored->response.status,
        .method = (uint16_t)stored->method,
        .asker = entry->asker,
    };
    memcpy(out->digest, entry->digest, sizeof out->digest);
}

bool stet__disk_record_write(const struct stet__disk_entry *entry, struct stet__buffer *out)
{
    const struct stet_stored *stored = &entry->stored;
    struct stet__disk_record record;
    if (stored->response.fields.count > FIELDS_MAX || stored->selecting.count > FIELDS_MAX ||
        entry->uri.len > RECORD_MAX || entry->uri.len == 0 || stored->response.reason_phrase.len > RECORD_MAX)
        return false;
    fill(entry, &record);
    size_t begin = out->len;
    stet__buffer_append(out, stet_span_of((const char *)&record, sizeof record));
    if (!append_lengths(out, &stored->response.fields) || !append_lengths(out, &stored->selecting))
        return false;
    stet__buffer_append(out, entry->uri);
    stet__buffer_append(out, stored->response.reason_phrase);
    append_texts(out, &stored->response.fields);
    append_texts(out, &stored->selecting);
    if (out->failed || out->len - begin > RECORD_MAX)
        return false;
    stet__disk_record_seal(out->ptr + begin, out->len - begin, &record);
    return true;
}

void stet__disk_record_seal(char *octets, size_t len, const struct stet__disk_record *record)
{
    memcpy(octets, record, sizeof *record);
    uint64_t check = check_of(octets, len);
    memcpy(octets, &check, sizeof check);
}

static size_t texts_at(const struct stet__disk_record *record)
{
    return sizeof *record + ((size_t)record->fields + record->selecting) * 2 * sizeof(uint32_t);
}

/* Whether the lengths add up to exactly what is there. */
static bool adds_up(MDB_val value, const struct stet__disk_record *record)
{
    const char *octets = value.mv_data;
    uint64_t sum = texts_at(record);
    if (sum > value.mv_size)
        return false;
    for (size_t at = sizeof *record; at < texts_at(record); at += sizeof(uint32_t)) {
        uint32_t length;
        memcpy(&length, octets + at, sizeof length);
        sum += length;
    }
    return sum + record->uri_len + record->reason_len == value.mv_size;
}

/* Whether an answer can be made of it: core has no word for another method, nor for a range that wraps. */
static bool makes_sense(const struct stet__disk_record *record)
{
    bool complete = (record->flags & STET__DISK_RECORD_COMPLETE) != 0;
    return record->uri_len > 0 && record->status >= 100 && record->status <= 999 &&
           (record->method == STET_METHOD_GET || record->method == STET_METHOD_HEAD) &&
           complete == (record->part == 0) && (complete || record->octets <= UINT64_MAX - record->first);
}

bool stet__disk_record_check(MDB_val value, struct stet__disk_record *out)
{
    struct stet__disk_record record;
    if (value.mv_size < sizeof record || value.mv_size > RECORD_MAX)
        return false;
    memcpy(&record, value.mv_data, sizeof record);
    if (record.version != VERSION || record.check != check_of(value.mv_data, value.mv_size) ||
        record.fields > FIELDS_MAX || record.selecting > FIELDS_MAX || !adds_up(value, &record) ||
        !makes_sense(&record))
        return false;
    *out = record;
    return true;
}

struct stet_span stet__disk_record_uri(MDB_val value, const struct stet__disk_record *record)
{
    return stet_span_of((const char *)value.mv_data + texts_at(record), record->uri_len);
}

static struct stet_span take(struct stet_span *texts, size_t len)
{
    struct stet_span taken = stet_span_of(texts->ptr, len);
    *texts = stet_span_skip(*texts, len);
    return taken;
}

static bool read_fields(const char **lengths, size_t count, struct stet_span *texts,
                        struct stet__arena *arena, struct stet_fields *out)
{
    *out = (struct stet_fields){NULL, 0, 0};
    if (count == 0)
        return true;
    struct stet_field *at = stet__arena_alloc(arena, count * sizeof *at);
    if (!at)
        return false;
    for (size_t i = 0; i < count; i++, *lengths += 2 * sizeof(uint32_t)) {
        uint32_t len[2];
        memcpy(len, *lengths, sizeof len);
        at[i].name = take(texts, len[0]);
        at[i].value = take(texts, len[1]);
        at[i].id = stet_field_id(at[i].name);
        out->present |= UINT64_C(1) << at[i].id;
    }
    out->at = at;
    out->count = count;
    return true;
}

static struct stet_held held_of(const struct stet__disk_record *record)
{
    struct stet_held held = {
        .complete = (record->flags & STET__DISK_RECORD_COMPLETE) != 0,
        .length_known = (record->flags & STET__DISK_RECORD_LENGTH_KNOWN) != 0,
        .complete_length = record->complete_length,
    };
    if (!held.complete && record->octets > 0)
        held.range = (struct stet_range){record->first, record->first + record->octets - 1};
    return held;
}

int stet__disk_record_read(MDB_val value, struct stet__arena *arena, struct stet__disk_entry *out)
{
    struct stet__disk_record record;
    if (!stet__disk_record_check(value, &record))
        return STET_E_STORE_INDEX;
    struct stet_span copy = stet__arena_copy(arena, stet_span_of(value.mv_data, value.mv_size));
    if (!copy.ptr)
        return STET_E_STORE_MEMORY;
    const char *lengths = copy.ptr + sizeof record;
    struct stet_span texts = stet_span_skip(copy, texts_at(&record));
    *out = (struct stet__disk_entry){
        .id = record.id,
        .invalidated = (record.flags & STET__DISK_RECORD_INVALIDATED) != 0,
        .has_digest = (record.flags & STET__DISK_RECORD_COMPLETE) != 0,
        .octets = record.octets,
        .part = record.part,
        .asker = record.asker,
        .uri = take(&texts, record.uri_len),
    };
    memcpy(out->digest, record.digest, sizeof out->digest);
    struct stet_stored *stored = &out->stored;
    stored->response.status = record.status;
    stored->response.reason_phrase = take(&texts, record.reason_len);
    stored->method = (enum stet_method)record.method;
    stored->times = (struct stet_times){record.request, record.response, record.age};
    stored->held = held_of(&record);
    stored->authorized = (record.flags & STET__DISK_RECORD_AUTHORIZED) != 0;
    stored->synthesised = (record.flags & STET__DISK_RECORD_SYNTHESISED) != 0;
    if (!read_fields(&lengths, record.fields, &texts, arena, &stored->response.fields) ||
        !read_fields(&lengths, record.selecting, &texts, arena, &stored->selecting))
        return STET_E_STORE_MEMORY;
    return STET_OK;
}

static uint64_t content_check_of(const struct stet__disk_content *content, struct stet_span small)
{
    uint64_t head = XXH3_64bits((const char *)content + CHECKED, sizeof *content - CHECKED);
    return content->small ? XXH3_64bits_withSeed(small.ptr, small.len, head) : head;
}

bool stet__disk_content_check(MDB_val value, struct stet__disk_content *out)
{
    struct stet__disk_content content;
    if (value.mv_size < sizeof content)
        return false;
    memcpy(&content, value.mv_data, sizeof content);
    struct stet_span small =
        stet_span_of((const char *)value.mv_data + sizeof content, value.mv_size - sizeof content);
    if (content.small > 1 || small.len != (content.small ? content.octets : 0) ||
        content.check != content_check_of(&content, small))
        return false;
    *out = content;
    return true;
}

int stet__disk_content_put(struct stet__disk_change *change, const unsigned char *digest,
                           struct stet__disk_content *content, struct stet_span small)
{
    MDB_val key = stet__disk_val(digest, STET__DISK_DIGEST_BYTES);
    MDB_val value = {sizeof *content + (content->small ? small.len : 0), NULL};
    char copy[STET__DISK_SMALL];
    if (content->small) {
        /* It may stand in the page that is about to be written over. */
        if (small.len > sizeof copy)
            return MDB_CORRUPTED;
        memcpy(copy, small.ptr, small.len);
        small.ptr = copy;
    }
    content->check = content_check_of(content, small);
    int code = mdb_put(change->txn, change->disk->tables[STET__DISK_BODIES], &key, &value, MDB_RESERVE);
    if (code != 0)
        return code;
    memcpy(value.mv_data, content, sizeof *content);
    if (content->small)
        memcpy((char *)value.mv_data + sizeof *content, small.ptr, small.len);
    return 0;
}
