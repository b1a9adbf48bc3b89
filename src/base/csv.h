/* Comma-separated values as RFC 4180 has them, for spreadsheets that take cells for formulas. */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include "base/buf.h"

/*
 * Appends a line of n cells, with its CR LF; NULL is an empty cell. Foreign text comes without what would harm a
 * terminal, and what a spreadsheet would take for a formula gets an apostrophe in front.
 */
void csv_add_line(struct buf *b, const char *const *cells, size_t n);

#endif
