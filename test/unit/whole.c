/* SPDX-License-Identifier: MIT */
/*
 * whole: bodies in memory and in files, results on the heap and in memory files, limits, stops, files that
 * are cut.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <stet/status.h>

#include "coding/whole.h"

#define SIZE 300000
#define MAX (1u << 20)

static const enum stet_coding codings[] = {STET_CODING_GZIP, STET_CODING_BR, STET_CODING_ZSTD};
#define CODINGS (sizeof codings / sizeof *codings)

static char text[SIZE];
static int file;

static int set_up(void **state)
{
    uint32_t seed = 7;
    (void)state;
    for (size_t i = 0; i < SIZE; i++) {
        seed = seed * 1103515245 + 12345;
        text[i] = (char)('a' + (seed >> 16) % 16);
    }
    file = memfd_create("file", MFD_CLOEXEC);
    return file >= 0 && write(file, "12345", 5) == 5 && write(file, text, SIZE) == SIZE ? 0 : -1;
}

static struct stet__coder_options coding(enum stet_coding coding, bool decode)
{
    return (struct stet__coder_options){.coding = coding, .decode = decode, .level = 4, .output_max = MAX};
}

static void assert_holds(const struct stet__whole *whole, struct stet_span want)
{
    static char octets[MAX];
    struct stet__part part = stet__whole_part(whole);
    assert_int_equal(whole->length, want.len);
    assert_int_equal(part.length, want.len);
    if (part.memory.ptr)
        memcpy(octets, part.memory.ptr, part.memory.len);
    else
        assert_int_equal(pread(part.fd, octets, sizeof octets, (off_t)part.offset), want.len);
    assert_memory_equal(octets, want.ptr, want.len);
    assert_int_equal(part.memory.ptr != NULL, want.len <= STET__WHOLE_HEAP_MAX);
}

static void round_trips(void **state)
{
    static const size_t lengths[] = {0, 1, 5000, 32768, 32769, 65536, 65537, 200000, SIZE};
    (void)state;
    for (size_t i = 0; i < CODINGS; i++) {
        for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++) {
            struct stet__coder_options in = coding(codings[i], false), out = coding(codings[i], true);
            struct stet__part memory = stet__part_memory(stet_span_of(text, lengths[j]));
            struct stet__part from_file = {.fd = file, .offset = 5, .length = lengths[j]};
            struct stet__whole coded, same, decoded;
            struct stet__digest digest;
            assert_int_equal(stet__whole_make(&in, &memory, STET__WHOLE_KEEP, NULL, &coded), STET_OK);
            assert_int_equal(stet__whole_make(&in, &from_file, STET__WHOLE_KEEP, NULL, &same), STET_OK);
            assert_memory_equal(&coded.digest, &same.digest, sizeof coded.digest);
            struct stet__part part = stet__whole_part(&coded);
            assert_int_equal(stet__whole_make(&out, &part, STET__WHOLE_KEEP, NULL, &decoded), STET_OK);
            assert_holds(&decoded, stet_span_of(text, lengths[j]));
            assert_true(stet__digest_of(stet_span_of(text, lengths[j]), &digest));
            assert_memory_equal(&decoded.digest, &digest, sizeof digest);
            assert_memory_equal(&coded.from_digest, &digest, sizeof digest);
            assert_memory_equal(&decoded.from_digest, &coded.digest, sizeof digest);
            stet__whole_release(&coded);
            stet__whole_release(&same);
            stet__whole_release(&decoded);
        }
    }
}

static void copies(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 5, 32768, 32769, SIZE};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct stet__part part = {.fd = file, .offset = 5, .length = lengths[i]};
        struct stet__whole whole;
        assert_int_equal(stet__whole_copy(&part, lengths[i], NULL, &whole), STET_OK);
        assert_holds(&whole, stet_span_of(text, lengths[i]));
        assert_memory_equal(&whole.digest, &whole.from_digest, sizeof whole.digest);
        stet__whole_release(&whole);
        if (lengths[i] > 0)
            assert_int_equal(stet__whole_copy(&part, lengths[i] - 1, NULL, &whole), STET_E_CODED_TOO_LARGE);
    }
}

static void tells_only_the_digest(void **state)
{
    (void)state;
    struct stet__coder_options in = coding(STET_CODING_GZIP, false), out = coding(STET_CODING_GZIP, true);
    struct stet__part memory = stet__part_memory(stet_span_of(text, SIZE));
    struct stet__whole coded, decoded;
    assert_int_equal(stet__whole_make(&in, &memory, STET__WHOLE_KEEP, NULL, &coded), STET_OK);
    struct stet__part part = stet__whole_part(&coded);
    assert_int_equal(stet__whole_make(&out, &part, STET__WHOLE_DIGEST, NULL, &decoded), STET_OK);
    assert_int_equal(decoded.length, SIZE);
    assert_null(decoded.memory);
    assert_int_equal(decoded.fd, -1);
    assert_memory_equal(&decoded.digest, &coded.from_digest, sizeof coded.digest);
    stet__whole_release(&decoded);
    stet__whole_release(&coded);
}

/* What could be changed while it is sent would not be what its tag says. */
static void seals(void **state)
{
    (void)state;
    struct stet__part part = {.fd = file, .offset = 5, .length = SIZE};
    struct stet__whole whole;
    assert_int_equal(stet__whole_copy(&part, SIZE, NULL, &whole), STET_OK);
    assert_true(whole.fd >= 0);
    assert_int_equal(pwrite(whole.fd, "x", 1, 0), -1);
    assert_int_equal(ftruncate(whole.fd, 1), -1);
    stet__whole_release(&whole);
    assert_int_equal(whole.fd, -1);
}

static void leaves_the_result_alone_if_it_fails(void **state)
{
    (void)state;
    struct stet__part longer = {.fd = file, .offset = 5, .length = SIZE + 1};
    struct stet__part closed = {.fd = -1, .offset = 0, .length = 1};
    struct stet__part memory = stet__part_memory(stet_span_of(text, SIZE));
    struct stet__coder_options in = coding(STET_CODING_GZIP, false), out = coding(STET_CODING_GZIP, true);
    struct stet__whole whole;
    atomic_bool stop = true;
    stet__whole_init(&whole);
    assert_int_equal(stet__whole_make(&in, &longer, STET__WHOLE_KEEP, NULL, &whole), STET_E_CODED_READ);
    assert_int_equal(stet__whole_copy(&longer, MAX, NULL, &whole), STET_E_CODED_READ);
    assert_int_equal(stet__whole_copy(&closed, MAX, NULL, &whole), STET_E_CODED_READ);
    assert_int_equal(stet__whole_make(&out, &memory, STET__WHOLE_KEEP, NULL, &whole), STET_E_CODED_SYNTAX);
    assert_int_equal(stet__whole_make(&in, &memory, STET__WHOLE_KEEP, &stop, &whole), STET_E_CODED_STOPPED);
    assert_int_equal(stet__whole_copy(&memory, MAX, &stop, &whole), STET_E_CODED_STOPPED);
    in.output_max = 1000;
    assert_int_equal(stet__whole_make(&in, &memory, STET__WHOLE_KEEP, NULL, &whole), STET_E_CODED_TOO_LARGE);
    assert_null(whole.memory);
    assert_int_equal(whole.fd, -1);
}

static void takes_a_fingerprint(void **state)
{
    (void)state;
    struct stet__digest digest = {{0x5f, 0x3a, 0x9c, 0x02, 0xff}};
    assert_int_equal(stet__fingerprint(&digest), 0x5f3a9c02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(copies),
        cmocka_unit_test(tells_only_the_digest),
        cmocka_unit_test(seals),
        cmocka_unit_test(leaves_the_result_alone_if_it_fails),
        cmocka_unit_test(takes_a_fingerprint),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
