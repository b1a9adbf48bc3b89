#include "base/html.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

static void escape(struct buf *b, const char *text, const char *newline)
{
    const char *const entities[128] = {
        ['\n'] = newline,
        ['&'] = "&amp;",
        ['<'] = "&lt;",
        ['>'] = "&gt;",
        ['"'] = "&quot;",
        ['\''] = "&#39;",
    };
    AUTO_BUF safe = BUF_INIT;
    size_t i;

    text_add_lines(&safe, text);
    if (!buf_ok(&safe))
        b->failed = true;
    for (i = 0; i < safe.len; i++) {
        const char *entity = safe.p[i] < 128 ? entities[safe.p[i]] : NULL;

        if (entity)
            buf_adds(b, entity);
        else
            buf_addc(b, safe.p[i]);
    }
}

void html_text(struct buf *b, const char *text)
{
    escape(b, text, "<br/>");
}

void html_line(struct buf *b, const char *text)
{
    escape(b, text, " ");
}

static bool is_hex(const char *s)
{
    size_t len = strlen(s);

    return len >= 16 && strspn(s, "0123456789abcdefABCDEF") == len;
}

void html_value(struct buf *b, const char *text)
{
    html_elem(b, "span", is_hex(text) ? "hex" : NULL, text);
}

void html_open(struct buf *b, const char *tag, const char *class)
{
    if (class)
        buf_addf(b, "<%s class=\"%s\">", tag, class);
    else
        buf_addf(b, "<%s>", tag);
}

void html_close(struct buf *b, const char *tag)
{
    buf_addf(b, "</%s>\n", tag);
}

void html_elem(struct buf *b, const char *tag, const char *class, const char *text)
{
    html_open(b, tag, class);
    html_text(b, text);
    html_close(b, tag);
}

void html_fact(struct buf *b, const char *label, const char *text)
{
    html_open(b, "tr", NULL);
    html_elem(b, "th", NULL, label);
    html_open(b, "td", text ? NULL : "fill");
    if (text)
        html_value(b, text);
    html_close(b, "td");
    html_close(b, "tr");
}

void html_head(struct buf *b, const char *const *labels, size_t n)
{
    size_t i;

    buf_adds(b, "<thead><tr>");
    for (i = 0; i < n; i++)
        html_elem(b, "th", NULL, labels[i]);
    buf_adds(b, "</tr></thead>\n");
}

void html_style(struct buf *b, const struct html_rule *rules, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        buf_addf(b, "%s { %s }\n", rules[i].selector, rules[i].declarations);
}
