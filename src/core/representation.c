/* SPDX-License-Identifier: MIT */
/*
 * Last-Modified of what changes at known times: RFC 9110 section 8.8.2.
 *
 * Build tools set all times to a constant (Nix 1970, ZIP 1980): as Last-Modified it would say "not modified"
 * for every release. One in the future is left out rather than replaced by Date (section 8.8.2.1), which
 * would be another validator with each answer.
 */
#include <stet/precondition.h>

#define NORMALISED_UNTIL 315705600 /* 1980-01-03: what is older is a constant, in whatever time zone */
#define STRONG_AFTER_S 2           /* section 8.8.2.2: the second of the date is surely over */

int64_t stet_representation_date(struct stet_representation *selected, int64_t changed, int64_t now)
{
    selected->last_modified = STET_NO_DATE;
    selected->last_modified_strong = false;
    if (changed < NORMALISED_UNTIL)
        return INT64_MAX;
    if (changed > now)
        return changed;
    selected->last_modified = changed;
    selected->last_modified_strong = now - changed >= STRONG_AFTER_S;
    if (selected->last_modified_strong || changed > INT64_MAX - STRONG_AFTER_S)
        return INT64_MAX;
    return changed + STRONG_AFTER_S;
}
