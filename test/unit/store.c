/* SPDX-License-Identifier: MIT */
/*
 * store: against a model that is a plain array, with random operations; and by itself: variants, versions,
 * growing and shared bodies, the budget, equivalent URIs, several threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <pthread.h>

#include "stored_objects.h"

static void test_find(void **state)
{
    struct stet__store *store = store_of(64 << 20);
    struct stet__object *a = object_of(store, "http://h/a", 100), *b = object_of(store, "http://h/b", 100);
    assert_true(stet__store_add(store, a, NULL, 0));
    assert_true(stet__store_add(store, b, NULL, 0));
    struct stet__candidate found[4];
    assert_int_equal(find(store, "http://h/a", found, 4), 1);
    assert_ptr_equal(found[0].object, a);
    assert_false(found[0].invalidated);
    release(found, 1);
    assert_int_equal(find(store, "http://h/c", found, 4), 0);
    assert_int_equal(find(store, "", found, 4), 0);
    stet__store_remove(store, a);
    stet__store_remove(store, a);
    assert_int_equal(find(store, "http://h/a", found, 4), 0);
    assert_false(stet__store_holds(store, a));
    assert_true(stet__store_holds(store, b));
    stet__object_release(a);
    stet__object_release(b);
    stet__store_free(store);
}

/* The latest first; the limit drops what was chosen longest ago. */
static void test_variants(void **state)
{
    struct stet__store *store =
        store_with(&(struct stet__store_limits){.bytes = 64 << 20, .object_bytes = 1 << 20, .variants = 3});
    struct stet__object *variants[4];
    struct stet__candidate found[8];
    for (size_t i = 0; i < 3; i++) {
        variants[i] = object_of(store, "http://h/v", 10 + i);
        assert_true(stet__store_add(store, variants[i], NULL, 0));
    }
    assert_int_equal(find(store, "http://h/v", found, 8), 3);
    assert_ptr_equal(found[0].object, variants[2]);
    assert_ptr_equal(found[2].object, variants[0]);
    release(found, 3);
    assert_int_equal(find(store, "http://h/v", found, 2), 2);
    release(found, 2);
    stet__store_use(store, variants[0]);
    variants[3] = object_of(store, "http://h/v", 20);
    assert_true(stet__store_add(store, variants[3], NULL, 0));
    assert_int_equal(find(store, "http://h/v", found, 8), 3);
    assert_ptr_equal(found[0].object, variants[3]);
    assert_ptr_equal(found[1].object, variants[2]);
    assert_ptr_equal(found[2].object, variants[0]);
    release(found, 3);
    for (size_t i = 0; i < 4; i++)
        stet__object_release(variants[i]);
    stet__store_free(store);
}

static void test_replace_and_update(void **state)
{
    struct stet__store *store = store_of(64 << 20);
    struct stet__candidate found[4];
    struct stet__object *old = object_of(store, "http://h/r", 10), *new = object_of(store, "http://h/r", 20);
    assert_true(stet__store_add(store, old, NULL, 0));
    assert_true(stet__store_add(store, new, &old, 1));
    assert_int_equal(find(store, "http://h/r", found, 4), 1);
    assert_ptr_equal(found[0].object, new);
    release(found, 1);
    stet__store_invalidate(store, new);
    assert_int_equal(find(store, "http://h/r", found, 4), 1);
    assert_true(found[0].invalidated);
    release(found, 1);

    struct stet__object *fresh = version_of(store, new);
    assert_true(stet__store_update(store, new, fresh));
    assert_int_equal(find(store, "http://h/r", found, 4), 1);
    assert_ptr_equal(found[0].object, fresh);
    assert_false(found[0].invalidated);
    release(found, 1);
    struct stet__object *late = version_of(store, new);
    assert_false(stet__store_update(store, new, late));
    assert_int_equal(stored(store), 1);
    stet__object_release(late);
    stet__object_release(fresh);
    stet__object_release(new);
    stet__object_release(old);
    stet__store_free(store);
}

/* What several versions of a head share counts once, whichever of them goes first. */
static void test_shared_body(void **state)
{
    struct stet__store *store = store_of(64 << 20);
    struct stet__object *first = object_of(store, "http://h/s", 20000);
    assert_true(stet__store_add(store, first, NULL, 0));
    size_t one = used(store);
    struct stet__object *second = version_of(store, first);
    assert_true(stet__store_add(store, second, NULL, 0));
    assert_true(used(store) - one < 4000);
    stet__store_remove(store, first);
    assert_in_range(used(store), one - 1000, one + 1000);
    stet__store_remove(store, second);
    assert_true(one - used(store) > 20000);
    stet__object_release(first);
    stet__object_release(second);
    stet__store_free(store);
}

/* A body that is there already needs no room, so nobody has to go for it. */
static void test_shared_body_needs_no_room(void **state)
{
    struct stet__store *store =
        store_with(&(struct stet__store_limits){.bytes = 8 << 20, .object_bytes = 6 << 20, .variants = 8});
    struct stet__object *first = object_of(store, "http://h/s", 5 << 20);
    struct stet__object *other = object_of(store, "http://h/o", 1 << 20);
    assert_true(stet__store_add(store, first, NULL, 0));
    assert_true(stet__store_add(store, other, NULL, 0));
    struct stet__object *second = version_of(store, first), *third = version_of(store, first);
    assert_true(stet__store_add(store, second, NULL, 0));
    assert_true(stet__store_add(store, third, &first, 1));
    assert_false(stet__store_holds(store, first));
    assert_true(stet__store_holds(store, second) && stet__store_holds(store, other));
    stet__object_release(first);
    stet__object_release(second);
    stet__object_release(third);
    stet__object_release(other);
    stet__store_free(store);
}

static void test_growing_body(void **state)
{
    struct stet__store *store =
        store_with(&(struct stet__store_limits){.bytes = 8 << 20, .object_bytes = 200000, .variants = 8});
    struct stet__body *body = stet__body_new(STET__BODY_LENGTH_UNKNOWN);
    struct stet__object *object = object_with(store, "http://h/g", body);
    static char octets[1000];
    assert_true(stet__store_add(store, object, NULL, 0));
    size_t others = used(store) - object->bytes - stet__body_bytes(body);
    for (size_t i = 0; i < 150; i++) {
        assert_true(stet__body_append(body, stet_span_of(octets, sizeof octets)));
        assert_true(stet__store_account(store, object));
        assert_int_equal(used(store), others + object->bytes + stet__body_bytes(body));
    }
    bool in = true;
    for (size_t i = 0; i < 100 && in; i++) {
        assert_true(stet__body_append(body, stet_span_of(octets, sizeof octets)));
        in = stet__store_account(store, object);
    }
    assert_false(in);
    assert_int_equal(stored(store), 0);
    assert_false(stet__store_account(store, object));
    stet__body_finish(body, true);
    stet__object_release(object);
    stet__body_release(body);
    stet__store_free(store);
}

/* 20,000 objects through a store for a few of them: the budget is kept after each. */
static void test_budget(void **state)
{
    struct stet__store *store =
        store_with(&(struct stet__store_limits){.bytes = 16 << 20, .object_bytes = 1 << 20, .variants = 8});
    for (unsigned i = 0; i < 20000; i++) {
        char key[64];
        snprintf(key, sizeof key, "http://h/%u", i);
        struct stet__object *object = object_of(store, key, i % 5000 == 0 ? 900000 : i % 7 * 1000);
        assert_true(stet__store_add(store, object, NULL, 0));
        assert_true(used(store) <= 16 << 20);
        stet__object_release(object);
    }
    assert_true(used(store) > 15 << 20);
    struct stet__object *large = object_of(store, "http://h/large", 1 << 20);
    struct stet__object *small = object_of(store, "http://h/large", 1);
    assert_true(stet__store_add(store, small, NULL, 0));
    assert_false(stet__store_add(store, large, &small, 1));
    assert_false(stet__store_holds(store, small));
    stet__object_release(small);
    stet__object_release(large);
    struct stet__store_statistics told;
    stet__store_statistics(store, &told);
    assert_int_equal(told.added, 20001);
    assert_int_equal(told.objects + told.evicted, 20000);
    stet__store_free(store);
}

/* An object that is larger than all of the store is refused, and what is stored stays. */
static void test_larger_than_all(void **state)
{
    struct stet__store *store =
        store_with(&(struct stet__store_limits){.bytes = 1 << 20, .object_bytes = 8 << 20, .variants = 8});
    struct stet__object *small = object_of(store, "http://h/small", 10);
    struct stet__object *large = object_of(store, "http://h/large", 2 << 20);
    assert_true(stet__store_add(store, small, NULL, 0));
    assert_false(stet__store_add(store, large, NULL, 0));
    assert_true(stet__store_holds(store, small));
    stet__object_release(small);
    stet__object_release(large);
    stet__store_free(store);
}

static void expect_key(struct stet__store *store, const char *key, const char *want)
{
    struct stet__candidate found[4];
    size_t count = find(store, key, found, 4);
    assert_int_equal(count, want ? 1 : 0);
    if (want && !stet_span_equal(found[0].object->key, stet_span_of(want, strlen(want))))
        fail_msg("%s", key);
    release(found, count);
}

/* draft-ietf-httpbis-no-vary-search section 7 */
static void test_no_vary_search(void **state)
{
    struct stet__store *store = store_of(64 << 20);
    struct stet__object *object = object_nvs(store, "http://h/p?id=1&utm=a", "params=(\"utm\")");
    assert_true(stet__store_add(store, object, NULL, 0));
    expect_key(store, "http://h/p?id=1&utm=a", "http://h/p?id=1&utm=a");
    expect_key(store, "http://h/p?id=1&utm=b", "http://h/p?id=1&utm=a");
    expect_key(store, "http://h/p?utm=b&id=1", "http://h/p?id=1&utm=a");
    expect_key(store, "http://h/p?id=1", "http://h/p?id=1&utm=a");
    expect_key(store, "http://h/p?id=2&utm=a", NULL);
    expect_key(store, "http://h/p", NULL);
    expect_key(store, "http://h/q?id=1&utm=a", NULL);
    expect_key(store, "http://i/p?id=1&utm=a", NULL);

    /* One that is stored under the key itself comes first. */
    struct stet__object *exact = object_of(store, "http://h/p?id=1", 5);
    assert_true(stet__store_add(store, exact, NULL, 0));
    expect_key(store, "http://h/p?id=1", "http://h/p?id=1");
    expect_key(store, "http://h/p?id=1&utm=c", "http://h/p?id=1&utm=a");

    /* What stands for a URI is purged with it. */
    assert_int_equal(purge(store, STET__SELECT_URI, "http://h/p?id=1&utm=d", true), 1);
    expect_key(store, "http://h/p?id=1&utm=a", NULL);

    /* Another value for the path: the last one seen counts. */
    struct stet__object *other = object_nvs(store, "http://h/p?x=1&y=2", "params, except=(\"x\")");
    assert_true(stet__store_add(store, other, NULL, 0));
    expect_key(store, "http://h/p?x=1&z=9", "http://h/p?x=1&y=2");
    expect_key(store, "http://h/p?x=2&z=9", NULL);

    /* The response under that key says something else now. */
    struct stet__object *changed = object_of(store, "http://h/p?x=1&y=2", 5);
    assert_true(stet__store_add(store, changed, &other, 1));
    expect_key(store, "http://h/p?x=1&z=9", NULL);
    stet__object_release(object);
    stet__object_release(exact);
    stet__object_release(other);
    stet__object_release(changed);
    stet__store_free(store);
}

/* The hints are bounded: the oldest go, and never are they wrong. */
static void test_many_no_vary_search(void **state)
{
    struct stet__store *store = store_of(4 << 20);
    char key[64], asked[64];
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "http://h/%u?a=%u", i % 3000, i);
        struct stet__object *object = object_nvs(store, key, i % 2 ? "params=(\"b\")" : "key-order");
        assert_true(stet__store_add(store, object, NULL, 0));
        stet__object_release(object);
        snprintf(asked, sizeof asked, "http://h/%u?a=%u&b=1", i % 3000, i);
        expect_key(store, asked, i % 2 ? key : NULL);
        assert_true(used(store) <= 4 << 20);
    }
    stet__store_free(store);
}

#define KEYS 300u
#define MODEL_MAX 2000u

/* What ought to be stored; nothing is evicted, so all of it is. */
struct model {
    struct stet__object *objects[MODEL_MAX]; /* in the order of addition */
    bool invalidated[MODEL_MAX];
    size_t count;
};

static unsigned random_below(uint64_t *seed, unsigned n)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)((*seed >> 33) % n);
}

static void forget(struct model *model, size_t i)
{
    stet__object_release(model->objects[i]);
    for (model->count--; i < model->count; i++) {
        model->objects[i] = model->objects[i + 1];
        model->invalidated[i] = model->invalidated[i + 1];
    }
}

static void expect_as_model(struct stet__store *store, const struct model *model, const char *key)
{
    struct stet__candidate found[STET_CANDIDATES_MAX];
    size_t count = find(store, key, found, STET_CANDIDATES_MAX), seen = 0;
    for (size_t i = model->count; i-- > 0;)
        if (stet_span_equal(model->objects[i]->key, stet_span_of(key, strlen(key)))) {
            assert_true(seen < count);
            assert_ptr_equal(found[seen].object, model->objects[i]);
            assert_int_equal(found[seen++].invalidated, model->invalidated[i]);
        }
    assert_int_equal(seen, count);
    release(found, count);
}

static void change_one(struct stet__store *store, struct model *model, uint64_t *seed)
{
    size_t i = random_below(seed, (unsigned)model->count);
    struct stet__object *object = model->objects[i];
    switch (random_below(seed, 4)) {
    case 0:
        stet__store_remove(store, object);
        forget(model, i);
        break;
    case 1:
        stet__store_invalidate(store, object);
        model->invalidated[i] = true;
        break;
    case 2:
        model->objects[i] = version_of(store, object);
        model->invalidated[i] = false;
        assert_true(stet__store_update(store, object, model->objects[i]));
        stet__object_release(object);
        break;
    default: {
        char key[64];
        snprintf(key, sizeof key, "%.*s", (int)object->key.len, object->key.ptr);
        struct stet__object *new = object_of(store, key, random_below(seed, 300));
        assert_true(stet__store_add(store, new, &object, 1));
        forget(model, i);
        model->objects[model->count] = new;
        model->invalidated[model->count++] = false;
    }
    }
}

static void test_model(void **state)
{
    struct stet__store *store = store_of(64 << 20);
    static struct model model;
    uint64_t seed = 8304;
    char key[64];
    for (unsigned step = 0; step < 30000; step++) {
        snprintf(key, sizeof key, "http://host/%u/path", random_below(&seed, KEYS));
        if (model.count == 0 || (model.count < MODEL_MAX && random_below(&seed, 100) < 30 + step / 1000)) {
            struct stet__object *object = object_of(store, key, random_below(&seed, 2000));
            assert_true(stet__store_add(store, object, NULL, 0));
            model.objects[model.count] = object;
            model.invalidated[model.count++] = false;
        } else {
            change_one(store, &model, &seed);
        }
        expect_as_model(store, &model, key);
        assert_int_equal(stored(store), model.count);
    }
    assert_int_equal(purge(store, STET__SELECT_ALL, "", true), model.count);
    assert_int_equal(stored(store), 0);
    while (model.count > 0)
        forget(&model, model.count - 1);
    stet__store_free(store);
}

/* Tables grow and shrink while everything stays to be found. */
static void test_many(void **state)
{
    struct stet__store *store = store_of(1 << 30);
    char key[64];
    for (unsigned i = 0; i < 50000; i++) {
        snprintf(key, sizeof key, "http://h/%u", i);
        struct stet__object *object = object_of(store, key, 0);
        assert_true(stet__store_add(store, object, NULL, 0));
        stet__object_release(object);
        snprintf(key, sizeof key, "http://h/%u", i / 2);
        expect_key(store, key, key);
    }
    assert_int_equal(stored(store), 50000);
    stet__store_free(store);
}

struct work {
    struct stet__store *store;
    unsigned number;
};

static void *work(void *arg)
{
    const struct work *mine = arg;
    uint64_t seed = mine->number;
    char key[64];
    struct stet__candidate found[8];
    for (unsigned i = 0; i < 4000; i++) {
        snprintf(key, sizeof key, "http://h/%u?q=%u", random_below(&seed, 20), random_below(&seed, 20));
        size_t count = find(mine->store, key, found, 8);
        unsigned what = random_below(&seed, 10);
        if (count == 0 || what == 0) {
            struct stet__object *object = what % 2 ? object_nvs(mine->store, key, "params=(\"r\")")
                                                   : object_of(mine->store, key, random_below(&seed, 60000));
            struct stet__object *replaced = count > 0 ? found[0].object : NULL;
            stet__store_add(mine->store, object, &replaced, count > 0);
            stet__object_release(object);
        } else if (what == 1) {
            struct stet__object *object = version_of(mine->store, found[0].object);
            stet__store_update(mine->store, found[0].object, object);
            stet__object_release(object);
        } else if (what == 2) {
            stet__store_remove(mine->store, found[0].object);
        } else if (what == 3 && i % 16 == 0) {
            purge(mine->store, STET__SELECT_PREFIX, "http://h/1", i % 32 == 0);
            purge(mine->store, STET__SELECT_GROUP, "all", i % 64 == 0);
        } else if (what == 4) {
            stet__store_account(mine->store, found[0].object);
            stet__store_use(mine->store, found[0].object);
        }
        release(found, count);
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct stet__store *store =
        store_with(&(struct stet__store_limits){.bytes = 6 << 20, .object_bytes = 1 << 20, .variants = 3});
    pthread_t threads[4];
    struct work works[4];
    for (unsigned i = 0; i < 4; i++) {
        works[i] = (struct work){store, i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &works[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_true(used(store) <= 6 << 20);
    purge(store, STET__SELECT_ALL, "", true);
    assert_int_equal(stored(store), 0);
    stet__store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_variants),
        cmocka_unit_test(test_replace_and_update),
        cmocka_unit_test(test_shared_body),
        cmocka_unit_test(test_shared_body_needs_no_room),
        cmocka_unit_test(test_growing_body),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_larger_than_all),
        cmocka_unit_test(test_no_vary_search),
        cmocka_unit_test(test_many_no_vary_search),
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
