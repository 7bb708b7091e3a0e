/* SPDX-License-Identifier: MIT */
/*
 * What Repr-Digest and Content-Digest (RFC 9530) say about a SHA-256, and whether a file has it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "get/task.h"

/* Of "content". */
#define TEXT "content"
#define RIGHT "sha-256=:7XACtDnprIRfIjV9giusFERzD722AW0+yUMil7nsn3M=:"
#define WRONG "sha-256=:7XACtDnprIRfIjV9giusFERzD722AW0+yUMil7nsn3A=:"

static const unsigned char digest[] = {0xed, 0x70, 0x02, 0xb4, 0x39, 0xe9, 0xac, 0x84, 0x5f, 0x22, 0x35,
                                       0x7d, 0x82, 0x2b, 0xac, 0x14, 0x44, 0x73, 0x0f, 0xbd, 0xb6, 0x01,
                                       0x6d, 0x3e, 0xc9, 0x43, 0x22, 0x97, 0xb9, 0xec, 0x9f, 0x73};

static enum stet__digest_verdict judge(const char *repr, const char *content)
{
    struct stet_field room[2];
    struct stet_fields fields = {room, 0, 0};
    if (repr)
        stet__fields_add(&fields, room,
                         (struct stet_field){STET_SPAN("repr-digest"), stet_span_of(repr, strlen(repr)),
                                             STET_FIELD_REPR_DIGEST});
    if (content)
        stet__fields_add(&fields, room,
                         (struct stet_field){STET_SPAN("content-digest"),
                                             stet_span_of(content, strlen(content)),
                                             STET_FIELD_CONTENT_DIGEST});
    return stet__digest_judge(&fields, digest);
}

static void judges(void **state)
{
    assert_int_equal(judge(NULL, NULL), STET__DIGEST_UNTOLD);
    assert_int_equal(judge(RIGHT, NULL), STET__DIGEST_AGREES);
    assert_int_equal(judge(NULL, RIGHT), STET__DIGEST_AGREES);
    assert_int_equal(judge(WRONG, NULL), STET__DIGEST_DIFFERS);
    assert_int_equal(judge(NULL, WRONG), STET__DIGEST_DIFFERS);
    assert_int_equal(judge(RIGHT, WRONG), STET__DIGEST_DIFFERS);
    assert_int_equal(judge(WRONG, RIGHT), STET__DIGEST_DIFFERS);
    assert_int_equal(judge("md5=:AAAA:, " RIGHT, NULL), STET__DIGEST_AGREES);
}

/* What says nothing that can be compared is no reason to fetch anything again. */
static void takes_no_notice(void **state)
{
    assert_int_equal(judge("sha-512=:AAAA:", "md5=:AAAA:"), STET__DIGEST_UNTOLD);
    assert_int_equal(judge("sha-256=7XACtDnp", NULL), STET__DIGEST_UNTOLD);
    assert_int_equal(judge(RIGHT ", sha-256", NULL), STET__DIGEST_UNTOLD);
    assert_int_equal(judge(WRONG ", " RIGHT, NULL), STET__DIGEST_AGREES);
    assert_int_equal(judge(WRONG ", \x01", NULL), STET__DIGEST_UNTOLD);
    assert_int_equal(judge("", NULL), STET__DIGEST_UNTOLD);
    assert_int_equal(judge("sha-256=:AAAA:", NULL), STET__DIGEST_DIFFERS); /* octets, but of another number */
}

static void reads_files(void **state)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    assert_true(fd >= 0 && write(fd, TEXT, strlen(TEXT)) == (ssize_t)strlen(TEXT));
    assert_true(stet__digest_verify(fd, digest));
    assert_int_equal(pwrite(fd, "C", 1, 0), 1);
    assert_false(stet__digest_verify(fd, digest));
    close(fd);
    assert_false(stet__digest_verify(-1, digest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges),
        cmocka_unit_test(takes_no_notice),
        cmocka_unit_test(reads_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
