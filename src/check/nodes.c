/* SPDX-License-Identifier: MIT */
/*
 * The resolver of the system is asked, as any client does.
 */
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include <stet/uri.h>

#include "check/nodes.h"

/* The host without the brackets of an IPv6 address; false if it is too long. */
static bool host_of(const char *uri, char *out, size_t room)
{
    struct stet_uri parts;
    if (stet_uri_parse(stet_span_of(uri, strlen(uri)), &parts) != STET_OK)
        return false;
    struct stet_span host = parts.host;
    if (host.ptr[0] == '[')
        host = stet_span_of(host.ptr + 1, host.len - 2);
    if (host.len >= room)
        return false;
    memcpy(out, host.ptr, host.len);
    out[host.len] = '\0';
    return true;
}

void stet__nodes_find(const char *uri, struct stet__nodes *out)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char host[256];
    out->count = 0;
    if (!host_of(uri, host, sizeof host) || getaddrinfo(host, NULL, &hints, &found) != 0)
        return;
    for (struct addrinfo *at = found; at && out->count < STET__NODES_MAX; at = at->ai_next)
        if (getnameinfo(at->ai_addr, at->ai_addrlen, out->at[out->count], STET__NODE_LEN, NULL, 0,
                        NI_NUMERICHOST) == 0)
            out->count++;
    freeaddrinfo(found);
}
