/* SPDX-License-Identifier: MIT */
/*
 * dcz: RFC 9842 section 5. What was made with the dictionary decodes however it is cut; everything else is
 * refused before an octet of it is put out: another dictionary, a cut head, a window that is too large.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <zstd.h>

#include <stet/status.h>

#include "coding/coder.h"

#define ROOM (1u << 20)
#define LARGE (9u << 20)

static const unsigned char magic[8] = {0x5e, 0x2a, 0x4d, 0x18, 0x20, 0, 0, 0};
static char before[50000], behind[50000]; /* two versions of something that does not compress by itself */
static char coded[ROOM], out[ROOM];

static void fill(char *at, size_t len)
{
    uint32_t seed = 1;
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1103515245 + 12345;
        at[i] = (char)(seed >> 16);
    }
}

static struct stet__coder_dictionary dictionary_of(const char *octets, size_t len)
{
    struct stet__coder_dictionary dictionary = {.octets = stet_span_of(octets, len)};
    assert_int_equal(EVP_Digest(octets, len, dictionary.digest, NULL, EVP_sha256(), NULL), 1);
    return dictionary;
}

static size_t put_head(const struct stet__coder_dictionary *dictionary)
{
    memcpy(coded, magic, sizeof magic);
    memcpy(coded + sizeof magic, dictionary->digest, sizeof dictionary->digest);
    return STET__CODER_DCZ_HEAD;
}

/* A frame behind `len` octets; the length with it. `window_log` 0: what the library takes. */
static size_t put_frame(size_t len, struct stet_span content, const struct stet__coder_dictionary *dictionary,
                        int window_log)
{
    ZSTD_CCtx *encoder = ZSTD_createCCtx();
    ZSTD_outBuffer output = {coded, sizeof coded, len};
    ZSTD_inBuffer input = {content.ptr, content.len, 0};
    assert_non_null(encoder);
    if (window_log > 0)
        assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(encoder, ZSTD_c_windowLog, window_log)));
    assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(encoder, ZSTD_c_contentSizeFlag, 0)));
    assert_false(ZSTD_isError(ZSTD_CCtx_refPrefix(encoder, dictionary->octets.ptr, dictionary->octets.len)));
    /* In two calls: else the window would be cut to the content. */
    assert_false(ZSTD_isError(ZSTD_compressStream2(encoder, &output, &input, ZSTD_e_flush)));
    assert_int_equal(ZSTD_compressStream2(encoder, &output, &input, ZSTD_e_end), 0);
    ZSTD_freeCCtx(encoder);
    return output.pos;
}

static struct stet__coder *decoder_of(const struct stet__coder_dictionary *dictionary, uint64_t output_max)
{
    const struct stet__coder_options options = {
        .coding = STET_CODING_ZSTD, .decode = true, .output_max = output_max, .dictionary = dictionary};
    struct stet__coder *coder = stet__coder_new(&options);
    assert_non_null(coder);
    return coder;
}

/* Decodes `len` octets of `coded`, so many at a time, to `out`. The status; `*got` are the octets put out. */
static int decode(const struct stet__coder_dictionary *dictionary, size_t len, size_t at_a_time, size_t *got)
{
    struct stet__coder *coder = decoder_of(dictionary, ROOM);
    struct stet__coder_output output = {out, sizeof out, 0};
    int status = STET_OK;
    for (size_t at = 0; at < len && status == STET_OK; at += at_a_time) {
        struct stet_span piece = stet_span_of(coded + at, at_a_time < len - at ? at_a_time : len - at);
        status = stet__coder_run(coder, &piece, STET__CODER_FLUSH, &output);
    }
    struct stet_span nothing = STET_SPAN("");
    if (status == STET_OK)
        status = stet__coder_run(coder, &nothing, STET__CODER_FINISH, &output);
    stet__coder_free(coder);
    *got = output.len;
    return status;
}

static void assert_behind(size_t got)
{
    assert_int_equal(got, sizeof behind);
    assert_memory_equal(out, behind, sizeof behind);
}

static size_t put_all(const struct stet__coder_dictionary *dictionary)
{
    return put_frame(put_head(dictionary), stet_span_of(behind, sizeof behind), dictionary, 0);
}

static void test_however_it_is_cut(void **state)
{
    static const size_t sizes[] = {1, 2, 7, 39, 40, 41, 1000, ROOM};
    struct stet__coder_dictionary dictionary = dictionary_of(before, sizeof before);
    size_t len = put_all(&dictionary), got;
    assert_true(len < 1000); /* it is a delta */
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(decode(&dictionary, len, sizes[i], &got), STET_OK);
        assert_behind(got);
    }
}

static void test_several_frames(void **state)
{
    struct stet__coder_dictionary dictionary = dictionary_of(before, sizeof before);
    struct stet_span halves[] = {stet_span_of(behind, 20000),
                                 stet_span_of(behind + 20000, sizeof behind - 20000)};
    static const unsigned char skippable[] = {0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 'x'};
    size_t got, len = put_frame(put_head(&dictionary), halves[0], &dictionary, 0);
    memcpy(coded + len, skippable, sizeof skippable);
    len = put_frame(len + sizeof skippable, halves[1], &dictionary, 0);
    assert_true(len < 1000);
    for (size_t size = 1; size < 1000; size += 13) {
        assert_int_equal(decode(&dictionary, len, size, &got), STET_OK);
        assert_behind(got);
    }
}

/* RFC 9842 section 5: "raw", although it begins as a dictionary of zstd's own. */
static void test_raw_whatever_it_looks_like(void **state)
{
    char octets[sizeof before];
    memcpy(octets, before, sizeof octets);
    memcpy(octets, "\x37\xa4\x30\xec\x01\0\0\0", 8);
    struct stet__coder_dictionary dictionary = dictionary_of(octets, sizeof octets);
    size_t got, len = put_all(&dictionary);
    assert_int_equal(decode(&dictionary, len, ROOM, &got), STET_OK);
    assert_behind(got);
}

static void test_another_dictionary(void **state)
{
    struct stet__coder_dictionary dictionary = dictionary_of(before, sizeof before), other = dictionary;
    size_t got, len = put_all(&dictionary);
    for (size_t i = 0; i < sizeof other.digest; i++) {
        other.digest[i] ^= 1;
        assert_int_equal(decode(&other, len, 5, &got), STET_E_CODED_DICTIONARY);
        assert_int_equal(got, 0);
        other.digest[i] ^= 1;
    }
    /* With the digest that was wanted and other octets: zstd's own checks, or none. It is bounded all the
     * same. */
    other.octets = stet_span_of(behind, 1000);
    (void)decode(&other, len, ROOM, &got);
    assert_true(got <= sizeof out);
}

static void test_magic(void **state)
{
    struct stet__coder_dictionary dictionary = dictionary_of(before, sizeof before);
    size_t got, len = put_all(&dictionary);
    for (size_t i = 0; i < sizeof magic; i++) {
        coded[i] ^= 1;
        assert_int_equal(decode(&dictionary, len, ROOM, &got), STET_E_CODED_SYNTAX);
        assert_int_equal(got, 0);
        coded[i] ^= 1;
    }
}

static void test_every_cut(void **state)
{
    struct stet__coder_dictionary dictionary = dictionary_of(before, sizeof before);
    size_t got, len = put_all(&dictionary);
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(decode(&dictionary, cut, ROOM, &got), STET_E_CODED_CUT);
    coded[len] = 'x';
    assert_int_equal(decode(&dictionary, len + 1, ROOM, &got), STET_E_CODED_TRAILING);
}

/* Section 5: max(8 MiB, 1.25 times the dictionary). */
static void test_windows(void **state)
{
    char *large = calloc(1, LARGE);
    assert_non_null(large);
    fill(large, LARGE);
    struct stet__coder_dictionary small = dictionary_of(before, sizeof before);
    struct stet__coder_dictionary wide = dictionary_of(large, LARGE);
    struct stet_span content = stet_span_of(behind, sizeof behind);
    size_t got;
    assert_int_equal(decode(&small, put_frame(put_head(&small), content, &small, 23), 1, &got), STET_OK);
    assert_behind(got);
    size_t len = put_frame(put_head(&small), content, &small, 24);
    assert_int_equal(decode(&small, len, 1, &got), STET_E_CODED_WINDOW);
    assert_int_equal(decode(&small, len, ROOM, &got), STET_E_CODED_WINDOW);
    assert_int_equal(decode(&wide, put_frame(put_head(&wide), content, &wide, 24), 1, &got), STET_OK);
    assert_behind(got);
    len = put_frame(put_head(&wide), content, &wide, 25);
    assert_int_equal(decode(&wide, len, 1, &got), STET_E_CODED_WINDOW);
    free(large);
}

static void test_a_limit(void **state)
{
    struct stet__coder_dictionary dictionary = dictionary_of(before, sizeof before);
    struct stet_span input = stet_span_of(coded, put_all(&dictionary));
    struct stet__coder *coder = decoder_of(&dictionary, sizeof behind - 1);
    struct stet__coder_output output = {out, sizeof out, 0};
    int status = STET_MORE;
    while (status == STET_MORE)
        status = stet__coder_run(coder, &input, STET__CODER_FINISH, &output);
    assert_int_equal(status, STET_E_CODED_TOO_LARGE);
    stet__coder_free(coder);
}

static int begin(void **state)
{
    (void)state;
    fill(before, sizeof before);
    memcpy(behind, before, sizeof behind);
    memcpy(behind + 1234, "another", 7);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_however_it_is_cut),
        cmocka_unit_test(test_several_frames),
        cmocka_unit_test(test_raw_whatever_it_looks_like),
        cmocka_unit_test(test_another_dictionary),
        cmocka_unit_test(test_magic),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_a_limit),
    };
    return cmocka_run_group_tests_name("dcz", tests, begin, NULL);
}
