/* SPDX-License-Identifier: MIT */
/*
 * get_write_out: see get_write_out.h. One table of variables serves both forms, so they cannot differ.
 *
 * A name that does not exist is refused before anything is fetched; curl prints nothing in its place and goes
 * on, which is seen when the figures are missing.
 */
#include "cli/get_write_out.h"

#include <stet/field.h>

#include "base/assert.h"
#include "base/json.h"
#include "cli/suggest.h"

enum kind { TEXT, NUMBER, CODE, SECONDS, TRUTH };

struct value {
    enum kind kind;
    const char *text;
    int64_t number;
};

const char *stet__get_source_name(enum stet__get_source source)
{
    static const char *const names[] = {
        [STET__GET_NONE] = "none",     [STET__GET_STORE] = "store",       [STET__GET_VALIDATED] = "validated",
        [STET__GET_ORIGIN] = "origin", [STET__GET_COMBINED] = "combined", [STET__GET_STALE] = "stale"};
    stet__assert((size_t)source < sizeof names / sizeof *names);
    return names[source];
}

/* As curl has it: "1.1", "2", "0" if nobody was asked. */
static const char *version_of(const struct stet__get_result *r)
{
    static const char *const minor[] = {"1.0", "1.1"};
    unsigned major = r->transfer.major;
    return major == 1 ? minor[r->transfer.minor > 0] : major == 2 ? "2" : major == 3 ? "3" : "0";
}

static const char *scheme_of(const char *url)
{
    return !url ? NULL : strncmp(url, "https:", 6) == 0 ? "https" : "http";
}

/* NULL if nothing was decided. */
static const char *reason_of(enum stet_reason reason)
{
    return reason ? stet_reason_row(reason)->name : NULL;
}

static struct value text(const char *text)
{
    return (struct value){TEXT, text && *text ? text : NULL, 0};
}

static struct value count(enum kind kind, uint64_t number)
{
    return (struct value){kind, NULL, number < INT64_MAX ? (int64_t)number : INT64_MAX};
}

#define VALUE_TEXT(expression) text(expression)
#define VALUE_NUMBER(expression) count(NUMBER, (uint64_t)(expression))
#define VALUE_CODE(expression) count(CODE, (expression))
#define VALUE_SECONDS(expression) count(SECONDS, (uint64_t)(expression))
#define VALUE_TRUTH(expression) count(TRUTH, (expression) ? 1 : 0)

#define X(name, KIND, expression)                                     \
    static struct value value_##name(const struct stet__get_facts *f) \
    {                                                                 \
        const struct stet__get_result *r = f->result;                 \
        (void)r;                                                      \
        return VALUE_##KIND(expression);                              \
    }
#include "cli/get_variable.def"
#undef X

static const struct variable {
    const char *name;
    struct value (*value)(const struct stet__get_facts *facts);
} variables[] = {
#define X(name, KIND, expression) {#name, value_##name},
#include "cli/get_variable.def"
#undef X
};

enum { VARIABLES = sizeof variables / sizeof *variables };

/* What else may stand in %{...}. */
static const char *const specials[] = {"json", "header_json", "stdout", "stderr"};

enum { SPECIALS = sizeof specials / sizeof *specials };

static const struct variable *find(struct stet_span name)
{
    for (size_t i = 0; i < VARIABLES; i++)
        if (stet_span_equal(name, stet_span_of(variables[i].name, strlen(variables[i].name))))
            return &variables[i];
    return NULL;
}

static bool is_special(struct stet_span name)
{
    for (size_t i = 0; i < SPECIALS; i++)
        if (stet_span_equal(name, stet_span_of(specials[i], strlen(specials[i]))))
            return true;
    return false;
}

/* One piece of a format. */
struct piece {
    enum { PLAIN, VARIABLE, HEADER, BROKEN } kind;
    struct stet_span text; /* as it is, or the name */
};

static const char variable_begin[] = "%{";
static const char header_begin[] = "%header{";

/* A name up to the brace that ends it, taken off `*format`. */
static struct piece named_piece(const char **format, bool header)
{
    const char *name = *format + (header ? strlen(header_begin) : strlen(variable_begin));
    size_t length = strcspn(name, "}");
    bool ends = name[length] != '\0';
    *format = name + length + ends;
    return (struct piece){!ends ? BROKEN : header ? HEADER : VARIABLE, stet_span_of(name, length)};
}

static const char *escaped(char letter)
{
    switch (letter) {
    case 'n':
        return "\n";
    case 'r':
        return "\r";
    case 't':
        return "\t";
    case '\\':
        return "\\";
    default:
        return NULL;
    }
}

/* Takes the first piece off `*format`, which is not empty. */
static struct piece next_piece(const char **format)
{
    const char *at = *format;
    bool header = strncmp(at, header_begin, strlen(header_begin)) == 0;
    if (header || strncmp(at, variable_begin, strlen(variable_begin)) == 0)
        return named_piece(format, header);
    const char *escape = at[0] == '\\' ? escaped(at[1]) : NULL;
    if (escape || strncmp(at, "%%", 2) == 0) {
        *format = at + 2;
        return (struct piece){PLAIN, stet_span_of(escape ? escape : at, 1)};
    }
    size_t length = strcspn(at + 1, "%\\") + 1;
    *format = at + length;
    return (struct piece){PLAIN, stet_span_of(at, length)};
}

static const char *unknown(struct stet_span name)
{
    static char message[160];
    char typed[64];
    snprintf(typed, sizeof typed, "%.*s", (int)(name.len < 63 ? name.len : 63), name.ptr);
    struct stet__suggestion suggestion = {typed, NULL, 0};
    for (size_t i = 0; i < VARIABLES; i++)
        stet__suggestion_offer(&suggestion, variables[i].name);
    for (size_t i = 0; i < SPECIALS; i++)
        stet__suggestion_offer(&suggestion, specials[i]);
    if (suggestion.best)
        snprintf(message, sizeof message, "there is no variable %s; did you mean %s?", typed,
                 suggestion.best);
    else
        snprintf(message, sizeof message, "there is no variable %s; man stet-get names all", typed);
    return message;
}

const char *stet__write_out_check(const char *format)
{
    while (*format) {
        struct piece piece = next_piece(&format);
        if (piece.kind == BROKEN)
            return "'}' is missing";
        if (piece.kind == VARIABLE && !find(piece.text) && !is_special(piece.text))
            return unknown(piece.text);
        if (piece.kind == HEADER && !stet_is_token(piece.text))
            return "that is not the name of a field";
    }
    return NULL;
}

static void write_value(struct value value, FILE *out)
{
    switch (value.kind) {
    case TEXT:
        fputs(value.text ? value.text : "", out);
        break;
    case CODE:
        fprintf(out, "%03jd", (intmax_t)value.number);
        break;
    case SECONDS:
        fprintf(out, "%jd.%06jd", (intmax_t)(value.number / 1000000), (intmax_t)(value.number % 1000000));
        break;
    case NUMBER:
    case TRUTH:
        fprintf(out, "%jd", (intmax_t)value.number);
        break;
    }
}

/* All lines of a field, joined as RFC 9110 section 5.3 has it. */
static void write_header(const struct stet__get_facts *facts, struct stet_span name, FILE *out)
{
    bool before = false;
    for (size_t i = 0; i < facts->fields.count; i++) {
        const struct stet_field *field = &facts->fields.at[i];
        if (!stet_span_equal_nocase(field->name, name))
            continue;
        if (before)
            fputs(", ", out);
        fwrite(field->value.ptr, 1, field->value.len, out);
        before = true;
    }
}

/* --- JSON --- */

static json_t *json_value(struct value value)
{
    switch (value.kind) {
    case TEXT:
        return stet__json_text(stet_span_of(value.text, strlen(value.text)));
    case SECONDS:
        return json_real((double)value.number / 1e6);
    case TRUTH:
        return json_boolean(value.number);
    default:
        return json_integer(value.number);
    }
}

/* {"etag": ["..."], ...}: names in small letters, as curl's header_json has them. */
static json_t *json_fields(const struct stet__get_facts *facts)
{
    json_t *made = json_object();
    for (size_t i = 0; made && i < facts->fields.count; i++) {
        const struct stet_field *field = &facts->fields.at[i];
        char name[128];
        size_t len = field->name.len < sizeof name ? field->name.len : sizeof name - 1;
        for (size_t k = 0; k < len; k++) {
            char c = field->name.ptr[k];
            name[k] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
        }
        name[len] = '\0';
        json_t *lines = json_object_get(made, name);
        if (!lines) {
            lines = json_array();
            json_object_set_new(made, name, lines);
        }
        json_array_append_new(lines, stet__json_text(field->value));
    }
    return made;
}

static json_t *json_facts(const struct stet__get_facts *facts)
{
    json_t *made = json_object();
    for (size_t i = 0; made && i < VARIABLES; i++) {
        struct value value = variables[i].value(facts);
        if (value.kind != TEXT || value.text)
            json_object_set_new(made, variables[i].name, json_value(value));
    }
    return made;
}

static bool write_json(json_t *made, FILE *out)
{
    bool done = made && json_dumpf(made, out, JSON_COMPACT | JSON_REAL_PRECISION(9)) == 0;
    json_decref(made);
    return done;
}

bool stet__write_out_json(const struct stet__get_facts *facts, FILE *out)
{
    bool done = write_json(json_facts(facts), out);
    fputc('\n', out);
    return done;
}

/* --- -w --- */

static void write_special(struct stet_span name, const struct stet__get_facts *facts, FILE *out)
{
    if (stet_span_equal(name, STET_SPAN("json")))
        write_json(json_facts(facts), out);
    if (stet_span_equal(name, STET_SPAN("header_json")))
        write_json(json_fields(facts), out);
}

void stet__write_out(const char *format, const struct stet__get_facts *facts, FILE *out, FILE *err)
{
    FILE *to = out;
    while (*format) {
        struct piece piece = next_piece(&format);
        const struct variable *variable = piece.kind == VARIABLE ? find(piece.text) : NULL;
        if (piece.kind == PLAIN)
            fwrite(piece.text.ptr, 1, piece.text.len, to);
        else if (piece.kind == HEADER)
            write_header(facts, piece.text, to);
        else if (variable)
            write_value(variable->value(facts), to);
        else if (stet_span_equal(piece.text, STET_SPAN("stdout")))
            to = out;
        else if (stet_span_equal(piece.text, STET_SPAN("stderr")))
            to = err;
        else
            write_special(piece.text, facts, to);
    }
}
