/*
 * HTML, piece by piece; well-formed as XML, too. Foreign text goes through html_text() or a function that says so, and
 * through nothing else.
 */
#ifndef BASE_HTML_H
#define BASE_HTML_H

#include <stddef.h>

#include "base/buf.h"

/* Foreign text, escaped: controls as \xNN, newlines as <br/>. */
void html_text(struct buf *b, const char *text);

/* The same for a title: newlines as spaces. */
void html_line(struct buf *b, const char *text);

/* As html_text(), in an element of its own; digests in letters of one width. */
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

/* The rules of a style sheet, all of them ours. */
struct html_rule {
    const char *selector, *declarations;
};
void html_style(struct buf *b, const struct html_rule *rules, size_t n);

#endif
