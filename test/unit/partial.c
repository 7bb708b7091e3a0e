/* SPDX-License-Identifier: MIT */
/*
 * partial: every pair of parts of a small representation, put together octet by octet; every range against
 * every part; and what is missing, fetched and put together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/partial.h>

#define LENGTH 7
#define NOW INT64_C(1795253400)

static const char octets[] = "abcdefg";

/* A part with a strong tag. */
struct part {
    struct stet_field field;
    struct stet_stored stored;
};

static void make(struct part *p, uint64_t first, uint64_t last, bool length_known)
{
    const struct stet_cache_policy policy = STET_CACHE_POLICY_SHARED;
    p->field = (struct stet_field){STET_SPAN("ETag"), STET_SPAN("\"a\""), STET_FIELD_ETAG};
    p->stored = (struct stet_stored){
        .response = {.status = 200, .fields = {&p->field, 1, UINT64_C(1) << STET_FIELD_ETAG}},
        .method = STET_METHOD_GET,
        .times = {NOW, NOW, 0},
        .held = {.complete = length_known && first == 0 && last == LENGTH - 1,
                 .length_known = length_known,
                 .complete_length = length_known ? LENGTH : 0,
                 .range = {first, last}}};
    stet_stored_read(&p->stored, &policy);
}

static struct stet_range range_of(const struct stet_held *held)
{
    return held->complete ? (struct stet_range){0, LENGTH - 1} : held->range;
}

static size_t copy(char *to, struct stet_range range, uint64_t skip)
{
    size_t len = (size_t)(range.last - range.first + 1 - skip);
    memcpy(to, octets + range.first + skip, len);
    return len;
}

/* The octets of the result, as a store would make them. */
static size_t put_together(const struct stet_combination *c, struct stet_range old, struct stet_range new,
                           char *out)
{
    size_t len;
    switch (c->verdict) {
    case STET_COMBINE_WITHIN:
        return copy(out, old, 0);
    case STET_COMBINE_AFTER:
        len = copy(out, old, 0);
        return len + copy(out + len, new, c->skip);
    case STET_COMBINE_BEFORE:
        len = copy(out, new, 0);
        return len + copy(out + len, old, c->skip);
    case STET_COMBINE_NOT:
        break;
    }
    return 0;
}

static void check_pair(const struct part *old, const struct part *next)
{
    char out[4 * LENGTH];
    struct stet_combination c;
    struct stet_range a = range_of(&old->stored.held), b = range_of(&next->stored.held);
    bool hole = b.first > a.last + 1 || a.first > b.last + 1;
    stet_partial_combine(&old->stored, &next->stored, &c);
    if (next->stored.held.complete || (!old->stored.held.complete && hole)) {
        assert_int_equal(c.verdict, STET_COMBINE_NOT);
        return;
    }
    assert_int_not_equal(c.verdict, STET_COMBINE_NOT);
    struct stet_range all = {a.first < b.first ? a.first : b.first, a.last > b.last ? a.last : b.last};
    bool known = old->stored.held.length_known || next->stored.held.length_known;
    assert_int_equal(range_of(&c.held).first, all.first);
    assert_int_equal(range_of(&c.held).last, all.last);
    assert_int_equal(c.held.length_known, known);
    assert_int_equal(c.held.complete, known && all.first == 0 && all.last == LENGTH - 1);
    size_t len = put_together(&c, a, b, out);
    assert_int_equal(len, all.last - all.first + 1);
    assert_memory_equal(out, octets + all.first, len);
    /* BEFORE and AFTER say that something new came */
    assert_int_equal(c.verdict == STET_COMBINE_WITHIN, a.first == all.first && a.last == all.last);
}

/* Calls `check` for each part; `known`: of a representation whose length is told. */
static void for_each_part(struct part *p, bool known, void (*check)(struct part *p))
{
    for (uint64_t first = 0; first < LENGTH; first++) {
        for (uint64_t last = first; last < LENGTH; last++) {
            make(p, first, last, known);
            check(p);
        }
    }
}

static struct part fixed;

static void against_fixed(struct part *p)
{
    check_pair(&fixed, p);
}

static void fix(struct part *p)
{
    struct part other;
    fixed = *p;
    fixed.stored.response.fields.at = &fixed.field;
    for_each_part(&other, true, against_fixed);
    for_each_part(&other, false, against_fixed);
}

static void test_combine(void **state)
{
    (void)state;
    struct part p;
    for_each_part(&p, true, fix);
    for_each_part(&p, false, fix);
}

/* One Range, and what it means for LENGTH octets; `last` 0 below `first`: nothing that exists. */
struct asked {
    char text[40];
    uint64_t first, last;
    bool needs_length; /* open or a suffix */
};

static struct stet_request request_of(const struct asked *asked, struct stet_field *field)
{
    *field = (struct stet_field){STET_SPAN("Range"), stet_span_of(asked->text, strlen(asked->text)),
                                 STET_FIELD_RANGE};
    return (struct stet_request){.method = STET_METHOD_GET,
                                 .fields = {field, 1, UINT64_C(1) << STET_FIELD_RANGE}};
}

static void check_missing(const struct asked *asked, const struct part *p, const struct stet_request *request)
{
    struct stet_range missing;
    struct stet_range held = p->stored.held.range;
    bool satisfied = stet_partial_satisfies(request, &p->stored, NOW);
    bool found = stet_partial_missing(request, &p->stored, NOW, &missing);
    bool meets = asked->first <= held.last + 1 && held.first <= asked->last + 1;
    bool one_side = (asked->first < held.first) != (asked->last > held.last);
    bool can = p->stored.held.length_known && !p->stored.held.complete && meets && one_side;
    assert_int_equal(found, can);
    assert_false(found && satisfied);
    if (!found)
        return;
    /* Only what is asked for and not held, and no hole to what is held. */
    struct part rest;
    struct stet_combination c;
    assert_true(missing.first >= asked->first && missing.last <= asked->last);
    assert_true(missing.last < held.first || missing.first > held.last);
    make(&rest, missing.first, missing.last, true);
    stet_partial_combine(&p->stored, &rest.stored, &c);
    assert_int_not_equal(c.verdict, STET_COMBINE_NOT);
    assert_int_equal(c.skip, 0);
    rest.stored.held = c.held;
    assert_true(stet_partial_satisfies(request, &rest.stored, NOW));
}

static void check_asked(const struct asked *asked, const struct part *p)
{
    struct stet_field field;
    struct stet_request request = request_of(asked, &field);
    struct stet_range held = range_of(&p->stored.held);
    bool exists = asked->first <= asked->last;
    bool within = exists && held.first <= asked->first && asked->last <= held.last &&
                  (p->stored.held.length_known || !asked->needs_length);
    assert_int_equal(stet_partial_satisfies(&request, &p->stored, NOW), p->stored.held.complete || within);
    if (exists)
        check_missing(asked, p, &request);
}

static void each_range(struct part *p)
{
    struct asked asked;
    for (uint64_t first = 0; first <= LENGTH; first++) {
        for (uint64_t last = first; last < LENGTH; last++) {
            asked = (struct asked){.first = first, .last = last};
            snprintf(asked.text, sizeof(asked.text), "bytes=%d-%d", (int)first, (int)last);
            check_asked(&asked, p);
        }
        asked = (struct asked){.first = first, .last = first < LENGTH ? LENGTH - 1 : 0, .needs_length = true};
        snprintf(asked.text, sizeof(asked.text), "bytes=%d-", (int)first);
        check_asked(&asked, p);
        asked = (struct asked){.first = LENGTH - first, .last = LENGTH - 1, .needs_length = true};
        snprintf(asked.text, sizeof(asked.text), "bytes=-%d", (int)first);
        check_asked(&asked, p);
    }
}

static void test_ranges(void **state)
{
    (void)state;
    struct part p;
    for_each_part(&p, true, each_range);
    for_each_part(&p, false, each_range);
}

/* The whole is asked for. */
static void whole(struct part *p)
{
    const struct stet_request request = {.method = STET_METHOD_GET};
    struct stet_range missing, held = p->stored.held.range;
    bool complete = p->stored.held.complete, known = p->stored.held.length_known;
    bool at_end = known && held.last == LENGTH - 1;
    bool found = stet_partial_missing(&request, &p->stored, NOW, &missing);
    assert_int_equal(stet_partial_satisfies(&request, &p->stored, NOW), complete);
    assert_int_equal(found, !complete && (held.first == 0 || at_end));
    if (found && held.first == 0) {
        assert_int_equal(missing.first, held.last + 1);
        assert_true(missing.last == STET_RANGE_OPEN);
    } else if (found) {
        assert_int_equal(missing.first, 0);
        assert_int_equal(missing.last, held.first - 1);
    }
}

static void test_whole(void **state)
{
    (void)state;
    struct part p;
    for_each_part(&p, true, whole);
    for_each_part(&p, false, whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_combine),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
