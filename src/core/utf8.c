/* SPDX-License-Identifier: MIT */
/*
 * UTF-8: the table of RFC 3629 section 4 as code.
 */
#include "core/utf8.h"

static bool first_octet(struct stet__utf8 *utf8, unsigned char octet)
{
    utf8->low = 0x80;
    utf8->high = 0xbf;
    if (octet < 0x80)
        return true;
    if (octet < 0xc2 || octet > 0xf4) /* a tail octet, an overlong form, or above U+10FFFF */
        return false;
    utf8->left = octet < 0xe0 ? 1 : octet < 0xf0 ? 2 : 3;
    if (octet == 0xe0)
        utf8->low = 0xa0; /* overlong */
    else if (octet == 0xed)
        utf8->high = 0x9f; /* surrogates */
    else if (octet == 0xf0)
        utf8->low = 0x90; /* overlong */
    else if (octet == 0xf4)
        utf8->high = 0x8f; /* above U+10FFFF */
    return true;
}

bool stet__utf8_step(struct stet__utf8 *utf8, unsigned char octet)
{
    if (utf8->left == 0)
        return first_octet(utf8, octet);
    if (octet < utf8->low || octet > utf8->high)
        return false;
    utf8->low = 0x80;
    utf8->high = 0xbf;
    utf8->left--;
    return true;
}
