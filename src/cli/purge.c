/* SPDX-License-Identifier: MIT */
/*
 * purge: the command `stet purge`: asks the admin's listener of a `stet proxy` on this machine to purge, in
 * the JSON of proxy/purge_request.h. One request for each kind of selector, one after the other.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "cli/cli.h"
#include "cli/server_options.h"

enum { PATIENCE_S = 30, REQUEST_MAX = 1 << 21, ANSWER_MAX = 1 << 16 };

struct settings {
    struct stet__cli_list prefixes, groups; /* const char * */
    struct stet__listen_address admin;
    bool hard, all, help;
};

static const char *set_admin(void *arg, const char *argument)
{
    struct settings *settings = arg;
    return stet__listen_address_parse(stet__cli_span(argument), &settings->admin) == STET_OK
               ? NULL
               : "not an address; these are: 8306, 127.0.0.1:8306, [::1]:8306, unix:PATH";
}

static const char *add_prefix(void *arg, const char *argument)
{
    struct settings *settings = arg;
    return stet__cli_list_append(&settings->prefixes, &argument, sizeof argument);
}

static const char *add_group(void *arg, const char *argument)
{
    struct settings *settings = arg;
    return stet__cli_list_append(&settings->groups, &argument, sizeof argument);
}

/* clang-format off */
static const struct stet__option options[] = {
    STET__ROW_HEADING("What to purge"),
    STET__ROW_CALL("prefix", "PREFIX", NULL, add_prefix, "URIs that begin so: http://example.com/blog/; may be repeated"),
    STET__ROW_CALL("group", "NAME", NULL, add_group, "of Cache-Groups, Surrogate-Key, xkey, Cache-Tag; may be repeated"),
    STET__ROW_SWITCH("all", STET__FIELD(struct settings, all), "everything"),
    STET__ROW_HEADING("How"),
    STET__ROW_SWITCH("hard", STET__FIELD(struct settings, hard), "remove it; else it is validated before it is used again"),
    STET__ROW_CALL("admin", "ADDR", "127.0.0.1:8306", set_admin, "the --admin of the proxy"),
    STET__ROW_HEADING("Others"),
    STET__ROW_SWITCH("help", STET__FIELD(struct settings, help), "this text"),
};
/* clang-format on */

static const struct stet__option_rows rows = STET__ROWS(options);
static const struct stet__option_rows *const parts[] = {&rows};
static const struct stet__option_table table = {"purge", parts, 1};

void stet__cli_purge_help(FILE *out)
{
    struct settings settings = {.hard = false};
    fputs("Usage: stet purge [OPTION]... [URI]...\n\n"
          "Tells a stet proxy on this machine that what it stores is out of date: all variants of each URI,\n"
          "and what the options select. Prints how many stored answers that were.\n",
          out);
    stet__options_print(&table, &settings, out);
    fputs("\nExit codes: 0 done, 1 the proxy was not reached or refused, 2 wrong command line. More: man\n"
          "stet-purge\n",
          out);
}

/* A JSON string: RFC 8259 section 7. */
static void append_string(struct stet__buffer *out, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    stet__buffer_append_text(out, "\"");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        char escaped[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        if (c < 0x20)
            stet__buffer_append(out, stet_span_of(escaped, sizeof escaped));
        else if (c == '"' || c == '\\')
            stet__buffer_append(out, stet_span_of((char[]){'\\', *text}, 2));
        else
            stet__buffer_append(out, stet_span_of(text, 1));
    }
    stet__buffer_append_text(out, "\"");
}

static void write_body(struct stet__buffer *out, const char *type, const struct stet__cli_list *selectors,
                       bool hard)
{
    const char *const *at = selectors->at;
    stet__buffer_append_text(out, "{\"type\": ");
    append_string(out, type);
    stet__buffer_append_text(out, hard ? ", \"purge\": true" : ", \"purge\": false");
    for (size_t i = 0; i < selectors->count; i++) {
        stet__buffer_append_text(out, i == 0 ? ", \"selectors\": [" : ", ");
        append_string(out, at[i]);
    }
    stet__buffer_append_text(out, selectors->count > 0 ? "]}\n" : "}\n");
}

static bool send_all(int fd, struct stet_span octets)
{
    while (octets.len > 0) {
        ssize_t sent = send(fd, octets.ptr, octets.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        octets = stet_span_skip(octets, (size_t)sent);
    }
    return true;
}

static bool receive_all(int fd, struct stet__buffer *answer)
{
    for (;;) {
        char *room = stet__buffer_reserve(answer, 4096);
        ssize_t got = room ? recv(fd, room, 4096, 0) : -1;
        if (got < 0)
            return false;
        if (got == 0)
            return answer->len > 0;
        answer->len += (size_t)got;
    }
}

static int open_connection(const struct stet__listen_address *admin)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(admin->at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, &admin->at.any, admin->len) == 0)
        return fd;
    int cause = errno;
    close(fd);
    errno = cause;
    return -1;
}

/* Asks and has the whole answer, with a terminator. False after a complaint. */
static bool exchange(const struct stet__listen_address *admin, struct stet_span body,
                     struct stet__buffer *answer)
{
    struct stet__buffer head;
    char place[128];
    stet__listen_address_format(admin, place, sizeof place);
    int fd = open_connection(admin);
    if (fd < 0) {
        stet__cli_complain("purge: no admin at %s: %s; is stet proxy running with --admin?", place,
                           strerrordesc_np(errno));
        return false;
    }
    stet__buffer_init(&head, 1024);
    stet__buffer_append_text(&head, "POST /purge HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                    "Content-Type: application/json\r\nContent-Length: ");
    stet__buffer_append_u64(&head, body.len);
    stet__buffer_append_text(&head, "\r\n\r\n");
    bool done = send_all(fd, stet__buffer_span(&head)) && send_all(fd, body) && receive_all(fd, answer) &&
                stet__buffer_append(answer, stet_span_of("", 1));
    stet__buffer_release(&head);
    close(fd);
    if (!done)
        stet__cli_complain("purge: the admin at %s did not answer", place);
    return done;
}

/* The number in the answer; false after a complaint. */
static bool read_answer(const char *answer, uint64_t *purged)
{
    static const char good[] = "HTTP/1.1 200 ", member[] = "\"purged\": ", error[] = "{\"error\": \"";
    const char *at = strstr(answer, member), *why = strstr(answer, error);
    if (strncmp(answer, good, sizeof good - 1) == 0 && at) {
        at += sizeof member - 1;
        if (stet_span_to_u64(stet_span_of(at, strspn(at, "0123456789")), purged) == STET_OK)
            return true;
    }
    if (why)
        stet__cli_complain("purge: refused: %.*s", (int)strcspn(why + sizeof error - 1, "\""),
                           why + sizeof error - 1);
    else
        stet__cli_complain("purge: what answers there is no admin of stet");
    return false;
}

static bool purge(const struct settings *settings, const char *type, const struct stet__cli_list *selectors,
                  uint64_t *purged)
{
    struct stet__buffer body, answer;
    uint64_t count = 0;
    stet__buffer_init(&body, REQUEST_MAX);
    stet__buffer_init(&answer, ANSWER_MAX);
    write_body(&body, type, selectors, settings->hard);
    if (body.failed)
        stet__cli_complain("purge: that is too much at a time");
    bool done = !body.failed && exchange(&settings->admin, stet__buffer_span(&body), &answer) &&
                read_answer(answer.ptr, &count);
    *purged += count;
    stet__buffer_release(&body);
    stet__buffer_release(&answer);
    return done;
}

static int run(const struct settings *settings, const struct stet__cli_list *uris)
{
    const struct stet__cli_list none = {NULL, 0};
    uint64_t purged = 0;
    bool done =
        (uris->count == 0 || purge(settings, "uri", uris, &purged)) &&
        (settings->prefixes.count == 0 || purge(settings, "uri-prefix", &settings->prefixes, &purged)) &&
        (settings->groups.count == 0 || purge(settings, "group", &settings->groups, &purged)) &&
        (!settings->all || purge(settings, "all", &none, &purged));
    if (!done)
        return STET__EXIT_FAILURE;
    printf("%ju %s\n", (uintmax_t)purged, settings->hard ? "removed" : "invalidated");
    return stet__cli_told();
}

int stet__cli_purge(int argc, char **argv)
{
    struct settings settings = {.hard = false};
    struct stet__cli_list uris = {.at = argv};
    int operands, code = STET__EXIT_USAGE;
    set_admin(&settings, "127.0.0.1:8306");
    if (stet__options_parse(&table, &settings, argc, argv, &operands)) {
        uris.count = (size_t)operands;
        if (settings.help) {
            stet__cli_purge_help(stdout);
            code = stet__cli_told();
        } else if (uris.count + settings.prefixes.count + settings.groups.count == 0 && !settings.all) {
            stet__cli_complain("purge: what? stet purge http://127.0.0.1:8305/page, for example");
        } else {
            code = run(&settings, &uris);
        }
    }
    free(settings.prefixes.at);
    free(settings.groups.at);
    return code;
}
