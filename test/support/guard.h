/* SPDX-License-Identifier: MIT */
/*
 * guard: memory that ends, and begins, at a page that cannot be read, so that a parser which looks one octet
 * beyond its input stops the test there and then, without any sanitizer.
 */
#ifndef STET_TEST_GUARD_H
#define STET_TEST_GUARD_H

#include <stet/span.h>

struct guard {
    char *base; /* the unreadable page before */
    size_t page;
    size_t room; /* octets between the two unreadable pages */
};

/* Room for inputs of up to `max` octets. Ends the program if the system refuses. */
void guard_init(struct guard *guard, size_t max);
void guard_release(struct guard *guard);

/*
 * A copy of `octets` whose last octet is the last one that can be read. Valid until the next call. An empty
 * input gets a pointer that cannot be read at all.
 */
struct stet_span guard_at_end(struct guard *guard, struct stet_span octets);

/* A copy whose first octet is the first one that can be read. */
struct stet_span guard_at_start(struct guard *guard, struct stet_span octets);

#endif
