#include "ceremony/report_steps.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/text.h"
#include "ceremony/html.h"
#include "ceremony/render.h"

struct steps {
    struct buf *b;
    const json_t *begin;
    bool open;         /* a table is */
    json_int_t number; /* of the step in it; 0: what happened between two */
    const char *since; /* when the step was first started */
};

/* --- words --- */

void report_who(const json_t *who, struct buf *ret)
{
    const char *role = transcript_str(who, "role"), *name = transcript_str(who, "name");

    buf_adds(ret, transcript_str(who, "title"));
    if (strcasecmp(role, transcript_str(who, "title")) != 0)
        buf_addf(ret, " (%s%s%s)", role, name[0] ? ", " : "", name);
    else if (name[0])
        buf_addf(ret, " (%s)", name);
}

static bool read_time(const char *text, int64_t *ret)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

    *ret = (int64_t)timegm(&tm);
    return end && !*end;
}

void report_duration(const char *from, const char *to, char ret[REPORT_TIME])
{
    int64_t a, z, s;

    if (!read_time(from, &a) || !read_time(to, &z)) {
        snprintf(ret, REPORT_TIME, "?");
        return;
    }
    s = z - a;
    if (s >= 3600)
        snprintf(ret, REPORT_TIME, "%lld h %02d min %02d s", (long long)s / 3600, (int)(s / 60 % 60),
            (int)(s % 60));
    else if (s >= 60)
        snprintf(ret, REPORT_TIME, "%d min %02d s", (int)(s / 60), (int)(s % 60));
    else
        snprintf(ret, REPORT_TIME, "%lld s", (long long)s);
}

/* What was put together is set as an element, or b fails with it. */
static void put(struct buf *b, const char *tag, const char *class, struct buf *text)
{
    if (buf_str(text))
        html_elem(b, tag, class, (char *)text->p);
    else
        b->failed = true;
}

static void put_hint(struct buf *b, const char *label, const char *text)
{
    buf_adds(b, "<p class=\"hint\"><b>");
    html_text(b, label);
    buf_adds(b, ":</b> ");
    html_text(b, text);
    html_close(b, "p");
}

static void put_who(struct buf *b, const char *label, const json_t *who)
{
    AUTO_BUF text = BUF_INIT;

    report_who(who, &text);
    if (buf_str(&text))
        put_hint(b, label, (char *)text.p);
    else
        b->failed = true;
}

/* --- tables and their rows --- */

static void close_table(struct steps *s)
{
    if (s->open)
        buf_adds(s->b, "</tbody></table>\n");
    s->open = false;
}

static void open_table(struct steps *s, json_int_t number, const char *kind)
{
    AUTO_BUF title = BUF_INIT;

    close_table(s);
    if (number)
        buf_addf(&title, "Step %lld: %s", (long long)number, kind);
    else
        buf_adds(&title, "Between two steps");
    buf_adds(s->b, "<table class=\"step\"><thead><tr>");
    if (buf_str(&title)) {
        buf_adds(s->b, "<th colspan=\"2\">");
        html_text(s->b, (char *)title.p);
        buf_adds(s->b, "</th>");
    }
    buf_adds(s->b, "</tr></thead><tbody>\n");
    s->open = true;
    s->number = number;
}

/* class: "long" when it may be longer than a page. */
static void open_row(struct steps *s, const json_t *line, const char *class)
{
    const char *time = transcript_str(line, "time");
    AUTO_BUF two = BUF_INIT;

    if (!s->open)
        open_table(s, 0, NULL);
    if (strlen(time) == 20)
        buf_addf(&two, "%.10s\n%s", time, time + 11);
    else
        buf_adds(&two, time);
    html_open(s->b, "tr", class);
    put(s->b, "td", NULL, &two);
    html_open(s->b, "td", NULL);
}

static void close_row(struct steps *s)
{
    buf_adds(s->b, "</td></tr>\n");
}

/* The members that no row has shown yet (shown ends with NULL). */
static json_t *rest_of(json_t *object, const char *const *shown)
{
    static const char *const fixed[] = {"line", "before", "time", "type", "step", "rehearsal"};
    json_t *copy = json_copy(object);
    size_t i;

    for (i = 0; copy && i < sizeof(fixed) / sizeof(fixed[0]); i++)
        json_object_del(copy, fixed[i]);
    for (; copy && *shown; shown++)
        json_object_del(copy, *shown);
    return copy;
}

static void put_rest(struct steps *s, const char *label, json_t *object, const char *const *shown)
{
    AUTO_JSON rest = rest_of(object, shown);

    if (!rest)
        s->b->failed = true;
    if (json_object_size(rest) == 0)
        return;
    if (label)
        html_elem(s->b, "h4", NULL, label);
    render_html(s->b, rest);
}

static const char *const nothing[] = {NULL};

/* --- one line of each type --- */

static void put_witnesses(struct steps *s, const json_t *list)
{
    AUTO_BUF text = BUF_INIT;
    const json_t *who;
    size_t i;

    json_array_foreach(list, i, who)
    {
        buf_adds(&text, i ? ", " : "");
        report_who(who, &text);
    }
    if (!buf_str(&text))
        s->b->failed = true;
    else if (i)
        put_hint(s->b, "Watches", (char *)text.p);
}

/* Certificates are dated with the first start when people have seen their bytes: not always that of this line. */
static void put_intent(struct steps *s, json_t *line)
{
    json_t *intent = json_object_get(line, "intent");
    char dated[TEXT_TIME];

    text_time((int64_t)json_integer_value(json_object_get(intent, "time")), dated);
    if (json_object_get(intent, "time") && strcmp(dated, transcript_str(line, "time")) != 0)
        put_hint(s->b, "Dated", dated);
    put_rest(s, "Recorded before anything was done", intent, nothing);
}

static void put_start(struct steps *s, json_t *line)
{
    json_int_t number = json_integer_value(json_object_get(line, "step"));
    bool again = s->open && s->number == number;

    if (!again) {
        open_table(s, number, transcript_str(line, "kind"));
        s->since = transcript_str(line, "time");
    }
    open_row(s, line, NULL);
    html_elem(s->b, "p", NULL, again ? "Started again" : transcript_str(line, "text"));
    if (!again) {
        put_who(s->b, "Acts", json_object_get(line, "by"));
        put_witnesses(s, json_object_get(line, "witness"));
    }
    put_intent(s, line);
    close_row(s);
}

static void put_tbs(struct steps *s, json_t *line)
{
    static const char *const shown[] = {"what", "authority", "number", "sha256", "words", NULL};
    uint8_t sha256[SHA256_LEN];
    AUTO_BUF text = BUF_INIT;

    buf_addf(&text, "To be signed by authority '%s': %s, number %s. SHA-256 of the to-be-signed bytes:",
        transcript_str(line, "authority"), transcript_str(line, "what"), transcript_str(line, "number"));
    open_row(s, line, NULL);
    put(s->b, "p", "keep", &text);
    if (text_unhex(transcript_str(line, "sha256"), sha256, sizeof(sha256)) == SHA256_LEN)
        html_hash(s->b, sha256, NULL);
    else
        html_elem(s->b, "p", NULL, transcript_str(line, "sha256"));
    put_rest(s, NULL, line, shown);
    close_row(s);
}

static void put_approved(struct steps *s, json_t *line)
{
    static const char *const shown[] = {"by", "sha256", NULL};

    open_row(s, line, NULL);
    put_who(s->b, "Approved by", json_object_get(line, "by"));
    html_value(s->b, transcript_str(line, "sha256"));
    put_rest(s, NULL, line, shown);
    close_row(s);
}

static void put_alert(struct steps *s, const char *word, const char *text)
{
    html_open(s->b, "div", "alert");
    html_elem(s->b, "b", NULL, word);
    buf_adds(s->b, " ");
    html_text(s->b, text);
    html_close(s->b, "div");
}

static void put_failed(struct steps *s, json_t *line)
{
    static const char *const shown[] = {"message", NULL};

    open_row(s, line, NULL);
    put_alert(s, "FAILED:", transcript_str(line, "message"));
    put_rest(s, NULL, line, shown);
    close_row(s);
}

static void put_resumed(struct steps *s, json_t *line)
{
    static const char *const all[] = {"environment", "dropped", NULL}, *const place[] = {"dropped", NULL};
    json_int_t dropped = json_integer_value(json_object_get(line, "dropped"));
    bool same = json_equal(json_object_get(line, "environment"), json_object_get(s->begin, "environment"));
    char text[128] = "the run before had ended here.";

    if (dropped)
        snprintf(text, sizeof(text),
            "the run before had ended here, within a line of %lld octets; it was cut off.",
            (long long)dropped);
    open_row(s, line, NULL);
    put_alert(s, "RESUMED:", text);
    if (same)
        html_elem(s->b, "p", "hint", "In the environment of the beginning.");
    put_rest(s, NULL, line, same ? all : place);
    close_row(s);
}

static void put_done(struct steps *s, json_t *line)
{
    static const char *const shown[] = {"result", "files", NULL};
    json_t *result = json_object_get(line, "result"), *files = json_object_get(line, "files");
    char took[REPORT_TIME];

    report_duration(s->since ? s->since : "", transcript_str(line, "time"), took);
    open_row(s, line, "long");
    put_hint(s->b, "Done after", took);
    if (json_object_size(result))
        render_html(s->b, result);
    if (json_array_size(files)) {
        html_elem(s->b, "h4", NULL, "Files");
        render_html(s->b, files);
    }
    put_rest(s, NULL, line, shown);
    close_row(s);
    close_table(s);
}

/* A type that has no row below: all that it holds. */
static void put_other(struct steps *s, json_t *line)
{
    AUTO_BUF type = BUF_INIT;

    render_label(&type, transcript_str(line, "type"));
    open_row(s, line, "long");
    put(s->b, "p", "kind keep", &type);
    put_rest(s, NULL, line, nothing);
    close_row(s);
}

static const struct {
    const char *type;
    void (*put)(struct steps *s, json_t *line);
} types[] = {
    {"start", put_start},
    {"tbs", put_tbs},
    {"approved", put_approved},
    {"failed", put_failed},
    {"resumed", put_resumed},
    {"done", put_done},
};

static void put_line(struct steps *s, json_t *line)
{
    const char *type = transcript_str(line, "type");
    size_t i;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].type, type) == 0) {
            types[i].put(s, line);
            return;
        }
    }
    put_other(s, line);
}

void report_steps(const json_t *lines, struct buf *b)
{
    struct steps s = {.b = b, .begin = json_array_get(lines, 0)};
    json_t *line;
    size_t i;

    json_array_foreach(lines, i, line)
    {
        const char *type = transcript_str(line, "type");

        if (strcmp(type, "begin") != 0 && strcmp(type, "end") != 0)
            put_line(&s, line);
    }
    close_table(&s);
}
