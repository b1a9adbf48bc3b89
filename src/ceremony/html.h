/*
 * HTML for A4: what the paper before a ceremony and the report after it share. One file, nothing from elsewhere, no script;
 * well-formed as XML, too. What is in it is written with base/html.h.
 */
#ifndef CEREMONY_HTML_H
#define CEREMONY_HTML_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/html.h"
#include "ceremony/qr.h"

struct html_page {
    const char *title;  /* foreign */
    const char *footer; /* at the foot of every page; foreign */
    bool rehearsal;     /* says so on every page */
};

void html_begin(struct buf *b, const struct html_page *page);
void html_end(struct buf *b);

/* A digest in hex, and as it is read aloud, four octets a row; qr (may be NULL) stands beside it. */
void html_hash(struct buf *b, const uint8_t sha256[SHA256_LEN], const struct qr *qr);

/* The same, to be written by hand. */
void html_hash_blank(struct buf *b);

#endif
