/* SPDX-License-Identifier: MIT */
/*
 * Use-As-Dictionary and its patterns: RFC 9842 sections 2.1 and 2.2.
 *
 * The input is two lines: the value of the field and a target. What must hold: what is read fits its room and
 * says the same in Dictionary-ID; a pattern matches itself with its asterisks left out, and with anything in
 * their place; a shorter target never reads beyond its end (the sanitizer sees that).
 */
#include <stdlib.h>

#include <stet/dictionary.h>
#include <stet/sf.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* What the pattern matches if each asterisk stands for `fill`. */
static struct stet_span filled(struct stet_span match, struct stet_span fill, char *room)
{
    size_t len = 0;
    for (size_t i = 0; i < match.len; i++) {
        if (match.ptr[i] == '*') {
            memcpy(room + len, fill.ptr, fill.len);
            len += fill.len;
            continue;
        }
        if (match.ptr[i] == '\\')
            i++;
        room[len++] = match.ptr[i];
    }
    return stet_span_of(room, len);
}

/* As Dictionary-ID it is read back as the same octets. */
static void check_id(const struct stet_dictionary *dictionary)
{
    char text[STET_DICTIONARY_ID_LEN], id[STET_DICTIONARY_ID_LEN];
    struct stet_sf sf;
    struct stet_sf_member member;
    size_t len = stet_dictionary_write_id(dictionary, text);
    require((len == 0) == (dictionary->id_len == 0));
    if (len == 0)
        return;
    stet_sf_begin_value(&sf, STET_SF_ITEM, stet_span_of(text, len));
    require(stet_sf_next(&sf, &member) == STET_OK && member.item.type == STET_SF_STRING);
    require(stet_sf_decode(&member.item, id) == dictionary->id_len);
    require(memcmp(id, dictionary->id, dictionary->id_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char room[STET_DICTIONARY_MATCH_MAX * 8];
    static struct stet_dictionary dictionary;
    const struct stet_span fills[] = {STET_SPAN(""), STET_SPAN("/a.b/"), STET_SPAN("x")};
    if (size == 0)
        return 0;
    const uint8_t *lf = memchr(data, '\n', size);
    size_t len = lf ? (size_t)(lf - data) : size;
    struct stet_field line = {STET_SPAN("Use-As-Dictionary"), stet_span_of((const char *)data, len),
                              STET_FIELD_OTHER};
    const struct stet_fields fields = {&line, 1, UINT64_C(1) << STET_FIELD_OTHER};
    if (!stet_dictionary_read(&fields, &dictionary))
        return 0;
    require(dictionary.match_len <= STET_DICTIONARY_MATCH_MAX && dictionary.id_len <= STET_DICTIONARY_ID_MAX);
    struct stet_span match = stet_span_of(dictionary.match, dictionary.match_len);
    for (size_t i = 0; i < sizeof fills / sizeof *fills; i++)
        require(stet_dictionary_matches(match, filled(match, fills[i], room)));
    check_id(&dictionary);
    if (lf)
        (void)stet_dictionary_matches(match, stet_span_of((const char *)lf + 1, size - len - 1));
    return 0;
}
