/* SPDX-License-Identifier: MIT */
/*
 * hash: what is remembered, what is not, and the thread in the background. The loop is played by this file:
 * what is posted waits until a test takes it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "serve/hash.h"

#define SECOND_NS INT64_C(1000000000)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t posted = PTHREAD_COND_INITIALIZER;
static void (*posted_run)(void *arg);
static void *posted_arg;

int stet__loop_post(struct stet__loop *loop, void (*run)(void *arg), void *arg)
{
    (void)loop;
    pthread_mutex_lock(&lock);
    posted_run = run;
    posted_arg = arg;
    pthread_cond_signal(&posted);
    pthread_mutex_unlock(&lock);
    return 0;
}

static void wait_for_post(void)
{
    pthread_mutex_lock(&lock);
    while (!posted_run)
        pthread_cond_wait(&posted, &lock);
    pthread_mutex_unlock(&lock);
}

static void run_post(void)
{
    wait_for_post();
    void (*run)(void *arg) = posted_run;
    posted_run = NULL;
    run(posted_arg);
}

struct result {
    bool done, remembered;
    char label[16];
};

static void on_done(void *arg, bool remembered, struct stet_span label)
{
    struct result *result = arg;
    result->done = true;
    result->remembered = remembered;
    memcpy(result->label, label.ptr, label.len);
}

/* Stands for a loop; never looked into. */
static struct stet__loop *loop_of(char *place)
{
    return (struct stet__loop *)(void *)place;
}

static void remembers(void **state)
{
    (void)state;
    struct stet__hashes *hashes = stet__hashes_new();
    struct stet__identity identity = {1, 2, 3, 100 * SECOND_NS, 100 * SECOND_NS}, other;
    struct stet__digest digest = {{1, 2, 3}}, found;
    assert_false(stet__hashes_find(hashes, &identity, &found));
    stet__hashes_remember(hashes, &identity, &digest, 103 * SECOND_NS);
    assert_true(stet__hashes_find(hashes, &identity, &found));
    assert_memory_equal(&digest, &found, sizeof(digest));
    for (int i = 0; i < 5; i++) {
        other = identity;
        other.device += i == 0;
        other.inode += i == 1;
        other.size += i == 2;
        other.mtime_ns += i == 3;
        other.ctime_ns += i == 4;
        assert_false(stet__hashes_find(hashes, &other, &found));
    }
    stet__hashes_free(hashes);
}

/* A file that changed just before could change again and look the same. */
static void does_not_trust_the_racily_clean(void **state)
{
    (void)state;
    struct stet__hashes *hashes = stet__hashes_new();
    struct stet__digest digest = {{1}}, found;
    struct stet__identity identity = {1, 2, 3, 50 * SECOND_NS, 100 * SECOND_NS};
    stet__hashes_remember(hashes, &identity, &digest, 100 * SECOND_NS);
    assert_false(stet__hashes_find(hashes, &identity, &found));
    stet__hashes_remember(hashes, &identity, &digest, 102 * SECOND_NS - 1);
    assert_false(stet__hashes_find(hashes, &identity, &found));
    stet__hashes_remember(hashes, &identity, &digest, 99 * SECOND_NS);
    assert_false(stet__hashes_find(hashes, &identity, &found));
    stet__hashes_remember(hashes, &identity, &digest, 102 * SECOND_NS);
    assert_true(stet__hashes_find(hashes, &identity, &found));
    stet__hashes_free(hashes);
}

static void forgets_rather_than_grows(void **state)
{
    (void)state;
    struct stet__hashes *hashes = stet__hashes_new();
    struct stet__digest digest = {{1}}, found;
    unsigned known = 0;
    for (uint64_t i = 1; i <= 200000; i++) {
        struct stet__identity identity = {1, i, 3, 1, 1};
        memcpy(digest.octets, &i, sizeof(i));
        stet__hashes_remember(hashes, &identity, &digest, 100 * SECOND_NS);
    }
    for (uint64_t i = 1; i <= 200000; i++) {
        struct stet__identity identity = {1, i, 3, 1, 1};
        if (!stet__hashes_find(hashes, &identity, &found))
            continue;
        assert_memory_equal(found.octets, &i, sizeof(i));
        known++;
    }
    assert_true(known > 60000 && known <= 65536);
    stet__hashes_free(hashes);
}

static void is_sha_256(void **state)
{
    (void)state;
    static const unsigned char of_abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                                           0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23};
    static const unsigned char of_nothing[] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14,
                                               0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24};
    struct stet__digest digest;
    assert_true(stet__digest_of(STET_SPAN("abc"), &digest));
    assert_memory_equal(digest.octets, of_abc, sizeof(of_abc));
    assert_true(stet__digest_of(STET_SPAN_NONE, &digest));
    assert_memory_equal(digest.octets, of_nothing, sizeof(of_nothing));
}

/* A file that is long there: its hash is the same as that of its octets in one go. */
static void hashes_in_the_background(void **state)
{
    (void)state;
    char place;
    struct result result = {.done = false};
    struct stet__hash_asker asker = {loop_of(&place), on_done, &result};
    struct stet__hashes *hashes = stet__hashes_new();
    int fd = open("/bin/sh", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(stet__hashes_ask(hashes, fd, STET_SPAN("/sh"), &asker));
    run_post();
    assert_true(result.done && result.remembered);
    assert_string_equal(result.label, "/sh");
    struct stat stat;
    struct stet__identity identity;
    struct stet__digest found, expected;
    assert_int_equal(fstat(fd, &stat), 0);
    stet__identity_of(&stat, &identity);
    assert_true(stet__hashes_find(hashes, &identity, &found));
    char *octets = malloc((size_t)stat.st_size);
    assert_int_equal(pread(fd, octets, (size_t)stat.st_size, 0), stat.st_size);
    assert_true(stet__digest_of(stet_span_of(octets, (size_t)stat.st_size), &expected));
    assert_memory_equal(&found, &expected, sizeof(found));
    free(octets);
    close(fd);
    stet__hashes_forget(hashes, asker.loop);
    stet__hashes_free(hashes);
}

/* A fresh file is hashed, but not remembered. */
static void tells_what_it_does_not_remember(void **state)
{
    (void)state;
    char place, path[] = "/tmp/stet-hash-XXXXXX";
    struct result result = {.done = false};
    struct stet__hash_asker asker = {loop_of(&place), on_done, &result};
    struct stet__hashes *hashes = stet__hashes_new();
    int fd = mkstemp(path);
    unlink(path);
    assert_int_equal(write(fd, "abc", 3), 3);
    assert_true(stet__hashes_ask(hashes, fd, STET_SPAN("/x"), &asker));
    close(fd);
    run_post();
    assert_true(result.done && !result.remembered);
    stet__hashes_free(hashes);
}

/* A loop that ends leaves nothing behind, wherever its jobs are. The sanitizer looks for what is not freed.
 */
static void forgets_a_loop(void **state)
{
    (void)state;
    char place, other;
    struct result result = {.done = false};
    struct stet__hash_asker asker = {loop_of(&place), on_done, &result};
    struct stet__hashes *hashes = stet__hashes_new();
    int fd = open("/bin/sh", O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < 50; i++)
        assert_true(stet__hashes_ask(hashes, fd, STET_SPAN("/x"), &asker));
    wait_for_post();
    stet__hashes_forget(hashes, asker.loop);
    posted_run = NULL;
    asker.loop = loop_of(&other);
    assert_true(stet__hashes_ask(hashes, fd, STET_SPAN("/y"), &asker));
    close(fd);
    run_post();
    assert_string_equal(result.label, "/y");
    stet__hashes_free(hashes);
}

static void refuses_what_it_cannot_open(void **state)
{
    (void)state;
    char place;
    struct result result = {.done = false};
    struct stet__hash_asker asker = {loop_of(&place), on_done, &result};
    struct stet__hashes *hashes = stet__hashes_new();
    assert_false(stet__hashes_ask(hashes, -1, STET_SPAN("/x"), &asker));
    stet__hashes_free(hashes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers),
        cmocka_unit_test(does_not_trust_the_racily_clean),
        cmocka_unit_test(forgets_rather_than_grows),
        cmocka_unit_test(is_sha_256),
        cmocka_unit_test(hashes_in_the_background),
        cmocka_unit_test(tells_what_it_does_not_remember),
        cmocka_unit_test(forgets_a_loop),
        cmocka_unit_test(refuses_what_it_cannot_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
