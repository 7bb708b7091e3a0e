/* SPDX-License-Identifier: MIT */
/*
 * Rules of the command line, and patterns against paths, which come from outside: serve/rules.h.
 *
 * The input is a rule, a line end, and a path. What must hold: a rule that is taken points into its text and
 * could not end a field line; a pattern that a slow, plain matcher takes is taken, and no other.
 */
#include <stdlib.h>

#include "serve/rules.h"

#define PATTERN_MAX 100
#define PATH_ROOM 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool within(struct stet_span part, struct stet_span whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_parts(const struct stet__rule *rule, struct stet_span text)
{
    require(within(rule->pattern, text) && rule->pattern.len > 0 && within(rule->value, text));
    for (size_t i = 0; i < rule->value.len; i++)
        require(rule->value.ptr[i] == '\t' || (unsigned char)rule->value.ptr[i] >= 0x20);
    require(rule->kind == STET__RULE_CACHE || (within(rule->name, text) && rule->name.len > 0));
    require(rule->max_age_s >= -1);
}

/* Whether the pattern from `i` takes the path from `j`, given the answers for all later places. */
static bool takes(struct stet_span pattern, struct stet_span path, size_t i, size_t j,
                  bool later[PATTERN_MAX + 1][PATH_ROOM + 1])
{
    if (i == pattern.len)
        return j == path.len;
    if (pattern.ptr[i] == '*') {
        bool any = i + 1 < pattern.len && pattern.ptr[i + 1] == '*';
        bool more = j < path.len && (any || path.ptr[j] != '/');
        return later[i + (any ? 2 : 1)][j] || (more && later[i][j + 1]);
    }
    bool fits =
        j < path.len && (pattern.ptr[i] == path.ptr[j] || (pattern.ptr[i] == '?' && path.ptr[j] != '/'));
    return fits && later[i + 1][j + 1];
}

/* The definition, place by place. */
static bool plain_match(struct stet_span pattern, struct stet_span path)
{
    static bool match[PATTERN_MAX + 1][PATH_ROOM + 1];
    for (size_t i = pattern.len + 1; i-- > 0;)
        for (size_t j = path.len + 1; j-- > 0;)
            match[i][j] = takes(pattern, path, i, j, match);
    return match[0][0];
}

static void check_match(const struct stet__rule *rule, struct stet_span path)
{
    bool matches = stet__rule_matches(rule, path);
    if (rule->pattern.len > PATTERN_MAX || path.len > PATH_ROOM)
        return;
    if (!memchr(rule->pattern.ptr, '/', rule->pattern.len)) {
        const char *slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;
        if (slash)
            path = stet_span_skip(path, (size_t)(slash - path.ptr) + 1);
    }
    require(matches == plain_match(rule->pattern, path));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stet__rule rule;
    struct stet_span input = {(const char *)data, size};
    const char *end = size ? memchr(input.ptr, '\n', size) : NULL;
    struct stet_span text = stet_span_of(input.ptr, end ? (size_t)(end - input.ptr) : size);
    struct stet_span path = end ? stet_span_skip(input, text.len + 1) : STET_SPAN("/");
    if (stet__rule_parse_header(text, &rule) == STET_OK) {
        check_parts(&rule, text);
        check_match(&rule, path);
    }
    if (stet__rule_parse_cache(text, &rule) == STET_OK) {
        check_parts(&rule, text);
        check_match(&rule, path);
    }
    return 0;
}
