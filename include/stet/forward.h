/* SPDX-License-Identifier: MIT */
/*
 * forward: what an intermediary changes in a message that it passes on. RFC 9110 section 7.6 and RFC 7239.
 */
#ifndef STET_FORWARD_H
#define STET_FORWARD_H

#include <stet/message.h>

/*
 * Whether `field` goes on: not Connection or another hop-by-hop field, and not one that a Connection of `all`
 * names (section 7.6.1). What every recipient needs stays although it is named there: Age, Authorization,
 * Cache-Control, Content-Length, Date, Forwarded, Host, Vary, Via and X-Forwarded-For, -Host and -Proto.
 */
bool stet_forward_keeps(const struct stet_field *field, const struct stet_fields *all);

/*
 * Whether a member of Via has `pseudonym`, in any case, as its received-by: the message has been here
 * (section 7.6.3). What stands in comments does not count.
 */
bool stet_via_names(const struct stet_fields *fields, struct stet_span pseudonym);

/*
 * What Max-Forwards says of TRACE and OPTIONS (section 7.6.2): STET_OK and the number that is left (already
 * decremented), STET_END if it is 0 and the recipient has to answer itself, STET_E_SYNTAX if there is none
 * that counts: another method, several lines, no number. One beyond 64 bits is taken for the largest.
 */
int stet_max_forwards(const struct stet_request *request, uint64_t *left);

/*
 * Writes a member of Forwarded (RFC 7239 section 4): for=, host=, proto=, quoted where needed ("[::1]:80"
 * is); a bare IPv6 address gets its brackets. An absent span leaves its part out; `peer` absent gives
 * for=unknown. Returns the octets; 0 if there is no room or an octet cannot be quoted.
 */
size_t stet_forwarded_write(struct stet_span peer, struct stet_span host, struct stet_span proto, char *out,
                            size_t room);

/* The scheme and the host that the client used, as a proxy before this one tells them. Absent: not told. */
struct stet_forwarded {
    struct stet_span scheme; /* "http" or "https" */
    struct stet_span authority;
};

/*
 * Reads X-Forwarded-Proto and -Host, and Forwarded (RFC 7239 section 4). Origins answer by them, so a cache
 * that lets them through has them in its key. False if no key can stand for what they say: contradictions,
 * several lines of one of the former, another scheme, a Forwarded that is malformed; `*out` is then what
 * could be taken. Its spans borrow from `fields`, and from `room`, which has as many octets as all lines of
 * Forwarded together.
 */
bool stet_forwarded_read(const struct stet_fields *fields, char *room, struct stet_forwarded *out);

/*
 * Whether all X-Forwarded-* with names that message.h has not say what `key` says, a URI in normal form:
 * -Port, -Scheme and -Ssl can, -Server says nothing about it. Any other (-Prefix, -User) makes an answer that
 * is for this request alone. With `key` absent: whether there are none.
 */
bool stet_forwarded_agrees(const struct stet_fields *fields, struct stet_span key);

/*
 * Whether `field` is an X-Forwarded-* with a name that message.h has not, and has to stay behind:
 * applications believe them, so only those of a proxy that is `trusted` go on, and of these not
 * X-Forwarded-Server, which some proxies send with every request and few applications read.
 */
bool stet_forwarded_drops(const struct stet_field *field, bool trusted);

#endif
