/* SPDX-License-Identifier: MIT */
/*
 * disk: what is put is found, by this process at once and by later ones; heads and bodies apart; the same
 * octets once; eviction; parts; output files.
 */

#include "disk_world.h"

#define URI "http://example.com/a"

static void test_put_and_find(void **state)
{
    static const size_t sizes[] = {0, 1, STET__DISK_SMALL, STET__DISK_SMALL + 1, 70000, 1 << 20};
    struct world *world = *state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char uri[64];
        snprintf(uri, sizeof uri, "http://example.com/%zu", i);
        uint64_t id = put_filled(world, uri, sizes[i], (unsigned)i);
        assert_int_equal(find(world, uri), 1);
        assert_true(world->found[0].id == id);
        assert_true(holds_filled(world, &world->found[0], sizes[i], (unsigned)i));
    }
    world_close(world);
    world_open(world);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char uri[64];
        snprintf(uri, sizeof uri, "http://example.com/%zu", i);
        assert_int_equal(find(world, uri), 1);
        assert_true(holds_filled(world, &world->found[0], sizes[i], (unsigned)i));
        bool small = stet__disk_body_small(world->disk, &world->found[0], &world->arena).ptr != NULL;
        assert_int_equal(small, sizes[i] <= STET__DISK_SMALL);
    }
    assert_int_equal(find(world, "http://example.com/none"), 0);
    assert_int_equal(files_in(world, "parts"), 0);
    assert_int_equal(files_in(world, "bodies"), 3);
    assert_int_equal(faults(world, false, NULL), 0);
}

static void test_what_is_kept_of_a_head(void **state)
{
    struct world *world = *state;
    struct answer answer;
    answer_make(&answer, "W/\"x\"", "max-age=60");
    add_field(answer.fields, &answer.stored.response.fields, "X-Odd", "");
    add_field(answer.selecting, &answer.stored.selecting, "Accept-Language", "de");
    answer.stored.authorized = true;
    answer.stored.times = (struct stet_times){NOW - 3, NOW - 2, 17};
    struct stet__disk_body *body = put_begin(world, URI, &answer.stored);
    assert_true(stet__disk_body_append(body, STET_SPAN("octets")));
    assert_true(stet__disk_body_commit(body, NULL, NULL));
    assert_int_equal(find(world, URI), 1);
    const struct stet_stored *stored = &world->found[0].stored;
    assert_int_equal(stored->response.status, 200);
    assert_true(stet_span_equal(stored->response.reason_phrase, STET_SPAN("OK")));
    assert_int_equal(stored->response.fields.count, 4);
    assert_int_equal(stored->response.fields.present, answer.stored.response.fields.present);
    for (size_t i = 0; i < 4; i++) {
        assert_true(stet_span_equal(stored->response.fields.at[i].name, answer.fields[i].name));
        assert_true(stet_span_equal(stored->response.fields.at[i].value, answer.fields[i].value));
        assert_int_equal(stored->response.fields.at[i].id, answer.fields[i].id);
    }
    assert_int_equal(stored->selecting.count, 1);
    assert_true(stet_span_equal(stored->selecting.at[0].value, STET_SPAN("de")));
    assert_true(stored->authorized && !stored->synthesised && stored->held.complete);
    assert_int_equal(stored->held.complete_length, 6);
    assert_int_equal(stored->times.request, NOW - 3);
    assert_int_equal(stored->times.response, NOW - 2);
    assert_int_equal(stored->times.age, 17);
    assert_true(stored->selected.etag.weak && stet_span_equal(stored->selected.etag.opaque, STET_SPAN("x")));
    assert_true(stet_freshness_ttl(&stored->freshness, NOW) > 0);
}

static void test_freshen(void **state)
{
    struct world *world = *state;
    struct answer answer;
    uint64_t id = put_filled(world, URI, 10000, 1);
    assert_int_equal(find(world, URI), 1);
    answer_make(&answer, "\"a\"", "max-age=999");
    answer.stored.times = (struct stet_times){NOW + 100, NOW + 101, 0};
    const struct stet__disk_put put = {
        .uri = SPAN(URI), .stored = &answer.stored, .replaced = &id, .replaced_count = 1};
    assert_true(stet__disk_put_head(world->disk, &world->found[0], &put));
    assert_int_equal(find(world, URI), 1);
    assert_true(world->found[0].id == id);
    assert_int_equal(world->found[0].stored.times.request, NOW + 100);
    assert_int_equal(world->found[0].used_at, NOW + 101);
    assert_true(holds_filled(world, &world->found[0], 10000, 1));
    assert_true(stet__disk_remove_entry(world->disk, id));
    assert_false(stet__disk_put_head(world->disk, &world->found[0], &put));
    assert_int_equal(find(world, URI), 0);
    assert_int_equal(faults(world, false, NULL), 0);
}

/* RFC 9111 section 4.1: what another request got answers this one, too. */
static void test_adopt(void **state)
{
    struct world *world = *state;
    struct answer answer;
    (void)put_filled(world, URI, 10000, 1);
    assert_int_equal(find(world, URI), 1);
    answer_make(&answer, "\"a\"", "max-age=5");
    const struct stet__disk_put put = {.uri = SPAN(URI), .stored = &answer.stored};
    assert_true(stet__disk_put_head(world->disk, &world->found[0], &put));
    assert_int_equal(find(world, URI), 2);
    assert_true(world->found[0].id != world->found[1].id);
    assert_true(holds_filled(world, &world->found[0], 10000, 1));
    assert_int_equal(stats(world).bodies, 1);
    assert_true(stet__disk_remove_entry(world->disk, world->found[1].id));
    assert_int_equal(find(world, URI), 1);
    assert_true(holds_filled(world, &world->found[0], 10000, 1));
    assert_int_equal(faults(world, false, NULL), 0);
}

static void test_replace(void **state)
{
    struct world *world = *state;
    uint64_t id = put_filled(world, URI, 10000, 1);
    (void)put_instead(world, URI, "\"b\"", STET_SPAN("new"), id);
    assert_int_equal(find(world, URI), 1);
    assert_true(holds(world, &world->found[0], STET_SPAN("new")));
    world_close(world);
    assert_int_equal(files_in(world, "bodies"), 0);
    world_open(world);
    assert_int_equal(faults(world, false, NULL), 0);
}

static void test_same_octets_once(void **state)
{
    static const size_t sizes[] = {100, 100000};
    struct world *world = *state;
    for (size_t i = 0; i < 2; i++) {
        (void)put_filled(world, "http://a.example/", sizes[i], 7);
        (void)put_filled(world, "http://b.example/", sizes[i], 7);
        struct stet__disk_stats now = stats(world);
        assert_int_equal(now.bodies, 1);
        assert_int_equal(now.entries, 2);
        assert_int_equal(now.uris, 2);
        assert_int_equal(now.saved_octets, sizes[i]);
        assert_int_equal(stet__disk_remove(world->disk, SPAN("http://a.example/")), 1);
        assert_int_equal(find(world, "http://b.example/"), 1);
        assert_true(holds_filled(world, &world->found[0], sizes[i], 7));
        assert_int_equal(stet__disk_remove(world->disk, SPAN("http://b.example/")), 1);
        stet__disk_flush(world->disk);
        assert_int_equal(files_in(world, "bodies"), 0);
        assert_int_equal(stats(world).body_octets, 0);
    }
}

/* What is about to be unlinked is wanted again. */
static void test_revive(void **state)
{
    struct world *world = *state;
    (void)put_filled(world, URI, 100000, 7);
    assert_int_equal(stet__disk_remove(world->disk, SPAN(URI)), 1);
    (void)put_filled(world, URI, 100000, 7);
    world_close(world);
    world_open(world);
    assert_int_equal(find(world, URI), 1);
    assert_true(holds_filled(world, &world->found[0], 100000, 7));
    assert_int_equal(faults(world, false, NULL), 0);
}

static void test_variants(void **state)
{
    struct world *world = *state;
    uint64_t last = 0;
    for (unsigned i = 0; i < STET_CANDIDATES_MAX + 10; i++)
        last = put_filled(world, URI, 10, i);
    assert_int_equal(find(world, URI), STET_CANDIDATES_MAX);
    assert_true(world->found[0].id == last);
    for (unsigned i = 0; i < STET_CANDIDATES_MAX; i++)
        assert_true(holds_filled(world, &world->found[i], 10, STET_CANDIDATES_MAX + 9 - i));
}

static void test_long_uris(void **state)
{
    struct world *world = *state;
    char uris[3][4000];
    for (int i = 0; i < 3; i++) {
        memset(uris[i], 'x', sizeof uris[i]);
        memcpy(uris[i], "http://a/", 9);
        uris[i][3998] = (char)('0' + i);
        uris[i][3999] = 0;
        (void)put_filled(world, uris[i], 10, (unsigned)i);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(find(world, uris[i]), 1);
        assert_true(holds_filled(world, &world->found[0], 10, i));
    }
}

static void test_invalidate(void **state)
{
    struct world *world = *state;
    uint64_t id = put_filled(world, URI, 10, 1);
    (void)put_filled(world, URI, 10, 2);
    assert_true(stet__disk_invalidate_entry(world->disk, id));
    assert_int_equal(find(world, URI), 2);
    assert_false(world->found[0].invalidated);
    assert_true(world->found[1].invalidated);
    assert_int_equal(stet__disk_invalidate(world->disk, SPAN(URI)), 2);
    assert_int_equal(stet__disk_invalidate(world->disk, SPAN("http://none/")), 0);
    assert_false(stet__disk_invalidate_entry(world->disk, 1));
    assert_int_equal(find(world, URI), 2);
    assert_true(world->found[0].invalidated && world->found[1].invalidated);
    assert_true(holds_filled(world, &world->found[0], 10, 2));
}

static void test_remove_prefix(void **state)
{
    struct world *world = *state;
    char longer[1000], uri[32];
    for (unsigned i = 0; i < 1500; i++) {
        snprintf(uri, sizeof uri, "http://p/%c/%u", i % 3 ? 'x' : 'y', i);
        (void)put_filled(world, uri, i % 500 ? 10 : 5000, i);
    }
    memset(longer, 'x', sizeof longer);
    memcpy(longer, "http://q/", 9);
    longer[998] = 'a', longer[999] = 0;
    (void)put_filled(world, longer, 10, 1);
    longer[998] = 'b';
    (void)put_filled(world, longer, 10, 2);
    assert_int_equal(stet__disk_remove_prefix(world->disk, SPAN("http://p/z")), 0);
    assert_int_equal(stet__disk_remove_prefix(world->disk, SPAN("http://p/y/")), 500);
    assert_int_equal(stet__disk_remove_prefix(world->disk, SPAN(longer)), 1);
    assert_int_equal(stats(world).entries, 1001);
    assert_int_equal(stet__disk_remove_prefix(world->disk, SPAN("")), 1001);
    assert_int_equal(faults(world, false, NULL), 0);
    assert_int_equal(files_in(world, "bodies"), 0);
    assert_int_equal(stats(world).body_octets, 0);
}

static void test_evict_least_used(void **state)
{
    struct world *world = *state;
    world_close(world);
    world->settings.octets_max = 1 << 20;
    world->settings.object_max = 1 << 19;
    world_open(world);
    (void)put_filled(world, "http://e/old", 100000, 900);
    (void)put_filled(world, "http://e/used", 100000, 901);
    stet__disk_flush(world->disk);
    assert_int_equal(find(world, "http://e/used"), 1);
    stet__disk_touch(world->disk, &world->found[0], NOW + 1000);
    for (unsigned i = 0; i < 20; i++) {
        char uri[32];
        snprintf(uri, sizeof uri, "http://e/%u", i);
        (void)put_filled(world, uri, 100000, i);
        stet__disk_flush(world->disk);
        assert_true(stats(world).octets <= 1 << 20);
    }
    assert_int_equal(find(world, "http://e/old"), 0);
    assert_int_equal(find(world, "http://e/used"), 1);
    assert_true(stats(world).evicted >= 10);
    world_close(world);
    world_open(world);
    assert_true(files_in(world, "bodies") <= 10);
    assert_int_equal(faults(world, false, NULL), 0);
    /* What is larger than any may be is not begun, or given up. */
    struct answer answer;
    answer_make(&answer, "\"a\"", NULL);
    const struct stet__disk_put put = {.uri = SPAN(URI), .stored = &answer.stored};
    assert_null(stet__disk_body_begin(world->disk, &put, NULL, (1 << 19) + 1));
    char *much = calloc(1, (1 << 19) + 1);
    struct stet__disk_body *body = stet__disk_body_begin(world->disk, &put, NULL, UINT64_MAX);
    assert_true(stet__disk_body_append(body, stet_span_of(much, 1 << 18)));
    assert_false(stet__disk_body_append(body, stet_span_of(much, (1 << 18) + 1)));
    assert_false(stet__disk_body_commit(body, NULL, NULL));
    free(much);
    assert_int_equal(find(world, URI), 0);
    assert_int_equal(files_in(world, "parts"), 0);
}

/* --- parts --- */

static void cut_after(struct world *world, const char *etag, size_t octets)
{
    struct answer answer;
    char *text = malloc(octets);
    fill_octets(text, octets, 5);
    answer_make(&answer, etag, NULL);
    answer.stored.held.length_known = true;
    answer.stored.held.complete_length = 200000;
    struct stet__disk_body *body = put_begin(world, URI, &answer.stored);
    assert_true(stet__disk_body_append(body, stet_span_of(text, octets)));
    stet__disk_body_cut(body);
    free(text);
}

static void test_what_cannot_be_resumed_leaves_nothing(void **state)
{
    struct world *world = *state;
    cut_after(world, "\"a\"", STET__DISK_PART_MIN - 1);
    cut_after(world, "W/\"a\"", 100000);
    cut_after(world, NULL, 100000);
    assert_int_equal(find(world, URI), 0);
    assert_int_equal(files_in(world, "parts"), 0);
    assert_int_equal(faults(world, false, NULL), 0);
}

static void resume(struct world *world)
{
    struct answer answer;
    char *text = malloc(200000);
    fill_octets(text, 200000, 5);
    answer_make(&answer, "\"a\"", NULL);
    answer.stored.held =
        (struct stet_held){.complete = true, .length_known = true, .complete_length = 200000};
    const struct stet__disk_put put = {.uri = SPAN(URI), .stored = &answer.stored};
    struct stet__disk_entry part = world->found[0];
    struct stet__disk_body *body = stet__disk_body_begin(world->disk, &put, &part, 200000);
    assert_non_null(body);
    assert_int_equal(stet__disk_body_octets(body), 100000);
    assert_null(stet__disk_body_begin(world->disk, &put, &part, 200000));
    assert_int_equal(find(world, URI), 0);
    assert_true(stet__disk_body_append(body, stet_span_of(text + 100000, 100000)));
    assert_true(stet__disk_body_commit(body, NULL, NULL));
    free(text);
}

static void test_resume(void **state)
{
    struct world *world = *state;
    cut_after(world, "\"a\"", 100000);
    world_close(world);
    world_open(world);
    assert_int_equal(find(world, URI), 1);
    const struct stet_held *held = &world->found[0].stored.held;
    assert_false(held->complete || world->found[0].has_digest);
    assert_true(held->length_known && held->complete_length == 200000);
    assert_true(held->range.first == 0 && held->range.last == 99999);
    assert_true(holds_filled(world, &world->found[0], 100000, 5));
    assert_int_equal(stats(world).parts, 1);
    assert_int_equal(faults(world, false, NULL), 0);
    resume(world);
    assert_int_equal(find(world, URI), 1);
    assert_true(world->found[0].stored.held.complete);
    assert_true(holds_filled(world, &world->found[0], 200000, 5));
    assert_int_equal(stats(world).parts, 0);
    world_close(world);
    assert_int_equal(files_in(world, "parts"), 0);
    world_open(world);
    assert_int_equal(faults(world, false, NULL), 0);
}

/* An answer that says how long it is, but is not, is no complete body. */
static void test_short_is_not_whole(void **state)
{
    struct world *world = *state;
    struct answer answer;
    answer_make(&answer, "W/\"a\"", "max-age=60");
    answer.stored.held.length_known = true;
    answer.stored.held.complete_length = 10;
    struct stet__disk_body *body = put_begin(world, URI, &answer.stored);
    assert_true(stet__disk_body_append(body, STET_SPAN("nine octe")));
    assert_false(stet__disk_body_commit(body, NULL, NULL));
    assert_int_equal(find(world, URI), 0);
}

static void test_body_under_way_can_be_read(void **state)
{
    struct world *world = *state;
    struct answer answer;
    char room[8];
    answer_make(&answer, NULL, "max-age=60");
    struct stet__disk_body *body = put_begin(world, URI, &answer.stored);
    assert_true(stet__disk_body_append(body, STET_SPAN("abc")));
    int fd = stet__disk_body_fd(body);
    assert_true(stet__disk_body_append(body, STET_SPAN("def")));
    assert_int_equal(pread(fd, room, sizeof room, 0), 6);
    assert_memory_equal(room, "abcdef", 6);
    assert_true(stet__disk_body_commit(body, NULL, NULL));
    assert_int_equal(find(world, URI), 1);
    assert_true(stet__disk_body_small(world->disk, &world->found[0], &world->arena).len == 6);
    assert_int_equal(files_in(world, "parts"), 0);
}

/* --- outputs --- */

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_outputs(void **state)
{
    struct world *world = *state;
    struct stet__disk_output output = {.decoded = true, .digest = {1, 2, 3}}, found;
    char path[128];
    snprintf(path, sizeof path, "%s/out.txt", world->folder);
    stet__disk_output_put(world->disk, path, &output);
    assert_false(stet__disk_output_find(world->disk, path, &found));
    write_file(path, "text");
    stet__disk_output_put(world->disk, path, &output);
    assert_true(stet__disk_output_find(world->disk, path, &found));
    assert_true(found.decoded);
    assert_memory_equal(found.digest, output.digest, sizeof output.digest);
    world_close(world);
    world_open(world);
    assert_true(stet__disk_output_find(world->disk, path, &found));
    assert_int_equal(stats(world).outputs, 1);
    write_file(path, "other text");
    assert_false(stet__disk_output_find(world->disk, path, &found));
    unlink(path);
    assert_false(stet__disk_output_find(world->disk, path, &found));
    /* Rows of files that are gone do not pile up: one that chance leads to goes. */
    snprintf(path, sizeof path, "%s/out2.txt", world->folder);
    write_file(path, "text");
    for (int i = 0; i < 10000; i++)
        stet__disk_output_put(world->disk, path, &output);
    assert_int_equal(stats(world).outputs, 1);
    assert_int_equal(faults(world, false, NULL), 0);
}

static void test_counts(void **state)
{
    struct world *world = *state;
    stet__disk_count(world->disk, STET__DISK_HIT, 10);
    stet__disk_count(world->disk, STET__DISK_VALIDATED, 5);
    stet__disk_count(world->disk, STET__DISK_MISS, 0);
    world_close(world);
    world_open(world);
    stet__disk_count(world->disk, STET__DISK_HIT, 1);
    struct stet__disk_stats now = stats(world);
    assert_int_equal(now.hits, 2);
    assert_int_equal(now.validated, 1);
    assert_int_equal(now.misses, 1);
    assert_int_equal(now.not_sent, 16);
}

/* Who only looks does not know how large it may be. */
static void test_limit_is_remembered(void **state)
{
    struct world *world = *state;
    assert_int_equal(stats(world).octets_max, 64 << 20);
    world_close(world);
    world->settings.octets_max = 0;
    world_open(world);
    assert_int_equal(stats(world).octets_max, 64 << 20);
    world_close(world);
    world->settings.octets_max = 1 << 20;
    world_open(world);
    world_close(world);
    world->settings.octets_max = 0;
    world_open(world);
    assert_int_equal(stats(world).octets_max, 1 << 20);
}

struct seen {
    struct world *world;
    size_t count;
    char last[64];
};

static bool see(void *owner, const struct stet__disk_entry *entry)
{
    struct seen *seen = owner;
    char uri[64];
    snprintf(uri, sizeof uri, "%.*s", (int)entry->uri.len, entry->uri.ptr);
    assert_true(strcmp(seen->last, uri) < 0);
    memcpy(seen->last, uri, sizeof uri);
    seen->count++;
    if (seen->count % 2)
        assert_true(stet__disk_remove_entry(seen->world->disk, entry->id));
    return true;
}

static void test_each_in_order(void **state)
{
    struct world *world = *state;
    struct seen seen = {world, 0, ""};
    for (unsigned i = 0; i < 300; i++) {
        char uri[32];
        snprintf(uri, sizeof uri, "http://o/%03u", i * 7 % 300);
        (void)put_filled(world, uri, 10, i);
    }
    assert_int_equal(stet__disk_each(world->disk, &policy, see, &seen), STET_OK);
    assert_int_equal(seen.count, 300);
    assert_int_equal(stats(world).entries, 150);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)
    const struct CMUnitTest tests[] = {
        TEST(test_put_and_find),
        TEST(test_what_is_kept_of_a_head),
        TEST(test_freshen),
        TEST(test_adopt),
        TEST(test_replace),
        TEST(test_same_octets_once),
        TEST(test_revive),
        TEST(test_variants),
        TEST(test_long_uris),
        TEST(test_invalidate),
        TEST(test_remove_prefix),
        TEST(test_evict_least_used),
        TEST(test_what_cannot_be_resumed_leaves_nothing),
        TEST(test_resume),
        TEST(test_short_is_not_whole),
        TEST(test_body_under_way_can_be_read),
        TEST(test_outputs),
        TEST(test_counts),
        TEST(test_limit_is_remembered),
        TEST(test_each_in_order),
    };
    return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
