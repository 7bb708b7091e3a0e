/* SPDX-License-Identifier: MIT */
#include "cli/explain_log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "explain/tally.h"

#define TEXT_MAX (64u << 20)

bool stet__explain_colour(void)
{
    const char *no_color = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(no_color && no_color[0]);
}

int stet__explain_print(struct stet__buffer *text)
{
    bool whole = !text->failed;
    if (whole && text->len > 0)
        (void)fwrite(text->ptr, 1, text->len, stdout);
    stet__buffer_release(text);
    if (!whole)
        stet__cli_complain("explain: out of memory");
    return whole ? stet__cli_told() : STET__EXIT_FAILURE;
}

int stet__explain_print_json(struct json_t *json)
{
    bool done = json && json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0;
    json_decref(json);
    if (!done) {
        stet__cli_complain("explain: out of memory");
        return STET__EXIT_FAILURE;
    }
    putchar('\n');
    return stet__cli_told();
}

static int open_input(const char *path)
{
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        stet__cli_complain("explain: %s: %s", path, strerrordesc_np(errno));
    return fd;
}

bool stet__explain_read(const char *path, struct stet__buffer *out)
{
    int fd = open_input(path);
    ssize_t got = -1;
    char *to;
    if (fd < 0)
        return false;
    while ((to = stet__buffer_reserve(out, 65536)) && (got = read(fd, to, 65536)) > 0)
        out->len += (size_t)got;
    int cause = errno;
    if (fd != STDIN_FILENO)
        close(fd);
    if (!to)
        stet__cli_complain("explain: %s: too large", path);
    else if (got < 0)
        stet__cli_complain("explain: %s: %s", path, strerrordesc_np(cause));
    return to && got == 0;
}

/* Octets that a compressed file begins with, and what turns it into a log again. */
static const char *unpacker(const char *begin, size_t len)
{
    static const struct {
        const char *magic, *command;
    } kinds[] = {{"\x1f\x8b", "zcat"},
                 {"\x28\xb5\x2f\xfd", "zstdcat"},
                 {"\xfd"
                  "7zXZ",
                  "xzcat"},
                 {"BZh", "bzcat"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t size = strlen(kinds[i].magic);
        if (len >= size && memcmp(begin, kinds[i].magic, size) == 0)
            return kinds[i].command;
    }
    return NULL;
}

static int tell(struct stet__tally *tally, const char *path, bool json)
{
    struct stet__buffer text;
    if (tally->answers == 0 && tally->unreadable > 0) {
        stet__cli_complain("explain: %s: no access log of stet, nor in the common or combined format", path);
        return STET__EXIT_FAILURE;
    }
    size_t count = stet__tally_sort(tally);
    if (json)
        return stet__explain_print_json(stet__tally_json(tally, count));
    stet__buffer_init(&text, TEXT_MAX);
    stet__tally_write(tally, count, stet__explain_colour(), &text);
    return stet__explain_print(&text);
}

int stet__explain_log(const char *path, bool json)
{
    int fd = open_input(path), code = STET__EXIT_FAILURE;
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    struct stet__tally *tally = file ? stet__tally_new() : NULL;
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    const char *unpack = NULL;
    for (bool first = true; tally && !unpack && (len = getline(&line, &room, file)) >= 0; first = false) {
        unpack = first ? unpacker(line, (size_t)len) : NULL;
        stet__tally_line(tally, stet_span_of(line, (size_t)len));
    }
    if (unpack)
        stet__cli_complain("explain: %s: it is compressed; try: %s %s | stet explain --access-log -", path,
                           unpack, path);
    else if (tally && ferror(file))
        stet__cli_complain("explain: %s: %s", path, strerrordesc_np(errno));
    else if (tally)
        code = tell(tally, path, json);
    free(line);
    stet__tally_free(tally);
    if (file)
        fclose(file);
    return code;
}
