/* SPDX-License-Identifier: MIT */
/*
 * flow: each octet reaches the sink once, however often and in whatever pieces it comes; codings come off in
 * their order; another version starts over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coding/whole.h"
#include "get/flow.h"

#define TEXT "the quick brown fox jumps over the lazy dog, and over it again, and over it again"

struct sink {
    char got[4096];
    size_t len;
    unsigned begun, restarted;
    enum stet__get_take take;
    bool refuses, stays;
};

static enum stet__get_take on_begin(void *owner, const struct stet__get_answer *answer)
{
    struct sink *sink = owner;
    sink->begun++;
    return sink->take;
}

static bool on_data(void *owner, struct stet_span octets)
{
    struct sink *sink = owner;
    assert_true(octets.len > 0 && sink->len + octets.len <= sizeof sink->got);
    if (sink->refuses)
        return false;
    memcpy(sink->got + sink->len, octets.ptr, octets.len);
    sink->len += octets.len;
    return true;
}

static bool on_restart(void *owner)
{
    struct sink *sink = owner;
    sink->restarted++;
    sink->len = 0;
    return !sink->stays;
}

/* A flow into a sink, in an arena, and an answer with these fields. */
struct scene {
    struct sink sink;
    struct stet__get_sink events;
    struct stet__arena arena;
    struct stet__flow flow;
    struct stet_field fields[4];
    struct stet_stored stored;
    struct stet__get_answer answer;
};

static void set_up(struct scene *scene)
{
    *scene = (struct scene){.sink = {.take = STET__GET_TAKE}};
    scene->events = (struct stet__get_sink){
        .begin = on_begin, .data = on_data, .restart = on_restart, .owner = &scene->sink};
    stet__arena_init(&scene->arena, 1 << 20);
    stet__flow_init(&scene->flow, &scene->events, true);
}

static void tear_down(struct scene *scene)
{
    stet__flow_release(&scene->flow);
    stet__arena_release(&scene->arena);
}

static void put(struct scene *scene, enum stet_field_id id, const char *value)
{
    struct stet_fields *fields = &scene->stored.response.fields;
    scene->fields[fields->count++] =
        (struct stet_field){stet_field_name(id), stet_span_of(value, strlen(value)), id};
    fields->present |= UINT64_C(1) << id;
    fields->at = scene->fields;
}

/* An answer with this tag and coding; NULL: without. */
static int open_as(struct scene *scene, const char *etag, const char *coding)
{
    static const struct stet_cache_policy policy = {.shared = false};
    scene->stored = (struct stet_stored){.response.status = 200, .method = STET_METHOD_GET};
    if (etag)
        put(scene, STET_FIELD_ETAG, etag);
    if (coding)
        put(scene, STET_FIELD_CONTENT_ENCODING, coding);
    stet_stored_read(&scene->stored, &policy);
    return stet__flow_open(&scene->flow, &scene->arena, &scene->stored, &scene->answer, true);
}

static int feed(struct scene *scene, uint64_t offset, struct stet_span octets)
{
    return stet__flow_feed(&scene->flow, offset, octets);
}

static void assert_got(const struct scene *scene, const char *text)
{
    assert_int_equal(scene->sink.len, strlen(text));
    assert_memory_equal(scene->sink.got, text, scene->sink.len);
}

static struct stet__whole coded_as(enum stet_coding coding, const struct stet__part *from)
{
    struct stet__coder_options options = {.coding = coding, .level = 5, .output_max = 4096};
    struct stet__whole whole;
    stet__whole_init(&whole);
    assert_int_equal(stet__whole_make(&options, from, STET__WHOLE_KEEP, NULL, &whole), STET_OK);
    return whole;
}

static void hands_on_each_octet_once(void **state)
{
    struct scene scene;
    set_up(&scene);
    assert_int_equal(open_as(&scene, "\"v1\"", NULL), STET_OK);
    assert_int_equal(feed(&scene, 0, STET_SPAN("01234")), STET_OK);
    assert_int_equal(feed(&scene, 2, STET_SPAN("23")), STET_OK);
    assert_int_equal(feed(&scene, 3, STET_SPAN("34567")), STET_OK);
    assert_int_equal(open_as(&scene, "\"v1\"", NULL), STET_OK);
    assert_int_equal(feed(&scene, 0, STET_SPAN("0123456789")), STET_OK);
    assert_int_equal(stet__flow_close(&scene.flow), STET_OK);
    assert_got(&scene, "0123456789");
    assert_int_equal(scene.sink.begun, 1);
    assert_int_equal(scene.flow.out, 10);
    tear_down(&scene);
}

/* Weak tags, none, another coding: nobody knows that the octets are the same. */
static void starts_over_with_another_version(void **state)
{
    static const char *const versions[][4] = {{"\"v1\"", NULL, "\"v2\"", NULL},
                                              {"W/\"v1\"", NULL, "W/\"v1\"", NULL},
                                              {"\"v1\"", NULL, "W/\"v1\"", NULL},
                                              {NULL, NULL, NULL, NULL},
                                              {"\"v1\"", NULL, "\"v1\"", "rot13"}};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct scene scene;
        set_up(&scene);
        assert_int_equal(open_as(&scene, versions[i][0], versions[i][1]), STET_OK);
        assert_int_equal(feed(&scene, 0, STET_SPAN("old")), STET_OK);
        assert_int_equal(open_as(&scene, versions[i][2], versions[i][3]), STET_OK);
        assert_int_equal(feed(&scene, 0, STET_SPAN("new")), STET_OK);
        assert_int_equal(scene.sink.restarted, 1);
        assert_int_equal(scene.sink.begun, 2);
        assert_got(&scene, "new");
        tear_down(&scene);
    }
}

static void does_not_go_on_with_what_is_spoilt(void **state)
{
    struct scene scene;
    set_up(&scene);
    assert_int_equal(open_as(&scene, "\"v1\"", NULL), STET_OK);
    assert_int_equal(feed(&scene, 0, STET_SPAN("wrong")), STET_OK);
    stet__flow_spoil(&scene.flow);
    scene.sink.stays = true;
    assert_int_equal(open_as(&scene, "\"v1\"", NULL), STET_E_GET_SINK);
    tear_down(&scene);
}

static void goes_on_with_what_is_known(void **state)
{
    static const struct {
        const char *etag;
        bool known;
    } cases[] = {{"\"v1\"", true}, {"W/\"v1\"", false}, {NULL, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene scene;
        set_up(&scene);
        assert_true(stet__flow_may_go_on(&scene.flow));
        assert_int_equal(open_as(&scene, cases[i].etag, NULL), STET_OK);
        assert_int_equal(feed(&scene, 0, STET_SPAN("some")), STET_OK);
        scene.sink.stays = true;
        assert_int_equal(stet__flow_may_go_on(&scene.flow), cases[i].known);
        scene.sink.stays = false;
        assert_true(stet__flow_may_go_on(&scene.flow));
        assert_int_equal(scene.sink.restarted, cases[i].known ? 0 : 2);
        assert_int_equal(open_as(&scene, cases[i].etag, NULL), STET_OK);
        assert_int_equal(scene.sink.restarted, cases[i].known ? 0 : 2);
        assert_int_equal(scene.sink.begun, cases[i].known ? 1 : 2);
        tear_down(&scene);
    }
}

static void takes_codings_off_in_their_order(void **state)
{
    struct scene scene;
    struct stet__part text = stet__part_memory(STET_SPAN(TEXT)), part;
    struct stet__whole gzip = coded_as(STET_CODING_GZIP, &text);
    part = stet__whole_part(&gzip);
    struct stet__whole both = coded_as(STET_CODING_BR, &part);
    for (size_t step = 1; step < 7; step++) {
        set_up(&scene);
        assert_int_equal(open_as(&scene, "\"v1\"", "gzip, identity, br"), STET_OK);
        for (size_t at = 0; at < both.length; at += step) {
            size_t len = both.length - at < step ? (size_t)both.length - at : step;
            assert_int_equal(feed(&scene, at, stet_span_of(both.memory + at, len)), STET_OK);
        }
        assert_int_equal(stet__flow_close(&scene.flow), STET_OK);
        assert_got(&scene, TEXT);
        tear_down(&scene);
    }
    stet__whole_release(&both);
    stet__whole_release(&gzip);
}

static void tells_what_cannot_be_decoded(void **state)
{
    struct scene scene;
    struct stet__part text = stet__part_memory(STET_SPAN(TEXT));
    struct stet__whole gzip = coded_as(STET_CODING_GZIP, &text);
    set_up(&scene);
    assert_int_equal(open_as(&scene, NULL, "gzip"), STET_OK);
    assert_int_equal(feed(&scene, 0, stet_span_of(gzip.memory, (size_t)gzip.length - 1)), STET_OK);
    assert_int_equal(stet__flow_close(&scene.flow), STET_E_CODED_CUT);
    tear_down(&scene);
    set_up(&scene);
    assert_int_equal(open_as(&scene, NULL, "gzip"), STET_OK);
    assert_int_equal(feed(&scene, 0, STET_SPAN("no gzip at all")), STET_E_CODED_SYNTAX);
    tear_down(&scene);
    stet__whole_release(&gzip);
}

static void leaves_what_it_does_not_know(void **state)
{
    struct scene scene;
    set_up(&scene);
    assert_int_equal(open_as(&scene, NULL, "gzip, rot13"), STET_OK);
    assert_int_equal(feed(&scene, 0, STET_SPAN("as it came")), STET_OK);
    assert_int_equal(stet__flow_close(&scene.flow), STET_OK);
    assert_got(&scene, "as it came");
    assert_true(scene.flow.undecoded);
    tear_down(&scene);
    set_up(&scene); /* nothing came: there is nothing to take off */
    assert_int_equal(open_as(&scene, NULL, "gzip"), STET_OK);
    assert_int_equal(stet__flow_close(&scene.flow), STET_OK);
    tear_down(&scene);
}

static void does_as_the_sink_says(void **state)
{
    struct scene scene;
    set_up(&scene);
    scene.sink.take = STET__GET_SKIP;
    assert_int_equal(open_as(&scene, "\"v1\"", "gzip"), STET_OK);
    assert_int_equal(feed(&scene, 0, STET_SPAN("nobody looks at it")), STET_OK);
    assert_int_equal(stet__flow_close(&scene.flow), STET_OK);
    assert_got(&scene, "");
    tear_down(&scene);
    set_up(&scene);
    scene.sink.take = STET__GET_STOP;
    assert_int_equal(open_as(&scene, "\"v1\"", NULL), STET_E_GET_STOPPED);
    tear_down(&scene);
    set_up(&scene);
    scene.sink.refuses = true;
    assert_int_equal(open_as(&scene, "\"v1\"", NULL), STET_OK);
    assert_int_equal(feed(&scene, 0, STET_SPAN("x")), STET_E_GET_SINK);
    tear_down(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_on_each_octet_once),
        cmocka_unit_test(starts_over_with_another_version),
        cmocka_unit_test(does_not_go_on_with_what_is_spoilt),
        cmocka_unit_test(goes_on_with_what_is_known),
        cmocka_unit_test(takes_codings_off_in_their_order),
        cmocka_unit_test(tells_what_cannot_be_decoded),
        cmocka_unit_test(leaves_what_it_does_not_know),
        cmocka_unit_test(does_as_the_sink_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
