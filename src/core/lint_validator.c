/* SPDX-License-Identifier: MIT */
/*
 * ETag and Last-Modified: RFC 9110 section 8.8. What is wrong with their form is said of any answer; what
 * they are good for, of a 200 to GET or HEAD only, because other answers need not have them.
 *
 * From the look of a tag nothing follows for sure. What is told by it is a note, never more.
 */
#include <stet/coded_tag.h>

#include "core/lint.h"
#include "core/octet.h"

#define LONG_TAG 128 /* octets: a SHA-512 in base64 or hexadecimal fits */

static bool holds(struct stet_span s, char c)
{
    return s.len > 0 && memchr(s.ptr, c, s.len) != NULL;
}

static void malformed_etag(const struct stet__lint_look *look, struct stet_span value)
{
    struct stet_etag tag;
    if (!holds(value, '"') && value.len > 0)
        stet__lint_came(look->out, STET_LINT_ETAG_UNQUOTED, value);
    else if (stet_span_starts(value, STET_SPAN("w/\"")) &&
             stet_etag_parse(stet_span_skip(value, 2), &tag) == STET_OK)
        stet__lint_came(look->out, STET_LINT_ETAG_LOWER_CASE_WEAK, value);
    else
        stet__lint_text(stet__lint_came(look->out, STET_LINT_ETAG_MALFORMED, value),
                        value.len == 0 ? "it is empty" : "");
}

static bool is_hexadecimal(char c)
{
    return stet__octet_is_digit(c) || (c >= 'a' && c <= 'f');
}

/* The next group of lower-case hexadecimal digits up to a hyphen or the end; false if it is none. */
static bool next_group(struct stet_span *rest, uint64_t *number)
{
    size_t len = 0;
    *number = 0;
    for (; len < rest->len && rest->ptr[len] != '-'; len++) {
        unsigned char c = (unsigned char)rest->ptr[len];
        if (!is_hexadecimal((char)c) || len == 16)
            return false;
        *number = *number * 16 + (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *rest = stet_span_skip(*rest, len < rest->len ? len + 1 : len);
    return len > 0;
}

/* "timelength" (Caddy), both in base 36 and nothing between them. The time has six digits until 2038. */
static bool joined_in_base_36(struct stet_span s, int64_t modified)
{
    enum { TIME_LEN = 6, LENGTH_LEN_MAX = 9 };
    uint64_t time = 0;
    if (s.len <= TIME_LEN || s.len > TIME_LEN + LENGTH_LEN_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool digit = stet__octet_is_digit((char)c);
        if (!digit && (c < 'a' || c > 'z'))
            return false;
        if (i < TIME_LEN)
            time = time * 36 + (uint64_t)(digit ? c - '0' : c - 'a' + 10);
    }
    return time == (uint64_t)modified;
}

/* Servers that make a tag of what the file system says, join it in hexadecimal: "inode-length-time" (Apache
 * until 2.2), "time-length" (nginx, in seconds). */
static void file_system_etag(const struct stet__lint_look *look, struct stet_span value, struct stet_etag tag)
{
    uint64_t number[4];
    size_t count = 0;
    struct stet_span rest = tag.opaque;
    int64_t modified = look->own.selected.last_modified;
    if (!tag.weak && modified > 0 && joined_in_base_36(rest, modified)) {
        stet__lint_came(look->out, STET_LINT_ETAG_OF_TIME, value);
        return;
    }
    while (rest.len > 0 && count < 4)
        if (!next_group(&rest, &number[count++]))
            return;
    if (count == 3 && tag.opaque.len >= 16)
        stet__lint_came(look->out, STET_LINT_ETAG_INODE, value);
    else if (count == 2 && !tag.weak && modified > 0 && number[0] == (uint64_t)modified)
        stet__lint_came(look->out, STET_LINT_ETAG_OF_TIME, value);
}

static void suffix(const struct stet__lint_look *look, struct stet_span value, struct stet_etag tag)
{
    struct stet_coded_tag coded;
    stet_coded_tag_read(tag, &coded);
    if (coded.kind != STET_CODED_TAG_FOREIGN)
        return;
    struct stet_lint_finding *finding = stet__lint_came(look->out, STET_LINT_ETAG_CODING_SUFFIX, value);
    stet__lint_octets(finding, stet_span_skip(tag.opaque, coded.base.opaque.len));
}

static bool beyond_ascii(struct stet_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] >= 0x80)
            return true;
    return false;
}

/* What templates and scripts write for nothing, and what is left of one that was not filled in. */
static bool is_placeholder(struct stet_span opaque)
{
    static const struct stet_span words[] = {{"undefined", 9}, {"null", 4},  {"none", 4}, {"nil", 3},
                                             {"nan", 3},       {"false", 5}, {"etag", 4}};
    static const struct stet_span begins[] = {{"${", 2}, {"{{", 2}, {"%{", 2}, {"<%", 2}, {"#{", 2}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (stet_span_equal_nocase(opaque, words[i]))
            return true;
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (stet_span_starts(opaque, begins[i]))
            return true;
    return false;
}

static void good_etag(const struct stet__lint_look *look, struct stet_span value, struct stet_etag tag)
{
    struct stet_lint_findings *out = look->out;
    stet__lint_came(out, tag.weak ? STET_LINT_ETAG_WEAK : STET_LINT_STRONG_ETAG, value);
    if (tag.opaque.len == 0)
        stet__lint_came(out, STET_LINT_ETAG_EMPTY, value);
    if (is_placeholder(tag.opaque))
        stet__lint_came(out, STET_LINT_ETAG_PLACEHOLDER, value);
    if (tag.opaque.len > LONG_TAG) {
        struct stet_lint_finding *finding = stet__lint_came(out, STET_LINT_ETAG_LONG, value);
        stet__lint_number(finding, (int64_t)tag.opaque.len);
        stet__lint_text(finding, " octets");
    }
    if (beyond_ascii(tag.opaque))
        stet__lint_came(out, STET_LINT_ETAG_NOT_ASCII, value);
    if (holds(tag.opaque, '\\'))
        stet__lint_came(out, STET_LINT_ETAG_BACKSLASH, value);
    if (holds(tag.opaque, ','))
        stet__lint_came(out, STET_LINT_ETAG_COMMA, value);
    suffix(look, value, tag);
    file_system_etag(look, value, tag);
}

static void etag(const struct stet__lint_look *look)
{
    const struct stet_field *field = stet_fields_find(look->fields, STET_FIELD_ETAG, 0);
    struct stet_etag tag;
    if (!field)
        return;
    if (stet_fields_count(look->fields, STET_FIELD_ETAG) > 1) {
        const struct stet_field *other =
            stet_fields_find(look->fields, STET_FIELD_ETAG, (size_t)(field - look->fields->at) + 1);
        stet__lint_came(look->out, STET_LINT_ETAG_SEVERAL, other->value);
    }
    if (stet_etag_parse(field->value, &tag) != STET_OK)
        malformed_etag(look, field->value);
    else if (look->answers)
        good_etag(look, field->value, tag);
}

static void seconds_apart(struct stet_lint_finding *finding, const char *before, int64_t seconds)
{
    stet__lint_text(finding, before);
    stet__lint_seconds(finding, seconds);
}

/* Beside Date, by the one clock of the server. */
static void modified_beside_date(const struct stet__lint_look *look, struct stet_span value, int64_t modified)
{
    if (modified > look->date)
        seconds_apart(stet__lint_came(look->out, STET_LINT_LAST_MODIFIED_AFTER_DATE, value), "later by ",
                      modified - look->date);
    else if (look->answers && !look->own.selected.last_modified_strong)
        stet__lint_came(look->out, STET_LINT_LAST_MODIFIED_RECENT, value);
}

static void good_last_modified(const struct stet__lint_look *look, struct stet_span value, int64_t modified)
{
    struct stet_representation selected = {.exists = true};
    if (look->date != STET_NO_DATE)
        modified_beside_date(look, value, modified);
    else if (look->exchange->times_known && modified > look->now + STET__LINT_CLOCK_S)
        seconds_apart(stet__lint_came(look->out, STET_LINT_LAST_MODIFIED_FUTURE, value), "by ",
                      modified - look->now);
    (void)stet_representation_date(&selected, modified, modified);
    if (selected.last_modified == STET_NO_DATE)
        stet__lint_came(look->out, STET_LINT_LAST_MODIFIED_CONSTANT, value);
    else if (look->answers && (look->date == STET_NO_DATE || modified < look->date))
        stet__lint_came(look->out, STET_LINT_LAST_MODIFIED, value);
}

static void last_modified(const struct stet__lint_look *look)
{
    struct stet_span value = stet__lint_value(look->fields, STET_FIELD_LAST_MODIFIED);
    int64_t modified;
    if (!value.ptr)
        return;
    if (stet_fields_count(look->fields, STET_FIELD_LAST_MODIFIED) > 1)
        stet__lint_came(look->out, STET_LINT_LAST_MODIFIED_SEVERAL, value);
    if (stet_date_parse(value, look->now, &modified) != STET_OK)
        stet__lint_came(look->out, STET_LINT_LAST_MODIFIED_MALFORMED, value);
    else
        good_last_modified(look, value, modified);
}

/* Each use has to ask, and cannot: that is told by rows of its own (lint_conflict.c, lint_freshness.c). */
static bool told_elsewhere(const struct stet__lint_look *look)
{
    bool never_fresh = look->own.freshness.explicit_expiry && look->own.freshness.lifetime_s == 0 &&
                       look->shared.freshness.lifetime_s == 0;
    return never_fresh || stet_cache_control_unqualified(&look->shared.control, STET_CC_NO_CACHE);
}

/* What must not be kept needs nothing to ask with. */
static void missing(const struct stet__lint_look *look)
{
    bool tag = stet_fields_have(look->fields, STET_FIELD_ETAG);
    bool date = stet_fields_have(look->fields, STET_FIELD_LAST_MODIFIED);
    if (!look->answers || stet__lint_has(look, STET_CC_NO_STORE))
        return;
    if (!tag && !date && !told_elsewhere(look))
        stet__lint_add(look->out, STET_LINT_NO_VALIDATOR);
    else if (!tag && date)
        stet__lint_add(look->out, STET_LINT_NO_ETAG);
    else if (tag && !date)
        stet__lint_add(look->out, STET_LINT_NO_LAST_MODIFIED);
}

void stet__lint_validator(const struct stet__lint_look *look)
{
    etag(look);
    last_modified(look);
    missing(look);
}
