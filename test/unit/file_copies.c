/* SPDX-License-Identifier: MIT */
/*
 * file_copies: what is remembered of earlier choices is what core says each time: all combinations of field
 * values that clients and caches send, in changing order, so that what is remembered is overwritten, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stet/answer.h>

#include "serve/worker.h"

static const char *const accepts[] = {
    NULL,
    "",
    "gzip",
    "gzip, deflate",
    "gzip, deflate, br",
    "gzip, deflate, br, zstd",
    "br;q=0.5, gzip;q=0.4",
    "zstd, *",
    "*;q=0.1",
    "identity",
    "identity;q=0, br",
    "br;q=0, *",
    "malformed;;q=",
    "GZIP",
    "gzip, deflate, br, zstd, and so many others that nobody would remember all of them"};
static const char *const tags[] = {NULL,
                                   "\"x\"",
                                   "\"x;br-00000002\"",
                                   "\"x;gzip-00000001\"",
                                   "\"x;zstd-00000003\"",
                                   "\"x;br-99999999\"",
                                   "W/\"x;br-00000002\"",
                                   "\"x-gzip\"",
                                   "\"other\"",
                                   "\"other\", \"x;gzip-00000001\"",
                                   "*",
                                   "\"x;br-00000002\", \"x\""};
static const struct {
    enum stet_field_id id;
    const char *value;
} others[] = {{STET_FIELD_ACCEPT, "*/*"},
              {STET_FIELD_RANGE, "bytes=0-1"},
              {STET_FIELD_CACHE_CONTROL, "no-transform"},
              {STET_FIELD_IF_RANGE, "\"x;zstd-00000003\""},
              {STET_FIELD_IF_MATCH, "\"x;gzip-00000001\""},
              {STET_FIELD_ACCEPT_ENCODING, "zstd"},
              {STET_FIELD_IF_UNMODIFIED_SINCE, "Sat, 01 Jan 2000 00:00:00 GMT"},
              {STET_FIELD_IF_MODIFIED_SINCE, "Sat, 01 Jan 2000 00:00:00 GMT"},
              {STET_FIELD_IF_NONE_MATCH, "\"x;zstd-00000003\""}};

static void put(struct stet_request *request, struct stet_field *room, enum stet_field_id id,
                const char *value)
{
    if (!value)
        return;
    room[request->fields.count++] =
        (struct stet_field){stet_field_name(id), stet_span_of(value, strlen(value)), id};
    request->fields.present |= UINT64_C(1) << id;
}

static struct stet__serve_worker worker;
static struct stet__entry entry, there[STET_CODING_COUNT];
static struct stet__file_copies copies;
static unsigned compared, told;

static void compare(const struct stet_request *request, unsigned kept, const unsigned char *rank)
{
    struct stet_coded_offer offer = {
        .base = entry.selected.etag, .own = STET_CODING_IDENTITY, .kept = kept, .rank = rank};
    struct stet_coded_choice quick, core;
    stet__file_copies_choose(&worker, request, &entry, &offer, &quick);
    stet_coded_select(request, &offer, &core);
    assert_int_equal(quick.coding, core.coding);
    assert_int_equal(quick.reason, core.reason);
    assert_int_equal(stet_etag_present(quick.held), stet_etag_present(core.held));
    if (stet_etag_present(core.held))
        assert_true(stet_etag_strong_equal(quick.held, core.held) ||
                    (quick.held.weak && stet_etag_weak_equal(quick.held, core.held)));
    compared++;
}

/* Who is told at once that what it has is current would be told so by core. */
static void compare_current(const struct stet_request *request, unsigned kept, const unsigned char *rank)
{
    struct stet__entry *current = stet__file_copies_current(&worker, request, &entry);
    if (!current)
        return;
    struct stet_coded_offer offer = {
        .base = entry.selected.etag, .own = STET_CODING_IDENTITY, .kept = kept, .rank = rank};
    struct stet_coded_choice choice;
    struct stet_answer answer;
    stet_coded_select(request, &offer, &choice);
    struct stet__entry *shown = choice.coding == STET_CODING_IDENTITY ? &entry : copies.at[choice.coding];
    assert_ptr_equal(current, shown);
    struct stet_representation selected =
        stet_coded_selected(&entry.selected, &choice, shown->selected.etag, shown->selected.length);
    stet_answer_decide(request, &selected, 1000000000, &answer);
    assert_int_equal(answer.status, 304);
    assert_int_equal(answer.reason, STET_REASON_IF_NONE_MATCH_MATCHES);
    told++;
}

static struct stet_etag tag_of(struct stet__entry *of, const char *value)
{
    of->tag = stet_span_of(value, strlen(value));
    of->selected.etag.opaque = stet_span_of(value + 1, strlen(value) - 2);
    return of->selected.etag;
}

static void chooses_what_core_chooses(void **state)
{
    static const unsigned char rank[STET_CODING_COUNT] = {
        [STET_CODING_BR] = 3, [STET_CODING_ZSTD] = 2, [STET_CODING_GZIP] = 1};
    (void)state;
    tag_of(&entry, "\"x\"");
    tag_of(&there[STET_CODING_GZIP], "\"x;gzip-00000001\"");
    tag_of(&there[STET_CODING_BR], "\"x;br-00000002\"");
    tag_of(&there[STET_CODING_ZSTD], "\"x;zstd-00000003\"");
    entry.copies = &copies;
    entry.selected.exists = true;
    entry.selected.last_modified = 800000000;
    const size_t accept_count = sizeof accepts / sizeof *accepts, tag_count = sizeof tags / sizeof *tags,
                 other_count = sizeof others / sizeof *others;
    for (size_t i = 0; i < 8 * accept_count * tag_count * (other_count + 1); i++) {
        struct stet_field room[4];
        struct stet_request request = {.method = STET_METHOD_GET, .fields = {.at = room}};
        unsigned kept = (unsigned)(i % 8) << 1;
        for (enum stet_coding c = 0; c < STET_CODING_COUNT; c++)
            copies.at[c] = kept >> c & 1 ? &there[c] : NULL;
        put(&request, room, STET_FIELD_ACCEPT_ENCODING, accepts[i / 8 % accept_count]);
        put(&request, room, STET_FIELD_IF_NONE_MATCH, tags[i / 8 / accept_count % tag_count]);
        size_t other = i / 8 / accept_count / tag_count;
        if (other < other_count)
            put(&request, room, others[other].id, others[other].value);
        compare(&request, kept, rank);
        compare(&request, 14, rank);
        compare_current(&request, kept, rank);
    }
    assert_true(compared > 20000);
    assert_true(told > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(chooses_what_core_chooses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
