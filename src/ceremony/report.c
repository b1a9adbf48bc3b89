#include "ceremony/report.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ceremony/html.h"
#include "ceremony/paper.h"
#include "ceremony/render.h"
#include "ceremony/report_steps.h"

struct report {
    const json_t *lines;
    const json_t *begin, *end; /* end NULL: unfinished */
    const char *sha256;
};

/* A member as a fact; null: none. */
static void put_member(struct buf *b, const char *label, const json_t *object, const char *key)
{
    const char *text = transcript_str(object, key);

    html_fact(b, label, text[0] ? text : "none");
}

static size_t count(const json_t *lines, const char *type)
{
    size_t at = 0, n = 0;

    while (transcript_find(lines, &at, type, 0))
        n++;
    return n;
}

/* --- what it was --- */

static const char *outcome(const struct report *r)
{
    static const struct {
        const char *name, *shown;
    } outcomes[] = {{"complete", "COMPLETE"}, {"abandoned", "ABANDONED"}};
    size_t i;

    for (i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        if (strcmp(transcript_str(r->end, "outcome"), outcomes[i].name) == 0)
            return outcomes[i].shown;
    }
    return r->end ? transcript_str(r->end, "outcome") : "UNFINISHED";
}

static void put_times(const struct report *r, struct buf *b)
{
    char took[REPORT_TIME], steps[64];

    put_member(b, "Begin", r->begin, "time");
    if (!r->end)
        return;
    report_duration(transcript_str(r->begin, "time"), transcript_str(r->end, "time"), took);
    snprintf(steps, sizeof(steps), "%lld", (long long)json_integer_value(json_object_get(r->end, "steps")));
    put_member(b, "End", r->end, "time");
    html_fact(b, "Duration", took);
    html_fact(b, "Steps done", steps);
}

static void put_head(const struct report *r, struct buf *b)
{
    bool unattended = json_is_true(json_object_get(r->begin, "unattended"));
    char troubles[96];

    snprintf(troubles, sizeof(troubles), "failed attempts: %zu, resumptions: %zu", count(r->lines, "failed"),
        count(r->lines, "resumed"));
    html_elem(b, "p", "kicker", "Transcript of a key ceremony");
    html_elem(b, "h1", NULL, transcript_str(r->begin, "title"));
    html_elem(b, "div", "outcome", outcome(r));
    buf_adds(b, "<table class=\"facts\"><tbody>\n");
    put_member(b, "Ceremony", r->begin, "ceremony");
    put_member(b, "Purpose", r->begin, "purpose");
    put_member(b, "Policy", r->begin, "policy");
    put_member(b, "Place", r->begin, "place");
    put_times(r, b);
    html_fact(b, "Interruptions", troubles);
    html_fact(b, "Questions answered by",
        unattended ? "nobody: every step was confirmed by the program itself" : "people at the machine");
    buf_adds(b, "</tbody></table>\n");
}

static void put_hashes(const struct report *r, struct buf *b)
{
    const json_t *script = json_object_get(r->begin, "script");

    html_elem(b, "h2", NULL, "Hashes (SHA-256)");
    buf_adds(b, "<table class=\"facts\"><tbody>\n");
    put_member(b, "Script file", script, "file");
    put_member(b, "Script", script, "sha256");
    put_member(b, "Plan (plan.txt)", r->begin, "plan");
    put_member(b, "Configuration (p11ca.conf)", r->begin, "configuration");
    put_member(b, "Transcript of the ceremony before", r->begin, "previous");
    put_member(b, "Ledger at the beginning", r->begin, "ledger");
    if (r->end)
        put_member(b, "Ledger at the end", r->end, "ledger");
    html_fact(b, "This transcript", r->sha256);
    buf_adds(b, "</tbody></table>\n");
}

static void put_environment(const struct report *r, struct buf *b)
{
    html_open(b, "div", "whole");
    html_elem(b, "h2", NULL, "Environment");
    render_html(b, json_object_get(r->begin, "environment"));
    html_close(b, "div");
}

static void put_roles(const struct report *r, struct buf *b)
{
    static const char *const head[] = {"Role", "Duty", "Name"};
    const json_t *who;
    size_t i;

    html_open(b, "div", "whole");
    html_elem(b, "h2", NULL, "Who was in the room");
    buf_adds(b, "<table class=\"people\">");
    html_head(b, head, sizeof(head) / sizeof(head[0]));
    buf_adds(b, "<tbody>\n");
    json_array_foreach(json_object_get(r->begin, "roles"), i, who)
    {
        const char *name = transcript_str(who, "name");

        html_open(b, "tr", NULL);
        html_elem(b, "td", NULL, transcript_str(who, "role"));
        html_elem(b, "td", NULL, transcript_str(who, "title"));
        html_elem(b, "td", NULL, name[0] ? name : "not given");
        html_close(b, "tr");
    }
    buf_adds(b, "</tbody></table>\n");
    html_close(b, "div");
}

static void put_plan(const struct report *r, struct buf *b)
{
    json_t *row;
    size_t i;

    html_elem(b, "h2", NULL, "Plan of the signatures");
    if (json_array_size(json_object_get(r->begin, "signatures")) == 0)
        html_elem(b, "p", NULL, "No signature was planned.");
    json_array_foreach(json_object_get(r->begin, "signatures"), i, row)
    {
        paper_html_signature(row, b);
    }
}

/* --- how it ended --- */

static void put_files(const struct report *r, struct buf *b)
{
    html_elem(b, "h2", NULL, "Files of the ceremony");
    render_html(b, json_object_get(r->end, "files"));
}

static int put_final_hash(const struct report *r, struct buf *b, struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];
    AUTO_QR qr = {.width = 0};

    if (text_unhex(r->sha256, sha256, sizeof(sha256)) != SHA256_LEN)
        return err_set(err, P11CA_BUG, NULL, "report: want a SHA-256 in hex, have '%s'", r->sha256);
    if (qr_make_sha256(r->sha256, &qr, err) != 0)
        return -1;
    html_elem(b, "h2", NULL, "SHA-256 of the transcript");
    html_elem(b, "p", "keep",
        "Of the file transcript.jsonl, from its first line to its last. This is what was read out at the end "
        "and written on the paper; the page at hand says what that file says and proves nothing by itself.");
    html_hash(b, sha256, &qr);
    return 0;
}

/* Fit for a shell as it is. */
static bool is_plain(const char *name)
{
    return name[0] && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-") == strlen(name);
}

static bool is_certificate(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && strcmp(name + len - 4, ".crt") == 0 && is_plain(name);
}

/* The first certificate whose bytes people approved; NULL: none. */
static const char *find_signed(const json_t *lines, json_int_t *ret_step)
{
    const json_t *line, *file;
    size_t at = 0, i, from;

    while ((line = transcript_find(lines, &at, "done", 0))) {
        *ret_step = json_integer_value(json_object_get(line, "step"));
        from = 0;
        if (*ret_step <= 0 || !transcript_find(lines, &from, "tbs", (size_t)*ret_step))
            continue;
        json_array_foreach(json_object_get(line, "files"), i, file)
        {
            if (is_certificate(transcript_str(file, "artefact")))
                return transcript_str(file, "artefact");
        }
    }
    return NULL;
}

/* Offset 4 is where the first member of a SEQUENCE with a length of two octets begins: the to-be-signed bytes. */
static void put_check(const struct report *r, struct buf *b)
{
    json_int_t step = 0;
    const char *certificate = find_signed(r->lines, &step);

    html_open(b, "div", "whole");
    html_elem(b, "h2", NULL, "How to check this yourself");
    html_elem(b, "p", "keep",
        "In the folder of the ceremony, with nothing of p11ca: the final hash; every file against the hash "
        "that was recorded; each line of the transcript against the one before it.");
    html_open(b, "pre", NULL);
    buf_adds(b, "sha256sum transcript.jsonl\n# ");
    html_text(b, r->sha256);
    buf_adds(b, "\nsha256sum -c SHA256SUMS\n# every file: OK\n"
                "before=; while IFS= read -r line; do\n"
                "  test &quot;$(printf &#39;%s\\n&#39; &quot;$line&quot; | jq -r .before)&quot; = "
                "&quot;$before&quot; || echo &quot;broken: $line&quot;\n"
                "  before=$(printf &#39;%s\\n&#39; &quot;$line&quot; | sha256sum | cut -d&#39; &#39; -f1)\n"
                "done &lt;transcript.jsonl\n# no line is broken");
    if (certificate) {
        buf_adds(b, "\nopenssl x509 -noout -text -in ");
        html_text(b, certificate);
        buf_adds(b, "\nopenssl asn1parse -noout -strparse 4 -out tbs.der -in ");
        html_text(b, certificate);
        buf_addf(b, "; sha256sum tbs.der\n# the bytes that were approved in step %lld", (long long)step);
    }
    html_close(b, "pre");
    html_close(b, "div");
}

/* --- all of it --- */

static int put_all(const struct report *r, struct buf *b, struct p11ca_err *err)
{
    put_head(r, b);
    put_hashes(r, b);
    put_roles(r, b);
    put_environment(r, b);
    put_plan(r, b);
    html_elem(b, "h2", NULL, "Steps");
    report_steps(r->lines, b);
    if (r->end)
        put_files(r, b);
    if (put_final_hash(r, b, err) != 0)
        return -1;
    put_check(r, b);
    return 0;
}

int report_html(const json_t *lines, const char *sha256, struct buf *ret, struct p11ca_err *err)
{
    struct report r = {.lines = lines, .begin = json_array_get(lines, 0), .sha256 = sha256};
    struct html_page page = {.title = transcript_str(r.begin, "title"),
        .rehearsal = json_is_true(json_object_get(r.begin, "rehearsal"))};
    AUTO_BUF footer = BUF_INIT;
    size_t at = 0;

    r.end = transcript_find(lines, &at, "end", 0);
    buf_addf(&footer, "%s - transcript SHA-256 %.16s...", transcript_str(r.begin, "ceremony"), sha256);
    page.footer = buf_str(&footer);
    if (!page.footer)
        return err_nomem(err);
    html_begin(ret, &page);
    if (put_all(&r, ret, err) != 0)
        return -1;
    html_end(ret);
    return buf_ok(ret) ? 0 : err_nomem(err);
}
