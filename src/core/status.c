/* SPDX-License-Identifier: MIT */
#include <stet/status.h>

#include <stddef.h>

static const struct stet_status_row rows[] = {
    {STET_OK, "ok", 0, "", "No failure."},
    {STET_MORE, "more", 0, "", "More octets are needed."},
    {STET_END, "end", 0, "", "Nothing is left."},
#define X(symbol, value, name, http_status, clause, sentence) {value, name, http_status, clause, sentence},
#include <stet/status.def>
#undef X
};

static const struct stet_status_row unknown = {0, "unknown", 0, "", "There is no such status."};

const struct stet_status_row *stet_status_row(int status)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].status == status)
            return &rows[i];
    return &unknown;
}
