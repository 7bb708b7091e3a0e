/* SPDX-License-Identifier: MIT */
/*
 * address: what --listen takes, and how it is told again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "net/address.h"

/* What is parsed, and what it is as the start line tells it. */
static const char *const pairs[][2] = {
    {"8304", "127.0.0.1:8304"},
    {"0", "127.0.0.1:0"},
    {":8304", ":8304"},
    {"65535", "127.0.0.1:65535"},
    {"127.0.0.1:8304", "127.0.0.1:8304"},
    {"0.0.0.0:80", "0.0.0.0:80"},
    {"[::1]:8304", "[::1]:8304"},
    {"[::]:8304", ":8304"},
    {"[2001:DB8::1]:1", "[2001:db8::1]:1"},
    {"[::ffff:192.0.2.1]:443", "[::ffff:192.0.2.1]:443"},
    {"unix:/run/stet.sock", "unix:/run/stet.sock"},
    {"unix:a:b", "unix:a:b"},
};

static const char *const refused[] = {
    "",
    ":",
    "65536",
    "99999999999999999999",
    "-1",
    "+1",
    " 8304",
    "8304 ",
    "83 04",
    "0x50",
    "localhost:80",
    "127.0.0.1",
    "127.1:80",
    "256.0.0.1:80",
    "127.0.0.1:",
    "127.0.0.1:http",
    "::1:8304",
    "[::1]",
    "[::1]:",
    "[::1]8304",
    "[]:8304",
    "[::1:8304",
    "[localhost]:80",
    "[127.0.0.1]:80",
    "[::1%lo]:80",
    "unix:",
    "127.0.0.1:80:80",
    "[12345678901234567890123456789012345678901234567890]:80",
};

static int parse(const char *text, struct stet__listen_address *out)
{
    return stet__listen_address_parse(stet_span_of(text, strlen(text)), out);
}

static void test_accepted(void **state)
{
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct stet__listen_address address;
        char text[128];
        if (parse(pairs[i][0], &address) != STET_OK)
            fail_msg("%s is refused", pairs[i][0]);
        size_t len = stet__listen_address_format(&address, text, sizeof text);
        assert_string_equal(text, pairs[i][1]);
        assert_int_equal(len, strlen(text));
    }
}

static void test_families(void **state)
{
    struct stet__listen_address address;
    assert_int_equal(parse("8304", &address), STET_OK);
    assert_int_equal(address.at.any.sa_family, AF_INET);
    assert_int_equal(address.len, sizeof(struct sockaddr_in));
    assert_int_equal(address.at.v4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_int_equal(ntohs(address.at.v4.sin_port), 8304);
    assert_int_equal(parse(":8304", &address), STET_OK);
    assert_int_equal(address.at.any.sa_family, AF_INET6);
    assert_int_equal(address.len, sizeof(struct sockaddr_in6));
    assert_int_equal(parse("unix:/x", &address), STET_OK);
    assert_int_equal(address.at.any.sa_family, AF_UNIX);
    assert_string_equal(address.at.local.sun_path, "/x");
}

static void test_refused(void **state)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct stet__listen_address address = {.len = 77};
        if (parse(refused[i], &address) != STET_E_SYNTAX)
            fail_msg("'%s' is not refused", refused[i]);
        assert_int_equal(address.len, 77);
    }
}

/* sun_path has 108 octets, one of them for the terminator. */
static void test_long_path(void **state)
{
    struct stet__listen_address address;
    char text[5 + 109], told[128];
    memcpy(text, "unix:", 5);
    memset(text + 5, 'p', 109);
    assert_int_equal(stet__listen_address_parse(stet_span_of(text, 5 + 107), &address), STET_OK);
    assert_int_equal(stet__listen_address_format(&address, told, sizeof told), 5 + 107);
    assert_int_equal(stet__listen_address_parse(stet_span_of(text, 5 + 108), &address), STET_E_SYNTAX);
    assert_int_equal(stet__listen_address_parse(stet_span_of("unix:a\0b", 8), &address), STET_E_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_long_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
