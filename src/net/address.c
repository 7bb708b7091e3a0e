/* SPDX-License-Identifier: MIT */
#include "net/address.h"

#include <arpa/inet.h>

#include "base/assert.h"

#define PORT_MAX 65535

/* A copy with a terminator, for inet_pton; false if it does not fit. */
static bool copy_text(struct stet_span text, char *to, size_t room)
{
    if (text.len >= room || (text.len > 0 && memchr(text.ptr, '\0', text.len)))
        return false;
    if (text.len > 0)
        memcpy(to, text.ptr, text.len);
    to[text.len] = '\0';
    return true;
}

static int parse_local(struct stet_span path, struct stet__listen_address *out)
{
    struct stet__listen_address address = {.at.local.sun_family = AF_UNIX};
    if (path.len == 0 || !copy_text(path, address.at.local.sun_path, sizeof address.at.local.sun_path))
        return STET_E_SYNTAX;
    address.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + 1);
    *out = address;
    return STET_OK;
}

/* `host` is absent for a bare port, empty for ":PORT". */
static int parse_v4(struct stet_span host, in_port_t port, struct stet__listen_address *out)
{
    struct stet__listen_address address = {.at.v4 = {.sin_family = AF_INET, .sin_port = port},
                                           .len = sizeof(struct sockaddr_in)};
    char text[INET_ADDRSTRLEN];
    if (!host.ptr)
        address.at.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (!copy_text(host, text, sizeof text) || inet_pton(AF_INET, text, &address.at.v4.sin_addr) != 1)
        return STET_E_SYNTAX;
    *out = address;
    return STET_OK;
}

static int parse_v6(struct stet_span host, in_port_t port, struct stet__listen_address *out)
{
    struct stet__listen_address address = {.at.v6 = {.sin6_family = AF_INET6, .sin6_port = port},
                                           .len = sizeof(struct sockaddr_in6)};
    char text[INET6_ADDRSTRLEN];
    if (host.len > 0 &&
        (!copy_text(host, text, sizeof text) || inet_pton(AF_INET6, text, &address.at.v6.sin6_addr) != 1))
        return STET_E_SYNTAX;
    *out = address;
    return STET_OK;
}

int stet__listen_address_parse(struct stet_span text, struct stet__listen_address *out)
{
    if (stet_span_starts(text, STET_SPAN("unix:")))
        return parse_local(stet_span_skip(text, 5), out);
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    uint64_t port;
    if (stet_span_to_u64(stet_span_skip(text, colon), &port) != STET_OK || port > PORT_MAX)
        return STET_E_SYNTAX;
    in_port_t in_port = htons((uint16_t)port);
    if (colon == 0)
        return parse_v4(STET_SPAN_NONE, in_port, out);
    struct stet_span host = stet_span_of(text.ptr, colon - 1);
    if (host.len == 0)
        return parse_v6(host, in_port, out);
    if (host.ptr[0] != '[')
        return parse_v4(host, in_port, out);
    if (host.len < 3 || host.ptr[host.len - 1] != ']')
        return STET_E_SYNTAX;
    return parse_v6(stet_span_of(host.ptr + 1, host.len - 2), in_port, out);
}

static size_t put_port(char *out, size_t len, in_port_t port)
{
    out[len++] = ':';
    len += stet_format_u64(ntohs(port), out + len);
    out[len] = '\0';
    return len;
}

static size_t format_v6(const struct sockaddr_in6 *address, char *out, size_t room)
{
    if (IN6_IS_ADDR_UNSPECIFIED(&address->sin6_addr))
        return put_port(out, 0, address->sin6_port);
    out[0] = '[';
    const char *text = inet_ntop(AF_INET6, &address->sin6_addr, out + 1, (socklen_t)(room - 1));
    stet__assert(text);
    size_t len = strlen(out);
    out[len++] = ']';
    return put_port(out, len, address->sin6_port);
}

size_t stet__listen_address_format(const struct stet__listen_address *address, char *out, size_t room)
{
    stet__assert(room >= 128);
    if (address->at.any.sa_family == AF_INET6)
        return format_v6(&address->at.v6, out, room);
    if (address->at.any.sa_family == AF_INET) {
        const char *text = inet_ntop(AF_INET, &address->at.v4.sin_addr, out, (socklen_t)room);
        stet__assert(text);
        return put_port(out, strlen(out), address->at.v4.sin_port);
    }
    size_t len = strnlen(address->at.local.sun_path, sizeof address->at.local.sun_path);
    memcpy(out, "unix:", 5);
    memcpy(out + 5, address->at.local.sun_path, len);
    out[5 + len] = '\0';
    return 5 + len;
}
