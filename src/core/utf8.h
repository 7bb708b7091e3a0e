/* SPDX-License-Identifier: MIT */
/*
 * utf8: whether octets that come one by one are UTF-8 (RFC 3629 section 4): no overlong form, no surrogate,
 * nothing above U+10FFFF.
 */
#ifndef STET_CORE_UTF8_H
#define STET_CORE_UTF8_H

#include <stdbool.h>

/* Zeroed at the start. The text is complete while `left` is 0. */
struct stet__utf8 {
    unsigned left;           /* octets of the current code point that are still to come */
    unsigned char low, high; /* what the next of them may be */
};

/* Takes the next octet. False if it cannot stand there; the state means nothing after that. */
bool stet__utf8_step(struct stet__utf8 *utf8, unsigned char octet);

#endif
