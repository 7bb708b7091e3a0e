/* SPDX-License-Identifier: MIT */
/*
 * judge: reads the head of a request from standard input, and says what an origin server answers that has a
 * representation with the entity tag "v2", modified on Tue, 07 Jul 2026 12:00:00 GMT, of 1000 octets; and
 * why.
 *
 *   $ printf 'GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: "v1", W/"v2"\r\n\r\n' | ./judge
 *   304 if-none-match-matches (RFC 9110 13.1.2)
 *   A tag of If-None-Match equals the current one by weak comparison.
 *   $ printf 'GET / HTTP/1.1\r\nHost: a\r\nIf-Match: W/"v2"\r\n\r\n' | ./judge
 *   412 if-match-differs (RFC 9110 13.1.1)
 *   No tag of If-Match equals the current one by strong comparison.
 *   $ printf 'GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=-10, 0-9\r\nIf-Range: "v2"\r\n\r\n' | ./judge
 *   206 range-satisfiable (RFC 9110 15.3.7)
 *   At least one of the ranges begins within the representation.
 *   octets 990 to 999
 *   octets 0 to 9
 */
#include <stdio.h>
#include <time.h>

#include <stet/stet.h>

#define FIELDS 100
#define HEAD_BYTES 16384

static void print_answer(const struct stet_answer *answer)
{
    const struct stet_reason_row *row = stet_reason_row(answer->reason);
    printf("%u %s (%s)\n%s\n", answer->status, row->name, row->clause, row->sentence);
    for (size_t i = 0; i < answer->ranges.count; i++)
        printf("octets %llu to %llu\n", (unsigned long long)answer->ranges.at[i].first,
               (unsigned long long)answer->ranges.at[i].last);
}

int main(void)
{
    static char input[HEAD_BYTES];
    static struct stet_field room[FIELDS];
    struct stet_http1_limits limits = {.head_bytes = HEAD_BYTES, .target_bytes = 8000, .fields = FIELDS};
    struct stet_http1_request request;
    size_t len = fread(input, 1, sizeof input, stdin);
    int status = stet_http1_request_parse(stet_span_of(input, len), 0, &limits, room, &request);
    if (status != STET_OK) {
        puts(status == STET_MORE ? "the input ends before the head does" : stet_status_row(status)->sentence);
        return 1;
    }
    struct stet_representation selected = {
        .exists = true, .last_modified_strong = true, .etag = {STET_SPAN("v2"), false}, .length = 1000};
    struct stet_answer answer;
    int64_t now = (int64_t)time(NULL);
    if (stet_date_parse(STET_SPAN("Tue, 07 Jul 2026 12:00:00 GMT"), now, &selected.last_modified) != STET_OK)
        return 1;
    stet_answer_decide(&request.head, &selected, now, &answer);
    print_answer(&answer);
    return 0;
}
