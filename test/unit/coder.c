/* SPDX-License-Identifier: MIT */
/*
 * coder: round trips however the octets are cut, and what is refused: the cut, the damaged, what stands
 * behind the end, what is too large.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stet/status.h>

#include "coding/coder.h"

#define ROOM (1u << 20)

static const enum stet_coding codings[] = {STET_CODING_GZIP, STET_CODING_BR, STET_CODING_ZSTD};
#define CODINGS (sizeof codings / sizeof *codings)

static char text[20000]; /* compressible, not trivially */

static int fill(void **state)
{
    uint32_t seed = 1;
    (void)state;
    for (size_t i = 0; i < sizeof text; i++) {
        seed = seed * 1103515245 + 12345;
        text[i] = i % 3 ? (char)('a' + (seed >> 16) % 4) : text[i / 2];
    }
    return 0;
}

/* How the octets are cut. */
struct cuts {
    size_t in, out; /* octets at a time */
    enum stet__coder_step step;
};

static const struct cuts one_go = {SIZE_MAX, SIZE_MAX, STET__CODER_FEED};

static struct stet__coder_options decoding(enum stet_coding coding)
{
    return (struct stet__coder_options){.coding = coding, .decode = true, .output_max = ROOM};
}

static struct stet__coder_options encoding(enum stet_coding coding)
{
    return (struct stet__coder_options){
        .coding = coding, .length = STET__CODER_LENGTH_UNKNOWN, .output_max = ROOM};
}

struct result {
    int status;
    size_t len;
    char at[ROOM];
};

static struct result result, coded;

static int step(struct stet__coder *coder, struct stet_span *piece, enum stet__coder_step how, size_t room,
                struct result *into)
{
    int status = STET_MORE;
    while (status == STET_MORE) {
        struct stet__coder_output output = {into->at + into->len,
                                            room < ROOM - into->len ? room : ROOM - into->len, 0};
        status = stet__coder_run(coder, piece, how, &output);
        into->len += output.len;
    }
    return status;
}

static void run(const struct stet__coder_options *options, struct stet_span input, const struct cuts *cuts,
                struct result *into)
{
    struct stet__coder *coder = stet__coder_new(options);
    assert_non_null(coder);
    into->len = 0;
    do {
        struct stet_span piece = stet_span_of(input.ptr, input.len < cuts->in ? input.len : cuts->in);
        size_t len = piece.len;
        enum stet__coder_step how =
            len == input.len && cuts->step == STET__CODER_FEED ? STET__CODER_FINISH : cuts->step;
        into->status = step(coder, &piece, how, cuts->out, into);
        assert_true(into->status != STET_OK || piece.len == 0);
        input = stet_span_skip(input, len);
    } while (into->status == STET_OK && input.len > 0);
    struct stet_span nothing = {"", 0};
    if (into->status == STET_OK && cuts->step != STET__CODER_FEED)
        into->status = step(coder, &nothing, STET__CODER_FINISH, cuts->out, into);
    /* A failure sticks, and an end stays one. */
    int status = into->status;
    struct stet__coder_output output = {into->at + into->len, ROOM - into->len, 0};
    if (status < 0)
        assert_int_equal(stet__coder_run(coder, &nothing, STET__CODER_FEED, &output), status);
    stet__coder_free(coder);
}

static struct stet_span encode(enum stet_coding coding, struct stet_span input)
{
    struct stet__coder_options options = encoding(coding);
    run(&options, input, &one_go, &coded);
    assert_int_equal(coded.status, STET_OK);
    return stet_span_of(coded.at, coded.len);
}

static void assert_decodes(enum stet_coding coding, struct stet_span input, const struct cuts *cuts,
                           struct stet_span want)
{
    struct stet__coder_options options = decoding(coding);
    run(&options, input, cuts, &result);
    assert_int_equal(result.status, STET_OK);
    assert_int_equal(result.len, want.len);
    assert_memory_equal(result.at, want.ptr, want.len);
}

static int decode_status(enum stet_coding coding, struct stet_span input, const struct cuts *cuts)
{
    struct stet__coder_options options = decoding(coding);
    run(&options, input, cuts, &result);
    return result.status;
}

static void round_trips(void **state)
{
    static const size_t lengths[] = {0, 1, 2, 100, sizeof text};
    (void)state;
    for (size_t i = 0; i < CODINGS; i++) {
        for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++) {
            struct stet_span want = {text, lengths[j]};
            assert_decodes(codings[i], encode(codings[i], want), &one_go, want);
        }
        assert_true(coded.len < sizeof text / 2);
    }
}

/* Input in pieces of any size, output in pieces of any size, and in two pieces at every place. */
static void round_trips_in_pieces(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 7, 19, 64, 1000, 4096};
    (void)state;
    struct stet_span want = {text, 5000};
    for (size_t i = 0; i < CODINGS; i++) {
        struct stet_span whole = encode(codings[i], want);
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
                struct cuts cuts = {sizes[j], sizes[k], STET__CODER_FEED};
                assert_decodes(codings[i], whole, &cuts, want);
                cuts.step = STET__CODER_FLUSH;
                assert_decodes(codings[i], whole, &cuts, want);
            }
        }
        for (size_t cut = 1; cut < whole.len; cut++) {
            struct cuts cuts = {cut, SIZE_MAX, STET__CODER_FEED};
            assert_decodes(codings[i], whole, &cuts, want);
        }
    }
}

static void encodes_in_pieces(void **state)
{
    static const size_t sizes[] = {1, 7, 64, 1000};
    (void)state;
    static struct result pieces;
    struct stet_span want = {text, 5000};
    for (size_t i = 0; i < CODINGS; i++) {
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
                struct stet__coder_options options = encoding(codings[i]);
                struct cuts cuts = {sizes[j], sizes[k], STET__CODER_FEED};
                run(&options, want, &cuts, &pieces);
                assert_int_equal(pieces.status, STET_OK);
                assert_decodes(codings[i], stet_span_of(pieces.at, pieces.len), &one_go, want);
            }
        }
    }
}

/* After a flush the receiver can decode all that was fed. */
static void flushes(void **state)
{
    static const size_t rooms[] = {64, 65, 70, 1000};
    (void)state;
    for (size_t i = 0; i < CODINGS; i++) {
        for (size_t r = 0; r < sizeof rooms / sizeof *rooms; r++) {
            struct stet__coder_options in = encoding(codings[i]), out = decoding(codings[i]);
            struct stet__coder *encoder = stet__coder_new(&in), *decoder = stet__coder_new(&out);
            result.len = 0;
            for (size_t at = 0; at < 3000; at += 300) {
                struct stet_span piece = {text + at, 300};
                coded.len = 0;
                assert_int_equal(step(encoder, &piece, STET__CODER_FLUSH, rooms[r], &coded), STET_OK);
                struct stet_span sent = {coded.at, coded.len};
                assert_int_equal(step(decoder, &sent, STET__CODER_FEED, ROOM, &result), STET_OK);
                assert_int_equal(result.len, at + 300);
                assert_memory_equal(result.at, text, result.len);
            }
            stet__coder_free(encoder);
            stet__coder_free(decoder);
        }
    }
}

static void same_octets_same_result(void **state)
{
    (void)state;
    static struct result again;
    for (size_t i = 0; i < CODINGS; i++) {
        struct stet__coder_options options = encoding(codings[i]);
        options.length = sizeof text;
        run(&options, stet_span_of(text, sizeof text), &one_go, &coded);
        run(&options, stet_span_of(text, sizeof text), &one_go, &again);
        assert_int_equal(coded.len, again.len);
        assert_memory_equal(coded.at, again.at, coded.len);
    }
}

static void tells_a_cut(void **state)
{
    (void)state;
    struct cuts small = {5, 100, STET__CODER_FEED};
    for (size_t i = 0; i < CODINGS; i++) {
        struct stet_span whole = encode(codings[i], stet_span_of(text, 3000));
        for (size_t len = 0; len < whole.len; len++) {
            assert_int_equal(decode_status(codings[i], stet_span_of(whole.ptr, len), &one_go),
                             STET_E_CODED_CUT);
            assert_int_equal(decode_status(codings[i], stet_span_of(whole.ptr, len), &small),
                             STET_E_CODED_CUT);
        }
    }
}

static void tells_what_is_behind_the_end(void **state)
{
    (void)state;
    struct cuts octets = {1, 100, STET__CODER_FEED};
    for (size_t i = 0; i < CODINGS; i++) {
        encode(codings[i], stet_span_of(text, 3000));
        coded.at[coded.len] = 'x';
        struct stet_span longer = {coded.at, coded.len + 1};
        assert_int_equal(decode_status(codings[i], longer, &one_go), STET_E_CODED_TRAILING);
        assert_int_equal(result.len, 3000);
        assert_memory_equal(result.at, text, 3000);
        assert_int_equal(decode_status(codings[i], longer, &octets), STET_E_CODED_TRAILING);
        assert_int_equal(result.len, 3000);
    }
}

/* No octet that is changed goes wrong in any other way than with a failure; gzip has a check of its own, so
 * none is missed. */
static void survives_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODINGS; i++) {
        struct stet_span whole = encode(codings[i], stet_span_of(text, 2000));
        for (size_t at = 0; at < whole.len; at++) {
            coded.at[at] ^= 0x55;
            int status = decode_status(codings[i], whole, &one_go);
            bool same = result.len == 2000 && memcmp(result.at, text, 2000) == 0;
            if (codings[i] == STET_CODING_GZIP)
                assert_true(status < 0 || same);
            coded.at[at] ^= 0x55;
        }
        assert_decodes(codings[i], whole, &one_go, stet_span_of(text, 2000));
    }
    assert_int_equal(decode_status(STET_CODING_GZIP, STET_SPAN("not gzip at all"), &one_go),
                     STET_E_CODED_SYNTAX);
    assert_int_equal(decode_status(STET_CODING_ZSTD, STET_SPAN("not zstd at all"), &one_go),
                     STET_E_CODED_SYNTAX);
    assert_int_equal(decode_status(STET_CODING_DEFLATE, STET_SPAN("\xff\xff\xff\xff"), &one_go),
                     STET_E_CODED_SYNTAX);
}

static void decodes_members_and_frames(void **state)
{
    (void)state;
    static const char skippable[] = "\x5a\x2a\x4d\x18\x03\0\0\0abc";
    static char two[2 * ROOM];
    static const enum stet_coding repeated[] = {STET_CODING_GZIP, STET_CODING_ZSTD};
    for (size_t i = 0; i < 2; i++) {
        size_t len = 0;
        struct stet_span part = encode(repeated[i], stet_span_of(text, 1000));
        memcpy(two, part.ptr, part.len);
        len += part.len;
        if (repeated[i] == STET_CODING_ZSTD) {
            memcpy(two + len, skippable, sizeof skippable - 1);
            len += sizeof skippable - 1;
        }
        part = encode(repeated[i], stet_span_of(text + 1000, 1000));
        memcpy(two + len, part.ptr, part.len);
        len += part.len;
        for (size_t cut = 1; cut < len; cut++) {
            struct cuts cuts = {cut, 100, STET__CODER_FEED};
            assert_decodes(repeated[i], stet_span_of(two, len), &cuts, stet_span_of(text, 2000));
        }
    }
}

static void decodes_both_forms_of_deflate(void **state)
{
    (void)state;
    /* "hello hello hello hello": Python's zlib.compress, with and without its head and check. */
    static const char wrapped[] = "\x78\x9c\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\x01\x68\x03\x08\xb1";
    static const char raw[] = "\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\x01";
    static const char nothing[] = "\x03\x00";
    for (size_t cut = 1; cut < 20; cut++) {
        struct cuts cuts = {cut, 3, STET__CODER_FEED};
        assert_decodes(STET_CODING_DEFLATE, stet_span_of(wrapped, sizeof wrapped - 1), &cuts,
                       STET_SPAN("hello hello hello hello"));
        assert_decodes(STET_CODING_DEFLATE, stet_span_of(raw, sizeof raw - 1), &cuts,
                       STET_SPAN("hello hello hello hello"));
        assert_decodes(STET_CODING_DEFLATE, stet_span_of(nothing, 2), &cuts, STET_SPAN(""));
    }
    for (size_t len = 0; len < sizeof wrapped - 1; len++)
        assert_int_equal(decode_status(STET_CODING_DEFLATE, stet_span_of(wrapped, len), &one_go),
                         STET_E_CODED_CUT);
    assert_int_equal(decode_status(STET_CODING_DEFLATE, STET_SPAN("\x03\x00\x00"), &one_go),
                     STET_E_CODED_TRAILING);
}

/* A limit is met exactly, or failed; never passed. */
static void keeps_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODINGS; i++) {
        struct stet_span whole = encode(codings[i], stet_span_of(text, 3000));
        struct stet__coder_options options = decoding(codings[i]);
        static const size_t rooms[] = {1, 100, 3000, ROOM};
        for (size_t r = 0; r < 4; r++) {
            struct cuts cuts = {SIZE_MAX, rooms[r], STET__CODER_FEED};
            options.output_max = 3000;
            run(&options, whole, &cuts, &result);
            assert_int_equal(result.status, STET_OK);
            options.output_max = 2999;
            run(&options, whole, &cuts, &result);
            assert_int_equal(result.status, STET_E_CODED_TOO_LARGE);
            assert_int_equal(result.len, 2999);
        }
        options = encoding(codings[i]);
        options.output_max = whole.len - 1;
        run(&options, stet_span_of(text, 3000), &one_go, &result);
        assert_int_equal(result.status, STET_E_CODED_TOO_LARGE);
        options.output_max = whole.len;
        run(&options, stet_span_of(text, 3000), &one_go, &result);
        assert_int_equal(result.status, STET_OK);
    }
}

/* A hundred megabytes of nothing in some kilobytes: the limit holds before they are there. */
static void no_bomb_goes_off(void **state)
{
    (void)state;
    static char zeros[1 << 20];
    for (size_t i = 0; i < CODINGS; i++) {
        struct stet__coder_options options = encoding(codings[i]);
        options.level = 5;
        struct stet__coder *encoder = stet__coder_new(&options);
        coded.len = 0;
        for (int j = 0; j < 100; j++) {
            struct stet_span piece = {zeros, sizeof zeros};
            assert_int_equal(
                step(encoder, &piece, j < 99 ? STET__CODER_FEED : STET__CODER_FINISH, ROOM, &coded), STET_OK);
        }
        stet__coder_free(encoder);
        assert_true(coded.len < 200000);
        options = decoding(codings[i]);
        options.output_max = 100000;
        run(&options, stet_span_of(coded.at, coded.len), &one_go, &result);
        assert_int_equal(result.status, STET_E_CODED_TOO_LARGE);
        assert_int_equal(result.len, 100000);
    }
}

/* RFC 9659 section 3: however small the content is, and however it is fed. */
static void refuses_a_large_window(void **state)
{
    (void)state;
    static const char of_8_mib[] = "\x28\xb5\x2f\xfd\x00\x68\x09\x00\x00x"; /* exponent 13, mantissa 0 */
    static const char larger[] = "\x28\xb5\x2f\xfd\x00\x69\x09\x00\x00x";   /* mantissa 1: an eighth more */
    static const char single[] =
        "\x28\xb5\x2f\xfd\xa0\x01\x00\x80\x00\x03\x00\x00"; /* one segment of 8 MiB + 1 */
    for (size_t cut = 1; cut < 16; cut++) {
        struct cuts cuts = {cut, SIZE_MAX, STET__CODER_FEED};
        assert_decodes(STET_CODING_ZSTD, stet_span_of(of_8_mib, sizeof of_8_mib - 1), &cuts, STET_SPAN("x"));
        assert_int_equal(decode_status(STET_CODING_ZSTD, stet_span_of(larger, sizeof larger - 1), &cuts),
                         STET_E_CODED_WINDOW);
        assert_int_equal(decode_status(STET_CODING_ZSTD, stet_span_of(single, sizeof single - 1), &cuts),
                         STET_E_CODED_WINDOW);
    }
}

/* What stet sends keeps to it as well: the window of a frame whose length nobody told, at the best level. */
static void sends_no_large_window(void **state)
{
    (void)state;
    struct stet__coder_options options = encoding(STET_CODING_ZSTD);
    options.level = 1000;
    struct stet__coder *coder = stet__coder_new(&options);
    struct stet_span piece = {text, sizeof text};
    coded.len = 0;
    assert_int_equal(step(coder, &piece, STET__CODER_FLUSH, ROOM, &coded), STET_OK);
    stet__coder_free(coder);
    assert_true((coded.at[4] & 0x20) == 0); /* the head names a window */
    assert_true((unsigned char)coded.at[5] <= 13 << 3);
}

static void holds_to_the_length(void **state)
{
    (void)state;
    static const uint64_t wrong[] = {99, 101, 0, UINT64_MAX - 1};
    for (size_t i = 0; i < CODINGS; i++) {
        struct stet__coder_options options = encoding(codings[i]);
        for (size_t j = 0; j < sizeof wrong / sizeof *wrong; j++) {
            options.length = wrong[j];
            run(&options, stet_span_of(text, 100), &one_go, &result);
            assert_int_equal(result.status, STET_E_CODED_LENGTH);
        }
        options.length = 100;
        run(&options, stet_span_of(text, 100), &one_go, &result);
        assert_int_equal(result.status, STET_OK);
    }
}

/* No time, no name: only the octets count. */
static void gzip_tells_no_time(void **state)
{
    (void)state;
    struct stet_span whole = encode(STET_CODING_GZIP, stet_span_of(text, 10));
    static const char head[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00";
    assert_memory_equal(whole.ptr, head, sizeof head - 1);
}

static void takes_any_level(void **state)
{
    static const int levels[] = {-5, 1, 2, 5, 9, 11, 19, 22, 1000};
    (void)state;
    for (size_t i = 0; i < CODINGS; i++) {
        for (size_t j = 0; j < sizeof levels / sizeof *levels; j++) {
            struct stet__coder_options options = encoding(codings[i]);
            options.level = levels[j];
            run(&options, stet_span_of(text, 3000), &one_go, &coded);
            assert_int_equal(coded.status, STET_OK);
            assert_decodes(codings[i], stet_span_of(coded.at, coded.len), &one_go, stet_span_of(text, 3000));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(round_trips_in_pieces),
        cmocka_unit_test(encodes_in_pieces),
        cmocka_unit_test(flushes),
        cmocka_unit_test(same_octets_same_result),
        cmocka_unit_test(tells_a_cut),
        cmocka_unit_test(tells_what_is_behind_the_end),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(decodes_members_and_frames),
        cmocka_unit_test(decodes_both_forms_of_deflate),
        cmocka_unit_test(keeps_limits),
        cmocka_unit_test(no_bomb_goes_off),
        cmocka_unit_test(refuses_a_large_window),
        cmocka_unit_test(sends_no_large_window),
        cmocka_unit_test(holds_to_the_length),
        cmocka_unit_test(gzip_tells_no_time),
        cmocka_unit_test(takes_any_level),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
