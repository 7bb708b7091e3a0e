/* SPDX-License-Identifier: MIT */
/*
 * coding: every combination of weights of five members, against RFC 9110 section 12.5.3 read statement by
 * statement; the normal form of every set; which fields select the same. The cases by name are in
 * test/spec/accept-encoding.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/coding.h>
#include <stet/vary.h>

#include "guard.h"

#define SPAN(text) stet_span_of(text, strlen(text))

static struct guard guard;

enum { MEMBERS = 5, WEIGHTS = 4, COMBINATIONS = 1024 };

static const char *const member_names[MEMBERS] = {"identity", "gzip", "br", "zstd", "*"};
static const char *const weights[WEIGHTS] = {NULL, ";q=0", ";q=0.5", ""}; /* NULL: not a member */
static const int thousandths[WEIGHTS] = {-1, 0, 500, 1000};

/* The weight of member `i` in combination `n`, -1 if it is not there. */
static int weight(unsigned n, unsigned i)
{
    return thousandths[n >> 2 * i & 3];
}

/* Combination `n` as a field value. In odd ones the members stand in the other order. */
static void write_value(unsigned n, char *text, size_t room)
{
    size_t len = 0;
    text[0] = '\0';
    for (unsigned k = 0; k < MEMBERS; k++) {
        unsigned i = n % 2 ? MEMBERS - 1 - k : k;
        const char *w = weights[n >> 2 * i & 3];
        if (w)
            len += (size_t)snprintf(text + len, room - len, "%s%s%s", len ? ", " : "", member_names[i], w);
    }
}

/* "A server tests whether a content coding for a given representation is acceptable using these rules". */
static unsigned naive_quality(unsigned n, unsigned coding)
{
    int named = coding < 4 ? weight(n, coding) : -1, any = weight(n, 4);
    if (named >=
        0) /* rule 3: "listed [...] then it is acceptable unless it is accompanied by a qvalue of 0" */
        return (unsigned)named;
    if (any >= 0) /* "matches any available content coding not explicitly listed" */
        return (unsigned)any;
    return coding == 0 ? 1 : 0; /* rule 2: "acceptable by default" */
}

static struct stet_fields fields_of(struct stet_field *line, const char *value)
{
    *line = (struct stet_field){STET_SPAN("Accept-Encoding"), SPAN(value), STET_FIELD_ACCEPT_ENCODING};
    return (struct stet_fields){line, 1, 1ull << STET_FIELD_ACCEPT_ENCODING};
}

static unsigned naive_set(unsigned n)
{
    unsigned set = 0;
    for (unsigned coding = 0; coding < STET_CODING_COUNT; coding++)
        set |= naive_quality(n, coding) > 0 ? 1u << coding : 0;
    return set;
}

static void test_combinations(void **state)
{
    unsigned seen = 0;
    for (unsigned n = 0; n < COMBINATIONS; n++) {
        char value[128];
        struct stet_field line;
        struct stet_accept_encoding accept;
        write_value(n, value, sizeof(value));
        struct stet_fields fields = fields_of(&line, value);
        line.value = guard_at_end(&guard, line.value);
        stet_accept_encoding_read(&fields, &accept);
        assert_true(accept.present);
        assert_int_equal(accept.named, n != 0);
        for (unsigned coding = 0; coding < STET_CODING_COUNT; coding++)
            if (stet_accept_encoding_quality(&accept, coding) != naive_quality(n, coding))
                fail_msg("%s: coding %u has %u", value, coding, accept.q[coding]);
        assert_int_equal(accept.set, naive_set(n));
        assert_int_equal(stet_accept_encoding_quality(&accept, STET_CODING_UNKNOWN), 0);
        seen |= 1u << (accept.set & 15);
    }
    assert_int_equal(seen, 0xffff); /* every set was among them */
}

/* The normal form says the set, the whole set and nothing but the set, within its room. */
static void test_normal_form(void **state)
{
    size_t longest = 0;
    for (unsigned set = 0; set < 1u << STET_CODING_COUNT; set++) {
        char text[STET_ACCEPT_ENCODING_LEN + 1];
        struct stet_field line;
        struct stet_accept_encoding accept;
        memset(text, 'x', sizeof(text));
        size_t len = stet_accept_encoding_write(set, text);
        assert_in_range(len, 1, STET_ACCEPT_ENCODING_LEN);
        assert_int_equal(text[STET_ACCEPT_ENCODING_LEN], 'x');
        text[len] = '\0';
        longest = len > longest ? len : longest;
        struct stet_fields fields = fields_of(&line, text);
        stet_accept_encoding_read(&fields, &accept);
        if (accept.set != set)
            fail_msg("set %u: %s is read as %u", set, text, accept.set);
    }
    assert_in_range(longest, 30, STET_ACCEPT_ENCODING_LEN);
}

/* Whoever accepts the same set selects the same, and nobody else. */
static void test_same(void **state)
{
    struct stet_span name = STET_SPAN("Accept-Encoding");
    for (unsigned n = 0; n < COMBINATIONS; n += 3) {
        for (unsigned m = 0; m < COMBINATIONS; m++) {
            char a_value[128], b_value[128];
            struct stet_field a_line, b_line;
            write_value(n, a_value, sizeof(a_value));
            write_value(m, b_value, sizeof(b_value));
            struct stet_fields a = fields_of(&a_line, a_value), b = fields_of(&b_line, b_value);
            bool same = naive_set(n) == naive_set(m);
            if (stet_accept_encoding_same(&a, &b) != same || stet_vary_same(name, &a, &b) != same)
                fail_msg("%s and %s", a_value, b_value);
        }
    }
}

/* A response in a coding is selected by others only if the coding is in the set. */
static void test_coded_response(void **state)
{
    for (unsigned n = 0; n < COMBINATIONS; n++) {
        for (unsigned coding = 0; coding <= STET_CODING_UNKNOWN; coding++) {
            char value[128], normal[STET_ACCEPT_ENCODING_LEN];
            struct stet_field a_line, b_line;
            struct stet_field lines[] = {
                {STET_SPAN("Vary"), STET_SPAN("Accept-Encoding"), STET_FIELD_VARY},
                {STET_SPAN("Content-Encoding"), STET_SPAN("compress"), STET_FIELD_CONTENT_ENCODING},
            };
            if (coding < STET_CODING_COUNT)
                lines[1].value = stet_coding_name(coding);
            struct stet_fields response = {lines, 2,
                                           1ull << STET_FIELD_VARY | 1ull << STET_FIELD_CONTENT_ENCODING};
            write_value(n, value, sizeof(value));
            struct stet_fields a = fields_of(&a_line, value), b = fields_of(&b_line, "");
            b_line.value = stet_span_of(normal, stet_accept_encoding_write(naive_set(n), normal));
            bool within = coding == STET_CODING_IDENTITY || (naive_set(n) >> coding & 1) != 0;
            bool want = within || stet_span_equal(a_line.value, b_line.value);
            /* The words may be the same but for their order, too: then it is selected whatever the coding. */
            if (want)
                assert_true(stet_vary_matches(&response, &a, &b));
            else if (n == 0 || weight(n, 4) >= 0)
                assert_false(stet_vary_matches(&response, &a, &b));
            assert_true(stet_vary_matches(&response, &a, &a));
        }
    }
}

static void test_names(void **state)
{
    for (unsigned coding = 0; coding < STET_CODING_COUNT; coding++) {
        assert_int_equal(stet_coding_id(stet_coding_name(coding)), coding);
        assert_int_equal(stet_coding_bit(coding), 1u << coding);
    }
    assert_null(stet_coding_name(STET_CODING_UNKNOWN).ptr);
    assert_int_equal(stet_coding_bit(STET_CODING_UNKNOWN), 0);
    assert_int_equal(stet_coding_id(STET_SPAN_NONE), STET_CODING_UNKNOWN);
    assert_int_equal(stet_coding_id(STET_SPAN("x-br")), STET_CODING_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_combinations), cmocka_unit_test(test_normal_form),
        cmocka_unit_test(test_same),         cmocka_unit_test(test_coded_response),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
