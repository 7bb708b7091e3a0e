/* SPDX-License-Identifier: MIT */
/*
 * message: the tables of field names and methods, and looking fields up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/message.h>

#define SPAN(text) stet_span_of(text, strlen(text))

static const struct {
    const char *name;
    enum stet_field_id id;
    unsigned slot;
} fields_known[] = {
#define X(symbol, name, kind, slot) {name, symbol, slot},
#include <stet/field_name.def>
#undef X
};
#define FIELDS_KNOWN (sizeof fields_known / sizeof *fields_known)

static unsigned low(char c)
{
    return (unsigned)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* As the comment of field_name.def says it. */
static unsigned slot_of(const char *name)
{
    unsigned len = (unsigned)strlen(name);
    return (2 * len + 14 * low(name[0]) + 11 * low(name[len - 1]) + 9 * low(name[len / 2])) % 256;
}

static void test_slots(void **state)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < FIELDS_KNOWN; i++) {
        unsigned slot = slot_of(fields_known[i].name);
        if (slot != fields_known[i].slot) {
            print_error("field_name.def: the slot of %s is %u, not %u\n", fields_known[i].name, slot,
                        fields_known[i].slot);
            wrong++;
        }
        for (size_t j = 0; j < i; j++)
            if (slot_of(fields_known[j].name) == slot) {
                print_error("field_name.def: %s and %s share slot %u: change the hash of message.c\n",
                            fields_known[j].name, fields_known[i].name, slot);
                wrong++;
            }
    }
    assert_int_equal(wrong, 0);
}

static void test_field_ids(void **state)
{
    for (size_t i = 0; i < FIELDS_KNOWN; i++) {
        char name[32];
        size_t len = strlen(fields_known[i].name);
        assert_true(len < sizeof name);
        assert_int_equal(fields_known[i].id, i + 1);
        assert_true(stet_span_equal(stet_field_name(fields_known[i].id), SPAN(fields_known[i].name)));
        assert_int_equal(stet_field_id(SPAN(fields_known[i].name)), fields_known[i].id);
        for (unsigned mask = 0; mask < 8; mask++) { /* upper case, lower case and in between */
            for (size_t k = 0; k < len; k++) {
                char c = (char)low(fields_known[i].name[k]);
                name[k] = c >= 'a' && c <= 'z' && (mask >> k % 3 & 1) ? (char)(c - 32) : c;
            }
            assert_int_equal(stet_field_id(stet_span_of(name, len)), fields_known[i].id);
        }
    }
    assert_int_equal(STET_FIELD_ID_COUNT, FIELDS_KNOWN + 1);
    assert_null(stet_field_name(STET_FIELD_OTHER).ptr);
}

/* One octet changed, added or missing makes another name, whatever the octet is: "If\rMatch" has the bits of
 * "If-Match". */
static void test_field_ids_near_misses(void **state)
{
    for (size_t i = 0; i < FIELDS_KNOWN; i++) {
        char name[33];
        size_t len = strlen(fields_known[i].name);
        for (size_t k = 0; k < len; k++) {
            for (unsigned octet = 0; octet < 256; octet++) {
                memcpy(name, fields_known[i].name, len);
                name[k] = (char)octet;
                bool same = low(name[k]) == low(fields_known[i].name[k]);
                if ((stet_field_id(stet_span_of(name, len)) == fields_known[i].id) != same)
                    fail_msg("%s with octet %02x at %zu", fields_known[i].name, octet, k);
            }
        }
        memcpy(name, fields_known[i].name, len);
        name[len] = 's';
        assert_int_not_equal(stet_field_id(stet_span_of(name, len + 1)), fields_known[i].id);
        assert_int_not_equal(stet_field_id(stet_span_of(name, len - 1)), fields_known[i].id);
        assert_int_not_equal(stet_field_id(stet_span_of(name + 1, len - 1)), fields_known[i].id);
    }
    assert_int_equal(stet_field_id(STET_SPAN_NONE), STET_FIELD_OTHER);
    assert_int_equal(stet_field_id(STET_SPAN("")), STET_FIELD_OTHER);
    assert_int_equal(stet_field_id(STET_SPAN("X-Forwarded-Fox")), STET_FIELD_OTHER);
    assert_int_equal(stet_field_id(STET_SPAN("\0\0\0")), STET_FIELD_OTHER);
}

static void test_methods(void **state)
{
    static const struct {
        const char *name;
        enum stet_method method;
        bool safe, idempotent; /* RFC 9110 sections 9.2.1 and 9.2.2, RFC 5789, RFC 10008 */
    } rows[] = {
        {"GET", STET_METHOD_GET, true, true},         {"HEAD", STET_METHOD_HEAD, true, true},
        {"OPTIONS", STET_METHOD_OPTIONS, true, true}, {"TRACE", STET_METHOD_TRACE, true, true},
        {"QUERY", STET_METHOD_QUERY, true, true},     {"PUT", STET_METHOD_PUT, false, true},
        {"DELETE", STET_METHOD_DELETE, false, true},  {"POST", STET_METHOD_POST, false, false},
        {"PATCH", STET_METHOD_PATCH, false, false},   {"CONNECT", STET_METHOD_CONNECT, false, false},
        {"get", STET_METHOD_OTHER, false, false},     {"Get", STET_METHOD_OTHER, false, false},
        {"GE", STET_METHOD_OTHER, false, false},      {"GETS", STET_METHOD_OTHER, false, false},
        {"", STET_METHOD_OTHER, false, false},        {"BREW", STET_METHOD_OTHER, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum stet_method method = stet_method_id(SPAN(rows[i].name));
        if (method != rows[i].method || stet_method_safe(method) != rows[i].safe ||
            stet_method_idempotent(method) != rows[i].idempotent)
            fail_msg("%s", rows[i].name);
    }
    assert_int_equal(stet_method_id(STET_SPAN_NONE), STET_METHOD_OTHER);
}

/* Each id once: what has "#" in its ABNF, or is made of lists by its definition, and what has not. */
static void test_singletons(void **state)
{
    static const char *const single[] = {"Age",
                                         "Authorization",
                                         "Content-Length",
                                         "Content-Location",
                                         "Content-MD5",
                                         "Content-Range",
                                         "Content-Type",

                                         "Date",
                                         "ETag",
                                         "Expires",
                                         "Host",
                                         "If-Range",
                                         "If-Modified-Since",
                                         "If-Unmodified-Since",
                                         "Last-Modified",
                                         "Location",
                                         "Max-Forwards",
                                         "Proxy-Authorization",
                                         "Range",
                                         "Referer",
                                         "Server",
                                         "User-Agent"};
    for (size_t i = 0; i < FIELDS_KNOWN; i++) {
        bool want = false;
        for (size_t k = 0; k < sizeof single / sizeof *single; k++)
            want |= strcmp(single[k], fields_known[i].name) == 0;
        if (stet_field_single(fields_known[i].id) != want)
            fail_msg("%s", fields_known[i].name);
    }
    assert_false(stet_field_single(STET_FIELD_OTHER));
}

static void test_find_and_count(void **state)
{
    const struct stet_field lines[] = {
        {STET_SPAN("Accept"), STET_SPAN("*/*"), STET_FIELD_OTHER},
        {STET_SPAN("Host"), STET_SPAN("a"), STET_FIELD_HOST},
        {STET_SPAN("host"), STET_SPAN("b"), STET_FIELD_HOST},
        {STET_SPAN("Vary"), STET_SPAN(""), STET_FIELD_VARY},
        {STET_SPAN("HOST"), STET_SPAN("c"), STET_FIELD_HOST},
    };
    const struct stet_fields fields = {lines, 5, 1ull << STET_FIELD_HOST | 1ull << STET_FIELD_VARY | 1};
    static const size_t next_host[] = {1, 1, 2, 4, 4};
    for (size_t from = 0; from < 5; from++)
        assert_ptr_equal(stet_fields_find(&fields, STET_FIELD_HOST, from), &lines[next_host[from]]);
    assert_null(stet_fields_find(&fields, STET_FIELD_HOST, 5));
    assert_null(stet_fields_find(&fields, STET_FIELD_VARY, 4));
    assert_ptr_equal(stet_fields_find(&fields, STET_FIELD_VARY, 0), &lines[3]);
    assert_null(stet_fields_find(&fields, STET_FIELD_AGE, 0));
    assert_int_equal(stet_fields_count(&fields, STET_FIELD_HOST), 3);
    assert_int_equal(stet_fields_count(&fields, STET_FIELD_VARY), 1);
    assert_int_equal(stet_fields_count(&fields, STET_FIELD_AGE), 0);
    assert_true(stet_fields_have(&fields, STET_FIELD_VARY));
    assert_false(stet_fields_have(&fields, STET_FIELD_AGE));

    const struct stet_fields none = {NULL, 0, 0};
    assert_null(stet_fields_find(&none, STET_FIELD_HOST, 0));
    assert_int_equal(stet_fields_count(&none, STET_FIELD_HOST), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_field_ids),
        cmocka_unit_test(test_field_ids_near_misses),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_singletons),
        cmocka_unit_test(test_find_and_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
