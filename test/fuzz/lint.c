/* SPDX-License-Identifier: MIT */
/*
 * The linter on any exchange: lint.h.
 *
 * The first four octets choose method, status, clock and facts of the wire; then come up to three sections of
 * lines "Name: value", apart by empty lines: the request, its answer, and another answer, beside which the
 * first is a probe's. What must hold:
 *   1. findings are counted alike with room for all, for some and for none, and the first ones are the same;
 *   2. each names a row, borrows from the input, and has a detail that ends within its room and is plain
 * ASCII.
 */
#include <stdlib.h>

#include <stet/lint.h>

#define LINES 64
#define ROOM 256
#define SOME 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool within(struct stet_span part, struct stet_span whole)
{
    return !part.ptr || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

/* The lines up to an empty one; what is no field line is skipped. */
static void read_section(struct stet_span *rest, struct stet_field *room, struct stet_fields *out)
{
    *out = (struct stet_fields){.at = room};
    while (rest->len > 0) {
        const char *end = memchr(rest->ptr, '\n', rest->len);
        struct stet_span line = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
        *rest = stet_span_skip(*rest, line.len + (end != NULL));
        const char *colon = line.len > 0 ? memchr(line.ptr, ':', line.len) : NULL;
        if (line.len == 0)
            return;
        if (!colon || colon == line.ptr || out->count == LINES)
            continue;
        struct stet_field *field = &room[out->count++];
        field->name = stet_span_of(line.ptr, (size_t)(colon - line.ptr));
        field->value = stet_span_trim(stet_span_skip(line, field->name.len + 1));
        field->id = stet_field_id(field->name);
        if (field->id != STET_FIELD_OTHER)
            out->present |= 1ull << field->id;
    }
}

static void read_exchange(const uint8_t facts[4], struct stet_lint_exchange *out)
{
    static const unsigned statuses[] = {200, 200, 206, 304, 412, 416, 204, 301, 404, 421, 103, 500};
    static const char *const methods[] = {"GET", "GET", "HEAD", "POST", "PUT", "FROB"};
    static const int64_t times[] = {0, 1795253400, 1795253460, INT64_MIN, INT64_MAX};
    const char *method = methods[facts[0] % 6];
    out->request.method_name = stet_span_of(method, strlen(method));
    out->request.method = stet_method_id(out->request.method_name);
    out->request.target = STET_SPAN("/app.5f3a9c02.css");
    out->response.status = statuses[facts[1] % 12];
    out->times_known = facts[2] & 1;
    out->requested_at = times[facts[2] / 2 % 5];
    out->received_at = times[facts[2] / 16 % 5];
    out->secure = facts[3] & 1;
    out->wire_known = facts[3] & 2;
    out->octets_behind = facts[3] & 4 ? UINT64_MAX : 0;
    out->cut = facts[3] & 8;
    out->minor = facts[3] >> 4 & 1;
    out->content_known = facts[3] & 32;
    out->content_length = facts[3] & 64 ? UINT64_MAX : facts[0];
    out->identity_known = facts[3] & 128;
    out->identity_length = facts[1];
}

static void check_finding(const struct stet_lint_finding *finding, struct stet_span input)
{
    size_t len = 0;
    require((unsigned)finding->lint < STET_LINT_COUNT && stet_lint_row(finding->lint)->name[0] != '\0');
    require(within(finding->sent, input) && within(finding->came, input));
    while (len < STET_LINT_DETAIL_MAX && finding->detail[len] != '\0') {
        require(finding->detail[len] >= ' ' && finding->detail[len] <= '~');
        len++;
    }
    require(len < STET_LINT_DETAIL_MAX);
}

/* `kind` STET_PROBE_COUNT: one exchange by itself. */
static size_t look(unsigned kind, const struct stet_lint_exchange both[2], struct stet_lint_finding *room,
                   size_t count)
{
    struct stet_lint_findings out = {room, count, 0};
    if (kind == STET_PROBE_COUNT)
        stet_lint_exchange(&both[0], &out);
    else
        stet_lint_probe(kind, &both[1], &both[0], &out);
    return out.count;
}

static void check(unsigned kind, const struct stet_lint_exchange both[2], struct stet_span input)
{
    static struct stet_lint_finding all[ROOM], some[SOME];
    size_t count = look(kind, both, all, ROOM);
    require(look(kind, both, NULL, 0) == count && look(kind, both, some, SOME) == count);
    for (size_t i = 0; i < count && i < ROOM; i++)
        check_finding(&all[i], input);
    for (size_t i = 0; i < count && i < SOME; i++)
        require(some[i].lint == all[i].lint && strcmp(some[i].detail, all[i].detail) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stet_field request[LINES], answers[2][LINES];
    struct stet_lint_exchange both[2] = {{.secure = false}};
    if (size < 4 || size > 4096)
        return 0;
    struct stet_span input = {(const char *)data + 4, size - 4}, rest = input;
    read_exchange(data, &both[0]);
    read_section(&rest, request, &both[0].request.fields);
    both[1] = both[0];
    read_section(&rest, answers[0], &both[0].response.fields);
    read_section(&rest, answers[1], &both[1].response.fields);
    both[1].response.status = 200;
    for (unsigned kind = 0; kind <= STET_PROBE_COUNT; kind++)
        check(kind, both, input);
    return 0;
}
