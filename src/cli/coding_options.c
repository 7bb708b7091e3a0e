/* SPDX-License-Identifier: MIT */
/*
 * coding_options: --codings and its kin.
 */
#include "cli/coding_options.h"

#include <stdlib.h>
#include <string.h>

#include <stet/status.h>

/* Text and what is made of text; images, films and archives are packed already. */
static const struct stet_span default_types[] = {
#define TYPE(text)            \
    {                         \
        text, sizeof text - 1 \
    }
    TYPE("text/*"),
    TYPE("+json"),
    TYPE("+xml"),
    TYPE("+text"),
    TYPE("application/javascript"),
    TYPE("application/x-javascript"),
    TYPE("application/ecmascript"),
    TYPE("application/json"),
    TYPE("application/x-ndjson"),
    TYPE("application/json-seq"),
    TYPE("application/xml"),
    TYPE("application/xml-dtd"),
    TYPE("application/yaml"),
    TYPE("application/toml"),
    TYPE("application/sql"),
    TYPE("application/graphql"),
    TYPE("application/rtf"),
    TYPE("application/postscript"),
    TYPE("application/wasm"),
    TYPE("application/vnd.ms-fontobject"),
    TYPE("font/ttf"),
    TYPE("font/otf"),
    TYPE("font/collection"),
    TYPE("image/bmp"),
    TYPE("image/x-icon"),
    TYPE("image/vnd.microsoft.icon"),
#undef TYPE
};

/* The next part of a list with commas, trimmed; false behind the last. */
static bool next_part(const char **rest, struct stet_span *part)
{
    if (!*rest)
        return false;
    const char *comma = strchr(*rest, ',');
    *part = stet_span_trim(comma ? stet_span_of(*rest, (size_t)(comma - *rest)) : stet__cli_span(*rest));
    *rest = comma ? comma + 1 : NULL;
    return true;
}

static const char *set_codings(void *arg, const char *argument)
{
    struct stet__coding_settings *coding = &((struct stet__coding_server_settings *)arg)->coding;
    struct stet_span name;
    unsigned made = 0;
    unsigned char rank = STET_CODING_COUNT;
    for (bool none = strcmp(argument, "none") == 0; !none && next_part(&argument, &name);) {
        enum stet_coding id = stet_coding_id(name);
        if (id != STET_CODING_GZIP && id != STET_CODING_BR && id != STET_CODING_ZSTD)
            return "not none or a list of br, zstd and gzip, that which is liked best first";
        if ((made & stet_coding_bit(id)) != 0)
            return "one of them is there twice";
        made |= stet_coding_bit(id);
        coding->rank[id] = rank--;
    }
    coding->made = made;
    return NULL;
}

static bool is_type(struct stet_span text)
{
    bool suffix = text.len > 1 && text.ptr[0] == '+';
    return !memchr(text.ptr, ' ', text.len) && (suffix || memchr(text.ptr, '/', text.len));
}

static const char *set_types(void *arg, const char *argument)
{
    struct stet__coding_server_settings *settings = arg;
    struct stet_span type;
    while (next_part(&argument, &type)) {
        if (type.len == 0 || !is_type(type))
            return "not media types with commas between them: text/*, application/json, +xml";
        const char *wrong = stet__cli_list_append(&settings->coding_types, &type, sizeof type);
        if (wrong)
            return wrong;
    }
    return NULL;
}

static const char *set_level(void *arg, const char *argument)
{
    struct stet__coding_settings *coding = &((struct stet__coding_server_settings *)arg)->coding;
    const char *equals = strchr(argument, '=');
    enum stet_coding id =
        equals ? stet_coding_id(stet_span_of(argument, (size_t)(equals - argument))) : STET_CODING_UNKNOWN;
    uint64_t level, max = id == STET_CODING_GZIP ? 9 : id == STET_CODING_BR ? 11 : 19;
    if (id != STET_CODING_GZIP && id != STET_CODING_BR && id != STET_CODING_ZSTD)
        return "not CODING=LEVEL with br, zstd or gzip";
    if (stet_span_to_u64(stet__cli_span(equals + 1), &level) != STET_OK || level < 1 || level > max)
        return "the level is 1 to 9 of gzip, to 11 of br, to 19 of zstd";
    coding->levels[id] = (unsigned)level;
    return NULL;
}

#define POLICY(member) STET__FIELD(struct stet__coding_server_settings, coding.policy.member)

/* clang-format off */
static const struct stet__option rows[] = {
    STET__ROW_HEADING("Content codings"),
    STET__ROW_CALL("codings", "LIST", "br,zstd,gzip", set_codings, "made for clients that accept them, best first; or none"),
    STET__ROW_CALL("coding-types", "LIST", NULL, set_types, "media types that are coded, instead of the usual ones:\ntext/*,+xml; may be repeated"),
    STET__ROW_CALL("coding-level", "CODING=N", NULL, set_level, "effort for copies that are kept, at most\nbr=11, zstd=19, gzip=9; may be repeated"),
    STET__ROW_SIZE("coding-min", POLICY(min_octets), 0, STET__TIB, "smaller contents are not coded"),
    STET__ROW_SIZE("coding-max", POLICY(max_octets), 0, STET__TIB, "larger ones are not either"),
};
/* clang-format on */

const struct stet__option_rows stet__rows_codings = STET__ROWS(rows);

void stet__coding_settings_init(struct stet__coding_server_settings *settings)
{
    settings->coding = (struct stet__coding_settings){
        .policy = {.types = default_types,
                   .type_count = sizeof default_types / sizeof *default_types,
                   .min_octets = 256,
                   .max_octets = 16 * STET__MIB},
    };
    (void)set_codings(settings, "br,zstd,gzip");
}

void stet__coding_settings_finish(struct stet__coding_server_settings *settings)
{
    if (settings->coding_types.count == 0)
        return;
    settings->coding.policy.types = settings->coding_types.at;
    settings->coding.policy.type_count = settings->coding_types.count;
}

void stet__coding_settings_release(struct stet__coding_server_settings *settings)
{
    free(settings->coding_types.at);
}
