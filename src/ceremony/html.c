#include "ceremony/html.h"

#include <string.h>

#include "base/text.h"
#include "ceremony/words.h"

/* Black on white, and legible so: it is copied, stamped and filed. The left margin is for the holes of a binder. */
static const struct html_rule style[] = {
    {"*", "box-sizing: border-box"},
    {"html",
        "font: 9.5pt/1.35 \"Liberation Sans\", Arial, Helvetica, \"DejaVu Sans\", sans-serif; color: #000"},
    {"body", "max-width: 175mm; margin: 0 auto; padding: 0 .3mm"},
    {"@media screen", "body { padding: 10mm 5mm }"},
    {"h1", "font-size: 19pt; line-height: 1.15; margin: 0 0 2mm"},
    {"h2", "font-size: 12.5pt; margin: 8mm 0 2mm; border-bottom: 1.2pt solid #000; padding-bottom: .8mm"},
    {"h1, h2, h3", "break-after: avoid; overflow-wrap: anywhere"},
    {"p", "margin: 0 0 2mm; overflow-wrap: anywhere; orphans: 3; widows: 3"},
    {".keep", "break-after: avoid"},
    {".whole", "break-inside: avoid"},
    {".kicker", "text-transform: uppercase; letter-spacing: .12em; font-size: 8.5pt; margin: 0 0 1mm"},
    {".hint", "font-size: 8.5pt"},
    {"table", "border-collapse: collapse; width: 100%; margin: 0 0 3mm"},
    {"thead", "display: table-header-group"},
    {"tr", "break-inside: avoid"},
    {"th, td", "border: .5pt solid #000; padding: 1mm 1.6mm; text-align: left; vertical-align: top; "
               "overflow-wrap: anywhere"},
    {"th",
        "font-weight: bold; background: #eee; -webkit-print-color-adjust: exact; print-color-adjust: exact"},
    {"thead th", "overflow-wrap: normal"},
    {".facts > tbody > tr > th", "width: 42mm"},
    {".mono, .hex",
        "font-family: \"Liberation Mono\", \"DejaVu Sans Mono\", Consolas, monospace; font-size: 8.3pt"},
    {".line", "font-family: \"Liberation Mono\", \"DejaVu Sans Mono\", Consolas, monospace; font-size: "
              "7.9pt; white-space: nowrap; margin: 0 0 1mm"},
    {".fill", "height: 8mm"},
    {".hash", "display: flex; align-items: flex-start; gap: 4mm; break-inside: avoid; margin: 0 0 3mm"},
    {".hash > div", "flex: 1"},
    {".hash table", "margin: 0"},
    {".hash td", "padding: .5mm 1.6mm; white-space: nowrap"},
    {".hash td:first-child",
        "width: 20mm; font-family: \"Liberation Mono\", \"DejaVu Sans Mono\", monospace; font-size: 8.6pt"},
    {".hash .blank td", "height: 8.5mm; width: auto"},
    {".hash .blank td:first-child", "width: 36mm"},
    {".qr", "width: 36mm; height: 36mm; flex: none"},
    {".roles th:nth-child(1)", "width: 21mm"},
    {".roles th:nth-child(3)", "width: 45mm"},
    {".roles th:nth-child(4)", "width: 38mm"},
    {".roles th:nth-child(5)", "width: 18mm"},
    {".roles tbody td", "height: 9mm"},
    {".closing th:nth-child(1)", "width: 21mm"},
    {".closing th:nth-child(3)", "width: 58mm"},
    {".closing th:nth-child(4)", "width: 36mm"},
    {".closing tbody td", "height: 13mm"},
    {".people th:nth-child(1)", "width: 24mm"},
    {".people th:nth-child(2)", "width: 75mm"},
    {".steps", "table-layout: fixed"},
    {".steps th:nth-child(1)", "width: 10mm"},
    {".steps th:nth-child(3)", "width: 34mm"},
    {".steps th:nth-child(4)", "width: 17mm"},
    {".steps td:first-child", "font-weight: bold; font-size: 11pt; text-align: right"},
    {".steps p", "margin: 0 0 1mm"},
    {".steps .kind", "font-weight: bold"},
    {".steps .hint b", "font-weight: bold"},
    {".ask", "margin: 1.5mm 0 1mm"},
    {".ask div", "border-bottom: .5pt solid #000; height: 7.5mm"},
    {".ask .boxes",
        "display: grid; grid-template-columns: repeat(4, 1fr); gap: 1mm 2mm; border: 0; height: auto"},
    {".ask .boxes div", "height: 7mm"},
    {".initials", "height: 10mm; border: .5pt solid #000; font-size: 7pt; line-height: 1; padding: .8mm; "
                  "margin: 0 0 1.2mm; overflow: hidden"},
    {".page", "break-before: page"},
    {".deviations td", "height: 14mm"},
    {".deviations th:nth-child(1)", "width: 13mm"},
    {".deviations th:nth-child(3)", "width: 19mm"},
    {".deviations th:nth-child(4)", "width: 26mm"},
    {".outcome", "display: inline-block; border: 1.5pt solid #000; padding: 1mm 4mm; font-weight: bold; "
                 "font-size: 12pt; letter-spacing: .06em; margin: 0 0 3mm"},
    {".alert", "border: 1.5pt solid #000; border-left-width: 5pt; padding: 1.5mm 2.5mm; margin: 0 0 1mm; "
               "break-inside: avoid"},
    {".rehearsal", "border: 2.5pt solid #000; text-align: center; font-weight: bold; font-size: 15pt; "
                   "letter-spacing: .3em; padding: 2mm; margin: 0 0 5mm"},
    {".watermark",
        "position: fixed; top: 108mm; left: 0; right: 0; text-align: center; transform: rotate(-50deg); "
        "font: bold 76pt Arial, sans-serif; color: rgba(0, 0, 0, .1); z-index: 1; pointer-events: none"},
    {".step > thead th", "font-size: 10.5pt"},
    {".step > tbody > tr > td:first-child", "width: 24mm; font-size: 8.3pt"},
    {".step table:not(.facts) td", "min-width: 20mm"},
    {"tr.long", "break-inside: auto"},
    {"h4", "font-size: 8.8pt; margin: 1.5mm 0 .5mm; break-after: avoid"},
    {".step .hex", "font-size: 7.7pt"},
    {".step p:last-child, .step table:last-child", "margin-bottom: 0"},
    {".step table", "font-size: 8.8pt; margin: 1mm 0"},
    {".step table th", "font-weight: normal"},
    {".step .facts > tbody > tr > th", "width: 34mm"},
    {".step table thead th", "font-weight: bold"},
    {".bare", "list-style: none; margin: 0; padding: 0"},
    {"pre",
        "font: 8pt/1.4 \"Liberation Mono\", \"DejaVu Sans Mono\", monospace; border: .5pt solid #000; "
        "padding: 2mm; margin: 0 0 3mm; white-space: pre-wrap; overflow-wrap: anywhere; break-inside: avoid"},
    {"@page", "size: A4; margin: 17mm 14mm 18mm 22mm"},
};

/* CSS 2.2 4.1.3: in a string every character may stand as its number, so what could end it, or the element, does. */
static void css_string(struct buf *b, const char *text)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t len = strlen(text), n;
    uint32_t c = 0;

    buf_addc(b, '"');
    for (; len; p += n, len -= n) {
        n = text_utf8(p, len, &c);
        if (n == 0 || text_is_control(c)) {
            n = n ? n : 1;
            buf_adds(b, "?");
        } else if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ' ') {
            buf_addc(b, (uint8_t)c);
        } else {
            buf_addf(b, "\\%06x ", c);
        }
    }
    buf_addc(b, '"');
}

/* Page numbers need a browser that has boxes in the margins (CSS Paged Media 3); others print without. */
static void page_style(struct buf *b, const struct html_page *page)
{
    static const char font[] = "font: 7.5pt Arial, Helvetica, \"DejaVu Sans\", sans-serif";

    buf_adds(b, "@page { @bottom-left { content: ");
    css_string(b, page->footer);
    buf_addf(b, "; %s; width: 80%%; text-align: left }\n", font);
    buf_addf(b,
        "  @bottom-right { content: \"Page \" counter(page) \" of \" counter(pages); %s; width: 20%%; "
        "text-align: right }\n",
        font);
    if (page->rehearsal)
        buf_addf(
            b, "  @top-center { content: \"REHEARSAL - not a ceremony\"; %s; font-weight: bold }\n", font);
    buf_adds(b, "}\n");
}

void html_begin(struct buf *b, const struct html_page *page)
{
    buf_adds(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n");
    buf_adds(b, "<title>");
    html_line(b, page->title);
    buf_adds(b, "</title>\n");
    buf_adds(b, "<style>\n");
    html_style(b, style, sizeof(style) / sizeof(style[0]));
    page_style(b, page);
    buf_adds(b, "</style>\n</head>\n<body>\n");
    if (page->rehearsal) {
        html_elem(b, "div", "watermark", "REHEARSAL");
        html_elem(b, "div", "rehearsal", "REHEARSAL");
    }
}

void html_end(struct buf *b)
{
    buf_adds(b, "</body>\n</html>\n");
}

void html_hash(struct buf *b, const uint8_t sha256[SHA256_LEN], const struct qr *qr)
{
    char hex[2 * SHA256_LEN + 1];
    size_t i, k;

    text_hex_lower(sha256, SHA256_LEN, hex);
    html_open(b, "div", "whole");
    html_elem(b, "p", "line", hex);
    buf_adds(b, "<div class=\"hash\"><div><table><tbody>\n");
    for (i = 0; i < SHA256_LEN; i += 4) {
        text_hex_lower(sha256 + i, 4, hex);
        html_open(b, "tr", NULL);
        html_elem(b, "td", NULL, hex);
        for (k = i; k < i + 4; k++)
            html_elem(b, "td", NULL, words_at(k, sha256[k]));
        html_close(b, "tr");
    }
    buf_adds(b, "</tbody></table></div>\n");
    if (qr)
        qr_svg(qr, b);
    buf_adds(b, "</div></div>\n");
}

void html_hash_blank(struct buf *b)
{
    static const char *const head[] = {
        "Eight hex digits", "First word", "Second word", "Third word", "Fourth word"};
    size_t i;

    buf_adds(b, "<div class=\"hash\"><div><table class=\"blank\">");
    html_head(b, head, sizeof(head) / sizeof(head[0]));
    buf_adds(b, "<tbody>\n");
    for (i = 0; i < SHA256_LEN; i += 4)
        buf_adds(b, "<tr><td></td><td></td><td></td><td></td><td></td></tr>\n");
    buf_adds(b, "</tbody></table></div></div>\n");
}
