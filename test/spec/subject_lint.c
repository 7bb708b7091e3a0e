/* SPDX-License-Identifier: MIT */
/*
 * Subjects of lint.h: what is found in one exchange, and by a probe beside a plain GET.
 *
 *   request GET /f                   may be left away: GET /f without fields
 *     If-None-Match: "v1"
 *   response 304 behind=5            ends the exchange that its request began
 *     Date: {0}
 *
 * Two responses make a probe: the first is the base. Values as in world.h. Words after `response`: the
 * status; at=SECONDS (received so much later than now) and delay=SECONDS (since it was asked for); no-clock;
 * content=WORD (its octets, of which %0D stands for a CR, and also its digest), length=OCTETS (with content=
 * another one, without it the octets are not kept), identity=WORD or undecodable (without its codings; else
 * it is the same); identity-length=OCTETS; behind=OCTETS, cut, minor=0 (on the wire), no-wire (nobody
 * looked); http (no TLS); no-uri; changing (of a base); nothing (no answer came).
 *
 * `lint` gives all findings but the good ones, by severity and name, `lint-good` these alone. With a name
 * behind it, it is about that row: `found` and the detail, once for each finding, or `none`. `lint-shown
 * NAME` gives what was sent and what came. `lint-probe KIND` and `lint-probe KIND NAME` are the same for
 * stet_lint_probe.
 */
#include "markdown.h"
#include "spec.h"

#include <stet/lint.h>

#define LINES 64
#define PLACES (4 * LINES)
#define VALUE_MAX 65536
#define FINDINGS 64

struct exchange {
    struct stet_lint_exchange view;
    struct stet_field request[LINES], response[LINES];
    char uri[512];
};

struct reader {
    struct spec_run *run;
    struct exchange *at;        /* the one being read */
    struct stet_fields *fields; /* where the next line goes */
    struct stet_field *room;
    size_t places;
    unsigned responses;
};

static struct stet_span place(struct reader *reader, struct stet_span value)
{
    static struct guard places[PLACES];
    if (reader->places == PLACES || value.len > VALUE_MAX)
        return value;
    struct guard *guard = &places[reader->places++];
    return reader->run->at_start ? guard_at_start(guard, value) : guard_at_end(guard, value);
}

static bool integer(struct stet_span text, int64_t *out)
{
    uint64_t n;
    bool negative = text.len > 0 && text.ptr[0] == '-';
    if (stet_span_to_u64(stet_span_skip(text, negative), &n) != STET_OK || n > INT64_MAX)
        return false;
    *out = negative ? -(int64_t)n : (int64_t)n;
    return true;
}

/* Copies `value` to `out` with each "{-10}" made a date. */
static void expand(struct stet_span value, int64_t now, FILE *out)
{
    while (value.len > 0) {
        const char *close = value.ptr[0] == '{' ? memchr(value.ptr, '}', value.len) : NULL;
        size_t len = close ? (size_t)(close - value.ptr) + 1 : 1;
        char date[STET_DATE_LEN];
        int64_t offset;
        if (close && integer(stet_span_of(value.ptr + 1, len - 2), &offset)) {
            stet_date_format(now + offset, date);
            fwrite(date, 1, sizeof(date), out);
        } else {
            fwrite(value.ptr, 1, len, out);
        }
        value = stet_span_skip(value, len);
    }
}

static bool add_field(struct reader *reader, struct stet_span line)
{
    const char *colon = line.len > 0 ? memchr(line.ptr, ':', line.len) : NULL;
    if (!reader->fields || !colon || reader->fields->count == LINES)
        return false;
    struct stet_span name = stet_span_of(line.ptr, (size_t)(colon - line.ptr));
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    expand(stet_span_trim(stet_span_skip(line, name.len + 1)), reader->run->setting->now, out);
    fclose(out);
    enum stet_field_id id = stet_field_id(name);
    reader->room[reader->fields->count++] =
        (struct stet_field){name, place(reader, stet_span_of(text, len)), id};
    if (id != STET_FIELD_OTHER)
        reader->fields->present |= 1ull << id;
    free(text);
    return true;
}

/* "name=value": the value, or absent. */
static struct stet_span value_of(struct stet_span word, struct stet_span name)
{
    if (word.len <= name.len || !stet_span_starts(word, name) || word.ptr[name.len] != '=')
        return STET_SPAN_NONE;
    return stet_span_skip(word, name.len + 1);
}

/* Any function of the octets will do, as long as different short words differ. */
static void digest(struct stet_span octets, unsigned char out[STET_LINT_DIGEST_BYTES])
{
    memset(out, 0, STET_LINT_DIGEST_BYTES);
    for (size_t i = 0; i < octets.len; i++)
        out[i % STET_LINT_DIGEST_BYTES] =
            (unsigned char)(out[i % STET_LINT_DIGEST_BYTES] * 31 + octets.ptr[i]);
}

static void set_identity(struct stet_lint_exchange *view, struct stet_span octets)
{
    view->identity_known = true;
    view->identity_length = octets.len;
    digest(octets, view->identity_digest);
}

static void set_content(struct stet_lint_exchange *view, struct stet_span octets)
{
    view->content_known = true;
    view->content = octets;
    view->content_length = octets.len;
    digest(octets, view->digest);
    set_identity(view, octets);
}

/* Each "%0D" becomes the octet. `room` has as many octets as `word`. */
static struct stet_span unescape(struct stet_span word, char *room)
{
    size_t len = 0;
    for (size_t i = 0; i < word.len; i++) {
        char digits[3] = "";
        if (word.ptr[i] == '%' && i + 2 < word.len) {
            memcpy(digits, word.ptr + i + 1, 2);
            i += 2;
        }
        room[len++] = digits[0] ? (char)strtol(digits, NULL, 16) : word.ptr[i];
    }
    return stet_span_of(room, len);
}

static bool set_flag(struct stet_lint_exchange *view, struct stet_span word)
{
    if (stet_span_equal(word, STET_SPAN("no-clock")))
        view->times_known = false;
    else if (stet_span_equal(word, STET_SPAN("no-wire")))
        view->wire_known = false;
    else if (stet_span_equal(word, STET_SPAN("cut")))
        view->cut = true;
    else if (stet_span_equal(word, STET_SPAN("undecodable")))
        view->identity_known = false;
    else if (stet_span_equal(word, STET_SPAN("http")))
        view->secure = false;
    else if (stet_span_equal(word, STET_SPAN("nothing")))
        view->response.status = 0;
    else if (stet_span_equal(word, STET_SPAN("changing")))
        view->changing = true;
    else if (stet_span_equal(word, STET_SPAN("no-uri")))
        view->uri = STET_SPAN_NONE;
    else
        return false;
    return true;
}

/* A word with a number. */
static bool set_number(struct stet_lint_exchange *view, struct stet_span word, int64_t now)
{
    int64_t n;
    if (integer(value_of(word, STET_SPAN("at")), &n))
        view->requested_at = view->received_at = now + n;
    else if (integer(value_of(word, STET_SPAN("delay")), &n))
        view->requested_at = view->received_at - n;
    else if (integer(value_of(word, STET_SPAN("behind")), &n))
        view->octets_behind = (uint64_t)n;
    else if (integer(value_of(word, STET_SPAN("minor")), &n))
        view->minor = (unsigned)n;
    else if (integer(value_of(word, STET_SPAN("identity-length")), &n))
        view->identity_length = (uint64_t)n;
    else if (integer(word, &n) && n >= 100 && n <= 999)
        view->response.status = (unsigned)n;
    else
        return false;
    return true;
}

static bool set_word(struct reader *reader, struct stet_span word)
{
    struct stet_lint_exchange *view = &reader->at->view;
    int64_t n;
    if (value_of(word, STET_SPAN("content")).ptr) {
        struct stet_span value = value_of(word, STET_SPAN("content"));
        if (reader->places == PLACES || value.len > VALUE_MAX)
            return false;
        char *room = malloc(value.len + 1);
        set_content(view, place(reader, unescape(value, room)));
        free(room);
    } else if (value_of(word, STET_SPAN("identity")).ptr) {
        set_identity(view, value_of(word, STET_SPAN("identity")));
    } else if (integer(value_of(word, STET_SPAN("length")), &n)) {
        if (!view->content_known)
            view->identity_length = (uint64_t)n;
        view->content_known = view->identity_known = true;
        view->content_length = (uint64_t)n;
    } else {
        return set_flag(view, word) || set_number(view, word, reader->run->setting->now);
    }
    return true;
}

static void set_target(struct exchange *to, struct stet_span method, struct stet_span target)
{
    struct stet_lint_exchange *view = &to->view;
    view->request.method_name = method;
    view->request.method = stet_method_id(method);
    view->request.target = target;
    int len = snprintf(to->uri, sizeof(to->uri), "https://example.org%.*s", (int)target.len, target.ptr);
    view->uri = stet_span_of(to->uri, (size_t)len < sizeof(to->uri) ? (size_t)len : sizeof(to->uri) - 1);
}

static void begin_exchange(struct exchange *to, int64_t now)
{
    to->view = (struct stet_lint_exchange){.secure = true,
                                           .times_known = true,
                                           .requested_at = now,
                                           .received_at = now,
                                           .wire_known = true,
                                           .minor = 1};
    to->view.request.fields.at = to->request;
    to->view.response.fields.at = to->response;
    set_target(to, STET_SPAN("GET"), STET_SPAN("/f"));
    to->view.response.status = 200;
}

static bool read_line(struct reader *reader, struct stet_span line, struct exchange both[2])
{
    if (line.len > 0 && line.ptr[0] == ' ')
        return add_field(reader, stet_span_trim(line));
    if (reader->responses == 2)
        return false;
    struct stet_span kind = markdown_word(&line);
    reader->at = &both[reader->responses];
    if (stet_span_equal(kind, STET_SPAN("request"))) {
        struct stet_span method = markdown_word(&line);
        set_target(reader->at, method, line.len > 0 ? line : STET_SPAN("/f"));
        reader->fields = &reader->at->view.request.fields;
        reader->room = reader->at->request;
        return true;
    }
    reader->fields = &reader->at->view.response.fields;
    reader->room = reader->at->response;
    reader->responses++;
    while (line.len > 0)
        if (!set_word(reader, markdown_word(&line)))
            return false;
    return stet_span_equal(kind, STET_SPAN("response"));
}

/* The exchanges of a run, one or two. */
static unsigned read_exchanges(struct spec_run *run, struct exchange both[2])
{
    struct reader reader = {.run = run};
    struct stet_span rest = run->input, line;
    begin_exchange(&both[0], run->setting->now);
    begin_exchange(&both[1], run->setting->now);
    while (markdown_line(&rest, &line)) {
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        run->bad = run->bad || !read_line(&reader, line, both);
    }
    run->bad = run->bad || reader.responses == 0;
    return reader.responses;
}

static bool known_row(struct stet_span name)
{
    for (unsigned i = 0; i < STET_LINT_COUNT; i++)
        if (stet_span_equal(name, stet_span_of(stet_lint_row(i)->name, strlen(stet_lint_row(i)->name))))
            return true;
    return false;
}

static bool named(const struct stet_lint_finding *finding, struct stet_span name)
{
    const char *own = stet_lint_row(finding->lint)->name;
    return stet_span_equal(name, stet_span_of(own, strlen(own)));
}

/* Those of one row, with what is particular to this case. */
static void print_row(struct spec_run *run, const struct stet_lint_findings *findings, struct stet_span name)
{
    unsigned printed = 0;
    run->bad = run->bad || !known_row(name);
    for (size_t i = 0; i < findings->count && i < findings->room; i++) {
        if (!named(&findings->at[i], name))
            continue;
        fputs("found", run->out);
        if (findings->at[i].detail[0] != '\0') {
            fputs(": ", run->out);
            markdown_encode(stet_span_of(findings->at[i].detail, strlen(findings->at[i].detail)), run->out);
        }
        putc('\n', run->out);
        printed++;
    }
    if (printed == 0)
        fputs("none\n", run->out);
}

static void print_all(struct spec_run *run, const struct stet_lint_findings *findings, bool good)
{
    unsigned printed = 0;
    for (size_t i = 0; i < findings->count && i < findings->room; i++) {
        const struct stet_lint_row *row = stet_lint_row(findings->at[i].lint);
        if (good != (row->severity == STET_LINT_GOOD))
            continue;
        fprintf(run->out, "%s %s\n", stet_lint_severity_name(row->severity), row->name);
        printed++;
    }
    if (printed == 0)
        fputs("none\n", run->out);
}

static void print(struct spec_run *run, const struct stet_lint_findings *findings, struct stet_span name)
{
    run->bad = run->bad || findings->count > findings->room;
    if (name.len > 0)
        print_row(run, findings, name);
    else
        print_all(run, findings, false);
}

/* What one exchange shows. False if that is not what the input is. */
static bool look(struct spec_run *run, struct stet_lint_findings *findings)
{
    static struct exchange both[2];
    run->bad = read_exchanges(run, both) != 1 || run->bad;
    if (!run->bad)
        stet_lint_exchange(&both[0].view, findings);
    return !run->bad;
}

static void run_lint(struct spec_run *run)
{
    struct stet_lint_finding room[FINDINGS];
    struct stet_lint_findings findings = {room, FINDINGS, 0};
    if (look(run, &findings))
        print(run, &findings, run->detail);
}

static void run_good(struct spec_run *run)
{
    struct stet_lint_finding room[FINDINGS];
    struct stet_lint_findings findings = {room, FINDINGS, 0};
    if (look(run, &findings))
        print_all(run, &findings, true);
}

static void print_shown(struct spec_run *run, const char *what, struct stet_span octets)
{
    fprintf(run->out, "%s ", what);
    if (octets.ptr)
        markdown_encode(octets, run->out);
    else
        fputs("nothing", run->out);
    putc('\n', run->out);
}

static void run_shown(struct spec_run *run)
{
    struct stet_lint_finding room[FINDINGS];
    struct stet_lint_findings findings = {room, FINDINGS, 0};
    bool shown = false;
    run->bad = !known_row(run->detail);
    if (!look(run, &findings))
        return;
    for (size_t i = 0; i < findings.count && i < findings.room; i++) {
        if (!named(&findings.at[i], run->detail))
            continue;
        print_shown(run, "sent", findings.at[i].sent);
        print_shown(run, "came", findings.at[i].came);
        shown = true;
    }
    if (!shown)
        fputs("none\n", run->out);
}

static bool find_kind(struct stet_span name, enum stet_lint_probe_kind *out)
{
    for (unsigned i = 0; i < STET_PROBE_COUNT; i++) {
        const char *own = stet_lint_probe_row(i)->name;
        if (stet_span_equal(name, stet_span_of(own, strlen(own)))) {
            *out = i;
            return true;
        }
    }
    return false;
}

static void run_probe(struct spec_run *run)
{
    static struct exchange both[2];
    struct stet_lint_finding room[FINDINGS];
    struct stet_lint_findings findings = {room, FINDINGS, 0};
    struct stet_span name = run->detail;
    enum stet_lint_probe_kind kind = STET_PROBE_GET;
    run->bad = !find_kind(markdown_word(&name), &kind);
    run->bad = read_exchanges(run, both) != 2 || run->bad;
    if (run->bad)
        return;
    stet_lint_probe(kind, &both[0].view, &both[1].view, &findings);
    print(run, &findings, name);
}

const struct spec_subject spec_lint_subjects[] = {
    {"lint", SPEC_INPUT_EXCHANGE, false, run_lint},
    {"lint-good", SPEC_INPUT_EXCHANGE, false, run_good},
    {"lint-shown", SPEC_INPUT_EXCHANGE, false, run_shown},
    {"lint-probe", SPEC_INPUT_EXCHANGE, false, run_probe},
    {NULL, SPEC_INPUT_ROW, false, NULL},
};
