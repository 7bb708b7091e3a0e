/* SPDX-License-Identifier: MIT */
/*
 * disk_wrong: what goes wrong on a disk: bodies that are gone, cut or changed, an index that is garbage or
 * too small, no room, no folder. The store goes on with what is right.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "disk_world.h"

#define URI "http://example.com/a"

static void body_path(struct world *world, char out[256])
{
    char below[80];
    assert_true(stet__disk_body_path(world->disk, &world->found[0], below, sizeof below));
    snprintf(out, 256, "%s/%s", world->folder, below);
}

static void test_damaged_body_is_a_miss(void **state)
{
    struct world *world = *state;
    char path[256];
    for (int kind = 0; kind < 3; kind++) {
        (void)put_filled(world, URI, 100000, 3);
        assert_int_equal(find(world, URI), 1);
        body_path(world, path);
        if (kind == 0) {
            assert_int_equal(unlink(path), 0);
        } else if (kind == 1) {
            assert_int_equal(truncate(path, 99999), 0);
        } else {
            int fd = open(path, O_WRONLY);
            assert_int_equal(pwrite(fd, "!?", 2, 500), 2);
            close(fd);
        }
        assert_int_equal(stet__disk_body(world->disk, &world->found[0]), -1);
        assert_int_equal(find(world, URI), 0);
        /* The same octets again take the place of the damaged ones. */
        (void)put_filled(world, URI, 100000, 3);
        assert_int_equal(find(world, URI), 1);
        assert_true(holds_filled(world, &world->found[0], 100000, 3));
        assert_int_equal(stet__disk_remove(world->disk, SPAN(URI)), 1);
        stet__disk_flush(world->disk);
    }
    assert_int_equal(faults(world, false, NULL), 0);
}

/* The same octets again leave the file that is there, and do not make it suspect. */
static void test_intact_file_stays(void **state)
{
    struct world *world = *state;
    struct stat before, after;
    char path[256];
    (void)put_filled(world, "http://a/", 100000, 3);
    assert_int_equal(find(world, "http://a/"), 1);
    body_path(world, path);
    assert_int_equal(stat(path, &before), 0);
    (void)put_filled(world, "http://b/", 100000, 3);
    assert_int_equal(find(world, "http://b/"), 1);
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino == after.st_ino);
    assert_int_equal(after.st_nlink, 1);
}

/* Another time of the file, but the same octets: hashed once and believed. */
static void test_touched_body_is_believed(void **state)
{
    struct world *world = *state;
    char path[256];
    (void)put_filled(world, URI, 100000, 3);
    assert_int_equal(find(world, URI), 1);
    body_path(world, path);
    assert_int_equal(utimensat(AT_FDCWD, path, NULL, 0), 0);
    assert_true(holds_filled(world, &world->found[0], 100000, 3));
    assert_int_equal(find(world, URI), 1);
}

static void spoil_index(struct world *world, int kind)
{
    char path[128];
    char noise[20000];
    snprintf(path, sizeof path, "%s/index.mdb", world->folder);
    int fd = open(path, O_RDWR | (kind == 0 ? O_TRUNC : 0));
    assert_true(fd >= 0);
    fill_octets(noise, sizeof noise, 77);
    if (kind == 0)
        assert_int_equal(pwrite(fd, "garbage", 7, 0), 7);
    else if (kind == 1)
        assert_int_equal(pwrite(fd, noise, sizeof noise, 0), sizeof noise);
    else
        assert_int_equal(ftruncate(fd, 12288), 0);
    close(fd);
}

static void test_garbage_index(void **state)
{
    struct world *world = *state;
    for (int kind = 0; kind < 3; kind++) {
        for (unsigned i = 0; i < 50; i++) {
            char uri[32];
            snprintf(uri, sizeof uri, "http://g/%u", i);
            (void)put_filled(world, uri, 5000, i);
        }
        world_close(world);
        spoil_index(world, kind);
        world_open(world);
        assert_non_null(world->cause);
        assert_int_equal(find(world, "http://g/1"), 0);
        assert_int_equal(files_in(world, "bodies"), 0);
        assert_int_equal(files_in(world, "index.mdb.old"), 1);
        world_close(world);
        world_open(world);
        assert_null(world->cause);
        assert_int_equal(faults(world, false, NULL), 0);
    }
}

static void test_index_grows(void **state)
{
    struct world *world = *state;
    world_close(world);
    world->settings.map_octets = 1 << 18;
    world_open(world);
    for (unsigned i = 0; i < 2000; i++) {
        char uri[32];
        snprintf(uri, sizeof uri, "http://m/%u", i);
        (void)put_filled(world, uri, 3000, i);
        if (i % 500 == 0)
            assert_int_equal(find(world, uri), 1);
    }
    assert_int_equal(stats(world).entries, 2000);
    assert_true(stats(world).index_octets > 1 << 22);
    assert_int_equal(faults(world, false, NULL), 0);
}

static void test_full_disk(void **state)
{
    struct world *world = *state;
    struct rlimit before, little = {60000, RLIM_INFINITY};
    struct answer answer;
    char *octets = calloc(1, 100000);
    (void)put_filled(world, URI, 10000, 1);
    world_close(world);
    world_open(world);
    getrlimit(RLIMIT_FSIZE, &before);
    little.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    answer_make(&answer, "\"a\"", NULL);
    struct stet__disk_body *body = put_begin(world, "http://f/", &answer.stored);
    bool body_written = stet__disk_body_append(body, stet_span_of(octets, 100000));
    bool body_kept = stet__disk_body_commit(body, NULL, NULL);
    for (unsigned i = 0; i < 100; i++) {
        char uri[32];
        snprintf(uri, sizeof uri, "http://f/%u", i);
        (void)put_filled(world, uri, 3000, i);
    }
    stet__disk_flush(world->disk);
    setrlimit(RLIMIT_FSIZE, &before);
    free(octets);
    assert_false(body_written || body_kept);
    assert_int_equal(find(world, "http://f/"), 0);
    assert_int_equal(find(world, URI), 1);
    assert_true(holds_filled(world, &world->found[0], 10000, 1));
    assert_int_equal(faults(world, false, NULL), 0);
    (void)put_filled(world, "http://f/after", 3000, 1);
    assert_int_equal(find(world, "http://f/after"), 1);
}

static void test_no_folder(void **state)
{
    struct world *world = *state;
    char path[128];
    struct stet__disk *disk = NULL;
    struct stet__disk_settings settings = world->settings;
    const char *cause = NULL;
    snprintf(path, sizeof path, "%s/index.mdb/below", world->folder);
    settings.folder = path;
    assert_int_equal(stet__disk_open(&settings, &disk, &cause), STET_E_STORE_FOLDER);
    assert_non_null(cause);
    assert_null(disk);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)
    const struct CMUnitTest tests[] = {
        TEST(test_damaged_body_is_a_miss),
        TEST(test_intact_file_stays),
        TEST(test_touched_body_is_believed),
        TEST(test_garbage_index),
        TEST(test_index_grows),
        TEST(test_full_disk),
        TEST(test_no_folder),
    };
    return cmocka_run_group_tests_name("disk_wrong", tests, NULL, NULL);
}
