/* SPDX-License-Identifier: MIT */
/*
 * Coded copies in the store: who makes one, what they count, and that they come and go with their object.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <pthread.h>

#include "stored_objects.h"

#define THREADS 8

static pthread_barrier_t barrier;

static void in_threads(void *(*run)(void *arg), void *arg)
{
    pthread_t threads[THREADS];
    assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, arg), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
}

static bool code(struct stet__store *store, struct stet__object *object, enum stet_coding coding,
                 size_t octets, bool *too_large)
{
    struct stet__body *coded = body_of(octets);
    bool taken = stet__codings_begin(object->body, coding) &&
                 stet__store_code(store, object, coding, coded, 0x5f3a9c02, too_large);
    stet__body_release(coded);
    return taken;
}

/* The head of a copy. */
static struct stet__object *copy_of(struct stet__store *store, struct stet__object *object,
                                    enum stet_coding coding)
{
    uint32_t fingerprint;
    struct stet__object_parts parts = {.coding = coding,
                                       .body = stet__codings_find(object->body, coding, &fingerprint)};
    assert_non_null(parts.body);
    assert_int_equal(fingerprint, 0x5f3a9c02);
    return object_made(store, &parts);
}

/* ---- who makes it ---- */

static atomic_uint makers;

static void *begin_one(void *arg)
{
    pthread_barrier_wait(&barrier);
    if (stet__codings_begin(arg, STET_CODING_BR))
        atomic_fetch_add(&makers, 1);
    return NULL;
}

static void test_one_maker(void **state)
{
    for (unsigned round = 1; round <= 50; round++) {
        struct stet__body *body = body_of(100);
        in_threads(begin_one, body);
        assert_int_equal(atomic_load(&makers), round);
        assert_false(stet__codings_begin(body, STET_CODING_BR));
        assert_true(stet__codings_begin(body, STET_CODING_GZIP));
        assert_int_equal(stet__codings_there(body), 0);
        stet__body_release(body);
    }
}

static void test_giving_up(void **state)
{
    struct stet__body *body = body_of(100);
    assert_true(stet__codings_begin(body, STET_CODING_BR));
    stet__codings_give_up(body, STET_CODING_BR, false);
    assert_int_equal(stet__codings_refused(body), 0);
    assert_true(stet__codings_begin(body, STET_CODING_BR));
    stet__codings_give_up(body, STET_CODING_BR, true);
    assert_int_equal(stet__codings_refused(body), stet_coding_bit(STET_CODING_BR));
    assert_false(stet__codings_begin(body, STET_CODING_BR));
    assert_false(stet__codings_begin(body, STET_CODING_DEFLATE));
    assert_false(stet__codings_begin(body, STET_CODING_UNKNOWN));
    stet__body_release(body);
}

/* ---- what they count ---- */

static void test_counts(void **state)
{
    struct stet__store *store = store_of(64 << 20);
    struct stet__object *object = object_of(store, "http://h/a", 50000);
    bool too_large;
    size_t empty = used(store);
    assert_true(stet__store_add(store, object, NULL, 0));
    size_t plain = used(store);
    assert_true(code(store, object, STET_CODING_BR, 20000, &too_large));
    size_t coded = used(store);
    assert_in_range(coded - plain, 20000, 24000);
    assert_int_equal(stet__codings_there(object->body), stet_coding_bit(STET_CODING_BR));
    struct stet__object *copy = copy_of(store, object, STET_CODING_BR);
    assert_true(stet__store_lend(store, object, STET_CODING_BR, copy));
    assert_int_equal(used(store), coded + copy->bytes);
    assert_ptr_equal(stet__object_copy(object, STET_CODING_BR), copy);
    assert_false(stet__store_lend(store, object, STET_CODING_BR, copy));
    assert_int_equal(used(store), coded + copy->bytes);
    stet__object_release(copy);
    stet__store_remove(store, object);
    assert_in_range(used(store), empty, empty + plain - empty - 50000);
    stet__object_release(object);
    stet__store_free(store);
}

/* A 304: the octets stay and count once; the heads go with the version that they are of. */
static void test_versions_share(void **state)
{
    struct stet__store *store = store_of(64 << 20);
    struct stet__object *old = object_of(store, "http://h/a", 50000);
    bool too_large;
    assert_true(stet__store_add(store, old, NULL, 0));
    struct stet__object *updated = object_with(store, "http://h/a", old->body);
    assert_true(code(store, old, STET_CODING_GZIP, 20000, &too_large));
    size_t before = used(store);
    struct stet__object *copy = copy_of(store, old, STET_CODING_GZIP);
    assert_true(stet__store_lend(store, old, STET_CODING_GZIP, copy));
    assert_true(stet__store_update(store, old, updated));
    assert_int_equal(used(store), before - old->bytes + updated->bytes);
    assert_null(stet__object_copy(updated, STET_CODING_GZIP));
    assert_false(stet__store_lend(store, old, STET_CODING_BR, copy));
    assert_true(stet__store_lend(store, updated, STET_CODING_GZIP, copy));
    stet__object_release(copy);
    /* Whoever began before the version came publishes for it. */
    assert_true(code(store, old, STET_CODING_ZSTD, 10000, &too_large));
    assert_int_equal(stet__codings_there(updated->body),
                     stet_coding_bit(STET_CODING_GZIP) | stet_coding_bit(STET_CODING_ZSTD));
    stet__object_release(old);
    size_t all = used(store);
    stet__store_remove(store, updated);
    assert_in_range(all - used(store), 80000, 100000);
    stet__object_release(updated);
    stet__store_free(store);
}

static void test_too_large_or_gone(void **state)
{
    struct stet__store *store =
        store_with(&(struct stet__store_limits){.bytes = 64 << 20, .object_bytes = 100000, .variants = 64});
    struct stet__object *object = object_of(store, "http://h/a", 50000);
    bool too_large;
    assert_true(stet__store_add(store, object, NULL, 0));
    size_t before = used(store);
    assert_false(code(store, object, STET_CODING_BR, 60000, &too_large));
    assert_true(too_large);
    assert_true(stet__store_holds(store, object));
    assert_int_equal(used(store) - before, 0);
    stet__store_remove(store, object);
    before = used(store);
    assert_false(code(store, object, STET_CODING_GZIP, 100, &too_large));
    assert_false(too_large);
    assert_int_equal(used(store), before);
    stet__object_release(object);
    stet__store_free(store);
}

/* Room for a copy is made like room for anything: what was not asked for lately goes, copies and all. */
static void test_budget(void **state)
{
    enum { BYTES = 1 << 20, OBJECTS = 200 };
    struct stet__store *store = store_of(BYTES);
    char key[32];
    bool too_large;
    for (int i = 0; i < OBJECTS; i++) {
        snprintf(key, sizeof key, "http://h/%d", i);
        struct stet__object *object = object_of(store, key, 20000);
        if (stet__store_add(store, object, NULL, 0) &&
            code(store, object, STET_CODING_BR, 10000, &too_large)) {
            struct stet__object *copy = copy_of(store, object, STET_CODING_BR);
            stet__store_lend(store, object, STET_CODING_BR, copy);
            stet__object_release(copy);
        }
        stet__object_release(object);
        assert_in_range(used(store), 0, BYTES);
    }
    assert_in_range(stored(store), 20, 35);
    purge(store, STET__SELECT_ALL, "", true);
    assert_int_equal(stored(store), 0);
    assert_in_range(used(store), 0, BYTES / 8);
    stet__store_free(store);
}

/* ---- several threads ---- */

struct race {
    struct stet__store *store;
    struct stet__object *object;
    atomic_uint lent;
};

static void *lend_one(void *arg)
{
    struct race *race = arg;
    struct stet__object *copy = copy_of(race->store, race->object, STET_CODING_BR);
    pthread_barrier_wait(&barrier);
    if (stet__store_lend(race->store, race->object, STET_CODING_BR, copy))
        atomic_fetch_add(&race->lent, 1);
    struct stet__object *found = stet__object_copy(race->object, STET_CODING_BR);
    if (found) {
        stet__object_acquire(found);
        assert_int_equal(found->coding, STET_CODING_BR);
        stet__object_release(found);
    }
    stet__object_release(copy);
    return NULL;
}

/* One remover among those that lend: what is counted is gone in the end. */
static void *lend_or_remove(void *arg)
{
    struct race *race = arg;
    static atomic_uint turn;
    if (atomic_fetch_add(&turn, 1) % THREADS != 0)
        return lend_one(arg);
    pthread_barrier_wait(&barrier);
    stet__store_remove(race->store, race->object);
    return NULL;
}

static void test_races(void **state)
{
    struct race race = {.store = store_of(64 << 20)};
    size_t empty = 0;
    for (int round = 0; round < 100; round++) {
        bool too_large;
        race.object = object_of(race.store, "http://h/a", 1000);
        atomic_store(&race.lent, 0);
        assert_true(stet__store_add(race.store, race.object, NULL, 0));
        assert_true(code(race.store, race.object, STET_CODING_BR, 500, &too_large));
        in_threads(round % 2 == 0 ? lend_one : lend_or_remove, &race);
        assert_in_range(atomic_load(&race.lent), round % 2 == 0, 1);
        stet__store_remove(race.store, race.object);
        stet__object_release(race.object);
        if (round == 0)
            empty = used(race.store);
        assert_int_equal(used(race.store), empty);
    }
    stet__store_free(race.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_maker),
        cmocka_unit_test(test_giving_up),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_versions_share),
        cmocka_unit_test(test_too_large_or_gone),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_races),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
