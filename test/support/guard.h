/* SPDX-License-Identifier: MIT */
/*
 * guard: memory that ends, and begins, at a page that cannot be read, so that a parser which looks one octet
 * beyond its input stops the test there and then, without any sanitizer.
 */
#ifndef STET_TEST_GUARD_H
#define STET_TEST_GUARD_H

#include <stet/span.h>

/* All zero at first. Pages are taken for the longest input so far, and go with the program. */
struct guard {
    char *base; /* the unreadable page before */
    size_t page;
    size_t room; /* octets between the two unreadable pages */
};

/*
 * A copy of `octets` whose last octet is the last one that can be read. Valid until the next call. An empty
 * input gets a pointer that cannot be read at all. Ends the program if the system refuses the pages.
 */
struct stet_span guard_at_end(struct guard *guard, struct stet_span octets);

/* `len` octets to write to, of which the last is the last that can be touched. */
char *guard_room(struct guard *guard, size_t len);

/* A copy whose first octet is the first one that can be read. */
struct stet_span guard_at_start(struct guard *guard, struct stet_span octets);

#endif
