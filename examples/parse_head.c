/* SPDX-License-Identifier: MIT */
/*
 * parse_head: reads the head of an HTTP/1.1 request from standard input and says what is in it, or what is
 * wrong with it. The input is given to the parser as it comes, which may be octet by octet.
 *
 *   $ printf 'GET /a?b HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\n\r\n' | ./parse_head
 *   GET /a?b at example.org
 *   a body of 5 octets follows, and the connection is kept
 *   Host: example.org
 *   Content-Length: 5
 *   $ printf 'GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n' |
 * ./parse_head 400: Content-Length and Transfer-Encoding are both present. (RFC 9112 6.1)
 */
#include <stdio.h>
#include <unistd.h>

#include <stet/stet.h>

#define FIELDS 100
#define HEAD_BYTES 16384

static void print_request(const struct stet_http1_request *request)
{
    printf("%.*s %.*s at %.*s\n", (int)request->head.method_name.len, request->head.method_name.ptr,
           (int)request->head.target.len, request->head.target.ptr, (int)request->authority.len,
           request->authority.ptr ? request->authority.ptr : "");
    if (request->body == STET_BODY_LENGTH)
        printf("a body of %llu octets follows", (unsigned long long)request->content_length);
    else
        fputs(request->body == STET_BODY_CHUNKED ? "chunks follow" : "nothing follows", stdout);
    printf(", and the connection is %s\n", request->keep_alive ? "kept" : "closed");
    for (size_t i = 0; i < request->head.fields.count; i++) {
        const struct stet_field *field = &request->head.fields.at[i];
        printf("%.*s: %.*s\n", (int)field->name.len, field->name.ptr, (int)field->value.len,
               field->value.ptr);
    }
}

int main(void)
{
    static char input[HEAD_BYTES];
    static struct stet_field room[FIELDS];
    struct stet_http1_limits limits = {.head_bytes = HEAD_BYTES, .target_bytes = 8000, .fields = FIELDS};
    struct stet_http1_request request;
    size_t len = 0, seen = 0;
    ssize_t got;
    int status = STET_MORE;
    while (status == STET_MORE && (got = read(STDIN_FILENO, input + len, sizeof input - len)) > 0) {
        len += (size_t)got;
        status = stet_http1_request_parse(stet_span_of(input, len), seen, &limits, room, &request);
        seen = len;
    }
    if (status == STET_OK) {
        print_request(&request);
        return 0;
    }
    const struct stet_status_row *row = stet_status_row(status);
    if (status == STET_MORE)
        puts("the input ends before the head does");
    else
        printf("%d: %s (%s)\n", row->http_status, row->sentence, row->clause);
    return 1;
}
