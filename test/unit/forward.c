/* SPDX-License-Identifier: MIT */
/*
 * forward: every field that stet knows, with and without being named by Connection; Via members made of all
 * short texts; numbers at the edge. The cases by name are in test/spec/forwarding.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stet/forward.h>

#include "guard.h"

#define SPAN(text) stet_span_of(text, strlen(text))

static struct guard guard;

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* RFC 9110 section 7.6.1, and the fields that a proxy of ours never lets go. */
static void test_every_known_field(void **state)
{
    static const char *const hop[] = {"Connection", "Keep-Alive",        "Proxy-Connection", "TE",
                                      "Trailer",    "Transfer-Encoding", "Upgrade",          NULL};
    static const char *const stay[] = {"Age",
                                       "Authorization",
                                       "Cache-Control",
                                       "Content-Length",
                                       "Date",
                                       "Forwarded",
                                       "Host",
                                       "Vary",
                                       "Via",
                                       "X-Forwarded-For",
                                       "X-Forwarded-Host",
                                       "X-Forwarded-Proto",
                                       NULL};
    for (unsigned id = STET_FIELD_OTHER + 1; id < STET_FIELD_ID_COUNT; id++) {
        struct stet_span name = stet_field_name((enum stet_field_id)id);
        const struct stet_field lines[] = {{name, STET_SPAN("1"), (enum stet_field_id)id},
                                           {STET_SPAN("connection"), name, STET_FIELD_CONNECTION}};
        const struct stet_fields alone = {lines, 1, 1ull << id};
        const struct stet_fields named = {lines, 2, 1ull << id | 1ull << STET_FIELD_CONNECTION};
        bool is_hop = is_one_of(name.ptr, hop);
        if (stet_forward_keeps(&lines[0], &alone) != !is_hop)
            fail_msg("%s alone", name.ptr);
        if (stet_forward_keeps(&lines[0], &named) != (!is_hop && is_one_of(name.ptr, stay)))
            fail_msg("%s named", name.ptr);
        assert_false(stet_forward_keeps(&lines[1], &named));
    }
}

static void test_unknown_field(void **state)
{
    const struct stet_field lines[] = {{STET_SPAN("X"), STET_SPAN("1"), STET_FIELD_OTHER},
                                       {STET_SPAN("Connection"), STET_SPAN("y, x"), STET_FIELD_CONNECTION},
                                       {STET_SPAN("XX"), STET_SPAN("1"), STET_FIELD_OTHER}};
    const struct stet_fields all = {lines, 3, 1ull << STET_FIELD_CONNECTION};
    const struct stet_fields none = {NULL, 0, 0};
    assert_false(stet_forward_keeps(&lines[0], &all));
    assert_true(stet_forward_keeps(&lines[2], &all));
    assert_true(stet_forward_keeps(&lines[0], &none));
}

/* The second word of a member, read back to front of how forward.c does it: comments are blanked out first.
 */
static bool naive_via(const char *value)
{
    char plain[16];
    size_t len = strlen(value), depth = 0;
    for (size_t i = 0; i < len; i++) {
        bool escape = depth > 0 && value[i] == '\\' && i + 1 < len;
        depth += !escape && value[i] == '(';
        plain[i] = depth > 0 ? '(' : value[i];
        if (escape)
            plain[++i] = '(';
        depth -= !escape && value[i] == ')' && depth > 0;
    }
    plain[len] = '\0';
    for (char *at = plain; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        char word[16];
        size_t end = strcspn(at, ",");
        size_t from = strspn(at, " ");
        from += from < end ? strcspn(at + from, " ,(") : 0;
        from += strspn(at + from, " ");
        size_t n = from < end ? strcspn(at + from, " ,(") : 0;
        memcpy(word, at + from, n);
        word[n] = '\0';
        if (strcmp(word, "s") == 0)
            return true;
    }
    return false;
}

static void test_all_short_vias(void **state)
{
    static const char alphabet[] = "s1 ,()\\";
    enum { LETTERS = sizeof alphabet - 1, MAX = 6 };
    unsigned found = 0;
    size_t all = 1;
    for (size_t len = 0; len <= MAX; len++, all *= LETTERS)
        for (size_t n = 0; n < all; n++) {
            char value[MAX + 1];
            size_t rest = n;
            bool outside = false, unbalanced = false;
            int depth = 0;
            for (size_t i = 0; i < len; i++, rest /= LETTERS) {
                value[i] = alphabet[rest % LETTERS];
                depth += value[i] == '(' ? 1 : value[i] == ')' ? -1 : 0;
                outside = outside || (value[i] == '\\' && depth <= 0);
                unbalanced = unbalanced || depth < 0;
            }
            value[len] = '\0';
            if (outside || unbalanced) /* no Via has these, and what is made of them is anybody's guess */
                continue;
            struct stet_span span = stet_span_trim(guard_at_end(&guard, SPAN(value)));
            const struct stet_field line = {STET_SPAN("Via"), span, STET_FIELD_VIA};
            const struct stet_fields fields = {&line, 1, 1ull << STET_FIELD_VIA};
            bool got = stet_via_names(&fields, STET_SPAN("S"));
            if (got != naive_via(value))
                fail_msg("\"%s\" gives %d", value, got);
            found += got;
        }
    assert_true(found > 100);
}

static void test_no_pseudonym(void **state)
{
    const struct stet_field line = {STET_SPAN("Via"), STET_SPAN("1.1 , 1.1"), STET_FIELD_VIA};
    const struct stet_fields fields = {&line, 1, 1ull << STET_FIELD_VIA};
    assert_false(stet_via_names(&fields, STET_SPAN("")));
}

static void test_max_forwards_untouched(void **state)
{
    static const struct {
        const char *value;
        int status;
        uint64_t left;
    } rows[] = {
        {"0", STET_END, 7},
        {"1", STET_OK, 0},
        {"18446744073709551615", STET_OK, UINT64_MAX - 1},
        {"18446744073709551616", STET_OK, UINT64_MAX - 1},
        {"", STET_E_SYNTAX, 7},
        {"1 ", STET_E_SYNTAX, 7},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct stet_field line = {STET_SPAN("Max-Forwards"), guard_at_end(&guard, SPAN(rows[i].value)),
                                        STET_FIELD_MAX_FORWARDS};
        struct stet_request request = {.method = STET_METHOD_TRACE,
                                       .fields = {&line, 1, 1ull << STET_FIELD_MAX_FORWARDS}};
        uint64_t left = 7;
        assert_int_equal(stet_max_forwards(&request, &left), rows[i].status);
        assert_true(left == rows[i].left);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_known_field),      cmocka_unit_test(test_unknown_field),
        cmocka_unit_test(test_all_short_vias),         cmocka_unit_test(test_no_pseudonym),
        cmocka_unit_test(test_max_forwards_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
