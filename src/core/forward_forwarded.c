/* SPDX-License-Identifier: MIT */
/*
 * The Forwarded field: RFC 7239 sections 4 to 6.
 */
#include <stet/forward.h>

#include <stet/field.h>

#include "core/octet.h"
#include "core/text.h"

static void put_value(struct stet__text *text, struct stet_span value)
{
    if (stet_is_token(value)) {
        stet__text_put(text, value);
        return;
    }
    stet__text_put_octet(text, '"');
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (!stet__octet_is(c, STET__QUOTABLE))
            text->failed = true;
        if (c == '"' || c == '\\')
            stet__text_put_octet(text, '\\');
        stet__text_put_octet(text, c);
    }
    stet__text_put_octet(text, '"');
}

/* "Note that an IPv6 address is always enclosed in square brackets": one that came without gets them. */
static void put_node(struct stet__text *text, struct stet_span peer)
{
    const char *colon = peer.len > 0 && peer.ptr[0] != '[' ? memchr(peer.ptr, ':', peer.len) : NULL;
    size_t rest = colon ? peer.len - (size_t)(colon - peer.ptr) - 1 : 0;
    if (rest == 0 || !memchr(colon + 1, ':', rest)) {
        put_value(text, peer);
        return;
    }
    stet__text_put(text, STET_SPAN("\"["));
    for (size_t i = 0; i < peer.len; i++) {
        if (!stet__octet_is(peer.ptr[i], STET__TCHAR) && peer.ptr[i] != ':')
            text->failed = true;
        stet__text_put_octet(text, peer.ptr[i]);
    }
    stet__text_put(text, STET_SPAN("]\""));
}

size_t stet_forwarded_write(struct stet_span peer, struct stet_span host, struct stet_span proto, char *out,
                            size_t room)
{
    struct stet__text text = {.out = out, .room = room};
    stet__text_put(&text, STET_SPAN("for="));
    put_node(&text, peer.ptr ? peer : STET_SPAN("unknown"));
    if (host.ptr) {
        stet__text_put(&text, STET_SPAN(";host="));
        put_value(&text, host);
    }
    if (proto.ptr) {
        stet__text_put(&text, STET_SPAN(";proto="));
        put_value(&text, proto);
    }
    return stet__text_end(&text);
}
