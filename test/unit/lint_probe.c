/* SPDX-License-Identifier: MIT */
/*
 * lint_probe: what an executed case cannot hold: answers of several parts, with their line ends, cut at every
 * octet and against an unreadable page; and every kind of probe with every status.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/lint.h>

#include "guard.h"

#define WHOLE "abcdefghijklmnopqrstuvwxyz"
#define GOOD                                    \
    "--b\r\nContent-Type: text/plain\r\n"       \
    "Content-Range: bytes 0-1/26\r\n\r\nab\r\n" \
    "--b\r\nContent-Range: bytes 24-25/26\r\n\r\nyz\r\n--b--\r\n"

static struct guard guard;

static struct stet_span span(const char *text)
{
    return stet_span_of(text, strlen(text));
}

struct one {
    struct stet_lint_exchange view;
    struct stet_field request[2], response[4];
};

static void add(struct stet_fields *fields, struct stet_field *room, const char *name, const char *value)
{
    enum stet_field_id id = stet_field_id(span(name));
    room[fields->count++] = (struct stet_field){span(name), span(value), id};
    fields->at = room;
    fields->present |= UINT64_C(1) << id;
}

static void begin(struct one *one, unsigned status, struct stet_span content)
{
    *one = (struct one){.view = {.content_known = true, .content = content, .content_length = content.len}};
    one->view.request.method = STET_METHOD_GET;
    one->view.response.status = status;
}

/* Whether `lint` is found in an answer to two ranges. */
static bool found(struct stet_span content, const char *type, enum stet_lint lint)
{
    struct one base, probe;
    struct stet_lint_finding at[16];
    struct stet_lint_findings out = {at, 16, 0};
    begin(&base, 200, span(WHOLE));
    begin(&probe, 206, content);
    add(&probe.view.request.fields, probe.request, "Range", "bytes=0-1,24-25");
    add(&probe.view.response.fields, probe.response, "Content-Type", type);
    stet_lint_probe(STET_PROBE_RANGE_SEVERAL, &base.view, &probe.view, &out);
    for (size_t i = 0; i < out.count; i++)
        if (at[i].lint == lint)
            return true;
    return false;
}

static const char type[] = "multipart/byteranges; boundary=b";

static void test_parts(void **state)
{
    static const struct {
        const char *content, *type;
        enum stet_lint lint;
    } rows[] = {
        {GOOD, type, STET_LINT_RANGES},
        {"\r\n" GOOD, type, STET_LINT_RANGES},
        {GOOD "and an epilogue", type, STET_LINT_RANGES},
        {GOOD, "Multipart/ByteRanges;charset=x; boundary=\"b\"", STET_LINT_RANGES},
        {GOOD, "multipart/byteranges", STET_LINT_MULTIPART_MALFORMED},
        {GOOD, "multipart/byteranges; boundary=c", STET_LINT_MULTIPART_MALFORMED},
        {"--b\r\nX: y\r\n\r\nab\r\n--b--", type, STET_LINT_MULTIPART_MALFORMED},
        {"--b\r\nContent-Range: bytes */26\r\n\r\nab\r\n--b--", type, STET_LINT_MULTIPART_MALFORMED},
        {"--b\r\nContent-Range: bytes 0-1/26\r\n\r\nab--b--", type, STET_LINT_MULTIPART_MALFORMED},
        {"--b\r\nContent-Range: bytes 0-18446744073709551614/18446744073709551615\r\n\r\nab\r\n--b--", type,
         STET_LINT_MULTIPART_MALFORMED},
        {"--b\r\nContent-Range: bytes 0-1/26\r\n\r\nxy\r\n--b--", type, STET_LINT_206_OCTETS},
        {"--b\r\nContent-Range: bytes 0-1/27\r\n\r\nab\r\n--b--", type, STET_LINT_206_LENGTH},
        {"--b\r\nContent-Range: bytes 0-1/26\r\n\r\nab\r\n--b--", type, STET_LINT_RANGES},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (!found(guard_at_end(&guard, span(rows[i].content)), rows[i].type, rows[i].lint))
            fail_msg("row %zu: %s is not found", i, stet_lint_row(rows[i].lint)->name);
}

static void test_wrong_parts(void **state)
{
    (void)state;
    assert_false(found(span(GOOD), type, STET_LINT_MULTIPART_MALFORMED));
    assert_false(found(span(GOOD), type, STET_LINT_206_OCTETS));
    assert_false(
        found(span("--b\r\nContent-Range: bytes 0-1/26\r\n\r\nxy\r\n--b--"), type, STET_LINT_RANGES));
}

/* What is cut anywhere before its last delimiter is malformed, and no octet behind it is looked at. */
static void test_cut(void **state)
{
    (void)state;
    size_t needed = strlen(GOOD) - 2; /* the line end behind the last delimiter may be missing */
    for (size_t len = 0; len <= strlen(GOOD); len++)
        assert_int_equal(
            found(guard_at_end(&guard, stet_span_of(GOOD, len)), type, STET_LINT_MULTIPART_MALFORMED),
            len < needed);
}

/* Whatever the status, and with next to nothing known: no more findings than are counted, none out of the
 * table. */
static void test_any_status(void **state)
{
    (void)state;
    for (int kind = 0; kind < STET_PROBE_COUNT; kind++)
        for (unsigned status = 0; status <= 599; status++) {
            struct stet_lint_exchange base = {.response.status = 200}, probe = {.response.status = status};
            struct stet_lint_finding at[2];
            struct stet_lint_findings out = {at, 2, 0};
            stet_lint_probe((enum stet_lint_probe_kind)kind, &base, &probe, &out);
            for (size_t i = 0; i < out.count && i < out.room; i++)
                assert_true((unsigned)at[i].lint < STET_LINT_COUNT);
            base.response.status = 404;
            out.count = 0;
            stet_lint_probe((enum stet_lint_probe_kind)kind, &base, &probe, &out);
            assert_int_equal(out.count, 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_wrong_parts),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_any_status),
    };
    return cmocka_run_group_tests_name("lint_probe", tests, NULL, NULL);
}
