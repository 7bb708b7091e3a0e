/* SPDX-License-Identifier: MIT */
/*
 * no_vary_search: random queries against the draft and the URL and Encoding Standards done by the letter,
 * with decoded lists in memory: two queries are written the same if and only if these lists are. The cases by
 * name are in test/spec/no-vary-search.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stet/no_vary_search.h>

#include "guard.h"

#define SPAN(text) stet_span_of(text, strlen(text))
#define PIECES 8
#define TEXT_MAX 32

static struct guard guard;

struct text {
    uint32_t at[TEXT_MAX];
    size_t len;
};

struct pair {
    struct text key, value;
};

struct list {
    struct pair at[PIECES + 1];
    size_t len;
};

/* "utf-8 decoder" of the Encoding Standard. */
static void decode_utf8(const unsigned char *octets, size_t len, struct text *out)
{
    uint32_t code = 0;
    unsigned needed = 0, seen = 0, lower = 0x80, upper = 0xbf;
    out->len = 0;
    for (size_t i = 0; i < len || needed > 0; i++) {
        if (i >= len) {
            out->at[out->len++] = 0xfffd;
            return;
        }
        unsigned octet = octets[i];
        if (needed == 0) {
            needed = octet >= 0xc2 && octet <= 0xdf   ? 1
                     : octet >= 0xe0 && octet <= 0xef ? 2
                     : octet >= 0xf0 && octet <= 0xf4 ? 3
                                                      : 0;
            lower = octet == 0xe0 ? 0xa0 : octet == 0xf0 ? 0x90 : 0x80;
            upper = octet == 0xed ? 0x9f : octet == 0xf4 ? 0x8f : 0xbf;
            code = octet & (needed == 1 ? 0x1f : needed == 2 ? 0xf : 0x7);
            seen = 0;
            if (needed == 0)
                out->at[out->len++] = octet < 0x80 ? octet : 0xfffd;
        } else if (octet < lower || octet > upper) {
            needed = 0;
            lower = 0x80;
            upper = 0xbf;
            out->at[out->len++] = 0xfffd;
            i--;
        } else {
            lower = 0x80;
            upper = 0xbf;
            code = code << 6 | (octet & 0x3f);
            if (++seen == needed) {
                out->at[out->len++] = code;
                needed = 0;
            }
        }
    }
}

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static void decode(struct stet_span encoded, struct text *out)
{
    unsigned char octets[TEXT_MAX];
    size_t len = 0;
    for (size_t i = 0; i < encoded.len; i++) {
        char c = encoded.ptr[i];
        bool escape = c == '%' && encoded.len - i > 2 && digit(encoded.ptr[i + 1]) >= 0 &&
                      digit(encoded.ptr[i + 2]) >= 0;
        octets[len++] = escape ? (unsigned char)(digit(encoded.ptr[i + 1]) * 16 + digit(encoded.ptr[i + 2]))
                               : (unsigned char)(c == '+' ? ' ' : c);
        i += escape ? 2 : 0;
    }
    decode_utf8(octets, len, out);
}

static bool equal(const struct text *a, const struct text *b)
{
    return a->len == b->len && memcmp(a->at, b->at, a->len * sizeof *a->at) == 0;
}

static bool less(const struct text *a, const struct text *b)
{
    for (size_t i = 0; i < a->len && i < b->len; i++)
        if (a->at[i] != b->at[i])
            return a->at[i] < b->at[i];
    return a->len < b->len;
}

/* The parameters that matter, in the order in which they are compared. */
static void read_list(struct stet_span query, const struct stet_no_vary_search *nvs, const char *const *keys,
                      struct list *out)
{
    out->len = 0;
    for (size_t from = 0; from <= query.len;) {
        size_t end = from, equals;
        while (end < query.len && query.ptr[end] != '&')
            end++;
        for (equals = from; equals < end && query.ptr[equals] != '=';)
            equals++;
        struct pair pair;
        bool listed = false;
        decode(stet_span_of(query.ptr + from, equals - from), &pair.key);
        size_t value = equals < end ? equals + 1 : end;
        decode(stet_span_of(query.ptr + value, end - value), &pair.value);
        for (const char *const *key = keys; *key; key++) {
            struct text decoded;
            decode(SPAN(*key), &decoded);
            listed = listed || equal(&decoded, &pair.key);
        }
        if (end > from && listed == nvs->all) {
            size_t at = out->len++;
            for (; nvs->key_order && at > 0 && less(&pair.key, &out->at[at - 1].key); at--)
                out->at[at] = out->at[at - 1];
            out->at[at] = pair;
        }
        from = end + 1;
    }
}

static bool same_list(const struct list *a, const struct list *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (!equal(&a->at[i].key, &b->at[i].key) || !equal(&a->at[i].value, &b->at[i].value))
            return false;
    return true;
}

static uint64_t random_state = 1;

static unsigned roll(unsigned n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((random_state >> 33) % n);
}

static struct stet_span random_query(char *room)
{
    static const char *const pieces[] = {"a",   "b", "%61", "+",   "%20", "&",      "&",    "&",
                                         "=",   "=", "%3D", "%c3", "%A9", "\xc3",   "\xa9", "%e2",
                                         "%82", "%", "%F0", "%9f", "A",   "%ef%bf", "%bd"};
    size_t len = 0;
    for (unsigned n = roll(PIECES + 1); n > 0; n--) {
        const char *piece = pieces[roll(sizeof pieces / sizeof *pieces)];
        memcpy(room + len, piece, strlen(piece));
        len += strlen(piece);
    }
    return stet_span_of(room, len);
}

static void check_pair(const struct stet_no_vary_search *nvs, const char *const *keys, unsigned *same)
{
    char a_room[64], b_room[64], a_out[600], b_out[600];
    struct list a_list, b_list;
    struct stet_span a = random_query(a_room), b = random_query(b_room);
    read_list(a, nvs, keys, &a_list);
    read_list(b, nvs, keys, &b_list);
    size_t a_len = stet_no_vary_search_write(nvs, guard_at_end(&guard, a), a_out, 9 * a.len + 1);
    size_t b_len = stet_no_vary_search_write(nvs, guard_at_end(&guard, b), b_out, 9 * b.len + 1);
    assert_true(a_len != SIZE_MAX && b_len != SIZE_MAX);
    bool equivalent = stet_span_equal(stet_span_of(a_out, a_len), stet_span_of(b_out, b_len));
    if (equivalent != same_list(&a_list, &b_list))
        fail_msg("%.*s and %.*s: %.*s and %.*s", (int)a.len, a.ptr, (int)b.len, b.ptr, (int)a_len, a_out,
                 (int)b_len, b_out);
    *same += equivalent;
    /* What was written stands for itself. */
    size_t again = stet_no_vary_search_write(nvs, stet_span_of(a_out, a_len), b_out, sizeof(b_out));
    assert_true(again == a_len && memcmp(a_out, b_out, a_len) == 0);
}

static void test_random_queries(void **state)
{
    static const struct {
        const char *value;
        const char *const keys[3];
    } rows[] = {
        {"key-order", {NULL}},
        {"params=(\"a\")", {"a", NULL}},
        {"params=(\"%c3%A9\" \"b+\")", {"%c3%A9", "b+", NULL}},
        {"key-order, params=(\"b\")", {"b", NULL}},
        {"except=(\"a\" \"%ff\")", {"a", "%ff", NULL}},
        {"key-order, except=(\"a\" \"b\")", {"a", "b", NULL}},
        {"except=()", {NULL}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stet_no_vary_search nvs;
        unsigned same = 0;
        stet_no_vary_search_read_value(SPAN(rows[i].value), &nvs);
        assert_true(nvs.given);
        for (unsigned round = 0; round < 60000; round++)
            check_pair(&nvs, rows[i].keys, &same);
        assert_true(same > 500);
    }
}

/* A target has no octet above 0x7F: three octets for each are enough, and one. */
static void test_room_of_targets(void **state)
{
    static const char *const queries[] = {"a", "=", "%ff", "/", "a&b&c", "%ff&%ff", "~=~", "&&&", "%e2%82"};
    struct stet_no_vary_search nvs;
    char out[64];
    stet_no_vary_search_read_value(STET_SPAN("key-order"), &nvs);
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
        assert_true(stet_no_vary_search_write(&nvs, SPAN(queries[i]), out, 3 * strlen(queries[i]) + 1) !=
                    SIZE_MAX);
    assert_true(stet_no_vary_search_write(&nvs, STET_SPAN("a"), out, 1) == SIZE_MAX);
    assert_int_equal(stet_no_vary_search_write(&nvs, STET_SPAN_NONE, out, 0), 0);
}

/* Sorting is stable for as many as there may be. */
static void test_many(void **state)
{
    char query[STET_QUERY_PARAMETERS_MAX * 8], want[STET_QUERY_PARAMETERS_MAX * 8], out[sizeof query];
    struct stet_no_vary_search nvs;
    stet_no_vary_search_read_value(STET_SPAN("key-order"), &nvs);
    for (unsigned count = 1; count <= STET_QUERY_PARAMETERS_MAX; count++) {
        size_t len = 0, want_len = 0;
        for (unsigned i = 0; i < count; i++)
            len += (size_t)snprintf(query + len, sizeof(query) - len, "%s%c=%u", i > 0 ? "&" : "",
                                    "dacb"[i % 4], i);
        for (unsigned key = 'a'; key <= 'd'; key++)
            for (unsigned i = 0; i < count; i++)
                if ((unsigned)"dacb"[i % 4] == key)
                    want_len += (size_t)snprintf(want + want_len, sizeof(want) - want_len, "%s%c=%u",
                                                 want_len > 0 ? "&" : "", (char)key, i);
        assert_int_equal(stet_no_vary_search_write(&nvs, stet_span_of(query, len), out, sizeof(out)),
                         want_len);
        assert_memory_equal(out, want, want_len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_queries),
        cmocka_unit_test(test_room_of_targets),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
