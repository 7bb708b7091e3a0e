/* SPDX-License-Identifier: MIT */
/*
 * dictionary: RFC 9842 sections 2.1 to 2.3. dictionary.h says which patterns are known.
 *
 * In doubt a pattern is not used. So an octet that the URL Standard would encode, or that means something
 * special in a URL Pattern, is refused, although it may have been meant literally.
 */
#include <string.h>

#include <stet/dictionary.h>
#include <stet/field.h>
#include <stet/sf.h>

/* ---- patterns ---- */

/* Octets that stand for themselves in a path and a query: RFC 3986 section 3.3, and "%". */
static bool is_literal(char c)
{
    static const char others[] = "/-._~%!$&',;=@";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && memchr(others, c, sizeof others - 1));
}

/* Octets that are special in a pattern, and may stand in a URI. */
static bool is_escapable(char c)
{
    return is_literal(c) || (c != '\0' && memchr("*+:()", c, 5));
}

/* "?" begins the query behind an octet; behind "*" it would be a modifier, as another "*" is. */
static bool is_known(struct stet_span match)
{
    bool query = false, wild = false;
    if (match.len == 0 || match.ptr[0] != '/')
        return false;
    for (size_t i = 0; i < match.len; i++) {
        char c = match.ptr[i];
        bool star = c == '*', mark = c == '?';
        if ((star && wild) || (mark && (wild || query)))
            return false;
        if (c == '\\' && (++i == match.len || !is_escapable(match.ptr[i])))
            return false;
        if (c != '\\' && !star && !mark && !is_literal(c))
            return false;
        query |= mark;
        wild = star;
    }
    return true;
}

/* A "*" takes as little as it can; if what follows does not fit, the last one takes one octet more. */
static bool fits(struct stet_span pattern, struct stet_span text)
{
    size_t at = 0, i = 0, star = SIZE_MAX, taken = 0;
    while (i < text.len) {
        bool more = at < pattern.len;
        if (more && pattern.ptr[at] == '*') {
            star = at++;
            taken = i;
            continue;
        }
        size_t literal = more && pattern.ptr[at] == '\\' ? at + 1 : at;
        if (literal < pattern.len && pattern.ptr[literal] == text.ptr[i]) {
            at = literal + 1;
            i++;
            continue;
        }
        if (star == SIZE_MAX)
            return false;
        at = star + 1;
        i = ++taken;
    }
    while (at < pattern.len && pattern.ptr[at] == '*')
        at++;
    return at == pattern.len;
}

/* Where the query begins; all of it if there is none. An escaped "?" is never in a pattern. */
static size_t path_of(struct stet_span text)
{
    const char *mark = text.len > 0 ? memchr(text.ptr, '?', text.len) : NULL;
    return mark ? (size_t)(mark - text.ptr) : text.len;
}

bool stet_dictionary_matches(struct stet_span match, struct stet_span target)
{
    size_t match_path = path_of(match), path = path_of(target);
    if (!fits(stet_span_of(match.ptr, match_path), stet_span_of(target.ptr, path)))
        return false;
    if (match_path == match.len)
        return true;
    struct stet_span query = STET_SPAN("");
    if (path < target.len)
        query = stet_span_skip(target, path + 1);
    return fits(stet_span_skip(match, match_path + 1), query);
}

/* ---- fields ---- */

/* What the members are: the last one of a name counts (RFC 9651 section 3.2). */
struct members {
    struct stet_sf_item match, id, type;
    bool has_match, has_id, has_type;
};

static bool read_members(const struct stet_fields *fields, struct members *out)
{
    struct stet_sf sf;
    struct stet_sf_member member;
    int status;
    *out = (struct members){.has_match = false};
    stet_sf_begin(&sf, STET_SF_DICTIONARY, fields, STET_FIELD_OTHER, STET_SPAN("Use-As-Dictionary"));
    while ((status = stet_sf_next(&sf, &member)) == STET_OK) {
        if (stet_span_equal(member.key, STET_SPAN("match")))
            out->match = member.item, out->has_match = true;
        else if (stet_span_equal(member.key, STET_SPAN("id")))
            out->id = member.item, out->has_id = true;
        else if (stet_span_equal(member.key, STET_SPAN("type")))
            out->type = member.item, out->has_type = true;
    }
    return status == STET_END;
}

/* A String without its escapes. False if it is none, or longer than `room`. */
static bool decode(const struct stet_sf_item *item, char *out, size_t room, size_t *len)
{
    if (item->type != STET_SF_STRING)
        return false;
    size_t count = 0;
    for (size_t i = 0; i < item->text.len; i++, count++) {
        if (count == room)
            return false;
        if (item->text.ptr[i] == '\\')
            i++;
        out[count] = item->text.ptr[i];
    }
    *len = count;
    return true;
}

bool stet_dictionary_read(const struct stet_fields *fields, struct stet_dictionary *out)
{
    struct members members;
    if (!read_members(fields, &members) || !members.has_match)
        return false;
    if (members.has_type &&
        (members.type.type != STET_SF_TOKEN || !stet_span_equal(members.type.text, STET_SPAN("raw"))))
        return false;
    size_t id_len = 0;
    if (members.has_id && !decode(&members.id, out->id, STET_DICTIONARY_ID_MAX, &id_len))
        return false;
    out->id_len = id_len;
    return decode(&members.match, out->match, STET_DICTIONARY_MATCH_MAX, &out->match_len) &&
           is_known(stet_span_of(out->match, out->match_len));
}

/* The buffers hold the longest that there is, so nothing can fail. */
static size_t put_value(enum stet_sf_type type, struct stet_span text, char *out, size_t room)
{
    struct stet_sf_writer writer;
    struct stet_span value = STET_SPAN("");
    const struct stet_sf_item item = {.type = type, .text = text};
    stet_sf_write_begin(&writer, out, room);
    stet_sf_write_item(&writer, &item);
    return stet_sf_finish(&writer, &value) == STET_OK ? value.len : 0;
}

void stet_dictionary_write_digest(const unsigned char sha256[32], char out[STET_DICTIONARY_DIGEST_LEN])
{
    (void)put_value(STET_SF_BYTES, stet_span_of((const char *)sha256, 32), out, STET_DICTIONARY_DIGEST_LEN);
}

size_t stet_dictionary_write_id(const struct stet_dictionary *dictionary, char out[STET_DICTIONARY_ID_LEN])
{
    if (dictionary->id_len == 0)
        return 0;
    return put_value(STET_SF_STRING, stet_span_of(dictionary->id, dictionary->id_len), out,
                     STET_DICTIONARY_ID_LEN);
}
