/* Text for paper and letters of one width: lines that fit, and tables of ASCII rules. All of it is foreign: escaped here. */
#ifndef CEREMONY_LAYOUT_H
#define CEREMONY_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define LAYOUT_COLUMNS 80 /* of a page */

/* Columns that it takes: none for combining marks, two for East Asian wide characters (UAX #11). */
size_t layout_width(const char *text, size_t len);

/*
 * The next line of *at that takes at most width columns, *at moved behind it; false at the end. Broken at spaces and
 * newlines; within a word only when the word is longer than a line.
 */
bool layout_line(const char **at, size_t width, const char **ret, size_t *ret_len);

/* Appends a paragraph of lines that begin with indent spaces and end before column LAYOUT_COLUMNS. */
void layout_text(struct buf *b, size_t indent, const char *text);

/* The widths of a table's columns; with "| " before, " | " between and " |" behind they make a line. */
struct layout {
    size_t n;
    size_t widths[8]; /* at least 2: some characters are as wide */
};

/* "+-----+---+" */
void layout_rule(struct buf *b, const struct layout *l);

/* One row of n cells, as many lines as its longest needs and no fewer than lines; NULL is an empty cell. */
void layout_row(struct buf *b, const struct layout *l, const char *const *cells, size_t lines);

#endif
