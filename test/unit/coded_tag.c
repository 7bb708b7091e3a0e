/* SPDX-License-Identifier: MIT */
/*
 * coded_tag: what is written is read, in exactly the room that it needs; no octet of a suffix can be another
 * one; likeness of all pairs of a family of tags against the parts that they were made of. The cases by name
 * are in test/spec/coded-tags.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/coded_tag.h>

#include "guard.h"

#define SPAN(text) stet_span_of(text, strlen(text))
#define ROOM 96

static struct guard guard;

static const char *const bases[] = {"", "x", "x;br", "x-gzip", "x;br-5f3a9c02", "a,\\b;", ";", "-~"};
static const enum stet_coding made[] = {STET_CODING_IDENTITY, STET_CODING_GZIP, STET_CODING_BR,
                                        STET_CODING_ZSTD};
static const uint64_t marks[] = {0, 1, 0x5f3a9c02, 0xffffffff};

enum { BASES = sizeof bases / sizeof *bases, MADE = sizeof made / sizeof *made };

static struct stet_etag parsed(const char *text, size_t len)
{
    struct stet_etag tag = STET_NO_ETAG;
    assert_int_equal(stet_etag_parse(stet_span_of(text, len), &tag), STET_OK);
    return tag;
}

static bool same_parts(const struct stet_coded_tag *a, const struct stet_coded_tag *b)
{
    return a->kind == b->kind && a->coding == b->coding && a->mark == b->mark &&
           a->base.weak == b->base.weak && stet_span_equal(a->base.opaque, b->base.opaque);
}

/* Every room is tried: too small gives nothing and touches nothing behind it. */
static void check_written(const struct stet_coded_tag *tag)
{
    char text[ROOM], tried[ROOM];
    struct stet_coded_tag read;
    size_t len = stet_coded_tag_write(tag, text, sizeof(text));
    assert_in_range(len, 1, tag->base.opaque.len + STET_CODED_TAG_MORE);
    for (size_t room = 0; room <= len; room++) {
        memset(tried, 'z', sizeof(tried));
        assert_int_equal(stet_coded_tag_write(tag, tried, room), room < len ? 0 : len);
        assert_int_equal(tried[room], 'z');
    }
    struct stet_span placed = guard_at_end(&guard, stet_span_of(text, len));
    stet_coded_tag_read(parsed(placed.ptr, placed.len), &read);
    if (!same_parts(&read, tag))
        fail_msg("%.*s", (int)len, text);
    assert_true(stet_coded_tag_ours(parsed(text, len)));
}

static void test_written_is_read(void **state)
{
    for (size_t b = 0; b < BASES; b++)
        for (size_t c = 0; c < MADE; c++)
            for (size_t m = 0; m < sizeof marks / sizeof *marks; m++)
                for (unsigned bits = 0; bits < 4; bits++) {
                    struct stet_coded_tag tag = {.base = {SPAN(bases[b]), (bits & 1) != 0},
                                                 .kind =
                                                     bits & 2 ? STET_CODED_TAG_PASSING : STET_CODED_TAG_KEPT,
                                                 .coding = made[c],
                                                 .mark = bits & 2 ? marks[m] << 31 | 7 : marks[m]};
                    check_written(&tag);
                }
    const struct stet_coded_tag none = {.base = STET_NO_ETAG, .kind = STET_CODED_TAG_KEPT};
    char text[ROOM];
    assert_int_equal(stet_coded_tag_write(&none, text, sizeof(text)), 0);
}

/* Any octet of the suffix exchanged for any other: not ours, or with another mark. */
static void test_every_octet(void **state)
{
    static const char *const tags[] = {"\"x;br-5f3a9c02\"", "\"x;gzip-~0123456789abcdef\""};
    for (size_t t = 0; t < 2; t++) {
        size_t len = strlen(tags[t]);
        struct stet_coded_tag good, read;
        stet_coded_tag_read(parsed(tags[t], len), &good);
        for (size_t at = 2; at < len - 1; at++) {
            for (unsigned octet = 0x23; octet < 0x7f; octet++) {
                char text[ROOM];
                memcpy(text, tags[t], len);
                text[at] = (char)octet;
                if (text[at] == tags[t][at])
                    continue;
                stet_coded_tag_read(parsed(text, len), &read);
                bool digit = (octet >= '0' && octet <= '9') || (octet >= 'a' && octet <= 'f');
                bool in_mark = at >= len - 1 - (t == 0 ? 8 : 16);
                if ((read.kind == good.kind) != (in_mark && digit) || same_parts(&read, &good))
                    fail_msg("%.*s", (int)len, text);
            }
        }
    }
}

/* One tag of a family, and what it was made of. */
struct member {
    char text[ROOM];
    struct stet_etag tag;
    unsigned base;           /* 0 or 1: which of two */
    unsigned suffix;         /* 0: none */
    enum stet_coding coding; /* of the suffix */
};

static const struct {
    const char *suffix;
    enum stet_coding coding;
    bool foreign;
} suffixes[] = {
    {"", STET_CODING_UNKNOWN, false},
    {";br-00000001", STET_CODING_BR, false},
    {";br-~0000000000000001", STET_CODING_BR, false},
    {";gzip-00000001", STET_CODING_GZIP, false},
    {";identity-00000001", STET_CODING_IDENTITY, false},
#define X(suffix, coding, who) {suffix, coding, true},
#include <stet/coded_tag.def>
#undef X
};

enum { SUFFIXES = sizeof suffixes / sizeof *suffixes, FAMILY = 2 * 2 * SUFFIXES };

static void make_family(struct member *family)
{
    for (unsigned i = 0; i < FAMILY; i++) {
        struct member *m = &family[i];
        unsigned weak = i / 2 % 2;
        m->base = i % 2;
        m->suffix = i / 4;
        m->coding = suffixes[m->suffix].coding;
        int len = snprintf(m->text, sizeof(m->text), "%s\"%s%s\"", weak ? "W/" : "", m->base ? "b" : "aa",
                           suffixes[m->suffix].suffix);
        m->tag = parsed(m->text, (size_t)len);
    }
}

static void test_likeness(void **state)
{
    static struct member family[FAMILY];
    make_family(family);
    for (size_t i = 0; i < FAMILY; i++)
        for (size_t k = 0; k < FAMILY; k++) {
            const struct member *a = &family[i], *b = &family[k];
            enum stet_coding coding = STET_CODING_DEFLATE;
            enum stet_coded_likeness want = STET_CODED_UNLIKE;
            if (a->base == b->base && b->suffix == 0)
                want = STET_CODED_EQUIVALENT;
            if (a->base == b->base && a->suffix == b->suffix)
                want = STET_CODED_SAME;
            if (stet_coded_tag_compare(a->tag, b->tag, STET_CODING_ZSTD, &coding) != want)
                fail_msg("%s of %s", a->text, b->text);
            assert_int_equal(coding, want == STET_CODED_SAME         ? STET_CODING_ZSTD
                                     : want == STET_CODED_EQUIVALENT ? a->coding
                                                                     : STET_CODING_DEFLATE);
            bool plain = (a->suffix == 0 || suffixes[a->suffix].foreign) &&
                         (b->suffix == 0 || suffixes[b->suffix].foreign);
            bool varies = a->base == b->base && ((plain && a->suffix != b->suffix) ||
                                                 (a->suffix == b->suffix && a->tag.weak != b->tag.weak));
            if (stet_coded_tag_variation(a->tag, b->tag) != varies)
                fail_msg("%s now %s", a->text, b->text);
        }
    enum stet_coding coding;
    assert_int_equal(stet_coded_tag_compare(STET_NO_ETAG, family[0].tag, 0, &coding), STET_CODED_UNLIKE);
    assert_int_equal(stet_coded_tag_compare(family[0].tag, STET_NO_ETAG, 0, &coding), STET_CODED_UNLIKE);
    assert_false(stet_coded_tag_variation(STET_NO_ETAG, family[0].tag));
    assert_false(stet_coded_tag_variation(family[0].tag, STET_NO_ETAG));
    assert_false(stet_coded_tag_ours(STET_NO_ETAG));
}

/* The rewritten list in every room: it fits or nothing is said. */
static void test_origin_room(void **state)
{
    struct stet_field line = {STET_SPAN("If-None-Match"), STET_SPAN("\"\",\"x;br-5f3a9c02\",W/\"\",\"y\""),
                              STET_FIELD_IF_NONE_MATCH};
    struct stet_fields fields = {&line, 1, 1ull << STET_FIELD_IF_NONE_MATCH};
    static const char want[] = "\"\", \"x\", W/\"\", \"y\"";
    for (size_t room = 0; room <= 2 * line.value.len; room++) {
        char text[ROOM];
        size_t len = 99;
        memset(text, 'z', sizeof(text));
        enum stet_origin_tags said =
            stet_origin_tags_write(&fields, STET_FIELD_IF_NONE_MATCH, text, room, &len);
        assert_int_equal(text[room], 'z');
        if (room < sizeof(want) - 1) {
            assert_int_equal(said, STET_ORIGIN_TAGS_NO_ROOM);
            assert_int_equal(len, 99);
            continue;
        }
        assert_int_equal(said, STET_ORIGIN_TAGS_REWRITTEN);
        assert_true(stet_span_equal(stet_span_of(text, len), SPAN(want)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_is_read),
        cmocka_unit_test(test_every_octet),
        cmocka_unit_test(test_likeness),
        cmocka_unit_test(test_origin_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
