/* SPDX-License-Identifier: MIT */
#include "cli/explain_reason.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include <stet/reason.h>

#include "cli/cli.h"
#include "cli/explain_log.h"

int stet__explain_reason(const char *name)
{
    for (int i = 0; i < STET_REASON_COUNT; i++) {
        const struct stet_reason_row *row = stet_reason_row((enum stet_reason)i);
        if (strcmp(row->name, name) != 0)
            continue;
        printf("%s (%s)\n%s\n", row->name, row->clause, row->sentence);
        return stet__cli_told();
    }
    stet__cli_complain("explain: there is no reason named %s; stet explain --list has all", name);
    return STET__EXIT_FAILURE;
}

int stet__explain_list(bool json)
{
    json_t *all = json ? json_array() : NULL;
    for (int i = 0; i < STET_REASON_COUNT; i++) {
        const struct stet_reason_row *row = stet_reason_row((enum stet_reason)i);
        if (json)
            (void)json_array_append_new(all, json_pack("{ss ss ss}", "name", row->name, "clause", row->clause,
                                                       "sentence", row->sentence));
        else
            printf("%-36s %-18s %s\n", row->name, row->clause, row->sentence);
    }
    return json ? stet__explain_print_json(all) : stet__cli_told();
}
