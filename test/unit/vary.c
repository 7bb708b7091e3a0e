/* SPDX-License-Identifier: MIT */
/*
 * vary: the choice among candidates against a reading of RFC 9111 section 4.1 that does not look for a best
 * one but asks of each whether any other should come before it; members in every order. The cases by name are
 * in test/spec/vary.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stet/vary.h>

#include "guard.h"

#define SPAN(text) stet_span_of(text, strlen(text))
#define CANDIDATES 5

static struct guard guard;

static struct stet_fields fields_of(struct stet_field *line, const char *name, const char *value)
{
    if (!value)
        return (struct stet_fields){NULL, 0, 0};
    *line = (struct stet_field){SPAN(name), SPAN(value), stet_field_id(SPAN(name))};
    return (struct stet_fields){line, 1, line->id == STET_FIELD_OTHER ? 0 : 1ull << line->id};
}

/* What is stored, and whether a request with "A: 1" matches it. */
static const struct {
    const char *vary, *a;
    bool matches;
} kinds[] = {
    {NULL, NULL, true}, {"", NULL, true},  {"a", "1", true},  {"A", "2", false},
    {"a", NULL, false}, {"b", NULL, true}, {"*", "1", false},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

struct candidate {
    struct stet_stored stored;
    struct stet_field vary, a;
    unsigned kind;
    bool usable, varies;
};

static void make(struct candidate *c, unsigned kind, enum stet_method method, int64_t date, bool head)
{
    *c = (struct candidate){.kind = kind, .stored = {.method = method, .date = date}};
    c->stored.response.fields = fields_of(&c->vary, "Vary", kinds[kind].vary);
    c->stored.selecting = fields_of(&c->a, "A", kinds[kind].a);
    c->usable = kinds[kind].matches && (method == STET_METHOD_GET || (head && method == STET_METHOD_HEAD));
    c->varies = kinds[kind].vary && kinds[kind].vary[0] != '\0';
}

/* Whether candidate `i` should come before `k`. */
static bool before(const struct candidate *at, size_t i, size_t k)
{
    if (at[i].varies != at[k].varies)
        return at[i].varies;
    if (at[i].stored.date != at[k].stored.date)
        return at[i].stored.date > at[k].stored.date;
    return i < k;
}

static size_t naive_select(const struct candidate *at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool first = at[i].usable;
        for (size_t k = 0; k < count; k++)
            first = first && (k == i || !at[k].usable || before(at, i, k));
        if (first)
            return i;
    }
    return count;
}

static void test_select(void **state)
{
    struct candidate at[CANDIDATES] = {{.usable = false}};
    const struct stet_stored *stored[CANDIDATES];
    struct stet_field line;
    struct stet_request request = {.fields = fields_of(&line, "A", "1")};
    uint64_t random = 42;
    unsigned some = 0;
    for (unsigned round = 0; round < 200000; round++) {
        size_t count = round % (CANDIDATES + 1);
        request.method = round % 3 ? STET_METHOD_GET : STET_METHOD_HEAD;
        for (size_t i = 0; i < count; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            make(&at[i], (unsigned)(random >> 33) % KINDS, random >> 60 ? STET_METHOD_GET : STET_METHOD_HEAD,
                 (int64_t)(random >> 50 & 3), request.method == STET_METHOD_HEAD);
            stored[i] = &at[i].stored;
        }
        size_t want = naive_select(at, count);
        size_t got = stet_vary_select(&request, stored, count);
        if (got != want)
            fail_msg("round %u: %zu, want %zu of %zu", round, got, want, count);
        some += got < count;
    }
    assert_true(some > 50000);
}

/* All orders of four members, on one line or on four, are the same set; without any of them it is another. */
static void test_orders(void **state)
{
    static const char *const members[] = {"gzip", "BR;q=0.5", "zstd ; q=1.0", "*;q=0"};
    static const char *const others[] = {"GZIP;q=1", "br;q=0.500", "zstd", "*;q=0.00"};
    struct stet_field a_lines[4], b_line;
    char value[128];
    for (unsigned n = 0; n < 256; n++) {
        unsigned at[] = {n & 3, n >> 2 & 3, n >> 4 & 3, n >> 6 & 3};
        unsigned set = 0;
        for (size_t i = 0; i < 4; i++) {
            a_lines[i] = (struct stet_field){STET_SPAN("Accept-Encoding"), SPAN(members[at[i]]),
                                             STET_FIELD_ACCEPT_ENCODING};
            set |= 1u << at[i];
        }
        const struct stet_fields a = {a_lines, 4, 1ull << STET_FIELD_ACCEPT_ENCODING};
        snprintf(value, sizeof(value), "%s,%s ,%s,\t%s", others[0], others[1], others[2], others[3]);
        struct stet_fields b = fields_of(&b_line, "accept-encoding", value);
        b_line.value = guard_at_end(&guard, b_line.value);
        assert_true(stet_vary_same(STET_SPAN("Accept-Encoding"), &a, &b) == (set == 15));
        assert_true(stet_vary_same(STET_SPAN("Accept-Encoding"), &b, &a) == (set == 15));
    }
}

/* Being the same goes both ways, whatever stands there. */
static void test_symmetry(void **state)
{
    static const char *const names[] = {"Accept", "Accept-Language", "Cookie", "User-Agent", "X"};
    static const char alphabet[] = "a,;\" q=1";
    enum { LETTERS = sizeof alphabet - 1 };
    uint64_t random = 7;
    unsigned same = 0;
    for (unsigned round = 0; round < 300000; round++) {
        char text[2][8];
        struct stet_field lines[2];
        struct stet_fields fields[2];
        for (size_t i = 0; i < 2; i++) {
            for (size_t k = 0; k < 7; k++) {
                random = random * 6364136223846793005u + 1442695040888963407u;
                text[i][k] = alphabet[(random >> 33) % LETTERS];
            }
            text[i][(random >> 40) % 6] = '\0';
            fields[i] = fields_of(&lines[i], names[round % 5], text[i]);
            lines[i].value = stet_span_trim(lines[i].value);
        }
        bool ab = stet_vary_same(SPAN(names[round % 5]), &fields[0], &fields[1]);
        assert_true(stet_vary_same(SPAN(names[round % 5]), &fields[1], &fields[0]) == ab);
        assert_true(stet_vary_same(SPAN(names[round % 5]), &fields[0], &fields[0]));
        same += ab;
    }
    assert_true(same > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_select),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_symmetry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
