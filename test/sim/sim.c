/* SPDX-License-Identifier: MIT */
/*
 * sim [--operations N] SEED...: runs each seed; prints TAP. Ends at the first difference, with its seed and
 * operation; the same seed gives it again.
 */
#include "cache.h"

#include <sys/types.h>

#define OPERATIONS 1000000u

/* What the store takes its secret from: not chance here, so that a seed gives the same run again. */
ssize_t __wrap_getrandom(void *to, size_t len, unsigned flags);

ssize_t __wrap_getrandom(void *to, size_t len, unsigned flags)
{
    struct sim_random random = {8304};
    for (size_t i = 0; i < len; i++)
        ((unsigned char *)to)[i] = (unsigned char)sim_below(&random, 256);
    return (ssize_t)len;
}

/* Operators purge now and then: a URI, a prefix, a group, everything; softly or not. */
static void purge(struct sim_world *world)
{
    struct sim_random *random = &world->random;
    char what[40];
    bool hard = sim_chance(random, 40);
    unsigned resource = sim_below(random, SIM_RESOURCES), group = 1 + sim_below(random, 5);
    switch (sim_below(random, 10)) {
    case 0:
        snprintf(what, sizeof what, "\"g%u\"", group);
        sim_oracle_purged_group(&world->oracle, what, hard);
        stet__store_purge(world->store, STET__SELECT_GROUP, stet_span_of(what + 1, strlen(what) - 2),
                          STET_SPAN_NONE, hard);
        break;
    case 1:
        snprintf(what, sizeof what, "%s/r%u", SIM_ORIGIN, resource);
        sim_oracle_purged_prefix(&world->oracle, what, hard);
        stet__store_purge(world->store, STET__SELECT_PREFIX, stet_span_of(what, strlen(what)), STET_SPAN_NONE,
                          hard);
        break;
    case 2:
        sim_oracle_purged_prefix(&world->oracle, "", hard);
        stet__store_purge(world->store, STET__SELECT_ALL, STET_SPAN_NONE, STET_SPAN_NONE, hard);
        break;
    default:
        snprintf(what, sizeof what, "%s/r%u", SIM_ORIGIN, resource);
        sim_oracle_purged_uri(&world->oracle, what, hard);
        stet__store_purge(world->store, STET__SELECT_URI, stet_span_of(what, strlen(what)), STET_SPAN_NONE,
                          hard);
    }
}

static struct sim_world *begin(uint64_t seed)
{
    struct sim_world *world = calloc(1, sizeof *world);
    if (!world)
        abort();
    world->random.state = seed;
    world->now = 1700000000 + (int64_t)sim_below(&world->random, 1000000);
    world->policy = STET_CACHE_POLICY_SHARED;
    world->policy.grace_s = seed % 3 == 1 ? 15 : 0;
    world->policy.error_grace_s = seed % 3 == 2 ? 40 : 0;
    sim_origin_begin(&world->origin, &world->random, world->now);
    world->oracle = (struct sim_oracle){.seed = seed, .policy = world->policy, .origin = &world->origin};
    struct stet__store_limits limits = {
        .bytes = seed % 2 ? 160 * 1024 : 8 << 20, .object_bytes = 100000, .variants = 6};
    world->store = stet__store_new(&limits);
    if (!world->store)
        abort();
    return world;
}

static void run(uint64_t seed, uint64_t operations, unsigned number)
{
    struct sim_world *world = begin(seed);
    struct sim_request *request = malloc(sizeof *request);
    struct stet__store_statistics told;
    for (uint64_t i = 0; i < operations && request; i++) {
        world->oracle.operation = i;
        if (sim_chance(&world->random, 25))
            world->now += sim_below(&world->random, 1000) == 0 ? sim_below(&world->random, 5000)
                                                               : sim_below(&world->random, 3);
        sim_origin_change(&world->origin, world->now);
        if (sim_below(&world->random, 2000) == 0)
            purge(world);
        sim_traffic(&world->random, &world->seen, world->now, request);
        sim_handle(world, request);
    }
    stet__store_statistics(world->store, &told);
    bool all = world->served && world->stale && world->freshened && world->stored && world->combined &&
               world->adopted;
    printf(
        "%s %u - seed %llu: %llu operations, %llu from the store, %llu asked, %llu stored, %llu freshened, "
        "%llu combined, %llu adopted, %llu stale, %llu evicted, %llu purged\n",
        all ? "ok" : "not ok", number, (unsigned long long)seed, (unsigned long long)operations,
        (unsigned long long)world->served, (unsigned long long)world->fetched,
        (unsigned long long)world->stored, (unsigned long long)world->freshened,
        (unsigned long long)world->combined, (unsigned long long)world->adopted,
        (unsigned long long)world->stale, (unsigned long long)told.evicted, (unsigned long long)told.purged);
    fflush(stdout);
    stet__store_free(world->store);
    free(request);
    free(world);
    if (!all)
        exit(1);
}

int main(int argc, char **argv)
{
    uint64_t operations = OPERATIONS;
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "--operations") == 0) {
        operations = strtoull(argv[2], NULL, 10);
        first = 3;
    }
    if (first >= argc) {
        fprintf(stderr, "usage: sim [--operations N] SEED...\n");
        return 2;
    }
    printf("1..%d\n", argc - first);
    for (int i = first; i < argc; i++)
        run(strtoull(argv[i], NULL, 10), operations, (unsigned)(i - first + 1));
    return 0;
}
