/*
 * HTML for A4: what the paper before a ceremony and the report after it share. One file, nothing from elsewhere, no script;
 * well-formed as XML, too. Foreign text goes through html_text() or a function that says so, and through nothing else.
 */
#ifndef CEREMONY_HTML_H
#define CEREMONY_HTML_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/hash.h"
#include "ceremony/qr.h"

struct html_page {
    const char *title;  /* foreign */
    const char *footer; /* at the foot of every page; foreign */
    bool rehearsal;     /* says so on every page */
};

void html_begin(struct buf *b, const struct html_page *page);
void html_end(struct buf *b);

/* Foreign text, escaped: controls as \xNN, newlines as <br/>. */
void html_text(struct buf *b, const char *text);

/* The same in an element of its own; digests in letters of one width. */
void html_value(struct buf *b, const char *text);

/* <tag class="class">; class NULL: none. Both are ours. */
void html_open(struct buf *b, const char *tag, const char *class);
void html_close(struct buf *b, const char *tag);

/* An element that holds foreign text. */
void html_elem(struct buf *b, const char *tag, const char *class, const char *text);

/* A row of a table of class "facts": label (ours) and foreign text; NULL: room to write in. */
void html_fact(struct buf *b, const char *label, const char *text);

/* A row of column heads; widths and looks are the style sheet's, by the table's class. */
void html_head(struct buf *b, const char *const *labels, size_t n);

/* A digest in hex, and as it is read aloud, four octets a row; qr (may be NULL) stands beside it. */
void html_hash(struct buf *b, const uint8_t sha256[SHA256_LEN], const struct qr *qr);

/* The same, to be written by hand. */
void html_hash_blank(struct buf *b);

#endif
