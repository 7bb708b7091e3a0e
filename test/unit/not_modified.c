/* SPDX-License-Identifier: MIT */
/*
 * not_modified: every field that stet knows, and some it does not, in a 304 with and without an ETag.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/not_modified.h>

/* RFC 9110 section 15.4.5: "ought not to generate representation metadata other than the above listed
 * fields". */
static const enum stet_field_id left_out[] = {
    STET_FIELD_ACCEPT_RANGES,
    STET_FIELD_CONTENT_DIGEST,
    STET_FIELD_CONTENT_ENCODING,
    STET_FIELD_CONTENT_LANGUAGE,
    STET_FIELD_CONTENT_LENGTH,
    STET_FIELD_CONTENT_MD5,
    STET_FIELD_CONTENT_RANGE,
    STET_FIELD_CONTENT_TYPE,
    STET_FIELD_REPR_DIGEST,
    /* about this connection: RFC 9110 section 7.6.1 */
    STET_FIELD_CONNECTION,
    STET_FIELD_KEEP_ALIVE,
    STET_FIELD_PROXY_CONNECTION,
    STET_FIELD_TE,
    STET_FIELD_TRAILER,
    STET_FIELD_TRANSFER_ENCODING,
    STET_FIELD_UPGRADE,
};

/* "MUST generate any of the following header fields that would have been sent in a 200 (OK) response". */
static const enum stet_field_id must[] = {
    STET_FIELD_CONTENT_LOCATION, STET_FIELD_DATE,   STET_FIELD_ETAG, STET_FIELD_VARY,
    STET_FIELD_CACHE_CONTROL,    STET_FIELD_EXPIRES};

static bool among(enum stet_field_id id, const enum stet_field_id *set, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (set[i] == id)
            return true;
    return false;
}

static void test_every_field(void **state)
{
    for (int id = STET_FIELD_OTHER; id < STET_FIELD_ID_COUNT; id++) {
        struct stet_field field = {stet_field_name((enum stet_field_id)id), STET_SPAN("x"),
                                   (enum stet_field_id)id};
        bool out = among(field.id, left_out, sizeof left_out / sizeof *left_out);
        bool want_alone = !out, want_with_tag = !out && id != STET_FIELD_LAST_MODIFIED;
        if (stet_not_modified_keeps(&field, false) != want_alone ||
            stet_not_modified_keeps(&field, true) != want_with_tag)
            fail_msg("%.*s", (int)field.name.len, field.name.ptr);
        if (among(field.id, must, sizeof must / sizeof *must))
            assert_true(want_alone && want_with_tag);
    }
}

static void test_selection(void **state)
{
    struct stet_field lines[] = {
        {{"Date", 4}, {"d", 1}, STET_FIELD_DATE},
        {{"Content-Type", 12}, {"text/html", 9}, STET_FIELD_CONTENT_TYPE},
        {{"Set-Cookie", 10}, {"a", 1}, STET_FIELD_SET_COOKIE},
        {{"Content-Length", 14}, {"5", 1}, STET_FIELD_CONTENT_LENGTH},
        {{"X-New", 5}, {"", 0}, STET_FIELD_OTHER},
        {{"Last-Modified", 13}, {"l", 1}, STET_FIELD_LAST_MODIFIED},
        {{"Set-Cookie", 10}, {"b", 1}, STET_FIELD_SET_COOKIE},
        {{"ETag", 4}, {"\"e\"", 3}, STET_FIELD_ETAG},
    };
    struct stet_fields fields = {lines, 8, 1};
    for (size_t i = 0; i < fields.count; i++)
        fields.present |= 1ull << lines[i].id;
    struct stet_field room[8];
    static const size_t with_tag[] = {0, 2, 4, 6, 7}, without_tag[] = {0, 2, 4, 5, 6};
    assert_int_equal(stet_not_modified_fields(&fields, room), 5);
    for (size_t i = 0; i < 5; i++)
        assert_memory_equal(&room[i], &lines[with_tag[i]], sizeof room[i]);

    /* Without its ETag, and into the array itself. */
    struct stet_field copy[8];
    memcpy(copy, lines, sizeof lines);
    struct stet_fields no_tag = {copy, 7, fields.present & ~(1ull << STET_FIELD_ETAG)};
    assert_int_equal(stet_not_modified_fields(&no_tag, copy), 5);
    for (size_t i = 0; i < 5; i++)
        assert_memory_equal(&copy[i], &lines[without_tag[i]], sizeof copy[i]);

    const struct stet_fields none = {NULL, 0, 0};
    assert_int_equal(stet_not_modified_fields(&none, room), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field),
        cmocka_unit_test(test_selection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
