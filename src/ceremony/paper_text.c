#include "ceremony/layout.h"
#include "ceremony/paper.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ceremony/steps.h"
#include "ceremony/words.h"

static void put_line(struct buf *b, char c, size_t n)
{
    while (n--)
        buf_addc(b, (uint8_t)c);
}

/* A heading, with a line of c under it. */
static void put_heading(struct buf *b, const char *title, char c)
{
    AUTO_BUF safe = BUF_INIT;
    size_t width;

    text_add_lines(&safe, title);
    width = layout_width((char *)safe.p, safe.len);
    buf_addc(b, '\n');
    layout_text(b, 0, title);
    put_line(b, c, width < LAYOUT_COLUMNS ? width : LAYOUT_COLUMNS);
    buf_adds(b, "\n\n");
}

static const struct layout facts = {2, {22, 51}};

/* A digest is longer than its column: it breaks in the middle and not somewhere. */
static bool halve(const char *text, char ret[TRANSCRIPT_HEX + 1])
{
    if (strlen(text) != 2 * SHA256_LEN || strspn(text, "0123456789abcdef") != 2 * SHA256_LEN)
        return false;
    snprintf(ret, TRANSCRIPT_HEX + 1, "%.*s\n%s", SHA256_LEN, text, text + SHA256_LEN);
    return true;
}

/* Room for letters written by hand: a line alone is too low. */
static void put_fact(struct buf *b, const char *label, const char *text)
{
    char halves[TRANSCRIPT_HEX + 1];
    const char *const cells[] = {label, text && halve(text, halves) ? halves : text};

    layout_row(b, &facts, cells, text ? 1 : 2);
    layout_rule(b, &facts);
}

static void put_hash(struct buf *b, const uint8_t sha256[SHA256_LEN])
{
    char hex[TRANSCRIPT_HEX];
    size_t i;

    text_hex_lower(sha256, SHA256_LEN, hex);
    buf_addf(b, "  %s\n\n", hex);
    for (i = 0; i < SHA256_LEN; i += 4) {
        text_hex_lower(sha256 + i, 4, hex);
        buf_addf(b, "  %s  %s %s %s %s\n", hex, words_at(i, sha256[i]), words_at(i + 1, sha256[i + 1]),
            words_at(i + 2, sha256[i + 2]), words_at(i + 3, sha256[i + 3]));
    }
    buf_addc(b, '\n');
}

/* --- the first page --- */

static void put_head(const struct paper *p, struct buf *b)
{
    buf_adds(b, "KEY CEREMONY SCRIPT\n");
    put_heading(b, p->script->title, '=');
    layout_rule(b, &facts);
    paper_facts(p, put_fact, b);
    buf_addc(b, '\n');
    layout_text(b, 0, paper_how);
}

static void put_roles(const struct paper *p, struct buf *b)
{
    static const struct layout l = {5, {12, 16, 15, 12, 9}};
    static const char *const head[] = {"Role", "Duty", "Name", "Signature", "Initials"};
    const struct script *s = p->script;
    size_t i;

    put_heading(b, "Who is in the room", '-');
    layout_rule(b, &l);
    layout_row(b, &l, head, 1);
    layout_rule(b, &l);
    for (i = 0; i < s->n_roles; i++) {
        const char *const cells[] = {
            s->roles[i].name, s->roles[i].title, people_get(p->people, s, &s->roles[i])->name, NULL, NULL};

        layout_row(b, &l, cells, 2);
        layout_rule(b, &l);
    }
}

/* --- the plan --- */

static void put_signature(json_t *row, struct buf *b)
{
    static const struct layout wide = {1, {76}};
    AUTO_BUF title = BUF_INIT;
    const char *cell;

    paper_signature_title(row, &title);
    cell = buf_str(&title);
    layout_rule(b, &wide);
    layout_row(b, &wide, &cell, 1);
    layout_rule(b, &facts);
    paper_signature_facts(row, put_fact, b);
    buf_addc(b, '\n');
}

static void put_plan(const struct paper *p, struct buf *b)
{
    json_t *row;
    size_t i;

    put_heading(b, "Plan of the signatures", '-');
    if (json_array_size(p->plan->steps) == 0) {
        layout_text(b, 0, "No step of this script signs a certificate or a list.");
        return;
    }
    layout_text(b, 0, paper_plan_how);
    buf_addc(b, '\n');
    put_hash(b, p->plan_sha256);
    json_array_foreach(p->plan->steps, i, row)
    {
        put_signature(row, b);
    }
}

/* --- the steps --- */

static const struct layout steps = {4, {3, 47, 12, 5}};

static void add_fact(struct buf *b, const char *label, const char *text)
{
    buf_addf(b, "\n%s: %s", label, text ? text : "");
}

static void add_ask(const struct paper_ask *ask, struct buf *b)
{
    size_t i, k;

    buf_addf(b, "\n\n%s:", ask->label);
    for (i = 0; i < (ask->lines ? ask->lines : 3); i++) {
        buf_adds(b, "\n\n");
        for (k = 0; ask->lines == 0 && k < 4; k++)
            buf_adds(b, k ? " __________" : "__________");
        if (ask->lines)
            put_line(b, '_', steps.widths[1]);
    }
}

static void add_activity(const struct paper *p, const struct step *step, struct buf *b)
{
    struct paper_ask asks[PAPER_ASKS];
    size_t n = paper_asks(p, step, asks), i;

    buf_addf(b, "[%s]\n", step->kind->name);
    step->kind->describe(step, b);
    buf_addc(b, '\n');
    paper_step_facts(p, step, add_fact, b);
    for (i = 0; i < n; i++)
        add_ask(&asks[i], b);
}

static void add_initials(const struct paper *p, const struct step *step, struct buf *b)
{
    const struct role *roles[LIMIT_ROLES];
    size_t n = paper_initials(p, step, roles), i;

    for (i = 0; i < n; i++)
        buf_addf(b, "%s%s\n\n____________", i ? "\n" : "", roles[i]->name);
}

static void put_step(const struct paper *p, const struct step *step, struct buf *b)
{
    AUTO_BUF number = BUF_INIT, activity = BUF_INIT, initials = BUF_INIT;
    const char *cells[4] = {NULL};

    buf_addf(&number, "%3zu", step->number);
    add_activity(p, step, &activity);
    add_initials(p, step, &initials);
    cells[0] = buf_str(&number);
    cells[1] = buf_str(&activity);
    cells[2] = buf_str(&initials);
    if (!cells[0] || !cells[1] || !cells[2])
        b->failed = true;
    layout_row(b, &steps, cells, 3);
    layout_rule(b, &steps);
}

static void put_steps(const struct paper *p, struct buf *b)
{
    static const char *const head[] = {"No", "Activity", "Initials", "UTC"};
    size_t i;

    put_heading(b, "Steps", '-');
    layout_rule(b, &steps);
    layout_row(b, &steps, head, 1);
    layout_rule(b, &steps);
    for (i = 0; i < p->script->n_steps; i++)
        put_step(p, &p->script->steps[i], b);
}

/* --- what is written afterwards --- */

static void put_deviations(struct buf *b)
{
    static const struct layout l = {4, {4, 46, 6, 11}};
    static const char *const head[] = {"Step", "What happened, what was decided", "UTC", "Initials"};
    static const char *const empty[4] = {NULL};
    size_t i;

    put_heading(b, "Deviations", '-');
    layout_text(b, 0, paper_deviations_how);
    buf_addc(b, '\n');
    layout_rule(b, &l);
    layout_row(b, &l, head, 1);
    layout_rule(b, &l);
    for (i = 0; i < 10; i++) {
        layout_row(b, &l, empty, 3);
        layout_rule(b, &l);
    }
}

static void put_blank_hash(struct buf *b)
{
    static const struct layout l = {5, {12, 13, 13, 13, 13}};
    static const char *const empty[5] = {NULL};
    size_t i;

    layout_rule(b, &l);
    for (i = 0; i < SHA256_LEN; i += 4) {
        layout_row(b, &l, empty, 2);
        layout_rule(b, &l);
    }
    buf_addc(b, '\n');
}

static void put_closing(const struct paper *p, struct buf *b)
{
    static const struct layout l = {4, {12, 21, 22, 12}};
    static const char *const head[] = {"Role", "Name", "Signature", "Date, UTC"};
    const struct script *s = p->script;
    size_t i;

    put_heading(b, "End of the ceremony", '-');
    layout_text(b, 0, paper_closing_how);
    buf_adds(b, "\n[ ] complete    [ ] abandoned    [ ] with deviations\n\nSHA-256 of the transcript:\n\n");
    put_blank_hash(b);
    layout_rule(b, &l);
    layout_row(b, &l, head, 1);
    layout_rule(b, &l);
    for (i = 0; i < s->n_roles; i++) {
        const char *const cells[] = {
            s->roles[i].name, people_get(p->people, s, &s->roles[i])->name, NULL, NULL};

        layout_row(b, &l, cells, 3);
        layout_rule(b, &l);
    }
}

int paper_text(const struct paper *p, struct buf *ret, struct p11ca_err *err)
{
    put_head(p, ret);
    put_roles(p, ret);
    put_heading(ret, "SHA-256 of this script", '-');
    layout_text(ret, 0, paper_hash_how);
    buf_addc(ret, '\n');
    put_hash(ret, p->script->sha256);
    put_plan(p, ret);
    put_steps(p, ret);
    put_deviations(ret);
    put_closing(p, ret);
    return buf_ok(ret) ? 0 : err_nomem(err);
}
