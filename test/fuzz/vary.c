/* SPDX-License-Identifier: MIT */
/*
 * Selection by Vary: RFC 9111 section 4.1.
 *
 * The input is lines: the value of Vary, then values of a field, those up to an empty line for the request
 * that was stored, the rest for the one that asks. The field is one of five, by the length of the input. What
 * must hold: being the same goes both ways; every request selects what it was got with, unless Vary has an
 * asterisk; what is kept of a request selects as all of it does; and the same octets with other whitespace
 * around are the same.
 */
#include <stdlib.h>

#include <stet/vary.h>

#define INPUT_MAX 4096
#define LINES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Takes lines up to an empty one from the front of `*rest`. */
static struct stet_fields take_lines(struct stet_span *rest, struct stet_span name, struct stet_field *room)
{
    struct stet_fields fields = {.at = room};
    enum stet_field_id id = stet_field_id(name);
    while (rest->len > 0) {
        const char *lf = memchr(rest->ptr, '\n', rest->len);
        size_t len = lf ? (size_t)(lf - rest->ptr) : rest->len;
        struct stet_span value = stet_span_trim(stet_span_of(rest->ptr, len));
        *rest = stet_span_skip(*rest, lf ? len + 1 : len);
        if (value.len == 0)
            break;
        if (fields.count == LINES_MAX)
            continue;
        room[fields.count++] = (struct stet_field){name, value, id};
        fields.present = id == STET_FIELD_OTHER ? 0 : 1ull << id;
    }
    return fields;
}

static void check(const struct stet_fields *response, struct stet_span name, const struct stet_fields *a,
                  const struct stet_fields *b)
{
    struct stet_field room[LINES_MAX];
    struct stet_fields kept = {.at = room, .present = a->present};
    bool any = stet_vary_any(response), same = stet_vary_same(name, a, b);
    bool matches = stet_vary_matches(response, a, b);
    require(same == stet_vary_same(name, b, a));
    require(stet_vary_same(name, a, a) && stet_vary_same(name, b, b));
    require(stet_vary_matches(response, a, a) == !any);
    require(!any || stet_vary_present(response));
    require(!matches || !any);
    if (!any && (same || !stet_vary_names(response, name)))
        require(matches);
    if (matches && stet_vary_names(response, name) && stet_field_id(name) != STET_FIELD_ACCEPT_LANGUAGE)
        require(same);
    kept.count = stet_vary_selecting(response, a, room);
    require(kept.count == (stet_vary_names(response, name) ? a->count : 0));
    require(stet_vary_matches(response, &kept, b) == matches);
}

static void check_select(const struct stet_fields *response, const struct stet_fields *a,
                         const struct stet_fields *b)
{
    const struct stet_stored one = {
        .response.fields = *response, .method = STET_METHOD_GET, .selecting = *a, .date = 1};
    const struct stet_stored two = {.method = STET_METHOD_GET, .date = 2};
    const struct stet_stored *const stored[] = {&one, &two};
    const struct stet_request request = {.method = STET_METHOD_GET, .fields = *b};
    bool first = stet_vary_present(response) && stet_vary_matches(response, a, b);
    require(stet_vary_select(&request, stored, 2) == (first ? 0 : 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct stet_span names[] = {
        {"Accept-Encoding", 15}, {"Accept-Language", 15}, {"Cookie", 6}, {"User-Agent", 10}, {"X", 1}};
    struct stet_field vary_line, language_line, a_room[LINES_MAX], b_room[LINES_MAX], lines[2];
    if (size > INPUT_MAX)
        return 0;
    struct stet_span rest = stet_span_of((const char *)data, size), name = names[size % 5];
    const char *lf = size > 0 ? memchr(rest.ptr, '\n', rest.len) : NULL;
    size_t len = lf ? (size_t)(lf - rest.ptr) : rest.len;
    vary_line =
        (struct stet_field){STET_SPAN("Vary"), stet_span_trim(stet_span_of(rest.ptr, len)), STET_FIELD_VARY};
    language_line =
        (struct stet_field){STET_SPAN("Content-Language"), STET_SPAN("de"), STET_FIELD_CONTENT_LANGUAGE};
    lines[0] = vary_line, lines[1] = language_line;
    rest = stet_span_skip(rest, lf ? len + 1 : len);
    const struct stet_fields response = {lines, 2,
                                         1ull << STET_FIELD_VARY | 1ull << STET_FIELD_CONTENT_LANGUAGE};
    struct stet_fields a = take_lines(&rest, name, a_room);
    struct stet_fields b = take_lines(&rest, name, b_room);
    check(&response, name, &a, &b);
    check(&response, name, &b, &a);
    check_select(&response, &a, &b);
    return 0;
}
