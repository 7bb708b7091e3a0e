/* SPDX-License-Identifier: MIT */
/*
 * copying: makes the octets of coded copies in the background, each once (store/codings.h).
 *
 * What turns out larger than what it is made of, cannot be decoded, or is larger than --decode-max is not
 * tried again. Without room, memory or a place in the queue the next request tries again. Nothing is decoded
 * beyond what the store would take: --max-object.
 */
#include <stet/status.h>

#include "coding/background.h"
#include "coding/whole.h"
#include "proxy/coded.h"

#define QUEUE_MAX 1024
#define PIECE_BYTES (64u * 1024)

struct stet__copying {
    struct stet__proxy *proxy;
    struct stet__background *background;
};

struct task {
    struct stet__job job;
    struct stet__proxy *proxy;
    struct stet__object *object; /* a reference */
    enum stet_coding coding;
    bool over; /* told what came of it */
};

/* What is being made. */
struct making {
    struct task *task;
    struct stet__coder *coder;
    struct stet__digester *digester;
    struct stet__body *body; /* once there is more than `out` takes */
    char *in;                /* of PIECE_BYTES, and so is output.ptr */
    struct stet__coder_output output;
    uint64_t offset;
};

/* Of a decoded copy. What no store takes is not made either: few octets may stand for very many. */
static uint64_t decoded_max(const struct stet__proxy_configuration *configuration)
{
    uint64_t object = configuration->store.object_bytes;
    return configuration->decode_bytes < object ? configuration->decode_bytes : object;
}

static struct stet__coder *coder_of(const struct task *task)
{
    const struct stet__proxy_configuration *configuration = task->proxy->configuration;
    bool decode = task->coding == STET_CODING_IDENTITY;
    uint64_t length = stet__body_length(task->object->body);
    struct stet__coder_options options = {
        .coding = decode ? task->object->coding : task->coding,
        .decode = decode,
        .level = decode ? 0 : (int)configuration->coding.levels[task->coding],
        .length = length,
        .output_max = decode ? decoded_max(configuration) : length,
    };
    return stet__coder_new(&options);
}

static bool begin(struct making *making, struct task *task)
{
    *making = (struct making){.task = task};
    making->coder = coder_of(task);
    making->digester = stet__digester_new();
    making->in = malloc(PIECE_BYTES);
    making->output = (struct stet__coder_output){malloc(PIECE_BYTES), PIECE_BYTES, 0};
    return making->coder && making->digester && making->in && making->output.ptr;
}

static void release(struct making *making)
{
    stet__coder_free(making->coder);
    stet__digester_free(making->digester);
    stet__body_release(making->body);
    free(making->in);
    free(making->output.ptr);
}

/* What has come out goes into a body that grows. */
static bool spill(struct making *making)
{
    if (!making->body)
        making->body = stet__body_new(STET__BODY_LENGTH_UNKNOWN);
    struct stet_span made = stet_span_of(making->output.ptr, making->output.len);
    making->output.len = 0;
    return making->body && stet__body_append(making->body, made);
}

static int run_piece(struct making *making, struct stet_span piece, enum stet__coder_step step)
{
    struct stet__coder_output *output = &making->output;
    for (;;) {
        size_t before = output->len;
        if (atomic_load_explicit(&making->task->job.stop, memory_order_relaxed))
            return STET_E_CODED_STOPPED;
        int status = stet__coder_run(making->coder, &piece, step, output);
        stet__digester_add(making->digester, stet_span_of(output->ptr + before, output->len - before));
        if (status != STET_MORE)
            return status;
        if (!spill(making))
            return STET_E_CODED_MEMORY;
    }
}

static int run(struct making *making)
{
    const struct stet__body *from = making->task->object->body;
    uint64_t length = stet__body_length(from);
    int status;
    if (length == 0 && making->task->coding == STET_CODING_IDENTITY)
        return STET_OK; /* nothing is what it is in any coding */
    do {
        size_t n = stet__body_copy(from, making->offset, PIECE_BYTES, making->in);
        if (n == 0 && making->offset < length)
            return STET_E_CODED_READ;
        making->offset += n;
        status = run_piece(making, stet_span_of(making->in, n),
                           making->offset == length ? STET__CODER_FINISH : STET__CODER_FEED);
    } while (status == STET_OK && making->offset < length);
    return status;
}

/* All of it in one piece, so that it is sent like any other: its length is known now. */
static int settle(struct making *making)
{
    struct stet__body *last = stet__body_of(stet_span_of(making->output.ptr, making->output.len));
    struct stet__body *whole = last;
    if (last && making->body) {
        stet__body_finish(making->body, true);
        whole = stet__body_join(making->body, last, 0);
        stet__body_release(last);
    }
    if (making->body && stet__body_state(making->body) == STET__BODY_GROWING)
        stet__body_finish(making->body, false);
    stet__body_release(making->body);
    making->body = whole;
    return whole ? STET_OK : STET_E_CODED_MEMORY;
}

/* What comes of a copy that is not made. */
enum verdict {
    LATER, /* the next who asks tries again */
    NEVER, /* another try would come to the same */
    UNKEPT /* it can be made, but not kept */
};

static enum verdict verdict_of(const struct task *task, int status)
{
    const struct stet__proxy_configuration *configuration = task->proxy->configuration;
    bool may_pass = task->coding == STET_CODING_IDENTITY &&
                    configuration->store.object_bytes < configuration->decode_bytes;
    if (status == STET_E_CODED_MEMORY || status == STET_E_CODED_READ || status == STET_E_CODED_STOPPED)
        return LATER;
    return status == STET_E_CODED_TOO_LARGE && may_pass ? UNKEPT : NEVER;
}

static void give_up(struct task *task, enum verdict verdict)
{
    task->over = true;
    /* Decoded content that is not kept stays asked for: nobody tries again, but it is not refused either, so
     * that who cannot read the base gets it decoded while it is sent. */
    if (verdict != UNKEPT || task->coding != STET_CODING_IDENTITY)
        stet__codings_give_up(task->object->body, task->coding, verdict != LATER);
    /* That it is not made is remembered, and counts. */
    stet__store_account(task->proxy->store, task->object);
}

static void publish(struct making *making)
{
    struct task *task = making->task;
    struct stet__digest digest;
    bool too_large = false;
    bool hashed = stet__digester_finish(making->digester, &digest);
    making->digester = NULL;
    if (hashed && stet__store_code(task->proxy->store, task->object, task->coding, making->body,
                                   stet__fingerprint(&digest), &too_large))
        task->over = true;
    else
        give_up(task, too_large ? UNKEPT : LATER);
}

static void work(struct stet__job *job)
{
    struct task *task = stet__list_entry(job, struct task, job);
    struct making making;
    int status = begin(&making, task) ? run(&making) : STET_E_CODED_MEMORY;
    if (status == STET_OK)
        status = settle(&making);
    if (status == STET_OK)
        publish(&making);
    else
        give_up(task, verdict_of(task, status));
    release(&making);
    /* All is said in the store, and nobody is to be told: it is dropped. */
    atomic_store(&job->stop, true);
}

static void drop(struct stet__job *job)
{
    struct task *task = stet__list_entry(job, struct task, job);
    if (!task->over)
        give_up(task, LATER);
    stet__object_release(task->object);
    free(task);
}

void stet__copying_ask(struct stet__proxy *proxy, struct stet__object *object, enum stet_coding coding)
{
    if (!proxy->copying || !stet__codings_begin(object->body, coding))
        return;
    struct task *task = malloc(sizeof *task);
    if (!task) {
        stet__codings_give_up(object->body, coding, false);
        return;
    }
    *task = (struct task){.job = {.work = work, .done = drop, .drop = drop},
                          .proxy = proxy,
                          .object = stet__object_acquire(object),
                          .coding = coding};
    /* Who cannot read what is there gets it decoded while it is sent, which costs more than this. */
    if (!stet__background_ask(proxy->copying->background, &task->job, coding == STET_CODING_IDENTITY))
        drop(&task->job);
}

struct stet__copying *stet__copying_new(struct stet__proxy *proxy)
{
    struct stet__copying *copying = malloc(sizeof *copying);
    if (!copying)
        return NULL;
    *copying = (struct stet__copying){.proxy = proxy, .background = stet__background_new(1, QUEUE_MAX)};
    if (copying->background)
        return copying;
    free(copying);
    return NULL;
}

void stet__copying_free(struct stet__copying *copying)
{
    if (!copying)
        return;
    stet__background_free(copying->background);
    free(copying);
}
