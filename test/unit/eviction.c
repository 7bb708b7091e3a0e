/* SPDX-License-Identifier: MIT */
/*
 * eviction: the order of what goes; that scans do not flush the hot set, which they do with LRU; that sizes
 * are octets; ghosts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "store/eviction.h"

#define OBJECTS 60000u
#define CAPACITY 1000u
#define HOT 500u

static struct stet__eviction_node nodes[OBJECTS];

static uint64_t hash_of(size_t i)
{
    uint64_t hash = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static void start(struct stet__eviction *eviction)
{
    stet__eviction_init(eviction);
    for (size_t i = 0; i < OBJECTS; i++)
        nodes[i] = (struct stet__eviction_node){.hash = 0};
}

static void let_grow(struct stet__eviction *eviction)
{
    size_t wants;
    while ((wants = stet__eviction_wants(eviction)) > 0)
        free(stet__eviction_grow(eviction, calloc(wants, sizeof(uint32_t)), wants));
}

static size_t evict(struct stet__eviction *eviction)
{
    struct stet__eviction_node *node;
    while (!(node = stet__eviction_victim(eviction)))
        assert_true(eviction->count > 0);
    stet__eviction_remove(eviction, node);
    return (size_t)(node - nodes);
}

/* A request for object `i`, as a cache of CAPACITY objects of one octet has it: whether it was a hit. */
static bool ask(struct stet__eviction *eviction, size_t i)
{
    if (nodes[i].queue != STET__QUEUE_NONE) {
        stet__eviction_use(&nodes[i]);
        return true;
    }
    if (eviction->count >= CAPACITY)
        evict(eviction);
    stet__list_init(&nodes[i].link);
    stet__eviction_add(eviction, &nodes[i], hash_of(i), 1);
    let_grow(eviction);
    return false;
}

/* Half of the room is asked for again and again; a crawler passes with fifty times the room. */
static void test_scan(void **state)
{
    struct stet__eviction eviction;
    start(&eviction);
    for (unsigned round = 0; round < 5; round++)
        for (size_t i = 0; i < HOT; i++)
            ask(&eviction, i);
    unsigned misses = 0;
    for (size_t i = HOT; i < OBJECTS - HOT; i++) {
        assert_false(ask(&eviction, i));
        misses += !ask(&eviction, i * 7 % HOT);
    }
    assert_true(misses < HOT);
    /* Even if nobody asks for the hot ones meanwhile. */
    for (size_t i = HOT; i < OBJECTS - HOT; i++)
        ask(&eviction, i);
    unsigned left = 0;
    for (size_t i = 0; i < HOT; i++)
        left += nodes[i].queue != STET__QUEUE_NONE;
    assert_true(left > HOT * 9 / 10);
    stet__eviction_release(&eviction);
}

static void test_order(void **state)
{
    struct stet__eviction eviction;
    start(&eviction);
    for (size_t i = 0; i < 4; i++)
        ask(&eviction, i);
    ask(&eviction, 0);
    ask(&eviction, 2);
    assert_int_equal(evict(&eviction), 1); /* never used, the oldest */
    assert_int_equal(evict(&eviction), 3);
    assert_int_equal(evict(&eviction), 0);
    assert_int_equal(evict(&eviction), 2);
    assert_null(stet__eviction_victim(&eviction));
    stet__eviction_release(&eviction);
}

/* What was dropped from the small queue and comes again goes to main. */
static void test_ghost(void **state)
{
    struct stet__eviction eviction;
    start(&eviction);
    let_grow(&eviction);
    ask(&eviction, 0);
    assert_int_equal(nodes[0].queue, STET__QUEUE_SMALL);
    evict(&eviction);
    ask(&eviction, 0);
    assert_int_equal(nodes[0].queue, STET__QUEUE_MAIN);
    evict(&eviction);
    ask(&eviction, 0);
    assert_int_equal(nodes[0].queue, STET__QUEUE_SMALL); /* from main there are no ghosts */
    evict(&eviction);
    for (size_t i = 1; i < 2000; i++) { /* and the oldest ghosts are forgotten */
        ask(&eviction, i);
        evict(&eviction);
    }
    ask(&eviction, 0);
    assert_int_equal(nodes[0].queue, STET__QUEUE_SMALL);
    stet__eviction_release(&eviction);
}

/* An update keeps the place of what it updates. */
static void test_inherit(void **state)
{
    struct stet__eviction eviction;
    start(&eviction);
    for (size_t i = 0; i < 3; i++)
        ask(&eviction, i);
    stet__list_init(&nodes[9].link);
    stet__eviction_add(&eviction, &nodes[9], hash_of(9), 5);
    stet__eviction_inherit(&eviction, &nodes[9], &nodes[0]);
    stet__eviction_remove(&eviction, &nodes[0]);
    assert_int_equal(eviction.bytes[STET__QUEUE_SMALL], 7);
    stet__eviction_resize(&eviction, &nodes[9], 2);
    assert_int_equal(eviction.bytes[STET__QUEUE_SMALL], 4);
    assert_int_equal(evict(&eviction), 9);
    assert_int_equal(evict(&eviction), 1);
    stet__eviction_release(&eviction);
}

/* One call is short, even if everything has been used. */
static void test_all_used(void **state)
{
    struct stet__eviction eviction;
    start(&eviction);
    for (unsigned round = 0; round < 5; round++)
        for (size_t i = 0; i < CAPACITY; i++)
            ask(&eviction, i);
    assert_null(stet__eviction_victim(&eviction));
    assert_int_equal(eviction.count, CAPACITY);
    for (size_t i = 0; i < CAPACITY; i++)
        evict(&eviction);
    assert_int_equal(eviction.count, 0);
    assert_int_equal(eviction.bytes[STET__QUEUE_SMALL] + eviction.bytes[STET__QUEUE_MAIN], 0);
    stet__eviction_release(&eviction);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan),    cmocka_unit_test(test_order),    cmocka_unit_test(test_ghost),
        cmocka_unit_test(test_inherit), cmocka_unit_test(test_all_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
