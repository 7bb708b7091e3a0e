/* SPDX-License-Identifier: MIT */
/*
 * disk_verify: each kind of fault is found, said and mended; what killed processes leave is no fault.
 *
 * Faults are made behind the store's back: in its files, and in the tables of its index.
 */
#include <fcntl.h>
#include <sys/file.h>

#include "disk_world.h"
#include "store/disk_inside.h"

#define URI "http://example.com/a"
#define LEN 50000

/* --- ways to spoil --- */

typedef int spoil(MDB_txn *txn, MDB_dbi table, MDB_val key, MDB_val value);

static int drop_row(MDB_txn *txn, MDB_dbi table, MDB_val key, MDB_val value)
{
    return mdb_del(txn, table, &key, NULL);
}

static int flip_octet(MDB_txn *txn, MDB_dbi table, MDB_val key, MDB_val value)
{
    char *copy = malloc(value.mv_size);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[value.mv_size / 2] ^= 1;
    value.mv_data = copy;
    int code = mdb_put(txn, table, &key, &value, 0);
    free(copy);
    return code;
}

static int shorten(MDB_txn *txn, MDB_dbi table, MDB_val key, MDB_val value)
{
    char copy[8] = "short";
    value = (MDB_val){5, copy};
    return mdb_put(txn, table, &key, &value, 0);
}

static int miscount(MDB_txn *txn, MDB_dbi table, MDB_val key, MDB_val value)
{
    struct stet__disk_content content;
    struct stet__disk disk = {.tables = {[STET__DISK_BODIES] = table}};
    struct stet__disk_change change = {.disk = &disk, .txn = txn};
    unsigned char digest[STET__DISK_DIGEST_BYTES];
    assert_true(stet__disk_content_check(value, &content));
    memcpy(digest, key.mv_data, sizeof digest);
    content.refs += 3;
    return stet__disk_content_put(&change, digest, &content, STET_SPAN_NONE);
}

static int add_row(MDB_txn *txn, MDB_dbi table, MDB_val key, MDB_val value)
{
    unsigned char other[64] = {0};
    memcpy(other, key.mv_data, key.mv_size);
    other[key.mv_size - 1] ^= 0x55;
    key.mv_data = other;
    return mdb_put(txn, table, &key, &value, 0);
}

/* Opens the index beside the store and spoils the first row of a table. */
static void spoil_row(struct world *world, const char *name, spoil *how)
{
    char path[128];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
    MDB_cursor *cursor;
    MDB_val key, value;
    snprintf(path, sizeof path, "%s/index.mdb", world->folder);
    assert_int_equal(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 16);
    assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, name, 0, &table), 0);
    assert_int_equal(mdb_cursor_open(txn, table, &cursor), 0);
    assert_int_equal(mdb_cursor_get(cursor, &key, &value, MDB_FIRST), 0);
    mdb_cursor_close(cursor);
    assert_int_equal(how(txn, table, key, value), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void wrong_totals(struct world *world)
{
    char path[128];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
    struct stet__disk_totals totals;
    MDB_val key = stet__disk_val("totals", 6), value;
    snprintf(path, sizeof path, "%s/index.mdb", world->folder);
    assert_int_equal(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 16);
    assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "meta", 0, &table), 0);
    assert_int_equal(mdb_get(txn, table, &key, &value), 0);
    memcpy(&totals, value.mv_data, sizeof totals);
    totals.body_octets += 12345;
    value.mv_data = &totals;
    assert_int_equal(mdb_put(txn, table, &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

/* --- what every fault has in common --- */

static void begin(struct world *world)
{
    (void)put_filled(world, URI, LEN, 1);
    (void)put_filled(world, "http://example.com/b", LEN, 2);
    (void)put_filled(world, "http://example.com/c", LEN, 2);
    (void)put_filled(world, "http://example.com/d", 100, 3);
    assert_int_equal(faults(world, false, NULL), 0);
    assert_int_equal(find(world, URI), 1);
}

/* Found, told, found again because nothing was mended, mended, and clean. */
static void check(struct world *world, const char *told, uint64_t entries_left)
{
    char last[512] = "";
    assert_true(faults(world, false, &last) > 0);
    if (!strstr(last, told))
        fail_msg("told: %s", last);
    assert_true(faults(world, false, &last) > 0);
    assert_true(faults(world, true, &last) > 0);
    assert_int_equal(faults(world, false, NULL), 0);
    assert_int_equal(stats(world).entries, entries_left);
    world_close(world);
    world_open(world);
    assert_int_equal(faults(world, false, NULL), 0);
    assert_int_equal(files_in(world, "parts"), stats(world).parts);
}

static void path_of(struct world *world, char out[256])
{
    char below[STET__DISK_PATH_ROOM];
    assert_true(stet__disk_body_path(world->disk, &world->found[0], below, sizeof below));
    snprintf(out, 256, "%s/%s", world->folder, below);
}

/* --- bodies --- */

static void test_missing_body(void **state)
{
    struct world *world = *state;
    char path[256];
    begin(world);
    path_of(world, path);
    assert_int_equal(unlink(path), 0);
    check(world, "the content is missing: " URI, 3);
    assert_int_equal(find(world, URI), 0);
}

static void test_short_body(void **state)
{
    struct world *world = *state;
    char path[256];
    begin(world);
    path_of(world, path);
    assert_int_equal(truncate(path, LEN - 1), 0);
    check(world, "another length", 3);
}

static void test_changed_body(void **state)
{
    struct world *world = *state;
    char path[256];
    begin(world);
    assert_int_equal(find(world, "http://example.com/b"), 1);
    path_of(world, path);
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "?!", 2, 1000), 2);
    close(fd);
    check(world, "is not what was stored", 2);
    assert_int_equal(find(world, "http://example.com/b"), 0);
    assert_int_equal(find(world, "http://example.com/c"), 0);
}

/* --- tables --- */

static void spoil_and_check(struct world *world, const char *table, spoil *how, const char *told,
                            uint64_t left)
{
    begin(world);
    world_close(world);
    spoil_row(world, table, how);
    world_open(world);
    assert_null(world->cause);
    check(world, told, left);
}

static void test_unreadable_record(void **state)
{
    spoil_and_check(*state, "entries", flip_octet, "cannot be read: " URI, 3);
}

static void test_short_record(void **state)
{
    spoil_and_check(*state, "entries", shorten, "cannot be read: " URI, 3);
}

static void test_unreadable_record_is_a_miss(void **state)
{
    struct world *world = *state;
    begin(world);
    world_close(world);
    spoil_row(world, "entries", flip_octet);
    world_open(world);
    assert_int_equal(find(world, URI), 0);
    assert_int_equal(stats(world).entries, 3);
}

static void test_lost_id(void **state)
{
    spoil_and_check(*state, "ids", drop_row, "", 4);
}

static void test_spoilt_id(void **state)
{
    spoil_and_check(*state, "ids", shorten, "", 4);
}

static void test_lost_order(void **state)
{
    spoil_and_check(*state, "order", drop_row, "the order of use does not know", 4);
}

static void test_needless_order(void **state)
{
    spoil_and_check(*state, "order", add_row, "the order of use has what is not there", 4);
}

static void test_needless_id(void **state)
{
    spoil_and_check(*state, "ids", add_row, "a number without its entry", 4);
}

static void test_needless_dictionary(void **state)
{
    struct world *world = *state;
    (void)put_dictionary(world, "https://example.com/a", "match=\"/a*\"", 0, 0);
    spoil_and_check(world, "dictionaries", add_row, "a dictionary without its entry", 5);
}

static void test_spoilt_dictionary(void **state)
{
    struct world *world = *state;
    (void)put_dictionary(world, "https://example.com/a", "match=\"/a*\"", 0, 0);
    spoil_and_check(world, "dictionaries", shorten, "a dictionary without its entry", 5);
}

static void test_lost_content(void **state)
{
    struct world *world = *state;
    char last[512];
    begin(world);
    world_close(world);
    spoil_row(world, "bodies", drop_row);
    world_open(world);
    assert_true(faults(world, true, &last) > 0);
    assert_non_null(strstr(last, "the content has no record"));
    assert_int_equal(faults(world, false, NULL), 0);
}

static void test_spoilt_content(void **state)
{
    struct world *world = *state;
    begin(world);
    world_close(world);
    spoil_row(world, "bodies", flip_octet);
    world_open(world);
    assert_true(faults(world, false, NULL) > 0);
    assert_true(faults(world, true, NULL) > 0);
    assert_int_equal(faults(world, false, NULL), 0);
}

static void test_miscounted_content(void **state)
{
    struct world *world = *state;
    (void)put_filled(world, URI, LEN, 1);
    world_close(world);
    spoil_row(world, "bodies", miscount);
    world_open(world);
    check(world, "counted wrongly", 1);
    assert_int_equal(stet__disk_remove(world->disk, SPAN(URI)), 1);
    stet__disk_flush(world->disk);
    assert_int_equal(files_in(world, "bodies"), 0);
}

static void test_wrong_totals(void **state)
{
    struct world *world = *state;
    begin(world);
    world_close(world);
    wrong_totals(world);
    world_open(world);
    check(world, "the sums are not right", 4);
}

/* --- parts --- */

static void cut(struct world *world)
{
    struct answer answer;
    char *octets = calloc(1, 100000);
    answer_make(&answer, "\"p\"", NULL);
    struct stet__disk_body *body = put_begin(world, "http://example.com/part", &answer.stored);
    assert_true(stet__disk_body_append(body, stet_span_of(octets, 100000)));
    stet__disk_body_cut(body);
    free(octets);
}

static void test_missing_part(void **state)
{
    struct world *world = *state;
    char path[256];
    begin(world);
    cut(world);
    assert_int_equal(faults(world, false, NULL), 0);
    assert_int_equal(find(world, "http://example.com/part"), 1);
    path_of(world, path);
    assert_int_equal(unlink(path), 0);
    check(world, "the part is missing", 4);
}

static void test_lost_part_row(void **state)
{
    struct world *world = *state;
    begin(world);
    cut(world);
    world_close(world);
    spoil_row(world, "parts", drop_row);
    world_open(world);
    assert_true(faults(world, true, NULL) > 0);
    assert_int_equal(faults(world, false, NULL), 0);
    assert_int_equal(find(world, "http://example.com/part"), 0);
    assert_int_equal(files_in(world, "parts"), 0);
}

/* --- leftovers --- */

static void leave_file(struct world *world, const char *below, const char *name, char path[256])
{
    snprintf(path, 256, "%s/%s", world->folder, below);
    (void)mkdir(path, 0700);
    snprintf(path, 256, "%s/%s/%s", world->folder, below, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0 && write(fd, "left", 4) == 4);
    close(fd);
}

static uint64_t leftovers(struct world *world)
{
    struct stet__disk_findings findings;
    assert_int_equal(stet__disk_verify(world->disk, false, complain, NULL, &findings), STET_OK);
    assert_int_equal(findings.faults, 0);
    return findings.leftovers;
}

static void test_leftovers_are_no_faults(void **state)
{
    /* SHA-256 of "left" */
    static const char digest[] = "360f84035942243c6a36537ae2f8673485e6c04455a0a85a0db19690f2541480";
    struct world *world = *state;
    char part[256], body[256], strange[256];
    begin(world);
    leave_file(world, "parts", "0123456789abcdef", part);
    leave_file(world, "bodies/36", digest, body);
    leave_file(world, "bodies/36", "notes.txt", strange);
    assert_int_equal(leftovers(world), 2);
    assert_int_equal(leftovers(world), 0);
    assert_int_equal(access(part, F_OK), -1);
    assert_int_equal(access(body, F_OK), -1);
    assert_int_equal(access(strange, F_OK), 0);
    /* Named, but its transaction did not end: opening finds it from its other name. */
    leave_file(world, "parts", "0123456789abcdef", part);
    assert_int_equal(link(part, body), 0);
    world_close(world);
    world_open(world);
    assert_int_equal(access(part, F_OK), -1);
    assert_int_equal(access(body, F_OK), -1);
    assert_int_equal(leftovers(world), 0);
}

static void test_others_work_is_left_alone(void **state)
{
    struct world *world = *state;
    char part[256];
    begin(world);
    leave_file(world, "parts", "0123456789abcdef", part);
    int fd = open(part, O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(leftovers(world), 0);
    assert_int_equal(access(part, F_OK), 0);
    close(fd);
    assert_int_equal(leftovers(world), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)
    const struct CMUnitTest tests[] = {
        TEST(test_missing_body),
        TEST(test_short_body),
        TEST(test_changed_body),
        TEST(test_unreadable_record),
        TEST(test_short_record),
        TEST(test_unreadable_record_is_a_miss),
        TEST(test_lost_id),
        TEST(test_spoilt_id),
        TEST(test_lost_order),
        TEST(test_needless_order),
        TEST(test_needless_id),
        TEST(test_needless_dictionary),
        TEST(test_spoilt_dictionary),
        TEST(test_lost_content),
        TEST(test_spoilt_content),
        TEST(test_miscounted_content),
        TEST(test_wrong_totals),
        TEST(test_missing_part),
        TEST(test_lost_part_row),
        TEST(test_leftovers_are_no_faults),
        TEST(test_others_work_is_left_alone),
    };
    return cmocka_run_group_tests_name("disk_verify", tests, NULL, NULL);
}
