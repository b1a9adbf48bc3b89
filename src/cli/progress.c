#include "cli/progress.h"

#include <string.h>

#define REDRAW    0.2  /* seconds between two drawings: more often nobody reads it */
#define REPEAT    10.0 /* seconds between two lines in a log */
#define WIDEST    40   /* columns of the bar */
#define NARROWEST 8

static void left_text(double left, char *dst, size_t size)
{
    if (left < 120)
        snprintf(dst, size, ", %.0f s left", left);
    else if (left < 7200)
        snprintf(dst, size, ", %.0f min left", left / 60);
    else
        snprintf(dst, size, ", %.1f h left", left / 3600);
}

/* "issuing: 5120 of 100000 rows, 4310/s, 22 s left" */
static void line_text(const struct p11ca_progress *at, char *dst, size_t size)
{
    double rate = at->seconds > 0 ? (double)at->done / at->seconds : 0;
    char of[32] = "", left[48] = "";

    if (at->total)
        snprintf(of, sizeof(of), " of %zu", at->total);
    if (at->total > at->done && rate > 0)
        left_text((double)(at->total - at->done) / rate, left, sizeof(left));
    snprintf(dst, size, "%s: %zu%s row%s, %.0f/s%s", at->what, at->done, of,
        (at->total ? at->total : at->done) == 1 ? "" : "s", rate, left);
}

/* As wide as there is room for beside the text; empty when there is none, or no end is known. */
static void bar_text(const struct progress *p, size_t done, size_t total, size_t used, char *dst)
{
    size_t room = p->columns > used + 4 ? p->columns - used - 4 : 0, full;

    dst[0] = '\0';
    if (!total || room < NARROWEST)
        return;
    room = room < WIDEST ? room : WIDEST;
    full = done < total ? (size_t)((double)room * (double)done / (double)total) : room;
    dst[0] = '[';
    memset(dst + 1, '#', full);
    memset(dst + 1 + full, '.', room - full);
    memcpy(dst + 1 + room, "] ", 3);
}

static void draw(struct progress *p, const struct p11ca_progress *at)
{
    char text[160], bar[WIDEST + 4];

    line_text(at, text, sizeof(text));
    bar_text(p, at->done, at->total, strlen(text), bar);
    /* Into the last column nothing is written: some terminals begin a new line then. */
    fprintf(p->out, "\r\033[K%s%.*s", bar, p->columns > 1 ? (int)p->columns - 1 : 0, text);
    fflush(p->out);
    p->drawn = true;
}

void progress_update(struct progress *p, const struct p11ca_progress *at)
{
    char text[160];

    if (!p->out)
        return;
    if (!p->what || strcmp(p->what, at->what) != 0)
        p->shown = 0;
    p->what = at->what;
    if (at->seconds - p->shown < (p->tty ? REDRAW : REPEAT))
        return;
    p->shown = at->seconds;
    if (p->tty) {
        draw(p, at);
        return;
    }
    line_text(at, text, sizeof(text));
    fprintf(p->out, "%s\n", text);
}

void progress_clear(struct progress *p)
{
    if (!p || !p->drawn)
        return;
    fputs("\r\033[K", p->out);
    fflush(p->out);
    p->drawn = false;
}

void progress_clear_for_result(struct progress *p)
{
    if (p && p->shared)
        progress_clear(p);
}
