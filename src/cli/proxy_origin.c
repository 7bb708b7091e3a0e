/* SPDX-License-Identifier: MIT */
/*
 * proxy_origin: the texts of proxy options that are more than a number: origins, names of query parameters,
 * addresses of this machine alone.
 */
#include <stdlib.h>

#include <stet/sf.h>
#include <stet/uri.h>

#include "cli/proxy_options.h"

#define NO_ORIGIN "not an origin; these are: http://HOST, http://HOST:PORT, https://HOST, unix:PATH"

static const char *parse_local(struct stet_span text, struct stet__proxy_origin *out)
{
    struct stet__proxy_origin origin = {.text = text, .authority = STET_SPAN("localhost")};
    if (stet__listen_address_parse(text, &origin.local) != STET_OK)
        return "the path of the socket is empty or too long";
    *out = origin;
    return NULL;
}

/* The authority of an http or https URI, as it stands there. */
static struct stet_span authority_of(struct stet_span text, const char *scheme)
{
    struct stet_span authority = stet_span_skip(text, strlen(scheme));
    const char *slash = memchr(authority.ptr, '/', authority.len);
    if (slash)
        authority.len = (size_t)(slash - authority.ptr);
    return authority;
}

static struct stet_span without_brackets(struct stet_span host)
{
    bool bracketed = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    return bracketed ? stet_span_of(host.ptr + 1, host.len - 2) : host;
}

static const char *parse_uri(struct stet_span text, struct stet__proxy_origin *out)
{
    struct stet_uri uri;
    if (stet_uri_parse(text, &uri) != STET_OK)
        return NO_ORIGIN;
    if (uri.path.len > 1 || uri.query.ptr)
        return "an origin has no path: the client's path goes on as it is";
    if (uri.port == 0)
        return "there is no port 0 to connect to";
    bool secure = stet_span_starts(text, STET_SPAN("https://"));
    *out = (struct stet__proxy_origin){.text = text,
                                       .host = without_brackets(uri.host),
                                       .authority = authority_of(text, secure ? "https://" : "http://"),
                                       .port = uri.port,
                                       .secure = secure};
    return NULL;
}

const char *stet__proxy_origin_parse(struct stet_span text, struct stet__proxy_origin *out)
{
    if (stet_span_starts(text, STET_SPAN("unix:")))
        return parse_local(text, out);
    if (stet_span_starts(text, STET_SPAN("http://")) || stet_span_starts(text, STET_SPAN("https://")))
        return parse_uri(text, out);
    return NO_ORIGIN;
}

/* Writes params=("a" "b"): section 4 of the draft. */
static bool write_names(const char *names, char *out, size_t room)
{
    struct stet_sf_writer writer;
    struct stet_span value;
    stet_sf_write_begin(&writer, out, room - 1);
    stet_sf_write_key(&writer, STET_SPAN("params"));
    stet_sf_write_inner_begin(&writer);
    for (const char *at = names;; at++) {
        struct stet_sf_item name = {.type = STET_SF_STRING, .text = stet_span_of(at, strcspn(at, ","))};
        if (name.text.len == 0)
            return false;
        stet_sf_write_item(&writer, &name);
        at += name.text.len;
        if (!*at)
            break;
    }
    stet_sf_write_inner_end(&writer);
    if (stet_sf_finish(&writer, &value) != STET_OK)
        return false;
    out[value.len] = '\0';
    return true;
}

char *stet__ignore_query_value(const char *names)
{
    if (strcmp(names, "*") == 0)
        return strdup("except=()");
    size_t room = 4 * strlen(names) + 64;
    char *value = malloc(room);
    if (value && write_names(names, value, room))
        return value;
    free(value);
    return NULL;
}

bool stet__address_is_local(const struct stet__listen_address *address)
{
    switch (address->at.any.sa_family) {
    case AF_UNIX:
        return true;
    case AF_INET:
        return ntohl(address->at.v4.sin_addr.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
    default:
        return IN6_IS_ADDR_LOOPBACK(&address->at.v6.sin6_addr);
    }
}
