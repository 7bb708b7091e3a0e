/* SPDX-License-Identifier: MIT */
/*
 * Heads in plain arrays, and chance (splitmix64).
 */
#include "sim.h"

#include <stdarg.h>

void sim_put(struct sim_head *head, const char *name, const char *format, ...)
{
    va_list arguments;
    if (head->count == SIM_LINES)
        abort();
    struct sim_line *line = &head->lines[head->count++];
    snprintf(line->name, sizeof line->name, "%s", name);
    va_start(arguments, format);
    /* clang-tidy 14 does not see through va_start. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    int len = vsnprintf(line->value, sizeof line->value, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof line->value)
        abort();
}

static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if ((*a | 0x20) != (*b | 0x20))
            return false;
    return *a == *b;
}

const char *sim_get(const struct sim_head *head, const char *name)
{
    for (unsigned i = 0; i < head->count; i++)
        if (same_name(head->lines[i].name, name))
            return head->lines[i].value;
    return NULL;
}

void sim_drop(struct sim_head *head, const char *name)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < head->count; i++) {
        if (same_name(head->lines[i].name, name))
            continue;
        if (kept != i)
            head->lines[kept] = head->lines[i];
        kept++;
    }
    head->count = kept;
}

void sim_view(const struct sim_head *head, struct sim_view *out)
{
    out->fields = (struct stet_fields){out->at, head->count, 0};
    for (unsigned i = 0; i < head->count; i++) {
        const struct sim_line *line = &head->lines[i];
        struct stet_span name = stet_span_of(line->name, strlen(line->name));
        out->at[i] =
            (struct stet_field){name, stet_span_of(line->value, strlen(line->value)), stet_field_id(name)};
        out->fields.present |= UINT64_C(1) << out->at[i].id;
    }
}

static uint64_t next(struct sim_random *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = (random->state ^ random->state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

unsigned sim_below(struct sim_random *random, unsigned n)
{
    return (unsigned)((next(random) >> 32) * n >> 32);
}

bool sim_chance(struct sim_random *random, unsigned percent)
{
    return sim_below(random, 100) < percent;
}
