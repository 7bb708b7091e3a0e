/* SPDX-License-Identifier: MIT */
/*
 * update: every pair of stored responses that two tags and two dates can make, against every 304 and every
 * answer to HEAD that they can make. The oracle knows tags and dates by their letters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/update.h>

#define NOW INT64_C(1795253400) /* Sat, 21 Nov 2026 09:30:00 GMT */
#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

struct tag {
    const char *text;
    char octets; /* 0: none */
    bool weak;
};

static const struct tag tags[] = {
    {NULL, 0, false},      {"\"a\"", 'a', false},   {"W/\"a\"", 'a', true},
    {"\"b\"", 'b', false}, {"malformed", 0, false},
};

struct date {
    const char *text;
    char when; /* 0: none */
    bool strong;
};

static const struct date dates[] = {
    {NULL, 0, false},
    {"Fri, 20 Nov 2026 09:30:00 GMT", 'x', true},
    {"Thu, 19 Nov 2026 09:30:00 GMT", 'y', true},
    {"Sat, 21 Nov 2026 09:30:00 GMT", 'n', false}, /* the very second of Date */
    {"yesterday", 0, false},
};

#define KINDS (COUNT(tags) * COUNT(dates))

struct message {
    const struct tag *tag;
    const struct date *date;
    char came[STET_DATE_LEN];
    struct stet_field fields[3];
    struct stet_stored stored;
};

static void add(struct stet_fields *fields, struct stet_field *room, enum stet_field_id id, const char *value)
{
    room[fields->count++] = (struct stet_field){stet_field_name(id), stet_span_of(value, strlen(value)), id};
    fields->present |= 1ull << id;
}

static void make(struct message *m, size_t kind, unsigned status, int64_t came)
{
    const struct stet_cache_policy policy = STET_CACHE_POLICY_SHARED;
    struct stet_fields *fields = &m->stored.response.fields;
    m->tag = &tags[kind % COUNT(tags)];
    m->date = &dates[kind / COUNT(tags)];
    m->stored = (struct stet_stored){.response = {.status = status, .fields = {m->fields, 0, 0}},
                                     .method = STET_METHOD_GET,
                                     .times = {came, came, 0},
                                     .held = {.complete = true}};
    stet_date_format(came, m->came);
    m->fields[fields->count++] =
        (struct stet_field){STET_SPAN("Date"), stet_span_of(m->came, STET_DATE_LEN), STET_FIELD_DATE};
    fields->present |= 1ull << STET_FIELD_DATE;
    if (m->tag->text)
        add(fields, m->fields, STET_FIELD_ETAG, m->tag->text);
    if (m->date->text)
        add(fields, m->fields, STET_FIELD_LAST_MODIFIED, m->date->text);
    stet_stored_read(&m->stored, &policy);
}

enum likeness { UNLIKE, WEAK, STRONG };

/* Tags whose octets differ say no; then the strongest thing that both have. */
static enum likeness alike(const struct message *new, const struct message *old)
{
    bool both = new->tag->octets != 0 && old->tag->octets != 0;
    bool date = new->date->when != 0 && new->date->when == old->date->when;
    if (both && new->tag->octets != old->tag->octets)
        return UNLIKE;
    if (both && !new->tag->weak && !old->tag->weak)
        return STRONG;
    if (date && old->date->strong)
        return STRONG;
    bool new_strong = new->tag->octets != 0 && !new->tag->weak;
    return !new_strong && (both || date) ? WEAK : UNLIKE;
}

static uint64_t oracle_304(const struct message *new, const struct message *old, size_t count)
{
    uint64_t strong = 0, weak = 0;
    for (size_t i = 0; i < count; i++) {
        strong |= alike(new, &old[i]) == STRONG ? 1ull << i : 0;
        if (alike(new, &old[i]) == WEAK && weak == 0) /* old[0] is the newer one */
            weak = 1ull << i;
    }
    if (strong != 0)
        return strong;
    if (weak != 0)
        return weak;
    bool nothing = new->tag->octets == 0 && !new->date->text;
    bool lacks = count == 1 && old[0].tag->octets == 0 && old[0].date->when == 0;
    return nothing && lacks ? 1 : 0;
}

static bool oracle_head(const struct message *new, const struct message *old)
{
    bool tag =
        new->tag->octets == 0 || (new->tag->octets == old->tag->octets &&new->tag->weak == old->tag->weak);
    return tag && (!new->date->text || new->date->when == old->date->when);
}

static const char *or_none(const char *text)
{
    return text ? text : "none";
}

static void check(const struct message *new, const struct message *old, size_t count)
{
    const struct stet_request request = {.method = STET_METHOD_GET};
    const struct stet_stored *const at[] = {&old[0].stored, &old[1].stored};
    struct stet_update update;
    stet_update_by_304(&request, &new->stored.response, at, count, &update);
    uint64_t want = oracle_304(new, old, count);
    if (update.set != want)
        fail_msg("set %llx, want %llx: 304 %s %s; stored %s %s and %s %s", (unsigned long long)update.set,
                 (unsigned long long)want, or_none(new->tag->text), or_none(new->date->text),
                 or_none(old[0].tag->text), or_none(old[0].date->text), or_none(old[1].tag->text),
                 or_none(old[1].date->text));
    assert_int_equal(update.verdict, want != 0 ? STET_UPDATE_FRESHEN : STET_UPDATE_NONE);
    assert_int_equal(update.invalidated, 0);
}

static void check_head(const struct message *new, const struct message *old, size_t count)
{
    const struct stet_request request = {.method = STET_METHOD_HEAD};
    const struct stet_stored *const at[] = {&old[0].stored, &old[1].stored};
    struct stet_update update;
    uint64_t set = 0;
    for (size_t i = 0; i < count; i++)
        set |= oracle_head(new, &old[i]) ? 1ull << i : 0;
    stet_update_by_head(&request, &new->stored.response, at, count, &update);
    assert_int_equal(update.set, set);
    assert_int_equal(update.invalidated, ((1ull << count) - 1) & ~set);
    assert_int_equal(update.verdict, set != 0 ? STET_UPDATE_FRESHEN : STET_UPDATE_INVALIDATE);
}

static void test_pairs(void **state)
{
    (void)state;
    struct message new, old[2];
    for (size_t i = 0; i < KINDS * KINDS * KINDS; i++) {
        make(&old[0], i % KINDS, 200, NOW);
        make(&old[1], i / KINDS % KINDS, 200, NOW - 1);
        make(&new, i / KINDS / KINDS, 304, NOW);
        check(&new, old, 1);
        check(&new, old, 2);
        make(&new, i / KINDS / KINDS, 200, NOW);
        check_head(&new, old, 1);
        check_head(&new, old, 2);
    }
}

static void test_nothing_stored(void **state)
{
    (void)state;
    const struct stet_request request = {.method = STET_METHOD_GET};
    struct message new;
    struct stet_update update;
    make(&new, 1, 304, NOW);
    stet_update_by_304(&request, &new.stored.response, NULL, 0, &update);
    assert_int_equal(update.verdict, STET_UPDATE_NONE);
    make(&new, 1, 200, NOW);
    stet_update_by_head(&request, &new.stored.response, NULL, 0, &update);
    assert_int_equal(update.verdict, STET_UPDATE_NONE);
}

/* The fields are as a map would have them: by name, the newer one wins; order within a name stays. */
static void test_fields(void **state)
{
    (void)state;
    static const char *const names[] = {"X", "Y", "Date", "Content-Length", "ETag", "Connection"};
    enum { OLD = 3 };
    const struct stet_field nothing = {STET_SPAN_NONE, STET_SPAN_NONE, STET_FIELD_OTHER};
    struct stet_field old[OLD] = {nothing}, new[OLD] = {nothing}, out[2 * OLD];
    struct stet_cache_control control = {.present = 0};
    size_t kinds = COUNT(names);
    for (size_t n = 0; n < kinds * kinds * kinds * kinds; n++) {
        const size_t pick[] = {n % kinds, n / kinds % kinds, n / kinds / kinds % kinds,
                               n / kinds / kinds / kinds};
        struct stet_fields a = {old, 0, 0}, b = {new, 0, 0};
        for (size_t i = 0; i < 4; i++) {
            struct stet_span name = stet_span_of(names[pick[i]], strlen(names[pick[i]]));
            struct stet_fields *to = i < 2 ? &a : &b;
            struct stet_field *room = i < 2 ? old : new;
            room[to->count++] = (struct stet_field){name, STET_SPAN("v"), stet_field_id(name)};
            to->present |= stet_field_id(name) == STET_FIELD_OTHER ? 0 : 1ull << stet_field_id(name);
        }
        size_t count = 0, got = stet_update_fields(&a, &b, &control, out);
        for (size_t i = 0; i < 4; i++) {
            bool from_old = i < 2, tag = pick[i] == 4, old_tag = pick[0] == 4 || pick[1] == 4;
            bool taken = pick[i] != 5 && pick[i] != 3 && !(tag && old_tag);
            bool shadowed = (pick[2] == pick[i] || pick[3] == pick[i]) && taken;
            bool stays = from_old ? pick[i] != 5 && !shadowed : taken;
            if (!stays)
                continue;
            assert_true(count < got);
            assert_ptr_equal(out[count].name.ptr, names[pick[i]]);
            count++;
        }
        assert_int_equal(got, count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_nothing_stored),
        cmocka_unit_test(test_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
