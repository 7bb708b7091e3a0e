/* SPDX-License-Identifier: MIT */
/*
 * redirect: a role in front of another: what is asked without TLS is sent to the same URI with https, by 308,
 * which keeps method and content (RFC 9110 section 15.4.9); the rest goes to the role behind.
 *
 * Not sent away: the challenges of certificate authorities (RFC 8555 section 8.3), below
 * /.well-known/acme-challenge/. A request without a host gets 400, as there is nowhere to send it to.
 */
#ifndef STET_NET_REDIRECT_H
#define STET_NET_REDIRECT_H

#include "net/exchange.h"

struct stet__redirect {
    struct stet__role role; /* this one, whose configuration is the structure itself */
    const struct stet__role *behind;
    const void *configuration; /* of that */
    unsigned port;             /* where https is spoken: 443 is left out of URIs */
};

void stet__redirect_init(struct stet__redirect *redirect, const struct stet__role *behind,
                         const void *configuration, unsigned port);

#endif
