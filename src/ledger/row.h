/*
 * Rows as structs: a table says where each column goes. Its order is that of the SELECT beside it.
 */
#ifndef LEDGER_ROW_H
#define LEDGER_ROW_H

#include "ledger/sql.h"

enum row_type {
    ROW_TEXT,   /* const char * */
    ROW_BLOB,   /* struct blob */
    ROW_INT64,  /* int64_t, NULL is 0 */
    ROW_STATUS, /* enum ledger_status */
    ROW_REASON, /* int, NULL is -1 */
};
struct row_column {
    enum row_type type;
    size_t offset;
};
struct row_shape {
    const struct row_column *columns;
    size_t n, size; /* size of the struct */
};

/* Fills dst from the row at hand; texts and blobs are borrowed until the next step. */
void row_borrow(const struct sql *s, const struct row_shape *shape, void *dst);

/* As row_borrow, in one block of memory that free() releases; NULL: out of memory. */
void *row_copy(const struct sql *s, const struct row_shape *shape);

#endif
