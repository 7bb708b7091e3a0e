/* SPDX-License-Identifier: MIT */
/*
 * get_progress: see get_progress.h. The control sequences are those that all terminals of the last decades
 * have (ECMA-48: CUU, EL, ED); a terminal that says that it is dumb is shown nothing.
 */
#include "cli/get_progress.h"

#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buffer.h"
#include "cli/get_name.h"

enum {
    INTERVAL_US = 100000,
    QUIET_US = 300000,
    COLUMNS_DEFAULT = 80,
    COLUMNS_MIN = 20,
    COLUMNS_MAX = 240,
    NAME_MAX_COLUMNS = 32,
    FIGURES = 29, /* columns of "100%  999.9 MB of 999.9 MB" with what is around */
    DRAWN_MAX = 65536,
};

int64_t stet__get_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void stet__get_octets_format(uint64_t octets, char *out)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    size_t unit = 0;
    uint64_t scale = 1;
    while (unit < 6 && octets / scale >= 1000) {
        scale *= 1000;
        unit++;
    }
    if (unit == 0)
        snprintf(out, STET__GET_OCTETS_ROOM, "%ju B", (uintmax_t)octets);
    else
        snprintf(out, STET__GET_OCTETS_ROOM, "%ju.%ju %s", (uintmax_t)(octets / scale),
                 (uintmax_t)(octets % scale / (scale / 10)), units[unit]);
}

/* The end of a name that is too long says more than its begin. It may have control octets, if a list that
 * --input reads has them, and begins with no half of a character. */
static void format_name(const char *name, unsigned columns, char *out, size_t room)
{
    size_t len = strlen(name);
    const char *end = len <= columns ? name : name + len - columns + 3;
    while (end > name && ((unsigned char)*end & 0xC0) == 0x80)
        end++;
    if (len <= columns)
        snprintf(out, room, "%-*s", (int)columns, name);
    else
        snprintf(out, room, "...%s", end);
    stet__get_tidy(out);
}

void stet__get_bar_format(const struct stet__get_bar *bar, unsigned columns, char *out, size_t room)
{
    char name[COLUMNS_MAX], received[STET__GET_OCTETS_ROOM], expected[STET__GET_OCTETS_ROOM],
        drawn[COLUMNS_MAX];
    unsigned name_columns = columns / 3 < NAME_MAX_COLUMNS ? columns / 3 : NAME_MAX_COLUMNS;
    format_name(bar->name, name_columns, name, sizeof name);
    stet__get_octets_format(bar->received, received);
    if (bar->expected == UINT64_MAX || bar->expected == 0) {
        snprintf(out, room, "%s  %s", name, received);
        return;
    }
    uint64_t part = bar->received < bar->expected ? bar->received : bar->expected;
    unsigned percent = (unsigned)((double)part * 100 / (double)bar->expected);
    unsigned width = columns > name_columns + FIGURES + 8 ? columns - name_columns - FIGURES - 5 : 0;
    unsigned full = width * percent / 100;
    stet__get_octets_format(bar->expected, expected);
    for (unsigned i = 0; i < width; i++)
        drawn[i] = i < full ? '#' : '-';
    drawn[width] = '\0';
    if (width > 0)
        snprintf(out, room, "%s [%s] %3u%%  %s of %s", name, drawn, percent, received, expected);
    else
        snprintf(out, room, "%s %3u%%", name, percent);
}

/* Appends to what is in `out` as much as there is room for. */
__attribute__((format(printf, 3, 4))) static void add(char *out, size_t room, const char *format, ...)
{
    va_list arguments;
    size_t len = strlen(out);
    va_start(arguments, format);
    /* clang-tidy 14 does not see through va_start. */
    vsnprintf(out + len, room - len, format, arguments); /* NOLINT(clang-analyzer-valist.Uninitialized) */
    va_end(arguments);
}

static void add_time(int64_t us, char *out, size_t room)
{
    if (us < 100000)
        add(out, room, "%jd ms", (intmax_t)(us / 1000));
    else if (us < 60000000)
        add(out, room, "%jd.%jd s", (intmax_t)(us / 1000000), (intmax_t)(us % 1000000 / 100000));
    else
        add(out, room, "%jd min %jd s", (intmax_t)(us / 60000000), (intmax_t)(us / 1000000 % 60));
}

static void add_octets(const struct stet__get_tally *tally, char *out, size_t room)
{
    char received[STET__GET_OCTETS_ROOM], saved[STET__GET_OCTETS_ROOM];
    stet__get_octets_format(tally->received_octets + tally->under_way_octets, received);
    stet__get_octets_format(tally->saved_octets, saved);
    add(out, room, "; %s received", received);
    if (tally->saved_octets > 0)
        add(out, room, ", %s not sent again", saved);
}

void stet__get_tally_format(const struct stet__get_tally *tally, int64_t now_us, char *out, size_t room)
{
    static const struct {
        enum stet__get_source source;
        const char *words;
    } told[] = {{STET__GET_VALIDATED, "not modified (304)"},
                {STET__GET_STORE, "from the cache"},
                {STET__GET_STALE, "from the cache although stale"},
                {STET__GET_ORIGIN, "fetched"},
                {STET__GET_COMBINED, "gone on with"}};
    const char *separator = ":";
    snprintf(out, room, "stet: %zu file%s in ", tally->ended, tally->ended == 1 ? "" : "s");
    add_time(now_us - tally->started_us, out, room);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        if (tally->by_source[told[i].source] > 0) {
            add(out, room, "%s %zu %s", separator, tally->by_source[told[i].source], told[i].words);
            separator = ",";
        }
    if (tally->failed > 0)
        add(out, room, "%s %zu failed", separator, tally->failed);
    add_octets(tally, out, room);
}

/* --- on the terminal --- */

static void measure(unsigned *columns, unsigned *rows)
{
    struct winsize size;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    *columns = known ? size.ws_col : COLUMNS_DEFAULT;
    *rows = known && size.ws_row > 2 ? size.ws_row : 3;
    if (*columns < COLUMNS_MIN)
        *columns = COLUMNS_MIN;
    if (*columns > COLUMNS_MAX)
        *columns = COLUMNS_MAX;
}

static void put(struct stet__buffer *out)
{
    for (size_t sent = 0; sent < out->len;) {
        ssize_t wrote = write(STDERR_FILENO, out->ptr + sent, out->len - sent);
        if (wrote <= 0)
            return;
        sent += (size_t)wrote;
    }
}

static void add_line(struct stet__buffer *out, const char *text, unsigned columns)
{
    size_t len = strlen(text);
    stet__buffer_append(out, stet_span_of(text, len < columns ? len : columns - 1));
    stet__buffer_append_text(out, "\x1b[K\n");
}

static void move_up(struct stet__buffer *out, unsigned lines)
{
    stet__buffer_append_text(out, "\r");
    if (lines == 0)
        return;
    stet__buffer_append_text(out, "\x1b[");
    stet__buffer_append_u64(out, lines);
    stet__buffer_append_text(out, "A");
}

static void add_total(const struct stet__get_progress *progress, unsigned columns, struct stet__buffer *out)
{
    const struct stet__get_tally *tally = progress->tally;
    char line[COLUMNS_MAX + 1];
    snprintf(line, sizeof line, "%zu", tally->ended);
    if (tally->expected > 0)
        add(line, sizeof line, " of %zu", tally->expected);
    add(line, sizeof line, " files");
    if (tally->by_source[STET__GET_VALIDATED] > 0)
        add(line, sizeof line, ", %zu not modified", tally->by_source[STET__GET_VALIDATED]);
    if (tally->failed > 0)
        add(line, sizeof line, ", %zu failed", tally->failed);
    add_octets(tally, line, sizeof line);
    add_line(out, line, columns);
}

void stet__get_progress_draw(struct stet__get_progress *progress)
{
    if (!progress->on)
        return;
    int64_t now_us = stet__get_now_us();
    if (now_us - progress->drawn_us < INTERVAL_US || now_us - progress->tally->started_us < QUIET_US)
        return;
    unsigned columns, rows, lines = 0;
    char line[COLUMNS_MAX + 1];
    struct stet__buffer out;
    stet__buffer_init(&out, DRAWN_MAX);
    measure(&columns, &rows);
    move_up(&out, progress->lines);
    for (size_t i = 0; i < progress->count && lines < STET__GET_BARS && lines + 2 < rows; i++) {
        if (!progress->bars[i].name || now_us - progress->bars[i].started_us < QUIET_US)
            continue;
        stet__get_bar_format(&progress->bars[i], columns, line, sizeof line);
        add_line(&out, line, columns);
        lines++;
    }
    if (progress->tally->expected != 1) {
        add_total(progress, columns, &out);
        lines++;
    }
    if (lines < progress->lines)
        stet__buffer_append_text(&out, "\x1b[J");
    put(&out);
    progress->lines = lines;
    progress->drawn_us = now_us;
    stet__buffer_release(&out);
}

void stet__get_progress_clear(struct stet__get_progress *progress)
{
    struct stet__buffer out;
    if (progress->lines == 0)
        return;
    stet__buffer_init(&out, DRAWN_MAX);
    move_up(&out, progress->lines);
    stet__buffer_append_text(&out, "\x1b[J");
    put(&out);
    progress->lines = 0;
    progress->drawn_us = 0;
    stet__buffer_release(&out);
}
