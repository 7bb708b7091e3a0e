/* SPDX-License-Identifier: MIT */
/*
 * fields: the field lines of an answer. Those of the 200 are made once per representation; 206 and 304 take
 * theirs from them (RFC 9110 sections 15.3.7 and 15.4.5), so that all three agree.
 */
#include <stet/field.h>

#include "serve/worker.h"

#define OWN_FIELDS 7 /* that stet itself puts into a 200 */
#define YEAR_S 31536000

static const struct stet__rule *cache_rule(const struct stet__serve_configuration *configuration,
                                           struct stet_span path)
{
    for (size_t i = configuration->rule_count; i > 0; i--) {
        const struct stet__rule *rule = &configuration->rules[i - 1];
        if (rule->kind == STET__RULE_CACHE && stet__rule_matches(rule, path))
            return rule;
    }
    return NULL;
}

/* The unreserved octets that build tools use in hashes. */
static bool is_hash_octet(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/*
 * A word ("jquery-migrations.js") or a date is no hash. What build tools make is: hexadecimal of eight or
 * more (webpack); both cases and a digit (Vite, Rollup); eight of base32 (esbuild). One without a digit is
 * not told from a word, which costs a revalidation and nothing else.
 */
static bool is_hash(struct stet_span part)
{
    bool digit = false, upper = false, lower = false, hex = true, base32 = part.len == 8;
    for (size_t i = 0; i < part.len; i++) {
        char c = part.ptr[i];
        if (!is_hash_octet(c))
            return false;
        digit |= c >= '0' && c <= '9';
        upper |= c >= 'A' && c <= 'Z';
        lower |= c >= 'a' && c <= 'z';
        hex &= (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        base32 &= (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7');
    }
    return part.len >= 8 && digit && ((hex && lower) || (upper && lower) || (base32 && upper));
}

bool stet__name_has_hash(struct stet_span name)
{
    size_t from = SIZE_MAX; /* the first part is the name proper, never the hash */
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] != '.' && name.ptr[i] != '-')
            continue;
        if (from != SIZE_MAX && is_hash(stet_span_of(name.ptr + from, i - from)))
            return true;
        from = i + 1;
    }
    return false;
}

static void put(struct stet_fields *fields, struct stet_field *room, enum stet_field_id id,
                struct stet_span value)
{
    room[fields->count++] = (struct stet_field){stet_field_name(id), value, id};
    fields->present |= UINT64_C(1) << id;
}

/* Cache-Control by --cache, else by --immutable. */
static struct stet_span cache_control(const struct stet__serve_worker *worker,
                                      const struct stet__entry *entry, int64_t *expires_after_s)
{
    const struct stet__rule *rule = cache_rule(worker->configuration, entry->path);
    if (rule) {
        *expires_after_s = rule->max_age_s;
        return rule->value;
    }
    if (worker->configuration->immutable && stet__name_has_hash(stet__path_last(entry->path))) {
        *expires_after_s = YEAR_S;
        return STET_SPAN("public, max-age=31536000, immutable");
    }
    return STET_SPAN_NONE;
}

/* A rule replaces what stands there, unless it adds to a list. What an operator says of caching is the whole
 * of it. */
static bool is_replaced(enum stet_field_id id)
{
    return stet_field_single(id) || id == STET_FIELD_CACHE_CONTROL;
}

static void put_rule(struct stet_fields *fields, struct stet_field *room, const struct stet__rule *rule)
{
    enum stet_field_id id = stet_field_id(rule->name);
    for (size_t i = 0; i < fields->count && is_replaced(id); i++) {
        if (room[i].id == id) {
            room[i].value = rule->value;
            return;
        }
    }
    room[fields->count++] = (struct stet_field){rule->name, rule->value, id};
    if (id != STET_FIELD_OTHER)
        fields->present |= UINT64_C(1) << id;
}

static struct stet_span content_length(struct stet__arena *arena, uint64_t length)
{
    char digits[20];
    return stet__arena_copy(arena, stet_span_of(digits, stet_format_u64(length, digits)));
}

/* The tag with its quotes. */
static struct stet_span tag_value(struct stet__arena *arena, struct stet_etag tag)
{
    char *text = stet__arena_alloc(arena, tag.opaque.len + 2);
    if (!text)
        return STET_SPAN_NONE;
    text[0] = '"';
    memcpy(text + 1, tag.opaque.ptr, tag.opaque.len);
    text[tag.opaque.len + 1] = '"';
    return stet_span_of(text, tag.opaque.len + 2);
}

static struct stet_span date_value(struct stet__arena *arena, int64_t date)
{
    char *text = stet__arena_alloc(arena, STET_DATE_LEN);
    if (text)
        stet_date_format(date, text);
    return stet_span_of(text, text ? STET_DATE_LEN : 0);
}

/* By type and size; a page that was made for a folder has no name. */
static bool is_codable(const struct stet__serve_configuration *configuration, const struct stet__entry *entry,
                       const struct stet_fields *fields)
{
    struct stet_response response = {.status = 200, .fields = *fields};
    struct stet_coded_policy policy = configuration->coding.policy;
    policy.max_octets = UINT64_MAX; /* for a sibling there is no maximum */
    return configuration->coding.made != 0 && stet__path_last(entry->path).len > 0 &&
           stet_coded_judge(&response, entry->selected.length, &policy).codable;
}

bool stet__fields_of_whole(const struct stet__serve_worker *worker, struct stet__entry *entry,
                           struct stet_span type, struct stet_fields *out, int64_t *expires_after_s)
{
    const struct stet__serve_configuration *configuration = worker->configuration;
    struct stet__arena *arena = &entry->arena;
    struct stet_field *room =
        stet__arena_alloc(arena, (OWN_FIELDS + configuration->rule_count) * sizeof(struct stet_field));
    if (!room)
        return false;
    struct stet_fields fields = {.at = room};
    *expires_after_s = -1;
    put(&fields, room, STET_FIELD_CONTENT_TYPE, type);
    put(&fields, room, STET_FIELD_CONTENT_LENGTH, content_length(arena, entry->selected.length));
    if (stet_etag_present(entry->selected.etag))
        put(&fields, room, STET_FIELD_ETAG, tag_value(arena, entry->selected.etag));
    if (entry->selected.last_modified != STET_NO_DATE)
        put(&fields, room, STET_FIELD_LAST_MODIFIED, date_value(arena, entry->selected.last_modified));
    struct stet_span cache = cache_control(worker, entry, expires_after_s);
    if (cache.ptr)
        put(&fields, room, STET_FIELD_CACHE_CONTROL, cache);
    put(&fields, room, STET_FIELD_ACCEPT_RANGES, STET_SPAN("bytes"));
    for (size_t i = 0; i < fields.count; i++)
        if (!room[i].value.ptr)
            return false;
    for (size_t i = 0; i < configuration->rule_count; i++) {
        const struct stet__rule *rule = &configuration->rules[i];
        if (rule->kind != STET__RULE_HEADER || !stet__rule_matches(rule, entry->path))
            continue;
        put_rule(&fields, room, rule);
        /* An Expires of stet's own would contradict what the operator says. */
        enum stet_field_id id = stet_field_id(rule->name);
        if (id == STET_FIELD_CACHE_CONTROL || id == STET_FIELD_EXPIRES)
            *expires_after_s = -1;
    }
    entry->codable = is_codable(configuration, entry, &fields);
    if (entry->codable && stet_coded_vary_lacks(&fields))
        put(&fields, room, STET_FIELD_VARY, stet_field_name(STET_FIELD_ACCEPT_ENCODING));
    *out = fields;
    return true;
}

size_t stet__fields_of_error(const struct stet__serve_configuration *configuration, struct stet_span path,
                             struct stet_field *room, size_t count)
{
    for (size_t i = 0; path.ptr && i < configuration->rule_count; i++) {
        const struct stet__rule *rule = &configuration->rules[i];
        const struct stet_field field = {rule->name, rule->value, stet_field_id(rule->name)};
        if (rule->kind == STET__RULE_HEADER && stet_error_keeps(&field) && stet__rule_matches(rule, path))
            room[count++] = field;
    }
    return count;
}
