/* SPDX-License-Identifier: MIT */
/*
 * get_input: see get_input.h. The n-th -o or -O is of the n-th URL, as curl has it. Beyond them a URL goes to
 * standard output, unless --output-dir or --remote-name-all has it named as -O does; and a last -O is for all
 * lines of --input.
 */
#include "cli/get_input.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/get_name.h"

/* All that comes, in a file without a name. NULL after a complaint. */
static FILE *gather(FILE *from)
{
    char room[4096];
    FILE *all = tmpfile();
    for (size_t got = 1; all && got > 0;) {
        got = fread(room, 1, sizeof room, from);
        if (got > 0 && fwrite(room, 1, got, all) < got)
            break;
    }
    if (all && !ferror(from) && !ferror(all) && fflush(all) == 0 && fseek(all, 0, SEEK_SET) == 0)
        return all;
    stet__cli_complain("get: --input: %s", strerrordesc_np(errno));
    if (all)
        fclose(all);
    return NULL;
}

/* Looks through all of it, if it is a file and no pipe. */
static void count_urls(struct stet__get_input *input)
{
    ssize_t len;
    long begin = ftell(input->file);
    if (begin < 0)
        return;
    input->count = input->url_count;
    while ((len = getline(&input->line, &input->line_room, input->file)) >= 0)
        input->count += stet__get_line_read(stet_span_of(input->line, (size_t)len)).url.len > 0;
    if (fseek(input->file, begin, SEEK_SET) != 0)
        input->count = 0;
}

bool stet__get_input_open(struct stet__get_input *input, const struct stet__get_options *options,
                          char *const *urls, size_t url_count)
{
    *input = (struct stet__get_input){
        .options = options, .urls = urls, .url_count = url_count, .count = options->input ? 0 : url_count};
    if (options->places.count > url_count && !options->input) {
        stet__cli_complain("get: there are more -o and -O than URLs");
        return false;
    }
    if (!options->input)
        return true;
    input->file = strcmp(options->input, "-") == 0 ? stdin : fopen(options->input, "re");
    if (!input->file)
        stet__cli_complain("get: --input %s: %s", options->input, strerrordesc_np(errno));
    if (input->file && options->parallel && fseek(input->file, 0, SEEK_CUR) != 0) {
        FILE *waiting = input->file;
        input->file = gather(waiting);
        if (waiting != stdin)
            fclose(waiting);
    }
    if (input->file)
        count_urls(input);
    return input->file != NULL;
}

void stet__get_input_close(struct stet__get_input *input)
{
    if (input->file && input->file != stdin)
        fclose(input->file);
    free(input->line);
    *input = (struct stet__get_input){.options = input->options};
}

size_t stet__get_input_count(const struct stet__get_input *input)
{
    return input->count;
}

static const char *set_remote_name(struct stet__get_item *item, const char *folder)
{
    struct stet_span name = stet__get_remote_name(item->uri);
    if (!name.ptr)
        return "the URL ends in no name for a file; -o gives it one";
    item->path = stet__get_path(folder, name);
    return item->path ? NULL : "out of memory";
}

/* The place of URL `number`, or NULL if it has none of its own. */
static const struct stet__get_place *find_place(const struct stet__get_input *input, size_t number)
{
    const struct stet__cli_list *places = &input->options->places;
    const struct stet__get_place *at = places->at;
    if (number < places->count)
        return &at[number];
    bool in_file = number >= input->url_count;
    return in_file && places->count > 0 && !at[places->count - 1].path ? &at[places->count - 1] : NULL;
}

static const char *set_place(struct stet__get_item *item, const struct stet__get_input *input,
                             struct stet_span name)
{
    const struct stet__get_options *options = input->options;
    const struct stet__get_place *place = find_place(input, item->number);
    if (!name.ptr && place && place->path)
        name = stet__cli_span(place->path);
    if (name.ptr && stet_span_equal(name, STET_SPAN("-"))) {
        item->to_stdout = true;
        return NULL;
    }
    if (name.len > 0) {
        item->path = stet__get_path(options->folder, name);
        return item->path ? NULL : "out of memory";
    }
    if (place || options->all_remote_names || options->folder)
        return set_remote_name(item, options->folder);
    return NULL;
}

/* The URI without its fragment, with what -G puts behind it. */
static char *with_query(char *uri, const struct stet__get_options *options)
{
    if (!uri || !options->content_as_query)
        return uri;
    size_t len = strlen(uri);
    char *longer = realloc(uri, len + 1 + options->content.len + 1);
    if (!longer) {
        free(uri);
        return NULL;
    }
    longer[len] = strchr(longer, '?') ? '&' : '?';
    memcpy(longer + len + 1, options->content.ptr, options->content.len);
    longer[len + 1 + options->content.len] = '\0';
    return longer;
}

static void make(struct stet__get_item *out, const struct stet__get_input *input, struct stet_span url,
                 struct stet_span name)
{
    out->typed = strndup(url.ptr, url.len);
    stet__get_tidy(out->typed);
    out->uri = with_query(stet__get_uri(url, &out->wrong), input->options);
    if (out->uri)
        out->wrong = set_place(out, input, name);
    else if (!out->wrong)
        out->wrong = "out of memory";
}

static bool next_line(struct stet__get_input *input, struct stet__get_line *out)
{
    ssize_t len;
    while (input->file && (len = getline(&input->line, &input->line_room, input->file)) >= 0) {
        input->lines++;
        *out = stet__get_line_read(stet_span_of(input->line, (size_t)len));
        if (out->url.len > 0)
            return true;
    }
    return false;
}

bool stet__get_input_next(struct stet__get_input *input, struct stet__get_item *out)
{
    struct stet__get_line line = {STET_SPAN_NONE, STET_SPAN_NONE};
    *out = (struct stet__get_item){.number = input->taken};
    if (input->taken < input->url_count) {
        line.url = stet__cli_span(input->urls[input->taken]);
    } else {
        if (!next_line(input, &line))
            return false;
        out->line = input->lines;
    }
    input->taken++;
    make(out, input, line.url, line.name);
    return true;
}

void stet__get_item_release(struct stet__get_item *item)
{
    free(item->typed);
    free(item->uri);
    free(item->path);
    *item = (struct stet__get_item){.number = item->number};
}
