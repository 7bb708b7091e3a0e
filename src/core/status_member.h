/* SPDX-License-Identifier: MIT */
/*
 * status_member: what the members of Cache-Status and Proxy-Status have in common: the name of who speaks, as
 * a Token or a String (RFC 9211 section 2, RFC 9209 section 2), and Strings (RFC 9651 section 4.1.6).
 */
#ifndef STET_CORE_STATUS_MEMBER_H
#define STET_CORE_STATUS_MEMBER_H

#include "core/octet.h"
#include "core/sf_value.h"
#include "core/text.h"

static inline void stet__status_put_string(struct stet__text *text, struct stet_span value)
{
    stet__text_put_octet(text, '"');
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '"' || value.ptr[i] == '\\')
            stet__text_put_octet(text, '\\');
        else if (!stet__octet_is(value.ptr[i], STET__SF_STRING))
            text->failed = true;
        stet__text_put_octet(text, value.ptr[i]);
    }
    stet__text_put_octet(text, '"');
}

static inline void stet__status_put_name(struct stet__text *text, struct stet_span name)
{
    if (stet__sf_is_token(name))
        stet__text_put(text, name);
    else
        stet__status_put_string(text, name);
}

#endif
