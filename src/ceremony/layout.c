#include "ceremony/layout.h"

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/text.h"

static size_t columns_of(uint32_t c)
{
    static const struct {
        uint32_t from, to;
        size_t columns;
    } table[] = {
        {0x300, 0x36f, 0},   /* combining marks */
        {0x483, 0x489, 0},   /* Cyrillic ones */
        {0x591, 0x5bd, 0},   /* Hebrew points */
        {0x64b, 0x65f, 0},   /* Arabic ones */
        {0x1100, 0x115f, 2}, /* Hangul Jamo */
        {0x1ab0, 0x1aff, 0},
        {0x1dc0, 0x1dff, 0},
        {0x20d0, 0x20ff, 0},
        {0x2e80, 0x303e, 2}, /* CJK radicals, punctuation */
        {0x3041, 0xa4cf, 2}, /* Kana, CJK, Yi */
        {0xac00, 0xd7a3, 2}, /* Hangul */
        {0xf900, 0xfaff, 2},
        {0xfe00, 0xfe0f, 0}, /* variation selectors */
        {0xfe20, 0xfe2f, 0},
        {0xfe30, 0xfe6f, 2},
        {0xff00, 0xff60, 2}, /* full width */
        {0xffe0, 0xffe6, 2},
        {0x1f300, 0x1faff, 2}, /* pictographs */
        {0x20000, 0x3fffd, 2},
    };
    size_t i;

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (c >= table[i].from && c <= table[i].to)
            return table[i].columns;
    }
    return 1;
}

/* Octets of the character at p, and its columns. */
static size_t next(const char *p, size_t len, size_t *columns)
{
    uint32_t c = 0;
    size_t n = text_utf8((const uint8_t *)p, len, &c);

    *columns = n ? columns_of(c) : 1;
    return n ? n : 1;
}

size_t layout_width(const char *text, size_t len)
{
    size_t width = 0, columns, n;

    while (len) {
        n = next(text, len, &columns);
        width += columns;
        text += n;
        len -= n;
    }
    return width;
}

/* How far a line of this width goes; *space is its last space, NULL: none. */
static const char *fill(const char *p, size_t width, const char **space)
{
    const char *start = p;
    size_t used = 0, columns, n;

    *space = NULL;
    while (*p && *p != '\n') {
        n = next(p, strnlen(p, 4), &columns);
        if (used + columns > width && p != start)
            break;
        if (*p == ' ')
            *space = p;
        used += columns;
        p += n;
    }
    return p;
}

bool layout_line(const char **at, size_t width, const char **ret, size_t *ret_len)
{
    const char *start = *at, *space, *end;

    if (!*start)
        return false;
    end = fill(start, width, &space);
    if (*end && *end != '\n' && *end != ' ' && space && space != start)
        end = space;
    *at = end;
    while (**at == ' ')
        ++*at;
    if (**at == '\n')
        ++*at;
    while (end > start && end[-1] == ' ')
        end--;
    *ret = start;
    *ret_len = (size_t)(end - start);
    return true;
}

static void pad(struct buf *b, size_t n, char c)
{
    while (n--)
        buf_addc(b, (uint8_t)c);
}

void layout_text(struct buf *b, size_t indent, const char *text)
{
    AUTO_BUF safe = BUF_INIT;
    const char *at, *line;
    size_t len;

    text_add_lines(&safe, text);
    at = buf_str(&safe);
    if (!at)
        b->failed = true;
    while (at && layout_line(&at, LAYOUT_COLUMNS - indent, &line, &len)) {
        if (len)
            pad(b, indent, ' ');
        buf_add(b, line, len);
        buf_addc(b, '\n');
    }
}

void layout_rule(struct buf *b, const struct layout *l)
{
    size_t i;

    for (i = 0; i < l->n; i++) {
        buf_addc(b, '+');
        pad(b, l->widths[i] + 2, '-');
    }
    buf_adds(b, "+\n");
}

/* One line of a row; false when no cell had anything left for it. */
static bool row_line(struct buf *b, const struct layout *l, const char **at)
{
    bool any = false;
    size_t i;

    for (i = 0; i < l->n; i++) {
        const char *line = "";
        size_t len = 0;

        any |= layout_line(&at[i], l->widths[i], &line, &len);
        buf_adds(b, "| ");
        buf_add(b, line, len);
        pad(b, l->widths[i] + 1 - layout_width(line, len), ' ');
    }
    buf_adds(b, "|\n");
    return any;
}

void layout_row(struct buf *b, const struct layout *l, const char *const *cells, size_t lines)
{
    struct buf safe[8] = {BUF_INIT};
    const char *at[8];
    size_t i, done, before;

    for (i = 0; i < l->n; i++) {
        text_add_lines(&safe[i], cells[i] ? cells[i] : "");
        at[i] = buf_str(&safe[i]);
        if (!at[i]) {
            b->failed = true;
            at[i] = "";
        }
    }
    for (done = 0;; done++) {
        before = b->len;
        if (!row_line(b, l, at) && done >= (lines ? lines : 1)) {
            b->len = before;
            break;
        }
    }
    for (i = 0; i < l->n; i++)
        buf_done(&safe[i]);
}
