/* SPDX-License-Identifier: MIT */
/*
 * get_set: see get_set.h. Fields are judged here, so that none with a line end or a control octet in it
 * leaves (RFC 9110 section 5.5), nor one that frames the content or is about the connection: those are the
 * transfer's (RFC 9112 section 6).
 */
#include "cli/get_set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stet/field.h>

#include "cli/get_options.h"
#include "cli/get_write_out.h"

enum { HEADER_FILE_MAX = 1 << 20 };

/* All of a file; "-" is standard input. NULL, or what is wrong. */
static const char *read_file(const char *path, struct stet__buffer *out)
{
    bool own = strcmp(path, "-") != 0;
    int fd = own ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    const char *wrong = fd < 0 ? strerrordesc_np(errno) : NULL;
    for (ssize_t got = 1; !wrong && got > 0;) {
        char *room = stet__buffer_reserve(out, 65536);
        got = room ? read(fd, room, 65536) : 0;
        if (!room)
            wrong = "that is too much";
        else if (got < 0)
            wrong = strerrordesc_np(errno);
        else
            out->len += (size_t)got;
    }
    if (own && fd >= 0)
        close(fd);
    return wrong;
}

const char *stet__get_set_output(void *arg, const char *argument)
{
    struct stet__get_options *options = arg;
    struct stet__get_place place = {argument};
    return *argument ? stet__cli_list_append(&options->places, &place, sizeof place)
                     : "not the name of a file";
}

const char *stet__get_set_remote_name(void *arg, const char *argument)
{
    struct stet__get_options *options = arg;
    struct stet__get_place place = {NULL};
    return stet__cli_list_append(&options->places, &place, sizeof place);
}

const char *stet__get_set_write_out(void *arg, const char *argument)
{
    struct stet__get_options *options = arg;
    const char *wrong = NULL;
    if (argument[0] == '@') {
        stet__buffer_clear(&options->write_out_file);
        wrong = read_file(argument + 1, &options->write_out_file);
        if (!wrong && !stet__buffer_append(&options->write_out_file, stet_span_of("", 1)))
            wrong = "that is too much";
        argument = options->write_out_file.ptr;
    }
    options->write_out = argument;
    return wrong ? wrong : stet__write_out_check(argument);
}

/* --- fields --- */

static bool is_ours(struct stet_span name)
{
    static const char *const names[] = {"content-length", "transfer-encoding", "connection", "te",
                                        "trailer",        "upgrade",           "keep-alive", "expect"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (stet_span_equal_nocase(name, stet__cli_span(names[i])))
            return true;
    return false;
}

static const char *add_header(struct stet__get_options *options, const char *line)
{
    size_t len = strcspn(line, ":;");
    struct stet_span name = stet_span_of(line, len);
    if (!line[len])
        return "not of the form 'Name: value'";
    if (!stet_is_token(name))
        return "that is not the name of a field";
    if (line[len] == ';' && line[len + 1])
        return "';' stands behind the name of an empty field; is it a ':'?";
    for (const char *c = line + len; *c; c++)
        if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7F)
            return "the value holds a control character";
    if (is_ours(name))
        return "what frames the content and is about the connection is not for -H";
    return stet__cli_list_append(&options->headers, &line, sizeof line);
}

/* One field a line; empty lines do not count. */
static const char *add_header_file(struct stet__get_options *options, const char *path)
{
    struct stet__buffer text;
    stet__buffer_init(&text, HEADER_FILE_MAX);
    const char *wrong = read_file(path, &text);
    if (!wrong && !stet__buffer_append(&text, stet_span_of("", 1)))
        wrong = "that is too much";
    if (!wrong)
        wrong = stet__cli_list_append(&options->texts, &text.ptr, sizeof text.ptr);
    if (wrong) {
        stet__buffer_release(&text);
        return wrong;
    }
    for (char *line = text.ptr, *next; *line && !wrong; line = next) {
        size_t len = strcspn(line, "\r\n");
        next = line + len + strspn(line + len, "\r\n");
        line[len] = '\0';
        wrong = len > 0 ? add_header(options, line) : NULL;
    }
    return wrong;
}

const char *stet__get_set_header(void *arg, const char *argument)
{
    return argument[0] == '@' ? add_header_file(arg, argument + 1) : add_header(arg, argument);
}

/* --- content --- */

/* Content without CR, LF and NUL, as curl's -d @FILE has it. */
static void remove_line_ends(struct stet__buffer *content, size_t from)
{
    size_t to = from;
    for (size_t i = from; i < content->len; i++) {
        char c = content->ptr[i];
        if (c != '\r' && c != '\n' && c != '\0')
            content->ptr[to++] = c;
    }
    content->len = to;
}

static const char *add_data(struct stet__get_options *options, const char *data, bool file, bool as_it_is)
{
    if (options->has_content)
        stet__buffer_append_text(&options->content, "&");
    options->has_content = true;
    size_t from = options->content.len;
    const char *wrong = NULL;
    if (!file)
        stet__buffer_append_text(&options->content, data);
    else
        wrong = read_file(data + 1, &options->content);
    if (file && !as_it_is)
        remove_line_ends(&options->content, from);
    return wrong ? wrong : options->content.failed ? "out of memory" : NULL;
}

const char *stet__get_set_data(void *arg, const char *argument)
{
    return add_data(arg, argument, argument[0] == '@', false);
}

const char *stet__get_set_data_raw(void *arg, const char *argument)
{
    return add_data(arg, argument, false, true);
}

const char *stet__get_set_data_binary(void *arg, const char *argument)
{
    return add_data(arg, argument, argument[0] == '@', true);
}

/* --- the cache --- */

static const char *set_mode(struct stet__get_options *options, enum stet__get_mode mode, const char *name)
{
    if (options->mode_option && strcmp(options->mode_option, name) != 0)
        return "--refresh, --reload and --offline exclude each other";
    options->mode = mode;
    options->mode_option = name;
    return NULL;
}

const char *stet__get_set_refresh(void *arg, const char *argument)
{
    return set_mode(arg, STET__GET_REFRESH, "refresh");
}

const char *stet__get_set_reload(void *arg, const char *argument)
{
    return set_mode(arg, STET__GET_RELOAD, "reload");
}

const char *stet__get_set_offline(void *arg, const char *argument)
{
    return set_mode(arg, STET__GET_OFFLINE, "offline");
}

const char *stet__get_set_max_stale(void *arg, const char *argument)
{
    struct stet__get_options *options = arg;
    uint64_t seconds = INT64_MAX;
    if (argument && stet_span_to_u64(stet__cli_span(argument), &seconds) != STET_OK)
        return "not a number of seconds";
    options->max_stale_s = seconds < INT64_MAX ? (int64_t)seconds : INT64_MAX;
    return NULL;
}

/* --- connections --- */

const char *stet__get_set_http1(void *arg, const char *argument)
{
    ((struct stet__get_options *)arg)->transfer.version = STET__TRANSFER_HTTP1;
    return NULL;
}

const char *stet__get_set_http2(void *arg, const char *argument)
{
    ((struct stet__get_options *)arg)->transfer.version = STET__TRANSFER_ANY;
    return NULL;
}

const char *stet__get_set_http2_only(void *arg, const char *argument)
{
    ((struct stet__get_options *)arg)->transfer.version = STET__TRANSFER_HTTP2;
    return NULL;
}

const char *stet__get_set_resolve(void *arg, const char *argument)
{
    struct stet__get_options *options = arg;
    const char *colon = strchr(argument, ':'), *second = colon ? strchr(colon + 1, ':') : NULL;
    if (!second || second == colon + 1 || colon == argument || !second[1])
        return "not of the form HOST:PORT:ADDRESS";
    return stet__cli_list_append(&options->resolve, &argument, sizeof argument);
}

const char *stet__get_set_continue_at(void *arg, const char *argument)
{
    return strcmp(argument, "-") == 0
               ? NULL
               : "stet itself knows where to go on; an offset is for -H 'Range: bytes=N-'";
}

/* "30", "0.5": in milliseconds, 1 at least. */
static const char *read_ms(const char *argument, unsigned *out)
{
    enum { SECONDS_MAX = 1000000, DIGITS = 3 };
    size_t whole = strcspn(argument, ".");
    const char *fraction = argument[whole] ? argument + whole + 1 : "0";
    size_t digits = strlen(fraction);
    uint64_t seconds, part;
    if (stet_span_to_u64(stet_span_of(argument, whole), &seconds) != STET_OK || digits > DIGITS ||
        stet_span_to_u64(stet_span_of(fraction, digits), &part) != STET_OK || seconds > SECONDS_MAX)
        return "not a number of seconds, such as 30 or 0.5";
    for (size_t i = digits; i < DIGITS; i++)
        part *= 10;
    if (seconds * 1000 + part == 0)
        return "not a number of seconds, such as 30 or 0.5";
    *out = (unsigned)(seconds * 1000 + part);
    return NULL;
}

const char *stet__get_set_connect_timeout(void *arg, const char *argument)
{
    return read_ms(argument, &((struct stet__get_options *)arg)->transfer.connect_ms);
}

const char *stet__get_set_idle_timeout(void *arg, const char *argument)
{
    return read_ms(argument, &((struct stet__get_options *)arg)->transfer.silence_ms);
}

const char *stet__get_set_max_time(void *arg, const char *argument)
{
    return read_ms(argument, &((struct stet__get_options *)arg)->transfer.whole_ms);
}
