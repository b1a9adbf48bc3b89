#include "issue/lot_summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/html.h"
#include "base/text.h"
#include "issue/lot_names.h"

/* --- what comes in --- */

static bool ends_with(const char *path, const char *ending)
{
    size_t len = strlen(path), n = strlen(ending);

    return len > n && strcmp(path + len - n, ending) == 0;
}

int lot_summary_begin(
    struct lot_summary *ret, const struct p11ca_lot *order, int64_t now, struct p11ca_err *err)
{
    if (order->summary && !ends_with(order->summary, ".html"))
        return err_set(err, P11CA_USAGE, "USAGE", "%s: want a summary called *.html", order->summary);
    if (order->summary && file_check_new(order->summary, err) != 0)
        return -1;
    *ret = (struct lot_summary){.order = order, .begun = now, .apart = LOT_SUMMARY_APART};
    return 0;
}

static void count_code(struct lot_summary *s, const char *code)
{
    size_t i = 0;

    while (i < s->n_codes && strcmp(s->codes[i].code, code) != 0)
        i++;
    if (i == s->n_codes && s->n_codes < LOT_SUMMARY_CODES)
        snprintf(s->codes[s->n_codes++].code, sizeof(s->codes[i].code), "%s", code);
    if (i == LOT_SUMMARY_CODES)
        snprintf(s->codes[i].code, sizeof(s->codes[i].code), "others");
    s->codes[i].n++;
}

void lot_summary_row(struct lot_summary *s, const struct p11ca_row *row)
{
    s->counts[row->verdict]++;
    if (row->verdict == P11CA_ROW_REJECTED)
        count_code(s, row->code && *row->code ? row->code : "?");
    if (!row->serial)
        return;
    if (!s->first[0])
        snprintf(s->first, sizeof(s->first), "%s", row->serial);
    snprintf(s->last, sizeof(s->last), "%s", row->serial);
}

/* When there is no more room every other one goes, and those that come must be as far apart as those that stay. */
static void thin_out(struct lot_summary *s)
{
    size_t i;

    for (i = 0; 2 * i + 1 < s->n_samples; i++)
        s->samples[i] = s->samples[2 * i + 1];
    s->n_samples = i;
    s->apart = s->samples[i - 1].seconds / (double)i;
}

static void add_sample(struct lot_summary *s, double seconds, size_t rows)
{
    if (s->n_samples == LOT_SUMMARY_SAMPLES)
        thin_out(s);
    s->samples[s->n_samples++] = (struct lot_summary_sample){seconds, rows};
}

static double last_sampled(const struct lot_summary *s)
{
    return s->n_samples ? s->samples[s->n_samples - 1].seconds : 0;
}

void lot_summary_sample(struct lot_summary *s, double seconds, size_t rows)
{
    if (seconds >= last_sampled(s) + s->apart)
        add_sample(s, seconds, rows);
}

/* The lot's end is one, too; the one before it goes if it is too near. */
static void end_samples(struct lot_summary *s, const struct lot_total *t)
{
    if (s->n_samples && t->seconds < last_sampled(s) + s->apart / 2)
        s->n_samples--;
    if (t->seconds > last_sampled(s))
        add_sample(s, t->seconds, t->rows - t->not_tried);
}

/* --- looks --- */

#define MONO "font-family: ui-monospace, \"Liberation Mono\", \"DejaVu Sans Mono\", Consolas, monospace"
#define LIGHT                                                                                                \
    "color-scheme: light; --page: #fff; --text: #1c2024; --dim: #5b6570; --line: #d5dae0; --tile: #f4f6f8; " \
    "--issued: #1a7f4b; --reused: #3b6fb5; --good: #1a7f4b; --rejected: #c2372e; --rest: #8a939c"

static const struct html_rule style[] = {
    {":root", LIGHT},
    {"@media screen and (prefers-color-scheme: dark)",
        ":root { color-scheme: dark; --page: #14181c; --text: #e4e8ec; --dim: #9aa5b0; --line: #333b44; "
        "--tile: "
        "#1d2329; --issued: #3fb97a; --reused: #6fa0e6; --good: #3fb97a; --rejected: #f0716a; --rest: "
        "#7d8790 }"},
    {"*", "box-sizing: border-box"},
    {"html", "font: 16px/1.5 system-ui, \"Liberation Sans\", Arial, Helvetica, \"DejaVu Sans\", sans-serif; "
             "color: var(--text); background: var(--page)"},
    {"body", "max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem"},
    {"h1", "font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; overflow-wrap: anywhere"},
    {"h2", "font-size: 1.1rem; margin: 2.25rem 0 .75rem"},
    {"p", "margin: 0 0 .75rem"},
    {".kicker",
        "text-transform: uppercase; letter-spacing: .12em; font-size: .75rem; color: var(--dim); margin: 0 "
        "0 .35rem"},
    {".dim", "color: var(--dim)"},
    {".tiles",
        "display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: "
        "1.5rem 0 1rem"},
    {".tile", "background: var(--tile); border-radius: .5rem; padding: .75rem 1rem; border-top: .25rem solid "
              "var(--line); break-inside: avoid"},
    {".tile b",
        "display: block; font-size: 1.6rem; line-height: 1.25; font-weight: 650; font-variant-numeric: "
        "tabular-nums"},
    {".tile span", "font-size: .85rem; color: var(--dim)"},
    {".tile.issued", "border-top-color: var(--issued)"},
    {".tile.reused", "border-top-color: var(--reused)"},
    {".tile.good", "border-top-color: var(--good)"},
    {".tile.rejected", "border-top-color: var(--rejected)"},
    {".tile.rest", "border-top-color: var(--rest)"},
    {".share",
        "display: flex; height: .75rem; border-radius: .375rem; overflow: hidden; background: var(--tile)"},
    {".share i", "min-width: 2px"},
    {".share .issued, .share .good", "background: var(--issued)"},
    {".share .reused", "background: var(--reused)"},
    {".share .rejected, .bar i", "background: var(--rejected)"},
    {".share .rest", "background: var(--rest)"},
    {".share, .bar, .tile", "-webkit-print-color-adjust: exact; print-color-adjust: exact"},
    {".chart", "display: grid; grid-template-columns: auto 1fr; gap: .35rem .6rem; font-size: .8rem; color: "
               "var(--dim); font-variant-numeric: tabular-nums; break-inside: avoid"},
    {".chart svg", "display: block; width: 100%; height: 11rem; overflow: visible"},
    {".chart .y", "display: flex; flex-direction: column; justify-content: space-between; text-align: right; "
                  "margin: -.6rem 0; height: 12.2rem"},
    {".chart .x", "grid-column: 2; display: flex; justify-content: space-between"},
    {".chart .grid", "stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke"},
    {".chart .area", "fill: var(--reused); fill-opacity: .22"},
    {".chart .rate",
        "fill: none; stroke: var(--reused); stroke-width: 1.5; vector-effect: non-scaling-stroke"},
    {"table", "border-collapse: collapse; width: 100%"},
    {"th, td",
        "text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid "
        "var(--line)"},
    {"tr", "break-inside: avoid"},
    {"thead th", "font-size: .8rem; color: var(--dim); font-weight: 500"},
    {".facts th", "font-weight: 500; color: var(--dim); width: 11.5rem"},
    {".facts td", "overflow-wrap: anywhere"},
    {".hex", MONO "; font-size: .85em"},
    {".codes td:first-child", MONO "; font-size: .85rem; overflow-wrap: anywhere"},
    {".codes .n", "text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap"},
    {".codes .wide", "width: 45%; padding-right: 0; vertical-align: middle"},
    {".bar", "height: .75rem; background: var(--tile); border-radius: .2rem; overflow: hidden"},
    {".bar i", "display: block; height: 100%; min-width: 2px"},
    {"footer", "margin-top: 2.5rem; font-size: .8rem; color: var(--dim)"},
    {"@media (max-width: 34rem)",
        "body { padding: 1.25rem 1rem } .facts th, .facts td { display: block; width: auto; padding-right: 0 "
        "} .facts "
        "th { border: 0; padding-bottom: 0 } .facts td { padding-top: 0 } .codes .wide { width: 16% } .codes "
        "th, .codes td { padding-right: .5rem } "
        ".codes td { font-size: .85rem } .codes td:first-child { "
        "font-size: .75rem }"},
    {"@media print", "html { font-size: 10.5pt } body { max-width: none; padding: 0 }"},
    {"@page", "size: A4; margin: 17mm 16mm"},
};

/* "300,000" */
static const char *number(size_t n, char dst[32])
{
    char digits[24];
    size_t len, i, at = 0;

    snprintf(digits, sizeof(digits), "%zu", n);
    len = strlen(digits);
    for (i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            dst[at++] = ',';
        dst[at++] = digits[i];
    }
    dst[at] = '\0';
    return dst;
}

static const char *duration(double seconds, char dst[32])
{
    if (seconds < 10)
        snprintf(dst, 32, "%.1f s", seconds);
    else if (seconds < 120)
        snprintf(dst, 32, "%.0f s", seconds);
    else if (seconds < 7200)
        snprintf(dst, 32, "%.1f min", seconds / 60);
    else
        snprintf(dst, 32, "%.1f h", seconds / 3600);
    return dst;
}

static double percent(size_t n, size_t of)
{
    return of ? 100 * (double)n / (double)of : 0;
}

/* --- counts --- */

/* In the order in which they stand. */
static const struct {
    enum p11ca_verdict verdict;
    const char *class, *label;
    bool always;
} tiles[] = {
    {P11CA_ROW_ISSUED, "issued", "issued", true},
    {P11CA_ROW_GOOD, "good", "good (dry run)", false},
    {P11CA_ROW_REUSED, "reused", "reused", true},
    {P11CA_ROW_REJECTED, "rejected", "rejected", true},
    {P11CA_ROW_NOT_TRIED, "rest", "not tried", false},
};
#define N_TILES (sizeof(tiles) / sizeof(tiles[0]))

static void add_tile(struct buf *b, const char *class, const char *label, size_t n)
{
    char text[32];

    buf_addf(b, "<div class=\"tile %s\">", class);
    html_elem(b, "b", NULL, number(n, text));
    html_elem(b, "span", NULL, label);
    html_close(b, "div");
}

static size_t all_rows(const struct lot_summary *s)
{
    size_t i, n = 0;

    for (i = 0; i < N_TILES; i++)
        n += s->counts[tiles[i].verdict];
    return n;
}

static void add_counts(const struct lot_summary *s, struct buf *b)
{
    size_t rows = all_rows(s), i, n;

    buf_adds(b, "<div class=\"tiles\">\n");
    add_tile(b, "", rows == 1 ? "row" : "rows", rows);
    for (i = 0; i < N_TILES; i++) {
        n = s->counts[tiles[i].verdict];
        if (n || tiles[i].always)
            add_tile(b, tiles[i].class, tiles[i].label, n);
    }
    buf_adds(b, "</div>\n<div class=\"share\">");
    for (i = 0; i < N_TILES; i++) {
        n = s->counts[tiles[i].verdict];
        if (n)
            buf_addf(b, "<i class=\"%s\" style=\"width: %.3f%%\"></i>", tiles[i].class, percent(n, rows));
    }
    buf_adds(b, "</div>\n");
}

/* --- rate over time --- */

#define WIDTH  1000.0
#define HEIGHT 100.0

/* Between one sample and the one before it; the first is from the beginning. */
static double rate_at(const struct lot_summary *s, size_t i)
{
    const struct lot_summary_sample *a = &s->samples[i];
    const struct lot_summary_sample from = i ? s->samples[i - 1] : (struct lot_summary_sample){0, 0};

    if (a->rows < from.rows || a->seconds <= from.seconds)
        return 0;
    return (double)(a->rows - from.rows) / (a->seconds - from.seconds);
}

/* A figure with zeros behind, whose half people read as easily. */
static double scale_for(double max)
{
    static const double steps[] = {1, 2, 3, 4, 5, 6, 8};
    const size_t n = sizeof(steps) / sizeof(steps[0]);
    double unit = 1;
    size_t i = 0;

    while (steps[i] * unit < max && unit < 1e15) {
        i = (i + 1) % n;
        unit *= i ? 1 : 10;
    }
    return steps[i] * unit;
}

static double fastest(const struct lot_summary *s)
{
    double max = 0;
    size_t i;

    for (i = 0; i < s->n_samples; i++)
        max = rate_at(s, i) > max ? rate_at(s, i) : max;
    return max;
}

/* In steps: each rate holds for the time between two samples. */
static void add_steps(const struct lot_summary *s, double end, double top, struct buf *b)
{
    size_t i;

    for (i = 0; i < s->n_samples; i++)
        buf_addf(
            b, " V %.2f H %.2f", HEIGHT - HEIGHT * rate_at(s, i) / top, WIDTH * s->samples[i].seconds / end);
}

static void add_graph(const struct lot_summary *s, double end, double top, struct buf *b)
{
    int i;

    buf_addf(b,
        "<svg viewBox=\"0 0 %.0f %.0f\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"rows a "
        "second\">\n",
        WIDTH, HEIGHT);
    for (i = 0; i <= 2; i++)
        buf_addf(b, "<path class=\"grid\" d=\"M 0 %.0f H %.0f\"/>\n", HEIGHT * i / 2, WIDTH);
    buf_addf(b, "<path class=\"area\" d=\"M 0 %.0f", HEIGHT);
    add_steps(s, end, top, b);
    buf_addf(
        b, " V %.0f Z\"/>\n<path class=\"rate\" d=\"M 0 %.2f", HEIGHT, HEIGHT - HEIGHT * rate_at(s, 0) / top);
    add_steps(s, end, top, b);
    buf_adds(b, "\"/>\n</svg>\n");
}

static void add_rate(const struct lot_summary *s, struct buf *b)
{
    double end = s->n_samples ? s->samples[s->n_samples - 1].seconds : 0, top = scale_for(fastest(s));
    char text[32];
    int i;

    html_elem(b, "h2", NULL, "Rows a second");
    if (s->n_samples < 2) {
        html_elem(b, "p", "dim", "The lot was over too soon to measure it.");
        return;
    }
    buf_adds(b, "<div class=\"chart\"><div class=\"y\">");
    for (i = 2; i >= 0; i--) {
        snprintf(text, sizeof(text), "%g", top * i / 2);
        html_elem(b, "span", NULL, top >= 1000 ? number((size_t)(top * i / 2), text) : text);
    }
    buf_adds(b, "</div>\n");
    add_graph(s, end, top, b);
    buf_adds(b, "<div class=\"x\">");
    for (i = 0; i <= 2; i++)
        html_elem(b, "span", NULL, i ? duration(end * i / 2, text) : "0");
    buf_adds(b, "</div></div>\n");
}

/* --- rejections --- */

static int by_count(const void *a, const void *b)
{
    const struct lot_summary_code *one = a, *two = b;

    if (one->n != two->n)
        return one->n < two->n ? 1 : -1;
    return strcmp(one->code, two->code);
}

static void add_code(struct buf *b, const struct lot_summary_code *c, size_t most, size_t all)
{
    char text[32];

    html_open(b, "tr", NULL);
    html_elem(b, "td", NULL, c->code);
    html_elem(b, "td", "n", number(c->n, text));
    snprintf(text, sizeof(text), "%.1f %%", percent(c->n, all));
    html_elem(b, "td", "n", text);
    buf_addf(b, "<td class=\"wide\"><div class=\"bar\"><i style=\"width: %.2f%%\"></i></div></td></tr>\n",
        percent(c->n, most));
}

static void add_codes(const struct lot_summary *s, struct buf *b)
{
    struct lot_summary_code codes[LOT_SUMMARY_CODES + 1];
    size_t n = s->n_codes + (s->codes[LOT_SUMMARY_CODES].n != 0), i;

    html_elem(b, "h2", NULL, "Rejections");
    if (!n) {
        html_elem(b, "p", "dim", "None.");
        return;
    }
    memcpy(codes, s->codes, sizeof(codes));
    qsort(codes, n, sizeof(codes[0]), by_count);
    buf_adds(b,
        "<table class=\"codes\"><thead><tr><th>Code</th><th class=\"n\">Rows</th><th class=\"n\">Share</th>"
        "<th class=\"wide\"></th></tr></thead><tbody>\n");
    for (i = 0; i < n; i++)
        add_code(b, &codes[i], codes[0].n, s->counts[P11CA_ROW_REJECTED]);
    buf_adds(b, "</tbody></table>\n");
}

/* --- facts --- */

static void fact_if(struct buf *b, const char *label, const char *text)
{
    if (text && *text)
        html_fact(b, label, text);
}

static void add_facts(const struct lot_summary *s, const struct lot_total *t, struct buf *b)
{
    char text[96], took[32], rate[32], when[TEXT_TIME];

    html_elem(b, "h2", NULL, "The lot");
    buf_adds(b, "<table class=\"facts\"><tbody>\n");
    html_fact(b, "Input", s->order->input);
    html_fact(b, "Output", s->order->output);
    html_fact(b, "Authority", s->order->authority);
    html_fact(b, "Profile", s->order->profile);
    text_time(s->begun, when);
    html_fact(b, "Begun", when);
    if (lot_total_rate(t) < 10)
        snprintf(text, sizeof(text), "%s, %.1f rows a second", duration(t->seconds, took), lot_total_rate(t));
    else
        snprintf(text, sizeof(text), "%s, %s rows a second", duration(t->seconds, took),
            number((size_t)lot_total_rate(t), rate));
    html_fact(b, "Took", text);
    html_fact(b, "New certificates", number(t->fresh, rate));
    fact_if(b, "First serial", s->first);
    fact_if(b, "Last serial", s->last);
    fact_if(b, "SHA-256 of the lot", t->lot);
    fact_if(b, "Head of the ledger", t->ledger_head);
    buf_adds(b, "</tbody></table>\n");
}

static void write_page(const struct lot_summary *s, const struct lot_total *t, struct buf *b)
{
    const char *name = lot_name_base(s->order->input);
    char line[300];

    if (!*name)
        name = s->order->input;
    buf_adds(b,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\"/>\n<title>");
    html_line(b, name);
    buf_adds(b, "</title>\n<style>\n");
    html_style(b, style, sizeof(style) / sizeof(style[0]));
    buf_adds(b, "</style>\n</head>\n<body>\n");
    html_elem(b, "p", "kicker", s->order->dry_run ? "Lot of certificates, dry run" : "Lot of certificates");
    html_elem(b, "h1", NULL, name);
    snprintf(line, sizeof(line), "%.100s, profile %.100s", s->order->authority, s->order->profile);
    html_elem(b, "p", "dim", line);
    add_counts(s, b);
    add_rate(s, b);
    add_codes(s, b);
    add_facts(s, t, b);
    html_elem(b, "footer", NULL, "p11ca " P11CA_VERSION);
    buf_adds(b, "</body>\n</html>\n");
}

int lot_summary_end(struct lot_summary *s, const struct lot_total *t, struct p11ca_err *err)
{
    AUTO_BUF page = BUF_INIT;

    if (!s->order->summary)
        return 0;
    end_samples(s, t);
    write_page(s, t, &page);
    if (!buf_ok(&page))
        return err_nomem(err);
    return file_write(s->order->summary, FILE_NEW, 0644, page.p, page.len, err);
}
