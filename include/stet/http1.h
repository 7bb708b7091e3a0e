/* SPDX-License-Identifier: MIT */
/*
 * http1: the syntax and framing of HTTP/1.1 messages, RFC 9112.
 *
 * Heads are parsed by pure functions of the octets so far: give all octets of the message that have come, get
 * STET_OK, STET_MORE, or an error. Octets are judged from left to right and never twice differently, so the
 * result is the same however the input is cut. An error shows when its line is complete or a limit is
 * reached; only a first octet that cannot begin a message is an error at once. Nothing is kept between calls
 * and nothing in the result points into anything but the input, the caller's array of fields and static
 * storage.
 *
 * What is refused, because two parsers could disagree about it (request smuggling): bare CR and bare LF,
 * folded lines, whitespace before the colon (in requests) or before the first field, control octets,
 * Content-Length beside Transfer-Encoding or more than once (in requests an identical value repeated too) or
 * anything but digits, a transfer coding other than one final chunked, Transfer-Encoding in HTTP/1.0, several
 * or malformed Hosts, an absent Host in HTTP/1.1, whitespace after a chunk size.
 *
 * What is tolerated: up to four empty lines before a request line (section 2.2), obs-text (0x80-0xFF) in
 * field values, an absent reason phrase and the space before it, chunk extensions up to a limit per line and
 * per body, whitespace before the colon in responses (section 5.1 has the receiver remove it), empty list
 * members (RFC 9110 section 5.6.1.2).
 *
 * The request target: octets that RFC 3986 has not are refused (controls, space, 0x7F-0xFF), "#" among them,
 * because a target has no fragment; so are the double quote, "<" and ">", which delimit URLs in logs and
 * pages and which no browser sends. The other octets that RFC 3986 leaves out are let pass, because browsers
 * do send them in paths or queries (URL Standard, percent-encode sets): backslash ^ ` { | } and brackets.
 * None of them means anything in the request line, so all parsers agree where the target ends.
 */
#ifndef STET_HTTP1_H
#define STET_HTTP1_H

#include <stet/message.h>

/* The limits of a head. Zero is not "no limit": every limit holds. */
struct stet_http1_limits {
    size_t head_bytes;   /* start line and field lines with their CRLFs, and the empty line */
    size_t target_bytes; /* of the request target, judged with its line; RFC 9112 section 3 asks for 8000 */
    size_t fields;       /* field lines; at most the room in the caller's array */
};

#define STET_HTTP1_LIMITS_DEFAULT ((struct stet_http1_limits){16384, 8192, 100})

/* RFC 9112 section 3.2. */
enum stet_target_form {
    STET_TARGET_ORIGIN,
    STET_TARGET_ABSOLUTE,
    STET_TARGET_AUTHORITY,
    STET_TARGET_ASTERISK
};

enum stet_body_kind {
    STET_BODY_NONE,    /* the message ends with its head */
    STET_BODY_LENGTH,  /* `content_length` octets follow */
    STET_BODY_CHUNKED, /* chunks follow: stet_chunked */
    STET_BODY_CLOSE,   /* responses only: until the connection closes */
};

struct stet_http1_request {
    struct stet_request head;
    size_t head_len; /* octets of the head: the body, or the next request, begins here */
    unsigned major;  /* 1; 2 if HTTP/2 carried it, which the decisions treat as 1.1 */
    unsigned minor;  /* 0 or 1; a higher minor version reads as 1 (RFC 9110 section 2.5) */
    enum stet_target_form form;
    struct stet_span authority; /* of the absolute or authority form, else of Host: RFC 9112 section 3.3 */
    /*
     * Origin or absolute form: path with query. "/" for an absolute form with neither; "?..." for one with a
     * query alone, which has the path "/" all the same. Absent for the asterisk and authority forms.
     */
    struct stet_span path_query;
    enum stet_body_kind body; /* NONE, LENGTH (content_length may be 0) or CHUNKED */
    uint64_t content_length;
    bool keep_alive;      /* the connection may persist after the answer: RFC 9112 section 9.3 */
    bool expect_continue; /* Expect: 100-continue in HTTP/1.1: RFC 9110 section 10.1.1 */
    bool expect_unknown;  /* an expectation that is not known: 417 */
};

/*
 * Parses the head of a request from `input`, all octets of it that have come so far. `seen` is how many of
 * them an earlier call answered STET_MORE to (0 at first): it only saves work. `room` holds at least
 * `limits->fields` elements and receives the field lines. The result, and `room`, are valid while `input` is.
 */
int stet_http1_request_parse(struct stet_span input, size_t seen, const struct stet_http1_limits *limits,
                             struct stet_field *room, struct stet_http1_request *out);

struct stet_http1_response {
    struct stet_response head;
    size_t head_len;
    unsigned minor;
    enum stet_body_kind body; /* by RFC 9112 section 6.3: 1xx, 204, 304 and answers to HEAD have none */
    uint64_t content_length;
    bool keep_alive;
    bool coded; /* CLOSE, under a transfer coding that is still on it: what follows is not the content */
};

/*
 * The same for a response; `method` is that of the request it answers. `seen` is not taken: a caller that
 * reads from an origin calls once per read, and limits bound the work.
 *
 * Framing is RFC 9112 section 6.3. Content-Length may be repeated if all values are the same number (RFC 9110
 * section 8.6). Transfer-Encoding beside Content-Length, or chunked beside other codings, is an error;
 * another final coding than chunked reads until the connection closes, and so does any coding in HTTP/1.0,
 * where it is a fault (section 6.1). `coded` tells of these, for who takes no coding off; names that no
 * registry has (section 7) are a slip of the origin, not a coding. 1xx, 204, 304, answers to HEAD and 2xx to
 * CONNECT have no body whatever their fields say.
 *
 * STET_E_OBS_FOLD: a proxy answers 502; a user agent has to unfold (section 5.2), see below.
 */
int stet_http1_response_parse(struct stet_span input, enum stet_method method,
                              const struct stet_http1_limits *limits, struct stet_field *room,
                              struct stet_http1_response *out);

/*
 * Unfolds field lines in place: in the head at the front of `octets`, of which `len` have come so far, the
 * CRLF of each obs-fold becomes two spaces, so no octet moves. Parse again afterwards; STET_E_OBS_FOLD once
 * more means whitespace before the first field line, which stays an error (section 2.2).
 */
void stet_http1_response_unfold(char *octets, size_t len);

/* The chunked coding: RFC 9112 section 7.1. Feed it in any pieces. Private but for its size and `trailers`.
 */
struct stet_chunked {
    uint64_t left;         /* of the current chunk's data */
    size_t line_bytes;     /* of the chunk line or trailer section so far */
    size_t overhead_bytes; /* of earlier chunk lines, less what their data makes up for */
    size_t trailer_limit;  /* octets of the trailer section */
    /* For the caller: what the last call used of the trailer section, borrowed from its input; may be empty.
     */
    struct stet_span trailers;
    int state;
};

#define STET_CHUNK_LINE_MAX 4096 /* octets of a chunk's size and extensions */

/* Octets of all chunk lines of a body, beyond 16 for each chunk and 2 for each octet of data. */
#define STET_CHUNK_OVERHEAD_MAX 16384

void stet_chunked_begin(struct stet_chunked *chunked, size_t trailer_limit);

/*
 * Reads from the front of `*input`, which is advanced past what was used. STET_OK: `*data` is a run of chunk
 * data that borrows from the input. STET_MORE: all was used, more is needed. STET_END: the trailer section is
 * complete and `*input` is what follows the message. Otherwise an error, which is final. Trailer fields are
 * checked for syntax; they never become header fields (RFC 9110 section 6.5.1). Who wants them appends
 * `chunked->trailers` to a buffer of its own after each call that does not give data, and has that parsed
 * once it is complete.
 */
int stet_chunked_next(struct stet_chunked *chunked, struct stet_span *input, struct stet_span *data);

/*
 * The fields of a trailer section that is complete, with its empty line: the octets of `trailers` one after
 * the other. `room` has room for `fields` field lines; more are STET_E_TOO_MANY_FIELDS. The result, and
 * `room`, are valid while `section` is. Which fields may go on is for the caller to say: stet_trailer_keeps.
 */
int stet_trailers_parse(struct stet_span section, size_t fields, struct stet_field *room,
                        struct stet_fields *out);

/*
 * Whether a trailer field may be passed on: not one that frames or routes the message, modifies the request,
 * authenticates or controls the response, or describes how to process the content (RFC 9110 section 6.5.1),
 * and not a hop-by-hop field.
 */
bool stet_trailer_keeps(const struct stet_field *field);

#endif
