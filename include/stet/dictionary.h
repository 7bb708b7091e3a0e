/* SPDX-License-Identifier: MIT */
/*
 * dictionary: which stored response may serve as dictionary for which request. RFC 9842.
 *
 * A response with Use-As-Dictionary can be used to code later responses of its origin, whose URIs match its
 * pattern. The client says which one it has in Available-Dictionary.
 *
 * A pattern is a URL Pattern (section 2.1.1). Of its syntax this knows what RFC 9842 has in its examples: a
 * path from its first "/" on, with literal octets, "*" for any octets, "\" before an octet that is meant
 * literally, and a query behind "?" in the same syntax. A pattern without a query is for any. One with
 * anything else (another origin, a relative path, names, groups, regular expressions) is not used: then a
 * response comes without a dictionary, and is the same.
 */
#ifndef STET_DICTIONARY_H
#define STET_DICTIONARY_H

#include <stet/message.h>

#define STET_DICTIONARY_MATCH_MAX 256 /* octets of a pattern; a dictionary with a longer one is not used */
#define STET_DICTIONARY_ID_MAX 1024   /* section 2.1.3 */
#define STET_DICTIONARY_DIGEST_LEN 46 /* octets of the value of Available-Dictionary */
#define STET_DICTIONARY_ID_LEN (2 * STET_DICTIONARY_ID_MAX + 2) /* the most of Dictionary-ID's */

/* What Use-As-Dictionary says, unescaped. */
struct stet_dictionary {
    size_t match_len, id_len;
    char match[STET_DICTIONARY_MATCH_MAX];
    char id[STET_DICTIONARY_ID_MAX];
};

/*
 * Reads Use-As-Dictionary: false if it is not there, or says something that cannot be used: no "match", one
 * that is not known here, a type other than "raw", an "id" that is too long, or a malformed field. All
 * request destinations match, because a client that has none takes "match-dest" as empty (section 2.1.2).
 */
bool stet_dictionary_read(const struct stet_fields *fields, struct stet_dictionary *out);

/* Whether the pattern, which stet_dictionary_read has read, matches a target: a path with its query, without
 * a fragment, of the origin of the dictionary. */
bool stet_dictionary_matches(struct stet_span match, struct stet_span target);

/*
 * Whether of two that match the first takes precedence (section 2.2.3): that with the longer pattern, and of
 * equals that fetched later. `fetched` is any number that grows with time.
 */
static inline bool stet_dictionary_precedes(size_t match_len, uint64_t fetched, size_t other_match_len,
                                            uint64_t other_fetched)
{
    return match_len != other_match_len ? match_len > other_match_len : fetched > other_fetched;
}

/* The value of Available-Dictionary: a Byte Sequence (section 2.2). */
void stet_dictionary_write_digest(const unsigned char sha256[32], char out[STET_DICTIONARY_DIGEST_LEN]);

/* The value of Dictionary-ID, a String (section 2.3). Its length; 0: there is no id, and no such field. */
size_t stet_dictionary_write_id(const struct stet_dictionary *dictionary, char out[STET_DICTIONARY_ID_LEN]);

#endif
