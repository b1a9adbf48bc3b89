/* CSV by RFC 4180, a record a line: a line break inside a cell is one of the things that are refused. */
#include <string.h>

#include "issue/manifest.h"
#include "issue/manifest_err.h"

/* A quoted cell at its first quote: its text moves to the front; *ret_end is behind the last quote. */
static int take_quoted(char *cell, char **ret_end, struct p11ca_err *err)
{
    const char *from = cell + 1;
    char *to = cell;

    for (;; from++) {
        if (!*from)
            return manifest_err(err, "RFC 4180 2.6: want a quoted cell to end on its line (a quote that is "
                                     "not closed, or a line break in a cell)");
        if (*from == '"' && *++from != '"')
            break;
        *to++ = *from;
    }
    *ret_end = cell + (from - cell);
    if (*from && *from != ',')
        return manifest_err(err, "RFC 4180 2.5: want a comma behind a quoted cell, have more text");
    /* The octet at from is a comma or the end: never before to. */
    *to = '\0';
    return 0;
}

/* What ends the cell: the comma or the line. */
static int take_cell(char *cell, char **ret_end, struct p11ca_err *err)
{
    size_t len;

    if (*cell == '"')
        return take_quoted(cell, ret_end, err);
    len = strcspn(cell, ",\"");
    if (cell[len] == '"')
        return manifest_err(err, "RFC 4180 2.5: want no quote in a cell that does not begin with one");
    *ret_end = cell + len;
    return 0;
}

int manifest_csv_split(char *line, const char **ret, size_t max, size_t *ret_n, struct p11ca_err *err)
{
    char *at = line, *end = NULL;
    size_t n = 0;
    bool more;

    if (strchr(line, '\r'))
        return manifest_err(err, "want no line break in a cell, have a carriage return");
    do {
        if (n == max)
            return manifest_err(err, "want at most %zu cells, have more", max);
        if (take_cell(at, &end, err) != 0)
            return -1;
        more = *end == ',';
        *end = '\0';
        ret[n++] = at;
        at = end + 1;
    } while (more);
    *ret_n = n;
    return 0;
}
