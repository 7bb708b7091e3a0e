/* SPDX-License-Identifier: MIT */
/*
 * disk_kill: several processes at once, killed at random moments. The store has to be without a fault after
 * each, whatever was going on, and what others committed has to be there.
 *
 * Each child puts, freshens, replaces, cuts, resumes, removes and reads at random under a few URIs, so that
 * they get into each other's way. What a body holds follows from its first octets, so any child can tell
 * whether what it reads is whole. STET_SEED chooses the run; it is told if one fails.
 */
#include <signal.h>
#include <sys/wait.h>

#include "disk_world.h"

#define KILLS 200
#define CHILDREN 3
#define URIS 24
#define BODY_MAX 120000

static uint32_t random_state;

static uint32_t next_random(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)(random_state >> 4) * below) >> 28);
}

/* --- a child --- */

/* What it says must hold in a child, too; there cmocka is of no use. */
static void must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "# in a child: %s\n", what);
    _exit(9);
}

static size_t size_of(uint32_t kind)
{
    static const size_t sizes[] = {0, 40, 3000, STET__DISK_SMALL + 100, 20000, 70000, BODY_MAX};
    return sizes[kind % (sizeof sizes / sizeof *sizes)];
}

static void write_body(char *out, uint32_t kind)
{
    fill_octets(out, size_of(kind), kind);
    if (size_of(kind) >= sizeof kind)
        memcpy(out, &kind, sizeof kind);
}

static void read_back(struct stet__disk *disk, const struct stet__disk_entry *entry, char *room,
                      char *expected)
{
    uint32_t kind;
    size_t len = 0;
    ssize_t got;
    int fd = stet__disk_body(disk, entry);
    if (fd < 0)
        return; /* another has removed it meanwhile */
    while ((got = read(fd, room + len, BODY_MAX + 1 - len)) > 0)
        len += (size_t)got;
    close(fd);
    if (len < sizeof kind)
        return;
    memcpy(&kind, room, sizeof kind);
    write_body(expected, kind);
    if (entry->has_digest)
        must(len == size_of(kind) && len == entry->octets, "a complete body is not whole");
    must(len <= size_of(kind) && memcmp(room, expected, len) == 0, "a body is not what was put");
}

struct child {
    struct world *world;
    char uri[32], etag[32];
    char *room, *expected;
    struct answer answer;
};

static void put_or_cut(struct child *child, uint32_t kind, bool cut)
{
    struct stet__disk *disk = child->world->disk;
    uint64_t replaced[STET_CANDIDATES_MAX];
    struct stet__disk_put put = {.uri = SPAN(child->uri), .stored = &child->answer.stored};
    size_t size = size_of(kind), at = 0;
    if (next_random(2)) {
        for (; put.replaced_count < child->world->count; put.replaced_count++)
            replaced[put.replaced_count] = child->world->found[put.replaced_count].id;
        put.replaced = replaced;
    }
    child->answer.stored.held.length_known = true;
    child->answer.stored.held.complete_length = size;
    write_body(child->expected, kind);
    struct stet__disk_body *body = stet__disk_body_begin(disk, &put, NULL, size);
    must(body != NULL, "a body cannot be begun");
    size_t end = cut ? size / 2 + size / 4 : size;
    while (at < end) {
        size_t piece = next_random(16384) + 1;
        piece = piece > end - at ? end - at : piece;
        must(stet__disk_body_append(body, stet_span_of(child->expected + at, piece)), "no append");
        at += piece;
    }
    if (cut)
        stet__disk_body_cut(body);
    else
        (void)stet__disk_body_commit(body, NULL, NULL);
}

static void resume(struct child *child, const struct stet__disk_entry *part)
{
    struct stet__disk *disk = child->world->disk;
    const struct stet_stored stored = part->stored;
    struct stet__disk_put put = {.uri = SPAN(child->uri), .stored = &stored};
    uint32_t kind;
    int fd = stet__disk_body(disk, part);
    if (fd < 0)
        return;
    bool known = pread(fd, &kind, sizeof kind, 0) == (ssize_t)sizeof kind;
    close(fd);
    struct stet__disk_body *body = known ? stet__disk_body_begin(disk, &put, part, UINT64_MAX) : NULL;
    if (!body)
        return;
    size_t at = stet__disk_body_octets(body), size = size_of(kind);
    write_body(child->expected, kind);
    must(at <= size, "a part is too long");
    must(stet__disk_body_append(body, stet_span_of(child->expected + at, size - at)), "no append");
    (void)stet__disk_body_commit(body, NULL, NULL);
}

static void freshen(struct child *child, const struct stet__disk_entry *entry)
{
    const struct stet_stored stored = child->answer.stored;
    const uint64_t id = entry->id;
    struct stet__disk_put put = {.uri = SPAN(child->uri), .stored = &stored};
    if (next_random(4) > 0)
        put.replaced = &id, put.replaced_count = 1;
    (void)stet__disk_put_head(child->world->disk, entry, &put);
}

static void one_step(struct child *child)
{
    struct world *world = child->world;
    uint32_t kind = next_random(40), action = next_random(16);
    snprintf(child->uri, sizeof child->uri, "http://k/%u", next_random(URIS));
    snprintf(child->etag, sizeof child->etag, "\"%u\"", kind);
    answer_make(&child->answer, child->etag, "max-age=60");
    child->answer.stored.times.response += next_random(10000);
    stet__arena_reset(&world->arena);
    must(stet__disk_find(world->disk, SPAN(child->uri), &policy, &world->arena, world->found,
                         &world->count) == STET_OK,
         "no find");
    struct stet__disk_entry *entry =
        world->count > 0 ? &world->found[next_random((uint32_t)world->count)] : NULL;
    if (entry && entry->part && action < 12)
        resume(child, entry);
    else if (action < 6 || !entry)
        put_or_cut(child, kind, action % 3 == 0);
    else if (action < 9)
        freshen(child, entry);
    else if (action < 12)
        read_back(world->disk, entry, child->room, child->expected);
    else if (action == 12)
        (void)stet__disk_remove(world->disk, SPAN(child->uri));
    else if (action == 13)
        (void)stet__disk_invalidate(world->disk, SPAN(child->uri));
    else if (action == 14)
        stet__disk_flush(world->disk);
    else
        stet__disk_touch(world->disk, entry, NOW + next_random(100000));
}

static void run_child(struct world *world, uint32_t seed, size_t steps)
{
    struct child child = {.world = world};
    random_state = seed;
    child.room = malloc(BODY_MAX + 1);
    child.expected = malloc(BODY_MAX + 1);
    int code = stet__disk_open(&world->settings, &world->disk, &world->cause);
    must(code == STET_OK, world->cause ? world->cause : "no open");
    must(world->cause == NULL, "the index was begun anew");
    for (size_t i = 0; i < steps; i++)
        one_step(&child);
    stet__disk_close(world->disk);
    _exit(0);
}

/* --- the test --- */

static pid_t start(struct world *world, uint32_t seed, size_t steps)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        run_child(world, seed, steps);
    assert_true(pid > 0);
    return pid;
}

static void wait_for(pid_t pid, bool killed)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (killed && WIFSIGNALED(status))
        assert_int_equal(WTERMSIG(status), SIGKILL);
    else
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static uint32_t seed_of_run(void)
{
    const char *text = getenv("STET_SEED");
    uint64_t seed = (uint64_t)getpid() * 7919 + (uint64_t)time(NULL);
    if (text)
        (void)stet_span_to_u64(SPAN(text), &seed);
    print_message("# STET_SEED=%u\n", (unsigned)(uint32_t)seed);
    return (uint32_t)seed;
}

static void verify_clean(struct world *world)
{
    world_open(world);
    assert_null(world->cause);
    assert_int_equal(faults(world, false, NULL), 0);
    assert_int_equal(stats(world).parts, files_in(world, "parts"));
    world_close(world);
}

static void small_enough_to_evict(struct world *world)
{
    world_close(world);
    world->settings.octets_max = 1200000;
    world->settings.object_max = 600000;
}

static void test_together(void **state)
{
    struct world *world = *state;
    uint32_t seed = seed_of_run();
    pid_t pids[CHILDREN];
    small_enough_to_evict(world);
    for (uint32_t i = 0; i < CHILDREN; i++)
        pids[i] = start(world, seed + i, 1500);
    for (uint32_t i = 0; i < CHILDREN; i++)
        wait_for(pids[i], false);
    verify_clean(world);
}

static void test_killed(void **state)
{
    struct world *world = *state;
    uint32_t seed = seed_of_run();
    small_enough_to_evict(world);
    for (uint32_t kill_count = 0; kill_count < KILLS; kill_count += CHILDREN - 1) {
        pid_t pids[CHILDREN];
        for (uint32_t i = 0; i < CHILDREN; i++)
            pids[i] = start(world, seed + kill_count * CHILDREN + i, i == 0 ? 60 : SIZE_MAX);
        random_state = seed ^ kill_count;
        for (uint32_t i = 1; i < CHILDREN; i++) {
            /* Some moment of what they do: any will do, so none can be too early or too late. */
            usleep(next_random(20000));
            assert_int_equal(kill(pids[i], SIGKILL), 0);
            wait_for(pids[i], true);
        }
        wait_for(pids[0], false);
        verify_clean(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_together, world_begin, world_end),
        cmocka_unit_test_setup_teardown(test_killed, world_begin, world_end),
    };
    return cmocka_run_group_tests_name("disk_kill", tests, NULL, NULL);
}
