/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include "base/buffer.h"

json_t *stet__json_text(struct stet_span octets)
{
    struct stet__buffer utf8;
    if (!octets.ptr)
        return json_null();
    json_t *json = json_stringn(octets.ptr, octets.len); /* NULL, too, if it is not UTF-8 */
    if (json)
        return json;
    stet__buffer_init(&utf8, octets.len * 2 + 1);
    for (size_t i = 0; i < octets.len; i++) {
        unsigned char c = (unsigned char)octets.ptr[i];
        char two[] = {(char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f))};
        stet__buffer_append(&utf8, c < 0x80 ? stet_span_of(octets.ptr + i, 1) : stet_span_of(two, 2));
    }
    json = utf8.failed ? NULL : json_stringn(utf8.ptr, utf8.len);
    stet__buffer_release(&utf8);
    return json;
}
