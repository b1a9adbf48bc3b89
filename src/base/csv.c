#include "base/csv.h"

#include <string.h>

#include "base/text.h"

#define CELL_MAX 4200 /* the longest, escaped: two hundred names; the rest is cut off */

static void add_cell(struct buf *b, const char *cell)
{
    bool formula = *cell && strchr("=+-@", *cell);

    if (!formula && !strpbrk(cell, ",\"")) {
        buf_adds(b, cell);
        return;
    }
    buf_adds(b, formula ? "\"'" : "\"");
    for (; *cell; cell++) {
        if (*cell == '"')
            buf_addc(b, '"');
        buf_addc(b, (uint8_t)*cell);
    }
    buf_addc(b, '"');
}

/* A tab, too, becomes plain text. */
void csv_add_line(struct buf *b, const char *const *cells, size_t n)
{
    char plain[CELL_MAX];
    size_t i;

    for (i = 0; i < n; i++) {
        if (i)
            buf_addc(b, ',');
        if (!cells[i])
            continue;
        text_escape(cells[i], strlen(cells[i]), plain, sizeof(plain));
        add_cell(b, plain);
    }
    buf_adds(b, "\r\n");
}
