/* SPDX-License-Identifier: MIT */
/*
 * coded: the choice among base and copies, for all weights of four codings, sets of copies, bases and held
 * tags, against a reading of coded.h that sorts nothing and packs nothing. The cases by name are in
 * test/spec/coding-selection.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/coded.h>

#define SPAN(text) stet_span_of(text, strlen(text))

enum { CODINGS = 4, WEIGHTS = 4 }; /* deflate is never sent */

static const char *const weights[WEIGHTS] = {"0", "0.001", "0.5", "1"};
static const unsigned thousandths[WEIGHTS] = {0, 1, 500, 1000};
static const unsigned rank[STET_CODING_COUNT] = {0, 2, 4, 3, 1};

/* Tags by what they name: none, one of another resource, the base, a copy per coding, two of them. */
static const struct {
    const char *value;
    int first, second; /* codings; -1: none; -2: the base's own */
} held[] = {
    {NULL, -1, -1},
    {"\"y;br-00000001\"", -1, -1},
    {"\"x\"", -2, -1},
    {"\"x;identity-00000001\"", STET_CODING_IDENTITY, -1},
    {"W/\"x;gzip-00000001\"", STET_CODING_GZIP, -1},
    {"\"x;br-~0000000000000001\"", STET_CODING_BR, -1},
    {"\"x-zstd\"", STET_CODING_ZSTD, -1},
    {"\"x\", \"x;gzip-00000001\"", -2, STET_CODING_GZIP},
    {"\"x-br\", \"x-zstd\"", STET_CODING_BR, STET_CODING_ZSTD},
};

enum { HELD = sizeof held / sizeof *held };

struct setting {
    struct stet_coded_offer offer;
    unsigned q[CODINGS];
    unsigned held;
    enum stet_field_id condition;
    bool ranged;
};

static bool in(unsigned set, unsigned coding)
{
    return (set >> coding & 1) != 0;
}

static bool is_there(const struct setting *s, unsigned coding)
{
    return coding == s->offer.own || in(s->offer.kept, coding) || in(s->offer.passing, coding);
}

static bool is_late(const struct setting *s, unsigned coding)
{
    return coding != s->offer.own && !in(s->offer.kept, coding);
}

/* Whether `a` should be chosen before `b`. */
static bool before(const struct setting *s, unsigned a, unsigned b)
{
    if (s->ranged && is_late(s, a) != is_late(s, b))
        return is_late(s, b);
    if (s->q[a] != s->q[b])
        return s->q[a] > s->q[b];
    if (is_late(s, a) != is_late(s, b))
        return is_late(s, b);
    return rank[a] > rank[b];
}

/* The first of `set` that is acceptable; -1 if there is none. */
static int naive_best(const struct setting *s, unsigned set)
{
    int best = -1;
    for (unsigned coding = 0; coding < CODINGS; coding++)
        if (in(set, coding) && s->q[coding] > 0 && (best < 0 || before(s, coding, (unsigned)best)))
            best = (int)coding;
    return best;
}

/* The set of codings that the presented tags name and that count. */
static unsigned naive_held(const struct setting *s)
{
    const int named[] = {held[s->held].first, held[s->held].second};
    unsigned set = 0;
    for (size_t i = 0; i < 2; i++) {
        unsigned coding = named[i] == -2 ? s->offer.own : (unsigned)named[i];
        if (named[i] != -1 && (s->condition == STET_FIELD_IF_NONE_MATCH || is_there(s, coding)))
            set |= 1u << coding;
    }
    return set;
}

static unsigned naive_there(const struct setting *s)
{
    unsigned set = 0;
    for (unsigned coding = 0; coding < CODINGS; coding++)
        set |= is_there(s, coding) ? 1u << coding : 0;
    return set;
}

static void naive_select(const struct setting *s, int *coding, bool *is_held)
{
    unsigned there = naive_there(s);
    bool alone = there == 1u << s->offer.own;
    *is_held = alone && s->held != 0 && held[s->held].first == -2;
    *coding = (int)s->offer.own;
    if (alone)
        return;
    int best = naive_best(s, naive_held(s));
    *is_held = best >= 0;
    if (best < 0)
        best = naive_best(s, there);
    if (best < 0 && in(there, STET_CODING_IDENTITY))
        best = STET_CODING_IDENTITY;
    if (best >= 0)
        *coding = best;
}

static void check(const struct setting *s)
{
    char accept[96];
    struct stet_field lines[3];
    struct stet_request request = {.method = STET_METHOD_GET, .fields = {.at = lines}};
    struct stet_fields *fields = &request.fields;
    snprintf(accept, sizeof(accept), "identity;q=%s, gzip;q=%s, br;q=%s, zstd;q=%s", weights[s->q[0]],
             weights[s->q[1]], weights[s->q[2]], weights[s->q[3]]);
    struct setting real = *s;
    for (unsigned i = 0; i < CODINGS; i++)
        real.q[i] = thousandths[s->q[i]];
    lines[fields->count++] =
        (struct stet_field){STET_SPAN("Accept-Encoding"), SPAN(accept), STET_FIELD_ACCEPT_ENCODING};
    if (held[s->held].value)
        lines[fields->count++] =
            (struct stet_field){stet_field_name(s->condition), SPAN(held[s->held].value), s->condition};
    if (s->ranged)
        lines[fields->count++] =
            (struct stet_field){STET_SPAN("Range"), STET_SPAN("bytes=0-"), STET_FIELD_RANGE};
    for (size_t i = 0; i < fields->count; i++)
        fields->present |= 1ull << lines[i].id;
    struct stet_coded_choice choice;
    int coding;
    bool is_held;
    naive_select(&real, &coding, &is_held);
    stet_coded_select(&request, &s->offer, &choice);
    if ((int)choice.coding != coding || stet_etag_present(choice.held) != is_held)
        fail_msg("%s; %s; own %d kept %u passing %u range %d: %d %s", accept,
                 held[s->held].value ? held[s->held].value : "", s->offer.own, s->offer.kept,
                 s->offer.passing, s->ranged, choice.coding, stet_reason_row(choice.reason)->name);
}

static void each_held(struct setting *s)
{
    for (s->held = 0; s->held < HELD; s->held++)
        for (unsigned k = 0; k < 4; k++) {
            s->condition = k % 2 ? STET_FIELD_IF_MATCH : STET_FIELD_IF_NONE_MATCH;
            s->ranged = k / 2;
            check(s);
        }
}

static void test_choice(void **state)
{
    static const unsigned passing[] = {0, 1, 4, 15};
    const struct stet_etag base = {STET_SPAN("x"), false};
    for (unsigned n = 0; n < 256; n++)
        for (unsigned kept = 0; kept < 16; kept++)
            for (unsigned k = 0; k < 12; k++) {
                struct setting s = {.offer = {.base = base,
                                              .own = (enum stet_coding)(k % 3),
                                              .kept = kept,
                                              .passing = passing[k / 3]}};
                for (unsigned i = 0; i < CODINGS; i++)
                    s.q[i] = n >> 2 * i & 3;
                each_held(&s);
            }
}

/* The operator's ranks are followed, among equals. */
static void test_rank(void **state)
{
    static const unsigned char mine[STET_CODING_COUNT] = {0, 9, 1, 5, 0};
    const struct stet_coded_offer offer = {
        .base = {STET_SPAN("x"), false}, .kept = 1u << STET_CODING_BR | 1u << STET_CODING_GZIP, .rank = mine};
    struct stet_field line = {STET_SPAN("Accept-Encoding"), STET_SPAN("br, gzip"),
                              STET_FIELD_ACCEPT_ENCODING};
    struct stet_request request = {.method = STET_METHOD_GET,
                                   .fields = {&line, 1, 1ull << STET_FIELD_ACCEPT_ENCODING}};
    struct stet_coded_choice choice;
    stet_coded_select(&request, &offer, &choice);
    assert_int_equal(choice.coding, STET_CODING_GZIP);
    line.value = STET_SPAN("br, gzip;q=0.9");
    stet_coded_select(&request, &offer, &choice);
    assert_int_equal(choice.coding, STET_CODING_BR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
