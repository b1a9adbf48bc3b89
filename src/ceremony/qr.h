/* QR codes (ISO/IEC 18004): a hash on paper that a telephone reads back. */
#ifndef CEREMONY_QR_H
#define CEREMONY_QR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define QR_QUIET 4 /* modules around it that stay light, ISO/IEC 18004 9.1 */

struct qr {
    size_t width; /* modules a side */
    uint8_t *dark;
};

#define AUTO_QR __attribute__((cleanup(qr_done))) struct qr

/* The text as octets, level M: a seventh of it may be soiled. */
P11CA_CHECK int qr_make(const char *text, struct qr *ret, struct p11ca_err *err);
void qr_done(struct qr *qr);

/* "sha256:HEX" */
P11CA_CHECK int qr_make_sha256(const char *hex, struct qr *ret, struct p11ca_err *err);

bool qr_is_dark(const struct qr *qr, size_t x, size_t y);

/* Appends it as an SVG element with its quiet zone, one unit a module. */
void qr_svg(const struct qr *qr, struct buf *b);

#endif
