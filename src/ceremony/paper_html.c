#include "ceremony/html.h"
#include "ceremony/paper.h"

#include "base/text.h"
#include "ceremony/steps.h"

#define N(table) (sizeof(table) / sizeof((table)[0]))

/* --- the first page --- */

static int put_footer(const struct paper *p, struct buf *ret, struct p11ca_err *err)
{
    char hex[2 * 8 + 1];

    text_hex_lower(p->script->sha256, 8, hex);
    buf_addf(ret, "%s - script SHA-256 %s...", p->script->title, hex);
    return buf_str(ret) ? 0 : err_nomem(err);
}

static void put_head(const struct paper *p, struct buf *b)
{
    html_elem(b, "p", "kicker", "Key ceremony script");
    html_elem(b, "h1", NULL, p->script->title);
    buf_adds(b, "<table class=\"facts\"><tbody>\n");
    paper_facts(p, html_fact, b);
    buf_adds(b, "</tbody></table>\n");
    html_elem(b, "p", NULL, paper_how);
}

static void put_roles(const struct paper *p, struct buf *b)
{
    static const char *const head[] = {"Role", "Duty", "Name", "Signature", "Initials"};
    const struct script *s = p->script;
    size_t i;

    html_elem(b, "h2", NULL, "Who is in the room");
    buf_adds(b, "<table class=\"roles\">");
    html_head(b, head, N(head));
    buf_adds(b, "<tbody>\n");
    for (i = 0; i < s->n_roles; i++) {
        const char *name = people_get(p->people, s, &s->roles[i])->name;

        html_open(b, "tr", NULL);
        html_elem(b, "td", NULL, s->roles[i].name);
        html_elem(b, "td", NULL, s->roles[i].title);
        html_elem(b, "td", NULL, name ? name : "");
        buf_adds(b, "<td></td><td></td></tr>\n");
    }
    buf_adds(b, "</tbody></table>\n");
}

static int put_script_hash(const struct paper *p, struct buf *b, struct p11ca_err *err)
{
    char hex[TRANSCRIPT_HEX];
    AUTO_QR qr = {.width = 0};

    text_hex_lower(p->script->sha256, SHA256_LEN, hex);
    if (qr_make_sha256(hex, &qr, err) != 0)
        return -1;
    html_elem(b, "h2", NULL, "SHA-256 of this script");
    html_elem(b, "p", "keep", paper_hash_how);
    html_hash(b, p->script->sha256, &qr);
    return 0;
}

/* --- the plan --- */

void paper_html_signature(json_t *row, struct buf *b)
{
    AUTO_BUF title = BUF_INIT;

    paper_signature_title(row, &title);
    if (!buf_str(&title)) {
        b->failed = true;
        return;
    }
    html_open(b, "div", "whole");
    buf_adds(b, "<table class=\"facts\"><thead><tr><th colspan=\"2\">");
    html_text(b, (char *)title.p);
    buf_adds(b, "</th></tr></thead><tbody>\n");
    paper_signature_facts(row, html_fact, b);
    buf_adds(b, "</tbody></table>");
    html_close(b, "div");
}

static void put_plan(const struct paper *p, struct buf *b)
{
    json_t *row;
    size_t i;

    html_elem(b, "h2", NULL, "Plan of the signatures");
    if (json_array_size(p->plan->steps) == 0) {
        html_elem(b, "p", NULL, "No step of this script signs a certificate or a list.");
        return;
    }
    html_elem(b, "p", "keep", paper_plan_how);
    html_hash(b, p->plan_sha256, NULL);
    json_array_foreach(p->plan->steps, i, row)
    {
        paper_html_signature(row, b);
    }
}

/* --- the steps --- */

static void put_fact(struct buf *b, const char *label, const char *text)
{
    buf_adds(b, "<p class=\"hint\"><b>");
    html_text(b, label);
    buf_adds(b, ":</b> ");
    html_text(b, text ? text : "");
    html_close(b, "p");
}

static void put_ask(const struct paper_ask *ask, struct buf *b)
{
    size_t i;

    html_open(b, "div", "ask");
    html_elem(b, "span", "hint", ask->label);
    for (i = 0; i < ask->lines; i++)
        buf_adds(b, "<div></div>");
    if (ask->lines == 0) {
        html_open(b, "div", "boxes");
        for (i = 0; i < 12; i++)
            buf_adds(b, "<div></div>");
        buf_adds(b, "</div>");
    }
    html_close(b, "div");
}

static void put_activity(const struct paper *p, const struct step *step, struct buf *b)
{
    struct paper_ask asks[PAPER_ASKS];
    size_t n = paper_asks(p, step, asks), i;
    AUTO_BUF text = BUF_INIT;

    step->kind->describe(step, &text);
    html_open(b, "td", NULL);
    html_elem(b, "p", "kind mono", step->kind->name);
    if (buf_str(&text))
        html_elem(b, "p", NULL, (char *)text.p);
    else
        b->failed = true;
    paper_step_facts(p, step, put_fact, b);
    for (i = 0; i < n; i++)
        put_ask(&asks[i], b);
    html_close(b, "td");
}

static void put_initials(const struct paper *p, const struct step *step, struct buf *b)
{
    const struct role *roles[LIMIT_ROLES];
    size_t n = paper_initials(p, step, roles), i;

    html_open(b, "td", NULL);
    for (i = 0; i < n; i++)
        html_elem(b, "div", "initials", roles[i]->name);
    html_close(b, "td");
}

static void put_steps(const struct paper *p, struct buf *b)
{
    static const char *const head[] = {"No", "Activity", "Initials", "Time, UTC"};
    size_t i;

    html_elem(b, "h2", NULL, "Steps");
    buf_adds(b, "<table class=\"steps\">");
    html_head(b, head, N(head));
    buf_adds(b, "<tbody>\n");
    for (i = 0; i < p->script->n_steps; i++) {
        buf_addf(b, "<tr><td>%zu</td>", i + 1);
        put_activity(p, &p->script->steps[i], b);
        put_initials(p, &p->script->steps[i], b);
        buf_adds(b, "<td></td></tr>\n");
    }
    buf_adds(b, "</tbody></table>\n");
}

/* --- what is written afterwards --- */

static void put_deviations(struct buf *b)
{
    static const char *const head[] = {"Step", "What happened, what was decided", "Time, UTC", "Initials"};
    size_t i;

    html_elem(b, "h2", "page", "Deviations");
    html_elem(b, "p", "keep", paper_deviations_how);
    buf_adds(b, "<table class=\"deviations\">");
    html_head(b, head, N(head));
    buf_adds(b, "<tbody>\n");
    for (i = 0; i < 13; i++)
        buf_adds(b, "<tr><td></td><td></td><td></td><td></td></tr>\n");
    buf_adds(b, "</tbody></table>\n");
}

static void put_closing(const struct paper *p, struct buf *b)
{
    static const char *const head[] = {"Role", "Name", "Signature", "Date and time, UTC"};
    const struct script *s = p->script;
    size_t i;

    html_elem(b, "h2", "page", "End of the ceremony");
    html_elem(b, "p", "keep", paper_closing_how);
    buf_adds(b, "<table class=\"facts\"><tbody>\n");
    html_fact(b, "Outcome",
        "\xe2\x98\x90 complete\xe2\x80\x83\xe2\x98\x90 abandoned\xe2\x80\x83\xe2\x98\x90 with deviations");
    html_fact(b, "Folder of the ceremony", NULL);
    buf_adds(b, "</tbody></table>\n");
    html_elem(b, "h3", NULL, "SHA-256 of the transcript");
    html_hash_blank(b);
    buf_adds(b, "<table class=\"closing\">");
    html_head(b, head, N(head));
    buf_adds(b, "<tbody>\n");
    for (i = 0; i < s->n_roles; i++) {
        const char *name = people_get(p->people, s, &s->roles[i])->name;

        html_open(b, "tr", NULL);
        html_elem(b, "td", NULL, s->roles[i].name);
        html_elem(b, "td", NULL, name ? name : "");
        buf_adds(b, "<td></td><td></td></tr>\n");
    }
    buf_adds(b, "</tbody></table>\n");
}

int paper_html(const struct paper *p, struct buf *ret, struct p11ca_err *err)
{
    struct html_page page = {.title = p->script->title};
    AUTO_BUF footer = BUF_INIT;

    if (put_footer(p, &footer, err) != 0)
        return -1;
    page.footer = (char *)footer.p;
    html_begin(ret, &page);
    put_head(p, ret);
    put_roles(p, ret);
    if (put_script_hash(p, ret, err) != 0)
        return -1;
    put_plan(p, ret);
    put_steps(p, ret);
    put_deviations(ret);
    put_closing(p, ret);
    html_end(ret);
    return buf_ok(ret) ? 0 : err_nomem(err);
}
