/* SPDX-License-Identifier: MIT */
/*
 * resolve: names to addresses, with a system that the test plays: it holds an answer back until it is let go,
 * so questions are under way exactly when the test wants it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

#include "net/loop.h"
#include "net/resolve.h"

static struct stet__loop *loop;
static struct stet__resolver *resolver;
static sem_t asked, let, left;
static atomic_uint lookups;

/* "two" has two addresses, "none" has none, others have 192.0.2.N for the Nth question. */
static void lookup(const char *host, struct stet__resolved *out)
{
    unsigned nth = ++lookups;
    sem_post(&asked);
    while (sem_wait(&let) < 0)
        ;
    sem_post(&left);
    memset(out, 0, sizeof *out);
    out->count = strcmp(host, "none") == 0 ? 0 : strcmp(host, "two") == 0 ? 2 : 1;
    for (size_t i = 0; i < out->count; i++) {
        out->at[i].at.v4.sin_family = AF_INET;
        out->at[i].at.v4.sin_addr.s_addr = htonl(0xc0000200u + nth + (unsigned)i);
        out->at[i].len = sizeof out->at[i].at.v4;
    }
    if (out->count == 2) {
        out->at[1].at.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        out->at[1].len = sizeof out->at[1].at.v6;
    }
}

struct asker {
    struct stet__resolve resolve;
    struct stet__resolved resolved;
    unsigned dones;
};

static void done(struct stet__resolve *resolve, const struct stet__resolved *resolved)
{
    struct asker *asker = stet__list_entry(resolve, struct asker, resolve);
    asker->resolved = *resolved;
    asker->dones++;
    stet__loop_stop(loop);
}

static bool ask(struct asker *asker, const char *host, unsigned port)
{
    *asker = (struct asker){.resolve = {.done = done, .loop = loop}};
    return stet__resolve_ask(resolver, &asker->resolve, stet_span_of(host, strlen(host)), port,
                             &asker->resolved);
}

static void expect_first(const struct asker *asker, const char *text)
{
    char formatted[128];
    assert_true(asker->resolved.count > 0);
    stet__listen_address_format(&asker->resolved.at[0], formatted, sizeof formatted);
    assert_string_equal(formatted, text);
}

static int begin(void **state)
{
    alarm(60);
    lookups = 0;
    sem_init(&asked, 0, 0);
    sem_init(&let, 0, 0);
    sem_init(&left, 0, 0);
    loop = stet__loop_new();
    resolver = stet__resolver_new_with(lookup);
    return loop && resolver ? 0 : -1;
}

static int end(void **state)
{
    stet__resolver_free(resolver);
    stet__loop_free(loop);
    return 0;
}

static void test_digits(void **state)
{
    struct asker asker;
    assert_true(ask(&asker, "192.0.2.1", 80));
    expect_first(&asker, "192.0.2.1:80");
    assert_true(ask(&asker, "[2001:DB8::1]", 8080));
    expect_first(&asker, "[2001:db8::1]:8080");
    assert_true(ask(&asker, "2001:db8::1", 1));
    expect_first(&asker, "[2001:db8::1]:1");
    assert_true(ask(&asker, "", 1));
    assert_int_equal(asker.resolved.count, 0);
    assert_int_equal(lookups, 0);
}

/* Those who ask for the same name meanwhile share the question; the answer is kept for its time. */
static void test_shared_and_kept(void **state)
{
    struct asker first, second, third;
    assert_false(ask(&first, "Two", 80));
    sem_wait(&asked);
    assert_false(ask(&second, "two", 81));
    sem_post(&let);
    while (first.dones + second.dones < 2)
        stet__loop_run(loop);
    assert_int_equal(first.resolved.count, 2);
    expect_first(&first, "192.0.2.1:80");
    expect_first(&second, "192.0.2.1:81");
    assert_int_equal(ntohs(second.resolved.at[1].at.v6.sin6_port), 81);
    stet__loop_skip(loop, STET__RESOLVE_KEEP_S - 1);
    assert_true(ask(&third, "TWO", 82));
    expect_first(&third, "192.0.2.1:82");
    stet__loop_skip(loop, 2);
    assert_int_equal(lookups, 1);
    assert_false(ask(&third, "two", 83));
    sem_post(&let);
    stet__loop_run(loop);
    expect_first(&third, "192.0.2.2:83");
}

static void test_failure(void **state)
{
    struct asker asker;
    sem_post(&let);
    assert_false(ask(&asker, "none", 80));
    stet__loop_run(loop);
    assert_int_equal(asker.resolved.count, 0);
    assert_true(ask(&asker, "none", 80));
    stet__loop_skip(loop, STET__RESOLVE_KEEP_FAILURE_S + 1);
    assert_false(ask(&asker, "none", 80));
    sem_post(&let);
    stet__loop_run(loop);
    assert_int_equal(lookups, 2);
}

/* Before the system has answered, and after, when the answer is on its way to the loop. */
static void test_cancel(void **state)
{
    struct asker cancelled, late, other;
    assert_false(ask(&cancelled, "a", 80));
    assert_false(ask(&late, "a", 80));
    sem_wait(&asked);
    stet__resolve_cancel(resolver, &cancelled.resolve);
    sem_post(&let);
    /* The question for "b" is asked once "a" is answered. */
    assert_false(ask(&other, "b", 80));
    sem_wait(&asked);
    stet__resolve_cancel(resolver, &late.resolve);
    sem_post(&let);
    stet__loop_run(loop);
    assert_int_equal(cancelled.dones, 0);
    assert_int_equal(late.dones, 0);
    assert_int_equal(other.dones, 1);
    stet__resolve_cancel(resolver, &other.resolve);
}

/* The resolver may go while the system thinks. */
static void test_freed_meanwhile(void **state)
{
    struct asker asker;
    assert_false(ask(&asker, "a", 80));
    sem_wait(&asked);
    stet__resolve_cancel(resolver, &asker.resolve);
    stet__resolver_free(resolver);
    sem_post(&let);
    sem_wait(&left);
    resolver = stet__resolver_new_with(lookup);
    assert_non_null(resolver);
}

/* The real one knows this name without a network. */
static void test_localhost(void **state)
{
    struct asker asker;
    struct stet__resolver *fake = resolver;
    resolver = stet__resolver_new();
    assert_non_null(resolver);
    assert_false(ask(&asker, "localhost", 80));
    stet__loop_run(loop);
    assert_true(asker.resolved.count > 0);
    stet__resolver_free(resolver);
    resolver = fake;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_digits), CASE(test_shared_and_kept), CASE(test_failure),
        CASE(test_cancel), CASE(test_freed_meanwhile), CASE(test_localhost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
