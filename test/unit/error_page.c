/* SPDX-License-Identifier: MIT */
/*
 * error_page: the two forms, and that each row fits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/error_page.h"

static void assert_page(struct stet__buffer *page, const char *want)
{
    assert_false(page->failed);
    assert_int_equal(page->len, strlen(want));
    assert_memory_equal(page->ptr, want, page->len);
    stet__buffer_clear(page);
}

static void test_forms(void **state)
{
    struct stet__refusal refusal = {404, "a-name", "RFC 1 2.3", "Why."};
    struct stet__buffer page;
    stet__buffer_init(&page, STET__ERROR_PAGE_MAX);
    stet__error_page_text(&page, &refusal);
    assert_page(&page, "404 Not Found\n\nWhy. (a-name, RFC 1 2.3)\n");
    stet__error_page_html(&page, &refusal);
    assert_page(&page, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                       "<title>404 Not Found</title>\n<h1>404 Not Found</h1>\n<p>Why.</p>\n"
                       "<p><small>a-name, RFC 1 2.3</small></p>\n");
    refusal.name = NULL;
    stet__error_page_text(&page, &refusal);
    assert_page(&page, "404 Not Found\n\nWhy. (RFC 1 2.3)\n");
    stet__buffer_release(&page);
}

/* Sentences stand in the page as they are. */
static void check_row(const struct stet__refusal *refusal)
{
    struct stet__buffer page;
    const char *const texts[] = {refusal->name, refusal->clause, refusal->sentence};
    for (size_t i = 0; i < 3; i++)
        if (strpbrk(texts[i], "<&\r\n"))
            fail_msg("%s is no HTML: %s", refusal->name, texts[i]);
    stet__buffer_init(&page, STET__ERROR_PAGE_MAX);
    stet__error_page_html(&page, refusal);
    assert_false(page.failed);
    stet__buffer_release(&page);
}

static void test_every_row(void **state)
{
    static const int statuses[] = {
#define X(symbol, value, name, http_status, clause, sentence) symbol,
#include <stet/status.def>
#undef X
    };
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct stet__refusal refusal = stet__refusal_of_status(statuses[i]);
        assert_int_equal(refusal.status, stet_status_row(statuses[i])->http_status);
        check_row(&refusal);
    }
    for (unsigned reason = 0; reason < STET_REASON_COUNT; reason++) {
        struct stet__refusal refusal = stet__refusal_of_reason(502, (enum stet_reason)reason);
        assert_int_equal(refusal.status, 502);
        check_row(&refusal);
    }
}

static void test_no_memory(void **state)
{
    const struct stet__head *head = &stet__error_no_memory;
    static const char want[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n";
    assert_int_equal(head->status, 503);
    assert_int_equal(head->h1.len, sizeof want - 1);
    assert_memory_equal(head->h1.ptr, want, sizeof want - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
