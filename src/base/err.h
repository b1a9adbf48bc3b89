/*
 * Filling struct p11ca_err. err_set() where the fault is found, err_prefix() on the way up to say
 * which object it happened to. Both return -1, so that `return err_set(...)` reads well.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <p11ca/err.h>

int err_set(struct p11ca_err *err, enum p11ca_kind kind, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* "prefix: what was there" */
int err_prefix(struct p11ca_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* As err_set, followed by strerror(errno). Code DISK when the next file would fare no better. */
int err_errno(struct p11ca_err *err, enum p11ca_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set, followed by the reasons on OpenSSL's error queue, which is emptied. */
int err_openssl(struct p11ca_err *err, enum p11ca_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

int err_nomem(struct p11ca_err *err);

#endif
