/* SPDX-License-Identifier: MIT */
/*
 * Recorded heads become octets of HTTP/1.1, which the parser of core reads: RFC 9112 section 2.
 *
 * What is put right: line ends, a version that has heads of another form (HTTP/2, HTTP/3), a request line
 * without one, and a request without Host (which is read as HTTP/1.0, where none is needed). A head that
 * begins with pseudo-header lines, as browsers show them, gets its first line made of them (RFC 9113
 * section 8.3); elsewhere such lines are left out.
 */
#include "explain/recorded.h"

#include "base/buffer.h"

#define HEAD_MAX (1u << 20)
#define ARENA_MAX (8u << 20)

static const struct stet_http1_limits limits = {HEAD_MAX, HEAD_MAX, STET__RECORDED_FIELDS};

/* The lines of a text, without what ends them. */
static bool take_line(struct stet_span *text, struct stet_span *line)
{
    if (text->len == 0)
        return false;
    const char *end = memchr(text->ptr, '\n', text->len);
    size_t len = end ? (size_t)(end - text->ptr) : text->len;
    *line = stet_span_of(text->ptr, len);
    *text = stet_span_skip(*text, end ? len + 1 : len);
    if (line->len > 0 && line->ptr[line->len - 1] == '\r')
        line->len--;
    return true;
}

static bool is_status_line(struct stet_span line)
{
    return stet_span_starts(line, STET_SPAN("HTTP/")) && line.len > 5 && line.ptr[5] >= '0' &&
           line.ptr[5] <= '9';
}

/* "GET /path HTTP/1.1", or without the version: a token, and a target behind it. */
static bool is_request_line(struct stet_span line)
{
    const char *space = line.len > 0 ? memchr(line.ptr, ' ', line.len) : NULL;
    const char *colon = line.len > 0 ? memchr(line.ptr, ':', line.len) : NULL;
    bool letter = line.len > 0 && (unsigned)((line.ptr[0] | 0x20) - 'a') < 26; /* not "* ", curl's remarks */
    return letter && space && space > line.ptr && (!colon || colon > space) &&
           space + 1 < line.ptr + line.len;
}

/* One with its version: what stands behind a head is content, in which many a line looks like the other. */
static bool is_whole_request_line(struct stet_span line)
{
    const char *last = line.len > 0 ? memrchr(line.ptr, ' ', line.len) : NULL;
    return last && is_request_line(line) && last > (const char *)memchr(line.ptr, ' ', line.len) &&
           is_status_line(stet_span_skip(line, (size_t)(last - line.ptr) + 1));
}

static bool is_named(struct stet_span line, struct stet_span name)
{
    return line.len > name.len && line.ptr[name.len] == ':' &&
           stet_span_equal_nocase(stet_span_of(line.ptr, name.len), name);
}

static void put_status_line(struct stet__buffer *out, struct stet_span line)
{
    const char *space = memchr(line.ptr, ' ', line.len);
    struct stet_span rest = space ? stet_span_skip(line, (size_t)(space - line.ptr)) : STET_SPAN(" ");
    stet__buffer_append_text(out, "HTTP/1.1");
    stet__buffer_append(out, rest);
    if (rest.len == 4) /* " 304": the parser wants no phrase, but the space in front of it is its due */
        stet__buffer_append_text(out, " ");
    stet__buffer_append_text(out, "\r\n");
}

static void put_request_line(struct stet__buffer *out, struct stet_span line, bool has_host)
{
    const char *last = memrchr(line.ptr, ' ', line.len);
    struct stet_span version = last ? stet_span_skip(line, (size_t)(last - line.ptr)) : STET_SPAN("");
    if (stet_span_starts(version, STET_SPAN(" HTTP/")))
        line.len -= version.len;
    stet__buffer_append(out, line);
    stet__buffer_append_text(out, has_host ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
}

/* Takes the field lines up to the empty line. */
static void take_fields(struct stet_span *text, struct stet__buffer *out, bool *has_host)
{
    struct stet_span line;
    *has_host = false;
    while (take_line(text, &line) && line.len > 0) {
        if (line.ptr[0] == ':')
            continue;
        *has_host |= is_named(line, STET_SPAN("Host"));
        stet__buffer_append(out, line);
        stet__buffer_append_text(out, "\r\n");
    }
}

/* The octets of one head, in memory of the arena; absent if there is no room. */
static struct stet_span make_head(struct stet__recorded *recorded, struct stet_span start,
                                  struct stet_span *text)
{
    struct stet__buffer fields, head;
    struct stet_span made = STET_SPAN_NONE;
    bool has_host;
    stet__buffer_init(&fields, HEAD_MAX);
    stet__buffer_init(&head, HEAD_MAX);
    take_fields(text, &fields, &has_host);
    if (is_status_line(start))
        put_status_line(&head, start);
    else
        put_request_line(&head, start, has_host);
    stet__buffer_append(&head, stet__buffer_span(&fields));
    stet__buffer_append_text(&head, "\r\n");
    if (!fields.failed && !head.failed)
        made = stet__arena_copy(&recorded->arena, stet__buffer_span(&head));
    stet__buffer_release(&fields);
    stet__buffer_release(&head);
    return made;
}

static const char *add_request(struct stet__recorded *recorded, struct stet_span head)
{
    int status = stet_http1_request_parse(head, 0, &limits, recorded->request_fields, &recorded->request);
    recorded->has_request = status == STET_OK;
    return status == STET_OK ? NULL : stet_status_row(status)->sentence;
}

static const char *add_response(struct stet__recorded *recorded, struct stet_span head)
{
    enum stet_method method = recorded->has_request ? recorded->request.head.method : STET_METHOD_GET;
    struct stet_http1_response *to = &recorded->response;
    int status = stet_http1_response_parse(head, method, &limits, recorded->response_fields, to);
    if (status == STET_E_OBS_FOLD) {
        stet_http1_response_unfold((char *)(uintptr_t)head.ptr, head.len); /* a copy of ours */
        status = stet_http1_response_parse(head, method, &limits, recorded->response_fields, to);
    }
    recorded->has_response = status == STET_OK && to->head.status >= 200;
    return status == STET_OK ? NULL : stet_status_row(status)->sentence;
}

/* --- pseudo-header lines --- */

/* ":path: /a" as "/a". */
static bool take_pseudo(struct stet_span line, struct stet_span name, struct stet_span *value)
{
    if (!is_named(line, name))
        return false;
    *value = stet_span_trim(stet_span_skip(line, name.len + 1));
    return value->len > 0;
}

/* A first line out of those that begin with a colon; absent if they do not make one. */
static struct stet_span make_start(struct stet__recorded *recorded, struct stet_span line,
                                   struct stet_span text)
{
    struct stet_span method = STET_SPAN_NONE, path = STET_SPAN_NONE, status = STET_SPAN_NONE;
    struct stet__buffer start;
    do {
        (void)(take_pseudo(line, STET_SPAN(":method"), &method) ||
               take_pseudo(line, STET_SPAN(":path"), &path) ||
               take_pseudo(line, STET_SPAN(":status"), &status));
    } while (take_line(&text, &line) && line.len > 0);
    if (!status.ptr && !(method.ptr && path.ptr))
        return STET_SPAN_NONE;
    stet__buffer_init(&start, HEAD_MAX);
    stet__buffer_append(&start, status.ptr ? STET_SPAN("HTTP/2") : method);
    stet__buffer_append_text(&start, " ");
    stet__buffer_append(&start, status.ptr ? status : path);
    struct stet_span made =
        start.failed ? STET_SPAN_NONE : stet__arena_copy(&recorded->arena, stet__buffer_span(&start));
    stet__buffer_release(&start);
    return made;
}

/* --- heads one after the other --- */

struct heads {
    struct stet__recorded *recorded;
    struct stet_span pending; /* a later request, which counts once its response is there */
    bool some;
};

static const char *add_head(struct heads *heads, struct stet_span start, struct stet_span *text)
{
    bool response = is_status_line(start);
    const char *wrong = NULL;
    struct stet_span head = make_head(heads->recorded, start, text);
    if (!head.ptr)
        return "There is too much of it.";
    if (!response && heads->some) {
        heads->pending = head;
        return NULL;
    }
    if (response && heads->pending.ptr)
        wrong = add_request(heads->recorded, heads->pending);
    heads->pending = STET_SPAN_NONE;
    heads->some = true;
    if (wrong)
        return wrong;
    return response ? add_response(heads->recorded, head) : add_request(heads->recorded, head);
}

/* Whatever stands between them. */
static const char *add_heads(struct stet__recorded *recorded, struct stet_span text)
{
    struct stet_span line;
    struct heads heads = {.recorded = recorded, .pending = STET_SPAN_NONE};
    const char *wrong = NULL;
    while (!wrong && take_line(&text, &line)) {
        if (line.len > 0 && line.ptr[0] == ':' && !heads.some)
            line = make_start(recorded, line, text);
        if (is_status_line(line) || (heads.some ? is_whole_request_line(line) : is_request_line(line)))
            wrong = add_head(&heads, line, &text);
    }
    return wrong || heads.some ? wrong : "There is neither a request line nor a status line.";
}

/* Whether `curl -v` has written this: some line begins with "> " and one with "< ". */
static bool is_verbose(struct stet_span text)
{
    struct stet_span line;
    while (take_line(&text, &line))
        if (stet_span_starts(line, STET_SPAN("> ")) || stet_span_starts(line, STET_SPAN("< HTTP/")))
            return true;
    return false;
}

/* The lines of one side alone. */
static void take_side(struct stet_span text, char mark, struct stet__buffer *out)
{
    struct stet_span line;
    while (take_line(&text, &line)) {
        bool mine = line.len > 0 && line.ptr[0] == mark && (line.len == 1 || line.ptr[1] == ' ');
        if (!mine)
            continue;
        stet__buffer_append(out, stet_span_skip(line, line.len == 1 ? 1 : 2));
        stet__buffer_append_text(out, "\n");
    }
}

static const char *add_side(struct stet__recorded *recorded, struct stet_span text, char mark)
{
    struct stet__buffer lines;
    const char *wrong = NULL;
    stet__buffer_init(&lines, ARENA_MAX);
    take_side(text, mark, &lines);
    struct stet_span rest = stet__buffer_span(&lines);
    /* Each request of a chain that was followed takes the place of the one before. */
    while (!wrong && rest.len > 0) {
        struct stet_span line;
        if (!take_line(&rest, &line) || line.len == 0)
            continue;
        struct stet_span head = make_head(recorded, line, &rest);
        if (!head.ptr)
            wrong = "There is too much of it.";
        else
            wrong = mark == '<' ? add_response(recorded, head) : add_request(recorded, head);
    }
    stet__buffer_release(&lines);
    return wrong;
}

const char *stet__recorded_add(struct stet__recorded *recorded, struct stet_span text)
{
    if (stet_span_starts(text, STET_SPAN("\xff\xfe")) || stet_span_starts(text, STET_SPAN("\xfe\xff")))
        return "It is UTF-16. Save it as UTF-8.";
    if (stet_span_starts(text, STET_SPAN("\xef\xbb\xbf")))
        text = stet_span_skip(text, 3);
    if (!is_verbose(text))
        return add_heads(recorded, text);
    const char *wrong = add_side(recorded, text, '>');
    return wrong ? wrong : add_side(recorded, text, '<');
}

void stet__recorded_init(struct stet__recorded *recorded)
{
    recorded->has_request = recorded->has_response = false;
    recorded->request = (struct stet_http1_request){.minor = 0};
    recorded->response = (struct stet_http1_response){.minor = 0};
    stet__arena_init(&recorded->arena, ARENA_MAX);
}

void stet__recorded_release(struct stet__recorded *recorded)
{
    stet__arena_release(&recorded->arena);
}
