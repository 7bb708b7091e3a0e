/* SPDX-License-Identifier: MIT */
/*
 * get_claim: see get_claim.h. A tree of the C library, by path.
 */
#include "cli/get_claim.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct claim {
    char *path;
    char *uri;
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct claim *)a)->path, ((const struct claim *)b)->path);
}

static void release(void *arg)
{
    struct claim *claim = arg;
    if (!claim)
        return;
    free(claim->path);
    free(claim->uri);
    free(claim);
}

static struct claim *make(const char *path, const char *uri)
{
    struct claim *claim = calloc(1, sizeof *claim);
    if (!claim)
        return NULL;
    claim->path = strdup(path);
    claim->uri = strdup(uri);
    if (claim->path && claim->uri)
        return claim;
    release(claim);
    return NULL;
}

bool stet__get_claim(struct stet__get_claims *claims, const char *path, const char *uri)
{
    struct claim *mine = make(path, uri);
    struct claim **found = mine ? tsearch(mine, &claims->tree, compare) : NULL;
    if (found && *found == mine)
        return true;
    bool same = !found || strcmp((*found)->uri, uri) == 0;
    release(mine);
    return same;
}

void stet__get_claims_release(struct stet__get_claims *claims)
{
    tdestroy(claims->tree, release);
    claims->tree = NULL;
}
