/* SPDX-License-Identifier: MIT */
#include "net/tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/file.h"
#include "net/tls_io.h"

static void run_again(struct stet__soon *soon)
{
    struct stet__tls *tls = stet__list_entry(soon, struct stet__tls, soon);
    tls->watch->ready(tls->watch, EPOLLIN);
}

static void tell_of_written(int out, int version, int type, const void *octets, size_t len, SSL *ssl,
                            void *arg)
{
    struct stet__tls *tls = arg;
    if (out)
        stet__ktls_count(&tls->ktls, type, octets, len);
}

struct stet__tls *stet__tls_new(SSL *ssl, struct stet__tls_io *io, struct stet__loop *loop,
                                struct stet__watch *watch)
{
    struct stet__tls *tls = calloc(1, sizeof *tls);
    if (!tls) {
        SSL_free(ssl);
        return NULL;
    }
    BIO_up_ref(io->bio);
    SSL_set_bio(ssl, io->bio, io->bio);
    tls->ssl = ssl;
    tls->io = io;
    tls->loop = loop;
    tls->watch = watch;
    stet__soon_init(&tls->soon, run_again);
    if (SSL_get_options(ssl) & SSL_OP_ENABLE_KTLS) {
        SSL_set_msg_callback(ssl, tell_of_written);
        SSL_set_msg_callback_arg(ssl, tls);
    }
    tls->reads_early = SSL_is_server(ssl) && SSL_get_max_early_data(ssl) > 0;
    stet__buffer_init(&tls->in, SIZE_MAX);
    stet__buffer_init(&tls->out, SIZE_MAX);
    return tls;
}

static ssize_t fail(struct stet__tls *tls, int cause)
{
    tls->failed = true;
    errno = cause;
    return -1;
}

static bool broken(struct stet__tls *tls, int cause)
{
    (void)fail(tls, cause);
    return false;
}

/* Sends `octets`: how many the socket took, or -1 if it takes nothing any more. */
static ssize_t send_some(int fd, struct stet_span octets, bool more)
{
    ssize_t n = send(fd, octets.ptr, octets.len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    return n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) ? 0 : n;
}

/* Sends what waits. False with errno: EAGAIN if the socket does not take all of it. */
static bool flush_kept(struct stet__tls *tls, int fd)
{
    if (tls->out.len == 0)
        return true;
    ssize_t n = send_some(fd, stet__buffer_span(&tls->out), false);
    if (n < 0)
        return broken(tls, errno);
    stet__buffer_consume(&tls->out, (size_t)n);
    if (tls->out.len > 0) {
        errno = EAGAIN;
        return false;
    }
    stet__buffer_release(&tls->out);
    return true;
}

void stet__tls_flush(struct stet__tls *tls, int fd)
{
    (void)flush_kept(tls, fd);
}

/* What OpenSSL wrote is not sent: the kernel has its keys. But what it had to say is. */
static bool speak_for_openssl(struct stet__tls *tls, int fd)
{
    static const unsigned char internal_error[2] = {SSL3_AL_FATAL, SSL_AD_INTERNAL_ERROR};
    stet__buffer_clear(&tls->io->output);
    if (tls->ktls.has_alert)
        (void)stet__ktls_send_alert(fd, tls->ktls.alert);
    tls->ktls.has_alert = false;
    if (tls->failed || SSL_get_key_update_type(tls->ssl) == SSL_KEY_UPDATE_NONE)
        return true;
    (void)stet__ktls_send_alert(fd, internal_error);
    return broken(tls, EPROTO);
}

/* Sends what OpenSSL has just written; keeps what the socket does not take. False if the connection has
 * failed. */
static bool flush_written(struct stet__tls *tls, int fd, bool more)
{
    struct stet__buffer *output = &tls->io->output;
    if (tls->ktls.state == STET__KTLS_ON)
        return speak_for_openssl(tls, fd);
    if (output->len == 0)
        return true;
    struct stet_span octets = stet__buffer_span(output);
    ssize_t n = tls->out.len > 0 ? 0 : send_some(fd, octets, more);
    if (n >= 0 && (size_t)n < octets.len &&
        !stet__buffer_append(&tls->out, stet_span_skip(octets, (size_t)n))) {
        errno = ENOMEM;
        n = -1;
    }
    stet__buffer_clear(output);
    return n >= 0 || broken(tls, errno);
}

/* What became of a call that did not succeed. True if it goes on with more octets. */
static bool wants_more(struct stet__tls *tls, int result)
{
    int error = SSL_get_error(tls->ssl, result);
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ)
        return true;
    if (error == SSL_ERROR_ZERO_RETURN)
        tls->ended = true;
    else
        tls->failed = true;
    return false;
}

static void established(struct stet__tls *tls)
{
    const unsigned char *protocol;
    unsigned len;
    SSL_get0_alpn_selected(tls->ssl, &protocol, &len);
    tls->h2 = stet_span_equal(stet_span_of((const char *)protocol, len), STET_SPAN("h2"));
    tls->established = true;
}

/* True once the handshake is complete. */
static bool shake_hands(struct stet__tls *tls)
{
    if (tls->established)
        return true;
    int result = SSL_do_handshake(tls->ssl);
    if (result == 1)
        established(tls);
    else
        (void)wants_more(tls, result);
    return tls->established;
}

/* Has OpenSSL see what came. */
static void give(struct stet__tls *tls, struct stet_span octets)
{
    tls->io->came = octets;
}

/* Keeps what OpenSSL did not take; it may be in `in` already. */
static bool take_back(struct stet__tls *tls)
{
    struct stet_span left = tls->io->came;
    tls->io->came = STET_SPAN_NONE;
    if (left.len == 0) {
        stet__buffer_release(&tls->in);
        return true;
    }
    if (tls->in.len == 0)
        return stet__buffer_append(&tls->in, left);
    stet__buffer_consume(&tls->in, tls->in.len - left.len);
    return true;
}

/* Until the client has no more early data. False: it may have more, or the handshake failed. */
static bool read_early(struct stet__tls *tls, char *to, size_t room, size_t *got)
{
    while (*got < room) {
        size_t n = 0;
        int result = SSL_read_early_data(tls->ssl, to + *got, room - *got, &n);
        if (result == SSL_READ_EARLY_DATA_FINISH) {
            tls->reads_early = false;
            return true;
        }
        if (result != SSL_READ_EARLY_DATA_SUCCESS && (!wants_more(tls, 0) || tls->io->came.len == 0))
            return false;
        tls->early |= n > 0;
        *got += n;
    }
    return false;
}

/* From what was given to what the reader has room for. */
static size_t decrypt(struct stet__tls *tls, char *to, size_t room)
{
    size_t got = 0;
    if (tls->reads_early && (!read_early(tls, to, room, &got) || got > 0))
        return got;
    while (got < room && shake_hands(tls)) {
        /* A call that can only say that it wants more costs as much as a small record. */
        if (tls->io->came.len == 0 && SSL_pending(tls->ssl) == 0)
            break;
        size_t most = room - got < INT_MAX ? room - got : INT_MAX;
        int n = SSL_read(tls->ssl, to + got, (int)most);
        if (n <= 0 && (!wants_more(tls, n) || tls->io->came.len == 0))
            break;
        got += n > 0 ? (size_t)n : 0;
    }
    return got;
}

/* A client that speaks TLS begins with a handshake record, RFC 8446 section 5.1; only HTTP begins with a
 * letter. */
static bool speaks_http(struct stet__tls *tls, struct stet_span octets)
{
    bool letter = octets.ptr[0] >= 'A' && octets.ptr[0] <= 'z';
    bool first = !tls->begun;
    tls->begun = true;
    return first && letter && SSL_is_server(tls->ssl);
}

/* One recv, if it can bring something. False with errno, or with `*end` at the end of the stream. */
static bool fill(struct stet__tls *tls, int fd, size_t room)
{
    /* What fits into the reader's memory need not be kept. */
    size_t most = room < STET__TLS_INPUT ? room : STET__TLS_INPUT;
    ssize_t n = recv(fd, tls->io->input, most < 512 ? 512 : most, 0);
    if (n < 0)
        return errno != EAGAIN && errno != EINTR && broken(tls, errno);
    if (n == 0)
        return broken(tls, ECONNRESET);
    give(tls, stet_span_of(tls->io->input, (size_t)n));
    if (!speaks_http(tls, tls->io->came))
        return true;
    tls->plain = true;
    return broken(tls, EPROTO);
}

/* False with errno. */
static bool ready_to_read(struct stet__tls *tls, int fd)
{
    tls->io->serves = tls;
    if (tls->failed) {
        errno = EPROTO;
        return false;
    }
    return flush_kept(tls, fd);
}

ssize_t stet__tls_recv(struct stet__tls *tls, int fd, void *to, size_t room)
{
    size_t got = 0;
    if (!ready_to_read(tls, fd))
        return -1;
    if (tls->in.len > 0 || SSL_pending(tls->ssl) > 0) {
        give(tls, stet__buffer_span(&tls->in));
        got = decrypt(tls, to, room);
    }
    if (got == 0 && !tls->ended && !tls->failed) {
        /* OpenSSL has taken all there was, and found no whole record. */
        stet__buffer_release(&tls->in);
        if (fill(tls, fd, room))
            got = decrypt(tls, to, room);
        else if (tls->failed) {
            /* The memory is for the next connection. */
            int cause = errno;
            stet__buffer_clear(&tls->io->output);
            give(tls, STET_SPAN_NONE);
            errno = cause;
            return -1;
        }
    }
    bool kept = take_back(tls);
    if (!flush_written(tls, fd, false) && got == 0)
        return -1;
    if (!kept)
        return fail(tls, ENOMEM);
    if (got > 0)
        return (ssize_t)got;
    if (tls->ended)
        return 0;
    errno = tls->failed ? EPROTO : EAGAIN;
    return -1;
}

int stet__tls_handshake(struct stet__tls *tls, int fd)
{
    if (!ready_to_read(tls, fd))
        return tls->failed ? -1 : 0;
    if (!shake_hands(tls) && !tls->failed) {
        if (SSL_get_state(tls->ssl) != TLS_ST_BEFORE && tls->io->output.len == 0 &&
            fill(tls, fd, STET__TLS_INPUT))
            (void)shake_hands(tls);
    }
    bool kept = take_back(tls);
    if (!flush_written(tls, fd, false) || !kept || tls->failed)
        return -1;
    return tls->established;
}

/* The octets of vectors, from front to back. */
struct octets {
    const struct iovec *vectors;
    size_t count;
    size_t done; /* of vectors[0] */
};

/* The next at most `most`, as they lie in memory. */
static struct stet_span next(struct octets *octets, size_t most)
{
    while (octets->count > 0 && octets->done == octets->vectors->iov_len) {
        octets->vectors++;
        octets->count--;
        octets->done = 0;
    }
    if (octets->count == 0)
        return STET_SPAN_NONE;
    size_t left = octets->vectors->iov_len - octets->done, n = left < most ? left : most;
    const char *begin = (const char *)octets->vectors->iov_base + octets->done;
    octets->done += n;
    return stet_span_of(begin, n);
}

/* The next record's octets: as they lie, or put together if they lie apart. */
static struct stet_span next_record(struct octets *octets, char *piece)
{
    struct stet_span run = next(octets, STET__TLS_RECORD);
    if (run.len == STET__TLS_RECORD || run.len == 0)
        return run;
    struct stet_span more = next(octets, STET__TLS_RECORD - run.len);
    if (more.len == 0)
        return run;
    memcpy(piece, run.ptr, run.len);
    size_t len = run.len;
    for (; more.len > 0; more = next(octets, STET__TLS_RECORD - len)) {
        memcpy(piece + len, more.ptr, more.len);
        len += more.len;
        if (len == STET__TLS_RECORD)
            break;
    }
    return stet_span_of(piece, len);
}

static bool encrypt(struct stet__tls *tls, struct stet_span record)
{
    size_t n = 0;
    stet__assert(tls->ktls.state != STET__KTLS_ON);
    if (tls->established)
        (void)SSL_write_ex(tls->ssl, record.ptr, record.len, &n);
    else
        (void)SSL_write_early_data(tls->ssl, record.ptr, record.len, &n);
    if (n == record.len)
        return true;
    ERR_clear_error();
    /* The memory is for the next connection. */
    stet__buffer_clear(&tls->io->output);
    return broken(tls, EPROTO);
}

/* One round: encrypts and sends. Returns the octets encrypted, 0 if there are none, or -1. */
static ssize_t send_round(struct stet__tls *tls, int fd, struct octets *octets, bool more)
{
    size_t done = 0;
    while (done < STET__TLS_ROUND) {
        struct stet_span record = next_record(octets, tls->io->piece);
        if (record.len == 0)
            break;
        if (!encrypt(tls, record))
            return -1;
        done += record.len;
    }
    return flush_written(tls, fd, more) ? (ssize_t)done : -1;
}

/* As send, of octets that the kernel took: `n` of `wanted`. */
static ssize_t told_by_kernel(struct stet__tls *tls, int fd, ssize_t n, size_t wanted)
{
    tls->held = n > 0 && (size_t)n == wanted && !stet__ktls_has_room(fd);
    if (!tls->held)
        return n;
    if (n > 1)
        return n - 1;
    errno = EAGAIN;
    return -1;
}

/* The octet that was not told. */
static ssize_t tell_held(struct stet__tls *tls, int fd)
{
    if (stet__ktls_has_room(fd)) {
        tls->held = false;
        return 1;
    }
    errno = EAGAIN;
    return -1;
}

static ssize_t kernel_send(struct stet__tls *tls, int fd, const struct octets *octets, bool more)
{
    struct msghdr message = {.msg_iovlen = octets->count};
    size_t wanted = 0;
    if (tls->held)
        return tell_held(tls, fd);
    /* Not const, because it serves reading too. */
    memcpy(&message.msg_iov, &octets->vectors, sizeof message.msg_iov);
    for (size_t i = 0; i < octets->count; i++)
        wanted += octets->vectors[i].iov_len;
    return told_by_kernel(tls, fd, sendmsg(fd, &message, MSG_NOSIGNAL | (more ? MSG_MORE : 0)), wanted);
}

static ssize_t kernel_sendfile(struct stet__tls *tls, int fd, int file, off_t offset, size_t len)
{
    if (tls->held)
        return tell_held(tls, fd);
    return told_by_kernel(tls, fd, sendfile(fd, file, &offset, len), len);
}

/* Whether the kernel sends this file, and from then on everything. */
static bool kernel_takes(struct stet__tls *tls, int fd, size_t len)
{
    bool may = tls->ktls.state == STET__KTLS_KNOWN && tls->established && !tls->h2 && !tls->held;
    if (!may || len < STET__KTLS_MIN)
        return tls->ktls.state == STET__KTLS_ON;
    stet__assert(tls->out.len == 0 && tls->io->output.len == 0);
    enum stet__ktls_begun begun = stet__ktls_begin(&tls->ktls, tls->ssl, fd);
    tls->io->no_ktls |= begun == STET__KTLS_NOT_AT_ALL;
    return begun == STET__KTLS_BEGUN;
}

/* What the writer is told of `done` octets. */
static ssize_t told(struct stet__tls *tls, size_t done)
{
    tls->held = done > 0 && tls->out.len > 0;
    if (!tls->held)
        return (ssize_t)done;
    if (done > 1)
        return (ssize_t)done - 1;
    errno = EAGAIN;
    return -1;
}

static bool ready_to_write(struct stet__tls *tls, int fd)
{
    if (!flush_kept(tls, fd))
        return false;
    if ((tls->established || tls->early) && !tls->failed)
        return true;
    errno = tls->failed ? EPROTO : EAGAIN;
    return false;
}

ssize_t stet__tls_send(struct stet__tls *tls, int fd, const struct iovec *vectors, size_t count, bool more)
{
    struct octets octets = {vectors, count, 0};
    size_t done = 0;
    if (!ready_to_write(tls, fd))
        return -1;
    if (tls->ktls.state == STET__KTLS_ON)
        return kernel_send(tls, fd, &octets, more);
    if (tls->held)
        done += next(&octets, 1).len;
    while (tls->out.len == 0) {
        ssize_t n = send_round(tls, fd, &octets, more);
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return told(tls, done);
}

ssize_t stet__tls_sendfile(struct stet__tls *tls, int fd, int file, off_t offset, size_t len)
{
    struct stet__tls_io *io = tls->io;
    if (!ready_to_write(tls, fd))
        return -1;
    if (kernel_takes(tls, fd, len))
        return kernel_sendfile(tls, fd, file, offset, len);
    size_t done = tls->held;
    stet__assert(done <= len);
    while (done < len && tls->out.len == 0) {
        size_t wanted = len - done < sizeof io->file ? len - done : sizeof io->file;
        ssize_t n = stet__read_at(file, io->file, wanted, offset + (off_t)done);
        if (n < 0)
            return fail(tls, errno);
        if (n == 0)
            break;
        struct iovec piece = {io->file, (size_t)n};
        if (send_round(tls, fd, &(struct octets){&piece, 1, 0}, false) < 0)
            return -1;
        done += (size_t)n;
    }
    return told(tls, done);
}

void stet__tls_end(struct stet__tls *tls, int fd)
{
    if (!tls->established || tls->failed || tls->out.len > 0 ||
        (SSL_get_shutdown(tls->ssl) & SSL_SENT_SHUTDOWN))
        return;
    /* When the kernel seals, OpenSSL tells of its close_notify, and flush_written has that sealed. */
    (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
    (void)flush_written(tls, fd, false);
}

void stet__tls_free(struct stet__tls *tls, int fd, bool orderly)
{
    if (orderly)
        stet__tls_end(tls, fd);
    stet__loop_not_soon(&tls->soon);
    if (tls->io->serves == tls)
        tls->io->serves = NULL;
    stet__ktls_release(&tls->ktls);
    SSL_free(tls->ssl);
    stet__buffer_release(&tls->in);
    stet__buffer_release(&tls->out);
    free(tls);
}

void stet__tls_go_on(struct stet__tls *tls)
{
    if (tls->in.len > 0 || tls->ended || tls->failed || SSL_pending(tls->ssl) > 0)
        stet__loop_soon(tls->loop, &tls->soon);
}
