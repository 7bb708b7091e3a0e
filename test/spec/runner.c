/* SPDX-License-Identifier: MIT */
/*
 * The runner of the executed specification: reads the Markdown files that are named on the command line, runs
 * every case and prints TAP. README.md in this folder tells the format.
 *
 * Nothing is skipped silently. A block that is not known, an input without an expectation, a section without
 * a case or without a line that says what it stands for, a row without an arrow: each is a failure with its
 * file and line.
 */
#include "markdown.h"
#include "spec.h"

#define INPUT_MAX (4u << 20)

/* Where the reader is in a file. */
struct reader {
    struct spec_tally *tally;
    const char *file;
    struct spec_setting of_file; /* what stands before the first section */
    struct spec_setting setting;
    bool in_section;
    struct markdown_item section;
    bool stands_for_something; /* "Rows:" or "Clause:" was seen */
    unsigned cases;
    enum spec_input input_kind; /* ROW: there is none */
    struct markdown_item input; /* still encoded */
    bool input_used;
};

static const struct spec_subject *const subject_tables[] = {
    spec_cache_subjects, spec_coding_subjects,    spec_select_subjects, spec_forward_subjects,
    spec_http1_subjects, spec_condition_subjects, spec_value_subjects,  spec_field_subjects,
    spec_sf_subjects,    spec_decide_subjects,    spec_lint_subjects,   spec_explain_subjects,
};

static const struct spec_subject *find_subject(struct stet_span name)
{
    for (size_t i = 0; i < sizeof(subject_tables) / sizeof(subject_tables[0]); i++)
        for (const struct spec_subject *at = subject_tables[i]; at->name; at++)
            if (stet_span_equal(name, stet_span_of(at->name, strlen(at->name))))
                return at;
    return NULL;
}

static void complain(struct reader *reader, unsigned line, const char *what)
{
    spec_complain(reader->tally, reader->file, line, what);
}

static bool set_date(struct stet_span value, int64_t now, int64_t *out)
{
    return stet_date_parse(value, now, out) == STET_OK;
}

static bool set_size(struct stet_span value, size_t *out)
{
    uint64_t n;
    if (stet_span_to_u64(value, &n) != STET_OK)
        return false;
    *out = (size_t)n;
    return true;
}

static bool set_last_modified(struct stet_span value, struct spec_setting *setting)
{
    static const struct stet_span weak = {" weak", 5};
    setting->selected.last_modified_strong = true;
    if (value.len > weak.len && stet_span_equal(stet_span_skip(value, value.len - weak.len), weak)) {
        setting->selected.last_modified_strong = false;
        value.len -= weak.len;
    }
    return set_date(value, setting->now, &setting->selected.last_modified);
}

/* The tag's octets have to outlive the section: they are decoded into static memory. */
static bool set_etag(struct stet_span value, struct spec_setting *setting)
{
    static char kept[8][512];
    static unsigned next;
    char *room = kept[next++ % 8];
    FILE *out = fmemopen(room, sizeof(kept[0]), "w");
    bool good = markdown_decode(value, out);
    long len = ftell(out);
    fclose(out);
    return good && stet_etag_parse(stet_span_of(room, (size_t)len), &setting->selected.etag) == STET_OK;
}

/* One line of a "selected" or "limits" block. */
static bool set(struct spec_setting *setting, struct stet_span name, struct stet_span value)
{
    if (stet_span_equal(name, STET_SPAN("etag")))
        return set_etag(value, setting);
    if (stet_span_equal(name, STET_SPAN("last-modified")))
        return set_last_modified(value, setting);
    if (stet_span_equal(name, STET_SPAN("length")))
        return stet_span_to_u64(value, &setting->selected.length) == STET_OK;
    if (stet_span_equal(name, STET_SPAN("now")))
        return set_date(value, 0, &setting->now);
    if (stet_span_equal(name, STET_SPAN("head-octets")))
        return set_size(value, &setting->limits.head_bytes);
    if (stet_span_equal(name, STET_SPAN("target-octets")))
        return set_size(value, &setting->limits.target_bytes);
    if (stet_span_equal(name, STET_SPAN("fields")))
        return set_size(value, &setting->limits.fields) && setting->limits.fields <= SPEC_FIELDS_MAX;
    if (stet_span_equal(name, STET_SPAN("trailer-octets")))
        return set_size(value, &setting->trailer_limit);
    setting->selected.exists = false;
    return stet_span_equal(name, STET_SPAN("nothing"));
}

static void read_setting(struct reader *reader, const struct markdown_item *block)
{
    struct spec_setting *setting = reader->in_section ? &reader->setting : &reader->of_file;
    struct stet_span rest = block->text, line;
    if (stet_span_equal(block->kind, STET_SPAN("selected")))
        setting->selected = (struct stet_representation){.exists = true, .last_modified = STET_NO_DATE};
    for (unsigned n = block->line + 1; markdown_line(&rest, &line); n++) {
        struct stet_span value = line;
        struct stet_span name = markdown_word(&value);
        if (!set(setting, name, value))
            complain(reader, n, "a setting that is not known or has a bad value");
    }
}

/* The input is complete, or a new one begins: it has to have been of use. */
static void end_input(struct reader *reader)
{
    if (reader->input_kind != SPEC_INPUT_ROW && !reader->input_used)
        complain(reader, reader->input.line, "an input without an expectation");
    reader->input_kind = SPEC_INPUT_ROW;
}

static void end_section(struct reader *reader)
{
    end_input(reader);
    if (reader->in_section && reader->cases == 0)
        complain(reader, reader->section.line, "a section without a case");
    if (reader->in_section && !reader->stands_for_something)
        complain(reader, reader->section.line, "a section without a line of Rows or Clause");
}

static void begin_section(struct reader *reader, const struct markdown_item *item)
{
    end_section(reader);
    reader->in_section = true;
    reader->section = *item;
    reader->setting = reader->of_file;
    reader->stands_for_something = false;
    reader->cases = 0;
}

/* "<*>" in `text` becomes `row`. */
static void fill_in(struct stet_span text, struct stet_span row, FILE *out)
{
    static const struct stet_span hole = {"<*>", 3};
    while (text.len > 0) {
        bool here = stet_span_starts(text, hole);
        if (here)
            fwrite(row.ptr, 1, row.len, out);
        else
            putc(text.ptr[0], out);
        text = stet_span_skip(text, here ? hole.len : 1);
    }
}

/*
 * The octets of an input: every line of the block ends in CRLF, and a head in an empty line; "<END>" ends the
 * octets where it stands, whatever would follow. False if an escape is not known.
 */
static bool octets(const struct reader *reader, struct stet_span text, FILE *out)
{
    static const struct stet_span end = {"<END>", 5};
    struct stet_span line;
    while (markdown_line(&text, &line)) {
        if (line.len >= end.len && stet_span_equal(stet_span_skip(line, line.len - end.len), end))
            return markdown_decode(stet_span_of(line.ptr, line.len - end.len), out);
        if (!markdown_decode(line, out))
            return false;
        fputs("\r\n", out);
    }
    if (reader->input_kind == SPEC_INPUT_REQUEST || reader->input_kind == SPEC_INPUT_RESPONSE)
        fputs("\r\n", out);
    return true;
}

static bool decode_input(const struct reader *reader, const struct spec_case *c, char **text, size_t *len)
{
    FILE *out = open_memstream(text, len);
    bool good;
    if (c->subject->input == SPEC_INPUT_ROW) {
        good = markdown_decode(c->label, out);
    } else {
        char *filled = NULL;
        size_t filled_len = 0;
        FILE *filling = open_memstream(&filled, &filled_len);
        fill_in(reader->input.text, c->label, filling);
        fclose(filling);
        good = octets(reader, stet_span_of(filled, filled_len), out);
        free(filled);
    }
    fclose(out);
    return good && *len <= INPUT_MAX;
}

static void run_case(struct reader *reader, struct spec_case *c)
{
    char *text = NULL;
    size_t len = 0;
    reader->cases++;
    reader->input_used = reader->input_used || c->subject->input != SPEC_INPUT_ROW;
    c->setting = &reader->setting;
    c->file = reader->file;
    c->title = reader->section.text;
    c->bare_fields = reader->input_kind == SPEC_INPUT_FIELDS;
    if (decode_input(reader, c, &text, &len)) {
        c->input = stet_span_of(text, len);
        spec_case_run(reader->tally, c);
    } else {
        complain(reader, c->line, "something between angle brackets that is not known");
    }
    free(text);
}

/* Expectations of a table: "a; b" are two lines, but for subjects that take one value and give one line. */
static void run_row(struct reader *reader, struct spec_case *c, struct stet_span expected)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    for (size_t i = 0; i < expected.len; i++) {
        bool split = c->subject->input != SPEC_INPUT_ROW &&
                     stet_span_starts(stet_span_skip(expected, i), STET_SPAN("; "));
        putc(split ? '\n' : expected.ptr[i], out);
        i += split;
    }
    putc('\n', out);
    fclose(out);
    c->expected = stet_span_of(text, len);
    run_case(reader, c);
    free(text);
}

static void run_table(struct reader *reader, const struct markdown_item *block, struct spec_case *c)
{
    struct stet_span rest = block->text, line, expected;
    c->line = block->line;
    while (markdown_line(&rest, &line)) {
        c->line++;
        if (markdown_row(line, &c->label, &expected))
            run_row(reader, c, expected);
        else
            complain(reader, c->line, "a row without an arrow");
    }
    if (c->line == block->line)
        complain(reader, c->line, "a table without rows");
}

static bool has_hole(struct stet_span text)
{
    for (; text.len > 0; text = stet_span_skip(text, 1))
        if (stet_span_starts(text, STET_SPAN("<*>")))
            return true;
    return false;
}

static void run_block(struct reader *reader, const struct markdown_item *block,
                      const struct spec_subject *subject)
{
    struct spec_case c = {
        .subject = subject, .line = block->line, .detail = block->detail, .expected = block->text};
    bool fits = subject->input == reader->input_kind ||
                (subject->input == SPEC_INPUT_FIELDS && reader->input_kind == SPEC_INPUT_REQUEST);
    if (subject->input != SPEC_INPUT_ROW && !fits)
        complain(reader, block->line, "an expectation that has no input, or not one of its kind");
    else if (subject->input == SPEC_INPUT_ROW || has_hole(reader->input.text))
        run_table(reader, block, &c);
    else
        run_case(reader, &c);
}

static enum spec_input input_kind(struct stet_span kind)
{
    static const struct {
        struct stet_span name;
        enum spec_input kind;
    } kinds[] = {
        {{"request", 7}, SPEC_INPUT_REQUEST}, {{"response", 8}, SPEC_INPUT_RESPONSE},
        {{"chunked", 7}, SPEC_INPUT_CHUNKED}, {{"fields", 6}, SPEC_INPUT_FIELDS},
        {{"cache", 5}, SPEC_INPUT_CACHE},     {{"exchange", 8}, SPEC_INPUT_EXCHANGE},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (stet_span_equal(kind, kinds[i].name))
            return kinds[i].kind;
    return SPEC_INPUT_ROW;
}

static void read_block(struct reader *reader, const struct markdown_item *block)
{
    const struct spec_subject *subject = find_subject(block->kind);
    bool setting = stet_span_equal(block->kind, STET_SPAN("selected")) ||
                   stet_span_equal(block->kind, STET_SPAN("limits"));
    if (setting) {
        read_setting(reader, block);
    } else if (!reader->in_section) {
        complain(reader, block->line, "a block before the first section");
    } else if (input_kind(block->kind) != SPEC_INPUT_ROW) {
        end_input(reader);
        reader->input_kind = input_kind(block->kind);
        reader->input = *block;
        reader->input_used = false;
    } else if (subject) {
        run_block(reader, block, subject);
    } else {
        complain(reader, block->line, "a block of a kind that is not known");
    }
}

static void read_text(struct reader *reader, struct stet_span text)
{
    struct markdown md = {.rest = text, .line = 1};
    struct markdown_item item;
    unsigned before = reader->tally->run;
    for (;;) {
        switch (markdown_next(&md, &item)) {
        case MARKDOWN_SECTION:
            begin_section(reader, &item);
            break;
        case MARKDOWN_ROWS:
            reader->stands_for_something = true;
            break;
        case MARKDOWN_BLOCK:
            read_block(reader, &item);
            break;
        case MARKDOWN_UNCLOSED:
            complain(reader, item.line, "a block that is not closed");
            return;
        case MARKDOWN_END:
            end_section(reader);
            if (reader->tally->run == before)
                complain(reader, 1, "a file without a case");
            return;
        }
    }
}

static void read_file(struct spec_tally *tally, const char *path)
{
    static const char *const folder = "test/spec/";
    const char *name = strstr(path, folder); /* however the file was reached, print it as seen from the top */
    struct reader reader = {.tally = tally, .file = name ? name : path};
    reader.of_file = (struct spec_setting){
        .selected = {.exists = true, .etag = STET_NO_ETAG, .last_modified = STET_NO_DATE},
        .now = 1795253400, /* Sat, 21 Nov 2026 09:30:00 GMT */
        .limits = STET_HTTP1_LIMITS_DEFAULT,
        .trailer_limit = 8192,
    };
    FILE *in = fopen(path, "rb");
    char *text = malloc(INPUT_MAX);
    size_t len = in && text ? fread(text, 1, INPUT_MAX, in) : 0;
    if (len == 0 || len == INPUT_MAX)
        complain(&reader, 1, "a file that cannot be read, is empty, or is too large");
    else
        read_text(&reader, stet_span_of(text, len));
    if (in)
        fclose(in);
    free(text);
}

int main(int argc, char **argv)
{
    struct spec_tally tally = {.run = 0};
    for (int i = 1; i < argc; i++)
        read_file(&tally, argv[i]);
    printf("1..%u\n# %u cases, %u failed, %lu outcomes compared\n", tally.run, tally.run, tally.failed,
           tally.outcomes);
    return tally.run == 0 || tally.failed > 0;
}
