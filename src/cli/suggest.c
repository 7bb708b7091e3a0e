/* SPDX-License-Identifier: MIT */
/*
 * suggest: the nearest name by edit distance, in which two neighbours that changed places count once. More
 * than a third of the letters wrong is no typing error, and then no suggestion is better than a silly one.
 */
#include "cli/suggest.h"

#include <string.h>

enum { LONGEST = 40 }; /* the longest name of a reason has 34 */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The row of the table for the first `i` letters of `a`, from the two rows before it. */
static void fill_row(size_t (*rows)[LONGEST + 1], size_t i, const char *a, const char *b)
{
    size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
    row[0] = i;
    for (size_t j = 1; b[j - 1]; j++) {
        row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
            row[j] = least(row[j], two_above[j - 2] + 1);
    }
}

static size_t edit_distance(const char *a, const char *b)
{
    size_t rows[3][LONGEST + 1];
    size_t len = strlen(a);
    for (size_t j = 0; j <= LONGEST; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= len; i++)
        fill_row(rows, i, a, b);
    return rows[len % 3][strlen(b)];
}

void stet__suggestion_offer(struct stet__suggestion *suggestion, const char *name)
{
    size_t len = strlen(suggestion->typed);
    if (len > LONGEST || strlen(name) > LONGEST)
        return;
    size_t distance = edit_distance(suggestion->typed, name);
    if (distance > (strlen(name) + 2) / 3 || (suggestion->best && distance >= suggestion->distance))
        return;
    suggestion->best = name;
    suggestion->distance = distance;
}
