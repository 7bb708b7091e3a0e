/* SPDX-License-Identifier: MIT */
/*
 * get_options: the table of options of `stet get`. The man page docs/man/stet-get.1.md tells the same in more
 * words; docs/check compares the two. What takes more than a number or a text to read is in get_set.c.
 */
#include "cli/get_options.h"

#include <stdlib.h>
#include <string.h>

#include <stet/field.h>

#include "cli/cli.h"
#include "cli/get_set.h"

enum { CONTENT_MAX_DEFAULT = 1 << 30 };

#define OWN(member) STET__FIELD(struct stet__get_options, member)

/* clang-format off */
static const struct stet__option output[] = {
    STET__ROW_HEADING("Where the content goes"),
    STET__SHORT_CALL('o', "output", "FILE", "standard output", stet__get_set_output, "into this file; - is standard output;\nthe n-th is of the n-th URL"),
    STET__SHORT_DO('O', "remote-name", stet__get_set_remote_name, "into a file named as the last segment of the URL"),
    STET__ROW_SWITCH("remote-name-all", OWN(all_remote_names), "-O for every URL"),
    STET__ROW_TEXT("output-dir", "DIR", OWN(folder), "files go into this folder; URLs without -o are\nnamed as -O does"),
    STET__ROW_SWITCH("create-dirs", OWN(create_folders), "make the folders of output files"),
    STET__SHORT_SWITCH('R', "remote-time", OWN(remote_time), "a file gets the time of Last-Modified"),
    STET__SHORT_SWITCH('i', "include", OWN(include), "the head of the answer, too, before the content"),
    STET__SHORT_CALL('w', "write-out", "FORMAT", NULL, stet__get_set_write_out, "print this for each URL: '%{http_code} %{cache}\\n';\n@FILE reads it from there"),
    STET__ROW_SWITCH("json", OWN(json), "print one JSON object a line for each URL; content\ngoes to files only"),
};

static const struct stet__option request[] = {
    STET__ROW_HEADING("What is asked"),
    STET__ROW_TEXT("input", "FILE", OWN(input), "more URLs, one a line; - is standard input; a file\nname may follow behind a tab"),
    STET__SHORT_CALL('H', "header", "LINE", NULL, stet__get_set_header, "'Name: value' adds or replaces a field, 'Name;' an\nempty one, 'Name:' removes one of stet's;\n@FILE has one a line"),
    STET__SHORT_SWITCH('I', "head", OWN(head_only), "HEAD: show the head only"),
    STET__SHORT_CALL('d', "data", "DATA", NULL, stet__get_set_data, "POST this; @FILE: its content without line ends;\nseveral are joined with &"),
    STET__ROW_CALL("data-raw", "DATA", NULL, stet__get_set_data_raw, "the same; @ means nothing"),
    STET__ROW_CALL("data-binary", "DATA", NULL, stet__get_set_data_binary, "the same; @FILE as it is"),
    STET__SHORT_SWITCH('G', "get", OWN(content_as_query), "put what -d says behind the URL as its query"),
    STET__SHORT_TEXT('X', "request", "METHOD", OWN(method), "this method"),
    STET__SHORT_TEXT('A', "user-agent", "TEXT", OWN(user_agent), "User-Agent; '' for none"),
    STET__SHORT_TEXT('e', "referer", "URL", OWN(referer), "Referer"),
    STET__SHORT_SWITCH('L', "location", OWN(follow), "follow redirects"),
    STET__ROW_SWITCH("compressed", OWN(compressed), "ask for content codings and decode them: the default"),
    STET__ROW_SWITCH("no-compressed", OWN(no_compressed), "ask for none, and write what comes as it comes"),
    STET__ROW_SWITCH("no-dictionary", OWN(no_dictionary), "offer nothing that is stored as a dictionary"),
};

static const struct stet__option cache[] = {
    STET__ROW_HEADING("The cache"),
    STET__ROW_DO("refresh", stet__get_set_refresh, "validate what is stored even if it is fresh"),
    STET__ROW_DO("reload", stet__get_set_reload, "fetch all of it anew, and store it"),
    STET__ROW_DO("offline", stet__get_set_offline, "ask nobody; exit code 7 if it is not stored"),
    STET__ROW_MAYBE("max-stale", "SECONDS", stet__get_set_max_stale, "stale by so much, or by anything, is good enough"),
    STET__ROW_SWITCH("changed", OWN(changed), "exit code 0 if the content is another than last\ntime, 10 if it is not"),
    STET__ROW_TEXT("cache-dir", "DIR", OWN(cache_folder), "keep it here and not in ~/.cache/stet"),
    STET__ROW_SWITCH("no-store", OWN(no_store), "neither read the cache nor write to it"),
};

static const struct stet__option many[] = {
    STET__ROW_HEADING("Several URLs, and what is told"),
    STET__SHORT_SWITCH('Z', "parallel", OWN(parallel), "several at once"),
    STET__SHORT_SWITCH('f', "fail", OWN(fail), "exit code 22 for 400 and above, and write no content"),
    STET__SHORT_SWITCH('s', "silent", OWN(silent), "no progress, no summary, no errors"),
    STET__SHORT_SWITCH('S', "show-error", OWN(show_error), "errors in spite of -s"),
    STET__ROW_SWITCH("progress", OWN(progress), "show progress even if standard error is no terminal"),
    STET__ROW_SWITCH("no-progress", OWN(no_progress), "show none"),
};

static const struct stet__option connection[] = {
    STET__ROW_HEADING("Connections"),
    STET__SHORT_TEXT('u', "user", "NAME:PASSWORD", OWN(transfer.user), "credentials for the server"),
    STET__SHORT_SWITCH('n', "netrc", OWN(transfer.netrc), "credentials from ~/.netrc"),
    STET__SHORT_TEXT('x', "proxy", "URL", OWN(transfer.proxy), "ask through this proxy"),
    STET__SHORT_SWITCH('k', "insecure", OWN(transfer.insecure), "do not verify certificates"),
    STET__ROW_TEXT("cacert", "FILE", OWN(transfer.ca_file), "believe these certificate authorities (PEM)"),
    STET__SHORT_TEXT('E', "cert", "FILE", OWN(transfer.certificate), "our own certificate (PEM)"),
    STET__ROW_TEXT("key", "FILE", OWN(transfer.key), "its key, unless that is in the same file"),
    STET__ROW_DO("http1.1", stet__get_set_http1, "HTTP/1.1 only"),
    STET__ROW_DO("http2", stet__get_set_http2, "HTTP/2 if TLS agrees on it: the default"),
    STET__ROW_DO("http2-prior-knowledge", stet__get_set_http2_only, "HTTP/2 without asking"),
    STET__ROW_CALL("resolve", "HOST:PORT:ADDR", NULL, stet__get_set_resolve, "the address of a host; may be repeated"),
    STET__ROW_TEXT("unix-socket", "PATH", OWN(transfer.unix_socket), "connect to this socket"),
    STET__SHORT_CALL('C', "continue-at", "-", NULL, stet__get_set_continue_at, "goes without saying: see the man page"),
};

static const struct stet__option limits[] = {
    STET__ROW_HEADING("Limits"),
    STET__ROW_SIZE("cache-size", OWN(cache_octets_max), STET__MIB, 1024 * STET__TIB, "of the cache: what was not used for longest goes"),
    STET__ROW_SIZE("max-object-bytes", OWN(object_octets_max), 0, 1024 * STET__TIB, "larger contents are not kept; 0: an eighth of\n--cache-size"),
    STET__ROW_SIZE("max-filesize", OWN(file_octets_max), 0, 1024 * STET__TIB, "larger contents, decoded, are a failure; 0: none are"),
    STET__ROW_CALL("connect-timeout", "SECONDS", "30", stet__get_set_connect_timeout, "to connect; 0.5 is a number, too"),
    STET__ROW_CALL("idle-timeout", "SECONDS", "60", stet__get_set_idle_timeout, "without an octet from the server"),
    STET__SHORT_CALL('m', "max-time", "SECONDS", "none", stet__get_set_max_time, "for one URL"),
    STET__ROW_NUMBER("max-redirs", "N", OWN(redirects_max), 0, 1000, "redirects in a row"),
    STET__ROW_NUMBER("retry", "N", OWN(retries), 0, 1000, "times to go on with what was cut off"),
    STET__ROW_NUMBER("parallel-max", "N", OWN(parallel_max), 1, 1000, "URLs at once, with -Z"),
    STET__ROW_NUMBER("max-connections", "N", OWN(transfer.connections_max), 1, 1000, "connections at once"),
    STET__ROW_NUMBER("max-per-host", "N", OWN(transfer.per_host_max), 1, 1000, "of these to one host"),
    STET__ROW_SIZE("max-head-bytes", OWN(transfer.head_octets_max), 1024, 64 * STET__MIB, "head of an answer"),
    STET__ROW_SIZE("max-data-bytes", OWN(content_max), 0, STET__TIB, "all of -d together"),

    STET__ROW_HEADING("Others"),
    STET__ROW_SWITCH("help", OWN(help), "this text"),
};

static const struct stet__option_lack lacks[] = {
    {"cookie", 'b', "stet keeps no cookies; send one with -H 'Cookie: name=value'"},
    {"cookie-jar", 'c', "stet keeps no cookies; -w '%header{set-cookie}' shows what a server sets"},
    {"retry-delay", 0, "leave it out: what was cut off is gone on with at once"},
    {"retry-all-errors", 0, "--retry is for what was cut off; a loop of the shell does the rest: 5 is the exit code"},
    {"retry-connrefused", 0, "--retry is for what was cut off; a loop of the shell does the rest: 5 is the exit code"},
    {"fail-with-body", 0, "leave it out and look at -w '%{http_code}'; -f writes no content"},
    {"fail-early", 0, "all URLs are tried, and the exit code says what became of them"},
    {"no-progress-meter", 0, "--no-progress shows none"},
    {"connect-to", 0, "--resolve HOST:PORT:ADDR has the address of a host"},
    {"noproxy", 0, "-x '' means no proxy; no_proxy in the environment names hosts"},
    {"proxy-user", 'U', "-x http://NAME:PASSWORD@HOST:PORT has them"},
    {"socks5", 0, "-x socks5://HOST:PORT"},
    {"socks5-hostname", 0, "-x socks5h://HOST:PORT"},
    {"basic", 0, "leave it out: -u is Basic"},
    {"digest", 0, "-u is Basic only; curl speaks Digest"},
    {"anyauth", 0, "-u is Basic only; curl speaks others"},
    {"ntlm", 0, "-u is Basic only; curl speaks NTLM"},
    {"negotiate", 0, "-u is Basic only; curl speaks others"},
    {"oauth2-bearer", 0, "-H 'Authorization: Bearer TOKEN'"},
    {"tlsv1.2", 0, "the newest that both speak is taken; leave it out"},
    {"tlsv1.3", 0, "the newest that both speak is taken; leave it out"},
    {"ssl-reqd", 0, "say https in the URL"},
    {"proto", 0, "only http and https are spoken here; leave it out"},
    {"proto-redir", 0, "redirects lead to http and https only; leave it out"},
    {"capath", 0, "--cacert names a file"},
    {"path-as-is", 0, "leave it out: dots of a path are sent as the URL has them"},
    {"remove-on-error", 0, "leave it out: a file appears when it is complete"},
    {"no-clobber", 0, "leave it out: a file that has its content is not written again"},
    {"skip-existing", 0, "leave it out: a file that has its content is not written again"},
    {"url-query", 0, "-G -d puts it behind the URL"},
    {"stderr", 0, "2>FILE of the shell does that"},
    {"trace", 0, "stet explain URL tells what was sent, what came, and why"},
    {"trace-ascii", 0, "stet explain URL tells what was sent, what came, and why"},
    {"speed-limit", 'Y', "--idle-timeout ends what stands still"},
    {"speed-time", 'y', "--idle-timeout ends what stands still"},
    {"xattr", 0, "stet cache show URL tells where things are from"},
    {"post301", 0, "POST becomes GET after 301 and 302, as in a browser; servers that want POST say 307 or 308"},
    {"post302", 0, "POST becomes GET after 301 and 302, as in a browser; servers that want POST say 307 or 308"},
    {"form", 'F', "stet makes no forms of several parts; curl does"},
    {"upload-file", 'T', "stet get does not upload; -X PUT --data-binary @FILE does for what fits into memory"},
    {"data-urlencode", 0, "encode it yourself and give it to -d"},
    {"config", 'K', "there are no files of options; --input has one URL a line"},
    {"disable", 'q', "there is no file of options that could be left out"},
    {"globoff", 'g', "brackets and braces of a URL mean nothing special; leave it out"},
    {"range", 'r', "a part of a file is not kept; -H 'Range: bytes=0-99' asks for it"},
    {"time-cond", 'z', "leave it out: stet asks with the date, and with the tag, of what it has"},
    {"etag-save", 0, "leave it out: stet keeps the tag with what it stores"},
    {"etag-compare", 0, "leave it out: stet asks with the tag of what it has"},
    {"dump-header", 'D', "-i shows the head, and -w '%header{etag}' or --json parts of it"},
    {"remote-header-name", 'J', "a server does not choose names of files here; -o does"},
    {"verbose", 'v', "stet explain URL tells what was sent, what came, and why"},
    {"next", ':', "run stet get twice: the cache is the same"},
    {"progress-bar", '#', "--progress shows it, and on a terminal it is there by itself"},
    {"http1.0", '0', "stet speaks HTTP/1.1 and HTTP/2"},
    {"http3", 0, "stet get speaks HTTP/1.1 and HTTP/2"},
    {"timestamping", 'N', "leave it out: stet always asks whether there is something new (-R sets the file's time), and writes content as it comes"},
    {"no-buffer", 0, "leave it out: content is written as it comes"},
    {"version", 'V', "stet --version tells it"},
    {"url", 0, "a URL needs no option"},
    {"tries", 't', "--retry N goes on with what was cut off"},
    {"continue", 0, "leave it out: what was interrupted is gone on with"},
    {"quiet", 0, "-s is silent"},
    {"input-file", 0, "--input has one URL a line"},
    {"directory-prefix", 'P', "--output-dir names the folder"},
    {"location-trusted", 0, "credentials go to the host that they are for; -L follows redirects without them"},
    {"limit-rate", 0, "stet does not slow down; curl does"},
    {"interface", 0, "the system chooses the way"},
    {"ipv4", '4', "both are tried; --resolve HOST:PORT:ADDR chooses"},
    {"ipv6", '6', "both are tried; --resolve HOST:PORT:ADDR chooses"},
};
/* clang-format on */

static const struct stet__option_rows output_rows = STET__ROWS(output), request_rows = STET__ROWS(request),
                                      cache_rows = STET__ROWS(cache), many_rows = STET__ROWS(many),
                                      connection_rows = STET__ROWS(connection),
                                      limit_rows = STET__ROWS(limits), lack_rows = STET__LACKS(lacks);

static const struct stet__option_rows *const parts[] = {
    &output_rows, &request_rows, &cache_rows, &many_rows, &connection_rows, &limit_rows, &lack_rows};

static const struct stet__option_table table = {"get", parts, sizeof parts / sizeof *parts};

void stet__get_options_init(struct stet__get_options *options)
{
    *options = (struct stet__get_options){
        .content_max = CONTENT_MAX_DEFAULT,
        .parallel_max = 50,
        .redirects_max = 50,
        .retries = 3,
        .max_stale_s = -1,
        .cache_octets_max = STET__MIB << 10,
        .transfer = {.connections_max = 50,
                     .per_host_max = 50,
                     .connect_ms = 30000,
                     .silence_ms = 60000,
                     .head_octets_max = 300 * STET__KIB},
    };
    stet__buffer_init(&options->content, SIZE_MAX);
    stet__buffer_init(&options->write_out_file, STET__MIB);
}

void stet__get_options_release(struct stet__get_options *options)
{
    free(options->places.at);
    free(options->headers.at);
    for (size_t i = 0; i < options->texts.count; i++)
        free(((char **)options->texts.at)[i]);
    free(options->texts.at);
    free(options->resolve.at);
    stet__buffer_release(&options->content);
    stet__buffer_release(&options->write_out_file);
}

void stet__get_options_print(const struct stet__get_options *options, FILE *out)
{
    stet__options_print(&table, options, out);
}

/* Whether a text can stand in a field: RFC 9110 section 5.5. */
static bool is_value(const char *text)
{
    for (; text && *text; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7F)
            return false;
    return true;
}

/* What contradicts each other, and what stands for nothing. A complaint, or true. */
static bool is_sound(const struct stet__get_options *options, int urls)
{
    const char *wrong = NULL;
    if (urls == 0 && !options->input)
        wrong = "what? stet get http://127.0.0.1:8304/, for example";
    else if (options->no_store && options->mode == STET__GET_OFFLINE)
        wrong = "--offline is answered by the cache only, and --no-store forbids that";
    else if (options->no_store && options->changed)
        wrong = "--changed compares with what is stored, and --no-store forbids that";
    else if (options->transfer.user && !strchr(options->transfer.user, ':'))
        wrong = "-u: the password is missing, and nobody is asked for it; NAME: has an empty one";
    else if (!is_value(options->user_agent) || !is_value(options->referer))
        wrong = "a field cannot hold a control character";
    else if (options->method && !stet_is_token(stet__cli_span(options->method)))
        wrong = "-X: that is not the name of a method";
    else if (options->compressed && options->no_compressed)
        wrong = "--compressed or --no-compressed?";
    else if (options->progress && options->no_progress)
        wrong = "--progress or --no-progress?";
    else if (options->content_as_query && !options->has_content)
        wrong = "-G takes what -d says, and there is no -d";
    else if (options->has_content && options->head_only && !options->content_as_query)
        wrong = "-I asks for a head, and -d sends something; which?";
    if (wrong)
        stet__cli_complain("get: %s", wrong);
    return !wrong;
}

bool stet__get_options_parse(struct stet__get_options *options, int argc, char **argv, int *urls)
{
    if (!stet__options_parse(&table, options, argc, argv, urls))
        return false;
    if (options->help)
        return true;
    if (options->content.len > options->content_max) {
        stet__cli_complain("get: -d has %zu octets, more than --max-data-bytes", options->content.len);
        return false;
    }
    const char *end = NULL;
    if (options->resolve.count > 0 && stet__cli_list_append(&options->resolve, &end, sizeof end)) {
        stet__cli_complain("get: out of memory");
        return false;
    }
    options->transfer.resolve = options->resolve.at;
    return is_sound(options, *urls);
}
