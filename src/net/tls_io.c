/* SPDX-License-Identifier: MIT */
#include "net/tls_io.h"

#include "net/tls.h"

static int bio_read(BIO *bio, char *to, int room)
{
    struct stet__tls_io *io = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    size_t n = io->came.len < (size_t)room ? io->came.len : (size_t)room;
    if (n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(to, io->came.ptr, n);
    io->came = stet_span_skip(io->came, n);
    return (int)n;
}

static int bio_write(BIO *bio, const char *octets, int len)
{
    struct stet__tls_io *io = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    return stet__buffer_append(&io->output, stet_span_of(octets, (size_t)len)) ? len : -1;
}

/* What OpenSSL 3 asks of the BIO of a socket, and has no public name for: to seal what is written to it
 * (`number` is not 0) with the keys at `arg`. */
#define SET_KTLS 72

static long bio_ctrl(BIO *bio, int command, long number, void *arg)
{
    struct stet__tls_io *io = BIO_get_data(bio);
    /* They are kept for later; for now OpenSSL goes on by itself. */
    if (command == SET_KTLS && number != 0 && arg && io->serves && !io->no_ktls)
        stet__ktls_learn(&io->serves->ktls, arg);
    return command == BIO_CTRL_FLUSH;
}

struct stet__tls_io *stet__tls_io_new(void)
{
    struct stet__tls_io *io = malloc(sizeof *io);
    if (!io)
        return NULL;
    io->came = STET_SPAN_NONE;
    io->serves = NULL;
    io->no_ktls = false;
    stet__buffer_init(&io->output, SIZE_MAX);
    io->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "stet");
    io->bio = NULL;
    if (io->method && BIO_meth_set_read(io->method, bio_read) && BIO_meth_set_write(io->method, bio_write) &&
        BIO_meth_set_ctrl(io->method, bio_ctrl))
        io->bio = BIO_new(io->method);
    if (!io->bio) {
        stet__tls_io_free(io);
        return NULL;
    }
    BIO_set_data(io->bio, io);
    BIO_set_init(io->bio, 1);
    return io;
}

void stet__tls_io_free(struct stet__tls_io *io)
{
    if (!io)
        return;
    BIO_free(io->bio);
    BIO_meth_free(io->method);
    stet__buffer_release(&io->output);
    free(io);
}
