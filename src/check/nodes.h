/* SPDX-License-Identifier: MIT */
/*
 * nodes: the addresses of a host.
 */
#ifndef STET_CHECK_NODES_H
#define STET_CHECK_NODES_H

enum { STET__NODES_MAX = 32, STET__NODE_LEN = 48 };

struct stet__nodes {
    char at[STET__NODES_MAX][STET__NODE_LEN]; /* "192.0.2.1", "2001:db8::1" */
    unsigned count;                           /* 0 if the name leads nowhere */
};

void stet__nodes_find(const char *uri, struct stet__nodes *out);

#endif
