#include "ceremony/qr.h"

#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>

int qr_make(const char *text, struct qr *ret, struct p11ca_err *err)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    struct qr qr = {.width = code ? (size_t)code->width : 0};
    size_t i;

    qr.dark = code ? malloc(qr.width * qr.width) : NULL;
    for (i = 0; qr.dark && i < qr.width * qr.width; i++)
        qr.dark[i] = code->data[i] & 1; /* the other bits say what a module is for */
    if (code)
        QRcode_free(code);
    if (!qr.dark)
        return err_nomem(err);
    *ret = qr;
    return 0;
}

int qr_make_sha256(const char *hex, struct qr *ret, struct p11ca_err *err)
{
    char text[128];

    snprintf(text, sizeof(text), "sha256:%s", hex);
    return qr_make(text, ret, err);
}

void qr_done(struct qr *qr)
{
    free(qr->dark);
    *qr = (struct qr){.width = 0};
}

bool qr_is_dark(const struct qr *qr, size_t x, size_t y)
{
    return qr->dark[y * qr->width + x];
}

/* Dark modules side by side are one rectangle: no hairlines between them on any printer. */
static void add_row(const struct qr *qr, size_t y, struct buf *b)
{
    size_t x, n;

    for (x = 0; x < qr->width; x += n) {
        n = 1;
        if (!qr_is_dark(qr, x, y))
            continue;
        while (x + n < qr->width && qr_is_dark(qr, x + n, y))
            n++;
        buf_addf(b, "M%zu %zuh%zuv1h-%zuz", x + QR_QUIET, y + QR_QUIET, n, n);
    }
}

void qr_svg(const struct qr *qr, struct buf *b)
{
    size_t side = qr->width + 2 * QR_QUIET, y;

    buf_addf(b,
        "<svg class=\"qr\" viewBox=\"0 0 %zu %zu\" shape-rendering=\"crispEdges\" role=\"img\" "
        "aria-label=\"QR code\"><path d=\"",
        side, side);
    for (y = 0; y < qr->width; y++)
        add_row(qr, y, b);
    buf_adds(b, "\"/></svg>\n");
}
