#include "ledger/row.h"

#include <stdlib.h>
#include <string.h>

void row_borrow(const struct sql *s, const struct row_shape *shape, void *dst)
{
    size_t i;

    for (i = 0; i < shape->n; i++) {
        void *at = (char *)dst + shape->columns[i].offset;
        int col = (int)i;

        switch (shape->columns[i].type) {
        case ROW_TEXT:
            *(const char **)at = sql_col_text(s, col);
            break;
        case ROW_BLOB:
            *(struct blob *)at = sql_col_blob(s, col);
            break;
        case ROW_INT64:
            *(int64_t *)at = sql_col_int(s, col);
            break;
        case ROW_STATUS:
            *(enum ledger_status *)at = (enum ledger_status)sql_col_int(s, col);
            break;
        case ROW_REASON:
            *(int *)at = sqlite3_column_type(s->q, col) == SQLITE_NULL ? -1 : (int)sql_col_int(s, col);
            break;
        }
    }
}

/* Bytes a column has behind the struct; texts with their NUL. */
static size_t tail_len(const struct row_column *c, const void *row)
{
    const void *at = (const char *)row + c->offset;
    const char *text;

    if (c->type == ROW_BLOB)
        return ((const struct blob *)at)->len;
    if (c->type != ROW_TEXT)
        return 0;
    text = *(const char *const *)at;
    return text ? strlen(text) + 1 : 0;
}

/* Moves what a column borrows to tail. */
static void own(const struct row_column *c, void *row, void *tail, size_t len)
{
    void *at = (char *)row + c->offset;

    if (c->type == ROW_BLOB) {
        memcpy(tail, ((struct blob *)at)->p, len);
        ((struct blob *)at)->p = tail;
    } else {
        memcpy(tail, *(const char **)at, len);
        *(const char **)at = tail;
    }
}

void *row_copy(const struct sql *s, const struct row_shape *shape)
{
    size_t i, total = shape->size;
    char *row, *tail;

    row = calloc(1, shape->size);
    if (!row)
        return NULL;
    row_borrow(s, shape, row);
    for (i = 0; i < shape->n; i++)
        total += tail_len(&shape->columns[i], row);
    tail = realloc(row, total);
    if (!tail) {
        free(row);
        return NULL;
    }
    row = tail;
    tail += shape->size;
    for (i = 0; i < shape->n; i++) {
        size_t len = tail_len(&shape->columns[i], row);

        if (len)
            own(&shape->columns[i], row, tail, len);
        tail += len;
    }
    return row;
}
