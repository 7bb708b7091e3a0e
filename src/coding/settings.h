/* SPDX-License-Identifier: MIT */
/*
 * settings: what an operator says about content codings, for the roles that make coded copies:
 * src/cli/coding_options.c reads it. Constant once the program runs, shared by all threads.
 */
#ifndef STET_CODING_SETTINGS_H
#define STET_CODING_SETTINGS_H

#include <stet/coded.h>

struct stet__coding_settings {
    struct stet_coded_policy policy;       /* which representations */
    unsigned made;                         /* the set of codings that are made; 0: none is */
    unsigned char rank[STET_CODING_COUNT]; /* which one is sent of those that a request likes equally */
    unsigned levels[STET_CODING_COUNT];    /* of kept copies, as coder.h counts them; 0: the best */
};

#endif
