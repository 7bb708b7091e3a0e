/* SPDX-License-Identifier: MIT */
/*
 * Formats of -w: cli/get_write_out.h. What stands before the first NUL is the format, what follows is a field
 * value and an entity-tag that a server chose.
 *
 * What must hold: a format is refused, or written; one without special characters is written as it is; all
 * that is JSON can be read, and has the field.
 */
#include <jansson.h>
#include <stdlib.h>

#include "cli/get_write_out.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

struct written {
    char *text;
    size_t len;
    FILE *to;
};

static void written_begin(struct written *written)
{
    *written = (struct written){.text = NULL};
    written->to = open_memstream(&written->text, &written->len);
    require(written->to != NULL);
}

static void written_end(struct written *written)
{
    require(fclose(written->to) == 0);
}

static void look_at_format(const char *format, const struct stet__get_facts *facts)
{
    struct written out, err;
    written_begin(&out);
    written_begin(&err);
    const char *wrong = stet__write_out_check(format);
    require(!wrong || *wrong != '\0');
    if (!wrong)
        stet__write_out(format, facts, out.to, err.to);
    written_end(&out);
    written_end(&err);
    if (!wrong && !strpbrk(format, "%\\"))
        require(strcmp(out.text, format) == 0 && err.len == 0);
    free(out.text);
    free(err.text);
}

static void look_at_json(const struct stet__get_facts *facts)
{
    struct written all, fields;
    written_begin(&all);
    written_begin(&fields);
    require(stet__write_out_json(facts, all.to));
    stet__write_out("%{header_json}", facts, fields.to, fields.to);
    written_end(&all);
    written_end(&fields);
    json_t *json = json_loadb(all.text, all.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    require(json_is_string(json_object_get(json, "url")));
    require(json_is_string(json_object_get(json, "etag")) == (facts->result->etag[0] != '\0'));
    json_decref(json);
    json = json_loadb(fields.text, fields.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    require(json_array_size(json_object_get(json, "x-odd")) == 2);
    json_decref(json);
    free(all.text);
    free(fields.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stet__get_result result = {.code = 200, .source = STET__GET_ORIGIN, .reason = STET_REASON_FRESH};
    const char *nul = size > 0 ? memchr(data, 0, size) : NULL;
    size_t len = nul ? (size_t)(nul - (const char *)data) : size;
    struct stet_span value = nul ? stet_span_of(nul + 1, size - len - 1) : STET_SPAN("x");
    const struct stet_field lines[] = {{{"X-Odd", 5}, value, STET_FIELD_OTHER},
                                       {{"x-oDD", 5}, {"y", 1}, STET_FIELD_OTHER}};
    const struct stet__get_facts facts = {.url = "h",
                                          .url_effective = "http://h/",
                                          .method = "GET",
                                          .fields = {lines, 2, 1},
                                          .field_count = 2,
                                          .result = &result};
    char *format = malloc(len + 1);
    require(format != NULL);
    if (len > 0)
        memcpy(format, data, len);
    format[len] = '\0';
    memcpy(result.etag, value.ptr, value.len < sizeof result.etag ? value.len : sizeof result.etag - 1);
    look_at_format(format, &facts);
    look_at_json(&facts);
    free(format);
    return 0;
}
