/* SPDX-License-Identifier: MIT */
/*
 * No-Vary-Search and queries: draft-ietf-httpbis-no-vary-search.
 *
 * The input is a field value and a query, LF between them. What must hold: without effect the query comes out
 * as it is; what is written fits the promised room, has only octets of the serialiser, is no longer than what
 * is kept makes it, and stands for itself; and if order does not matter, keys come out sorted.
 */
#include <stdlib.h>

#include <stet/no_vary_search.h>

#define INPUT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static size_t count_parameters(struct stet_span query)
{
    size_t count = 0;
    for (size_t i = 0; i < query.len; i++)
        count += query.ptr[i] != '&' && (i == 0 || query.ptr[i - 1] == '&');
    return count;
}

static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c != '\0' && strchr("*-._+%", c));
}

/* name=value pairs between ampersands, of the octets of the serialiser; `*pairs` is their number. */
static void check_form(struct stet_span out, size_t *pairs)
{
    size_t equals = 0;
    *pairs = 0;
    for (size_t i = 0; i <= out.len; i++) {
        if (i < out.len && out.ptr[i] == '=') {
            equals++;
        } else if (i < out.len && out.ptr[i] != '&') {
            require(is_plain(out.ptr[i]));
        } else if (out.len > 0) {
            require(equals == 1);
            equals = 0;
            ++*pairs;
        }
    }
}

static void check_write(const struct stet_no_vary_search *nvs, struct stet_span query)
{
    static char out[9 * INPUT_MAX + 1], again[9 * INPUT_MAX + 1];
    size_t len = stet_no_vary_search_write(nvs, query, out, 9 * query.len + 1), pairs;
    require(len != SIZE_MAX);
    size_t parameters = count_parameters(query);
    if (!nvs->given || parameters > STET_QUERY_PARAMETERS_MAX) {
        require(stet_span_equal(query, stet_span_of(out, len)));
        return;
    }
    check_form(stet_span_of(out, len), &pairs);
    require(pairs <= parameters);
    require(stet_no_vary_search_write(nvs, stet_span_of(out, len), again, len) == len);
    require(memcmp(out, again, len) == 0);
    if (len > 0)
        require(stet_no_vary_search_write(nvs, query, again, len - 1) == SIZE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX)
        return 0;
    const uint8_t *lf = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t first = lf ? (size_t)(lf - data) : size;
    struct stet_span value = stet_span_trim(stet_span_of((const char *)data, first));
    struct stet_span query =
        stet_span_of((const char *)data + first + (lf != NULL), size - first - (lf != NULL));
    const struct stet_field line = {STET_SPAN("No-Vary-Search"), value, STET_FIELD_NO_VARY_SEARCH};
    const struct stet_fields response = {&line, 1, 1ull << STET_FIELD_NO_VARY_SEARCH};
    struct stet_no_vary_search nvs, same;
    stet_no_vary_search_read(&response, &nvs);
    stet_no_vary_search_read_value(value, &same);
    require(nvs.given == same.given && nvs.key_order == same.key_order && nvs.all == same.all);
    require(nvs.given || (!nvs.key_order && !nvs.all));
    check_write(&nvs, query);
    stet_no_vary_search_read_value(STET_SPAN("key-order"), &nvs);
    check_write(&nvs, query);
    return 0;
}
