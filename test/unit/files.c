/* SPDX-License-Identifier: MIT */
/*
 * files: what the cache finds, what it drops for its limits, and who frees an entry.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "serve/files.h"

static struct stet_span text(const char *s)
{
    return stet_span_of(s, strlen(s));
}

/* Adds an entry that only the cache holds. */
static struct stet__entry *add(struct stet__files *files, const char *key, size_t cost, bool open)
{
    struct stet__entry *entry = stet__entry_new(text(key), text(key));
    assert_non_null(entry);
    entry->cost = cost;
    if (open)
        entry->fd = fcntl(2, F_DUPFD_CLOEXEC, 3);
    stet__files_add(files, entry);
    stet__entry_release(entry);
    return entry;
}

static void finds_exactly(void **state)
{
    (void)state;
    struct stet__files *files = stet__files_new(100, 1 << 30);
    struct stet__entry *a = add(files, "/a", 0, false);
    assert_ptr_equal(stet__files_find(files, text("/a")), a);
    assert_null(stet__files_find(files, text("/A")));
    assert_null(stet__files_find(files, text("/a/")));
    assert_null(stet__files_find(files, text("")));
    struct stet__entry *b = add(files, "/a", 0, false);
    assert_ptr_equal(stet__files_find(files, text("/a")), b);
    stet__files_drop(files, b);
    assert_null(stet__files_find(files, text("/a")));
    stet__files_free(files);
}

static void outlives_the_cache_while_held(void **state)
{
    (void)state;
    struct stet__files *files = stet__files_new(100, 1 << 30);
    struct stet__entry *a = add(files, "/a", 0, false);
    stet__entry_hold(a);
    stet__files_drop(files, a);
    stet__files_drop(files, a);
    assert_false(a->cached);
    stet__files_free(files);
    assert_true(stet_span_equal(a->key, text("/a")));
    stet__entry_release(a);
}

static void keeps_what_is_used(void **state)
{
    (void)state;
    struct stet__files *files = stet__files_new(3, 1 << 30);
    add(files, "/a", 0, true);
    add(files, "/b", 0, true);
    add(files, "/c", 0, true);
    assert_non_null(stet__files_find(files, text("/a")));
    add(files, "/d", 0, true); /* /a has its second chance, /b goes */
    assert_null(stet__files_find(files, text("/b")));
    assert_non_null(stet__files_find(files, text("/a")));
    assert_non_null(stet__files_find(files, text("/c")));
    assert_non_null(stet__files_find(files, text("/d")));
    add(files, "/memory", 0, false); /* takes no descriptor */
    assert_non_null(stet__files_find(files, text("/a")));
    stet__files_free(files);
}

static void keeps_to_its_memory(void **state)
{
    (void)state;
    struct stet__files *files = stet__files_new(1000, 1000000);
    char key[16];
    size_t found = 0;
    for (unsigned i = 0; i < 500; i++) {
        snprintf(key, sizeof(key), "/%u", i);
        add(files, key, 100000, false);
    }
    for (unsigned i = 0; i < 500; i++) {
        snprintf(key, sizeof(key), "/%u", i);
        found += stet__files_find(files, text(key)) != NULL;
    }
    assert_true(found >= 8 && found <= 9);
    stet__files_free(files);
}

/* Larger than all the room: it is sent, but not kept. */
static void does_not_keep_the_too_large(void **state)
{
    (void)state;
    struct stet__files *files = stet__files_new(1000, 1000);
    struct stet__entry *entry = stet__entry_new(text("/a"), text("/a"));
    entry->cost = 5000;
    stet__files_add(files, entry);
    assert_false(entry->cached);
    assert_null(stet__files_find(files, text("/a")));
    stet__entry_release(entry);
    stet__files_free(files);
}

/* Against a plain array: the same keys are there, whatever was added and dropped. */
static void agrees_with_an_array(void **state)
{
    (void)state;
    struct stet__files *files = stet__files_new(1000, 1 << 30);
    bool there[300] = {false};
    uint32_t random = 12345;
    char key[16];
    for (unsigned i = 0; i < 20000; i++) {
        random = random * 1664525 + 1013904223;
        unsigned n = (random >> 16) % 300;
        snprintf(key, sizeof(key), "/%u", n);
        struct stet__entry *entry = stet__files_find(files, text(key));
        assert_int_equal(entry != NULL, there[n]);
        if (random >> 8 & 1)
            add(files, key, 0, false);
        else if (entry)
            stet__files_drop(files, entry);
        there[n] = random >> 8 & 1;
    }
    stet__files_drop_all(files);
    assert_null(stet__files_find(files, text(key)));
    stet__files_free(files);
}

static bool is_even(void *arg, const struct stet__entry *entry)
{
    ++*(unsigned *)arg;
    return (entry->key.ptr[entry->key.len - 1] - '0') % 2 == 0;
}

/* Every entry is asked about once in a round of sweeps. */
static void sweeps_all(void **state)
{
    (void)state;
    struct stet__files *files = stet__files_new(1000, 1 << 30);
    char key[16];
    unsigned asked = 0, found = 0;
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(key, sizeof(key), "/%u", i);
        add(files, key, 0, false);
    }
    for (unsigned i = 0; i < STET__SWEEP_ROUNDS; i++)
        stet__files_sweep(files, is_even, &asked);
    assert_int_equal(asked, 3000);
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(key, sizeof(key), "/%u", i);
        bool there = stet__files_find(files, text(key)) != NULL;
        assert_int_equal(there, i % 2 == 0);
        found += there;
    }
    assert_int_equal(found, 1500);
    stet__files_free(files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_exactly),
        cmocka_unit_test(outlives_the_cache_while_held),
        cmocka_unit_test(keeps_what_is_used),
        cmocka_unit_test(keeps_to_its_memory),
        cmocka_unit_test(sweeps_all),
        cmocka_unit_test(agrees_with_an_array),
        cmocka_unit_test(does_not_keep_the_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
