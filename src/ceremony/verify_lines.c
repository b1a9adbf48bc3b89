/* The lines of a transcript among themselves, and against the script they followed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/path.h"
#include "base/scope.h"
#include "base/text.h"
#include "ceremony/steps.h"
#include "ceremony/verify.h"
#include "ceremony/words.h"

#define BAD "TRANSCRIPT_BAD"

/* Clocks are set right by a few seconds while somebody works. */
#define CLOCK_SLACK 60

struct walk {
    struct verify *v;
    const json_t *line;
    char what[FINDING_WHAT];
    int64_t latest;
    size_t n_done;
    size_t open; /* the step that is under way; 0: none */
};

/* --- script.conf --- */

static struct script *load(struct verify *v)
{
    AUTO_STR path = path_join(v->dir, FOLDER_SCRIPT);
    struct script *s = calloc(1, sizeof(*s));
    struct p11ca_err why;

    if (!path || !s) {
        v->nomem = true;
    } else if (script_load(s, path, &why) == 0) {
        return s;
    } else {
        verify_fault(v, "SCRIPT_BAD", FOLDER_SCRIPT, &why);
    }
    free(s);
    return NULL;
}

static bool same_roles(const struct script *s, const json_t *roles)
{
    size_t i;

    if (json_array_size(roles) != s->n_roles)
        return false;
    for (i = 0; i < s->n_roles; i++) {
        const json_t *who = json_array_get(roles, i);

        if (strcmp(transcript_str(who, "role"), s->roles[i].name) != 0 ||
            strcmp(transcript_str(who, "title"), s->roles[i].title) != 0)
            return false;
    }
    return true;
}

static void check_begin(struct verify *v, const struct script *s)
{
    const char *title = transcript_str(v->begin, "title");
    const char *const have[] = {s->purpose, s->policy, s->place};
    static const char *const keys[] = {"purpose", "policy", "place"};
    size_t i;

    if (strcmp(s->title, title) != 0)
        finding_bad(&v->f, BAD, TRANSCRIPT_FILE ":1", "title: want that of the script, '%s', have '%s'",
            s->title, title);
    for (i = 0; i < 3; i++) {
        if (strcmp(have[i] ? have[i] : "", transcript_str(v->begin, keys[i])) != 0)
            finding_bad(&v->f, BAD, TRANSCRIPT_FILE ":1", "%s: want that of the script", keys[i]);
    }
    if (!same_roles(s, json_object_get(v->begin, "roles")))
        finding_bad(&v->f, BAD, TRANSCRIPT_FILE ":1", "roles: want those of the script");
}

/* Another one is not even parsed: whatever is wrong with it, that it is another one comes first. */
static bool is_the_script(struct verify *v)
{
    const char *want = transcript_str(json_object_get(v->begin, "script"), "sha256");
    AUTO_BUF b = BUF_INIT;
    uint8_t sha256[SHA256_LEN];
    char have[TRANSCRIPT_HEX];
    struct p11ca_err told; /* with the other files */

    if (folder_read(v->dir, FOLDER_SCRIPT, &b, &told) != 0)
        return false;
    if (hash_sha256(b.p, b.len, sha256) != 0) {
        v->nomem = true;
        return false;
    }
    text_hex_lower(sha256, sizeof(sha256), have);
    return strcmp(want, have) == 0;
}

/* That it is not there, or not the one, is told with the other files. */
void verify_script(struct verify *v)
{
    if (!is_the_script(v))
        return;
    v->script = load(v);
    if (!v->script)
        return;
    check_begin(v, v->script);
    finding_good(&v->f, FOLDER_SCRIPT, "is the script it began with: '%s', %zu steps", v->script->title,
        v->script->n_steps);
}

/* --- any line --- */

static bool read_time(const char *text, int64_t *ret)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    char again[TEXT_TIME];

    if (!end || *end)
        return false;
    *ret = (int64_t)timegm(&tm);
    text_time(*ret, again);
    return strcmp(again, text) == 0;
}

static void check_time(struct walk *w)
{
    const char *text = transcript_str(w->line, "time");
    char latest[TEXT_TIME];
    int64_t t;

    if (!read_time(text, &t)) {
        finding_bad(&w->v->f, BAD, w->what, "time: want one as 2026-11-21T09:30:00Z, have '%s'", text);
        return;
    }
    if (t < w->latest - CLOCK_SLACK) {
        text_time(w->latest, latest);
        finding_bad(
            &w->v->f, BAD, w->what, "time: %s: lies before that of a line before it, %s", text, latest);
    }
    if (t > w->latest)
        w->latest = t;
}

static void check_rehearsal(struct walk *w)
{
    const json_t *first = json_object_get(w->v->begin, "rehearsal"),
                 *have = json_object_get(w->line, "rehearsal");

    if (have && !json_is_true(have))
        finding_bad(&w->v->f, BAD, w->what, "rehearsal: want true or nothing");
    else if (!have != !first)
        finding_bad(&w->v->f, BAD, w->what, "rehearsal: want it in every line or in none: line 1 has %s",
            first ? "it" : "none");
}

/* --- who --- */

static void check_who(
    struct walk *w, const char *key, const json_t *who, const struct script *s, const struct role *want)
{
    const struct role *role = script_role(s, transcript_str(who, "role"));

    if (!role)
        finding_bad(
            &w->v->f, BAD, w->what, "%s: the script has no role '%s'", key, transcript_str(who, "role"));
    else if (strcmp(role->title, transcript_str(who, "title")) != 0)
        finding_bad(&w->v->f, BAD, w->what, "%s: role '%s': want title '%s', have '%s'", key, role->name,
            role->title, transcript_str(who, "title"));
    else if (want && role != want)
        finding_bad(&w->v->f, BAD, w->what, "%s: want role '%s', have '%s'", key, want->name, role->name);
}

static void check_witnesses(struct walk *w, const struct script *s, const struct conf_strs *want)
{
    const json_t *have = json_object_get(w->line, "witness");
    size_t i;

    if (json_array_size(have) != want->n) {
        finding_bad(&w->v->f, BAD, w->what, "witness: want %zu, have %zu", want->n, json_array_size(have));
        return;
    }
    for (i = 0; i < want->n; i++)
        check_who(w, "witness", json_array_get(have, i), s, script_role(s, want->v[i]));
}

/* --- lines of a step --- */

/* NULL: the script is not known, or has no such step. */
static const struct step *step_of(const struct walk *w)
{
    const struct script *s = w->v->script;
    size_t n = verify_number(w->line, "step");

    return s && n && n <= s->n_steps ? &s->steps[n - 1] : NULL;
}

static void check_start(struct walk *w, const struct step *step)
{
    const struct script *s = w->v->script;
    AUTO_BUF text = BUF_INIT;

    if (strcmp(transcript_str(w->line, "kind"), step->kind->name) != 0)
        finding_bad(&w->v->f, BAD, w->what, "kind: want '%s', have '%s'", step->kind->name,
            transcript_str(w->line, "kind"));
    check_who(w, "by", json_object_get(w->line, "by"), s, script_actor(s, step));
    check_witnesses(w, s, &step->args.witness);
    if (!verify_same_version(w->v))
        return;
    step->kind->describe(step, &text);
    if (!buf_str(&text))
        w->v->nomem = true;
    else if (strcmp(transcript_str(w->line, "text"), (char *)text.p) != 0)
        finding_bad(&w->v->f, BAD, w->what, "text: want '%s'", (char *)text.p);
}

static void on_start(struct walk *w)
{
    const struct step *step = step_of(w);
    size_t n = verify_number(w->line, "step");

    if (w->open)
        finding_bad(&w->v->f, BAD, w->what, "step %zu is started while step %zu is under way", n, w->open);
    else if (n != w->n_done + 1)
        finding_bad(&w->v->f, BAD, w->what, "step %zu is started: want step %zu, the first that is not done",
            n, w->n_done + 1);
    else if (w->v->script && !step)
        finding_bad(
            &w->v->f, BAD, w->what, "step %zu is started: the script has %zu", n, w->v->script->n_steps);
    if (step)
        check_start(w, step);
    w->open = n;
}

static bool is_open(struct walk *w)
{
    size_t n = verify_number(w->line, "step");

    if (n && n == w->open)
        return true;
    finding_bad(
        &w->v->f, BAD, w->what, "%s: step %zu was not started before", transcript_str(w->line, "type"), n);
    return false;
}

static void on_tbs(struct walk *w)
{
    const char *hex = transcript_str(w->line, "sha256");
    AUTO_BUF words = BUF_INIT;
    uint8_t sha256[SHA256_LEN];

    (void)is_open(w);
    if (text_unhex(hex, sha256, sizeof(sha256)) != SHA256_LEN) {
        finding_bad(&w->v->f, BAD, w->what, "sha256: want 64 hex digits");
        return;
    }
    words_add(&words, sha256, sizeof(sha256));
    if (!buf_str(&words))
        w->v->nomem = true;
    else if (verify_same_version(w->v) && strcmp(transcript_str(w->line, "words"), (char *)words.p) != 0)
        finding_bad(&w->v->f, BAD, w->what, "words: want those of the hash beside them");
}

/* Whether the bytes with this hash were shown in the same step before. */
static bool has_tbs(const struct walk *w, const char *hex)
{
    size_t at = 0, n = verify_number(w->line, "step");
    const json_t *line;

    while ((line = transcript_find(w->v->lines, &at, "tbs", n))) {
        if (verify_number(line, "line") < verify_number(w->line, "line") &&
            strcmp(transcript_str(line, "sha256"), hex) == 0)
            return true;
    }
    return false;
}

static void on_approved(struct walk *w)
{
    const json_t *by = json_object_get(w->line, "by");

    (void)is_open(w);
    if (!has_tbs(w, transcript_str(w->line, "sha256")))
        finding_bad(&w->v->f, BAD, w->what, "approved: no tbs line of the step before it has this hash");
    if (w->v->script)
        check_who(w, "by", by, w->v->script, NULL);
}

static void on_failed(struct walk *w)
{
    if (is_open(w))
        w->open = 0;
}

static void on_resumed(struct walk *w)
{
    w->open = 0;
}

/* --- a step is done --- */

/* Other bytes were prepared for the same step later on: these were never signed. */
static bool is_superseded(const struct verify *v, const json_t *tbs)
{
    size_t at = verify_number(tbs, "line"), n = verify_number(tbs, "step");
    const json_t *later;

    while ((later = transcript_find(v->lines, &at, "tbs", n))) {
        if (verify_is_series(later) == verify_is_series(tbs) &&
            strcmp(transcript_str(later, "sha256"), transcript_str(tbs, "sha256")) != 0)
            return true;
    }
    return false;
}

static void need_approved(struct walk *w, const json_t *tbs, const char *role)
{
    size_t at = 0;
    const json_t *line;

    while ((line = transcript_find(w->v->lines, &at, "approved", w->open))) {
        if (verify_number(line, "line") < verify_number(w->line, "line") &&
            strcmp(transcript_str(line, "sha256"), transcript_str(tbs, "sha256")) == 0 &&
            strcmp(transcript_str(json_object_get(line, "by"), "role"), role) == 0)
            return;
    }
    finding_bad(&w->v->f, "APPROVAL_MISSING", w->what,
        "step %zu is done: role '%s' has not approved the bytes of line %zu", w->open, role,
        verify_number(tbs, "line"));
}

static bool is_signing(const struct step *step)
{
    size_t i;

    for (i = 0; i < step->kind->n_fields; i++) {
        if (strcmp(step->kind->fields[i].key, "approve") == 0)
            return true;
    }
    return false;
}

static void check_signing(struct walk *w, const struct step *step)
{
    const struct step_args *a = &step->args;
    const char *outcome = transcript_str(json_object_get(w->line, "result"), "outcome");
    size_t at = 0, i, n = 0;
    const json_t *tbs;

    while ((tbs = transcript_find(w->v->lines, &at, "tbs", step->number))) {
        n++;
        if (is_superseded(w->v, tbs))
            continue;
        for (i = 0; i < a->approve.n; i++)
            need_approved(w, tbs, a->approve.v[i]);
        if (a->approve.n == 0)
            need_approved(w, tbs, script_actor(w->v->script, step)->name);
    }
    if (n)
        return;
    /* What was signed before the ceremony was approved before it as well. */
    if (strcmp(outcome, "reused") == 0 || strcmp(outcome, "finished") == 0)
        finding_good(
            &w->v->f, w->what, "step %zu: what it signs was signed before this ceremony", step->number);
    else
        finding_bad(
            &w->v->f, "APPROVAL_MISSING", w->what, "step %zu signs: no line shows the bytes", step->number);
}

static void on_done(struct walk *w)
{
    const struct step *step = step_of(w);

    if (!is_open(w))
        return;
    if (step && is_signing(step))
        check_signing(w, step);
    w->n_done = w->open;
    w->open = 0;
}

/* --- the end --- */

static void on_end(struct walk *w)
{
    const char *outcome = transcript_str(w->line, "outcome");
    size_t n = json_array_size(w->v->lines), steps = verify_number(w->line, "steps");
    bool complete = strcmp(outcome, "complete") == 0;

    w->v->end = w->line;
    if (verify_number(w->line, "line") != n)
        finding_bad(&w->v->f, BAD, w->what, "end: want it in the last line only, have %zu lines", n);
    if (!complete && strcmp(outcome, "abandoned") != 0)
        finding_bad(&w->v->f, BAD, w->what, "outcome: want 'complete' or 'abandoned', have '%s'", outcome);
    if (steps != w->n_done)
        finding_bad(
            &w->v->f, BAD, w->what, "steps: says %zu are done, the lines before say %zu", steps, w->n_done);
    if (complete && w->v->script && w->n_done != w->v->script->n_steps)
        finding_bad(&w->v->f, BAD, w->what, "outcome: 'complete' with %zu of %zu steps done", w->n_done,
            w->v->script->n_steps);
}

static void on_nothing(struct walk *w)
{
    (void)w;
}

static const struct {
    const char *type;
    void (*check)(struct walk *w);
} types[] = {
    {"begin", on_nothing},
    {"resumed", on_resumed},
    {"start", on_start},
    {"approval", on_nothing}, /* verify_approvals() */
    {"tbs", on_tbs},
    {"approved", on_approved},
    {"failed", on_failed},
    {"done", on_done},
    {"end", on_end},
};

static void check_line(struct walk *w)
{
    size_t i;

    check_time(w);
    check_rehearsal(w);
    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].type, transcript_str(w->line, "type")) == 0)
            types[i].check(w);
    }
}

void verify_lines(struct verify *v)
{
    struct walk w = {.v = v, .latest = 0};
    size_t i, before = v->f.n_faults;

    json_array_foreach(v->lines, i, w.line)
    {
        verify_line(w.line, w.what);
        check_line(&w);
    }
    if (!v->end)
        finding_bad(&v->f, "CEREMONY_UNFINISHED", TRANSCRIPT_FILE,
            "unfinished: has no end; %zu steps are done (p11ca ceremony resume)", w.n_done);
    if (v->f.n_faults == before)
        finding_good(&v->f, TRANSCRIPT_FILE, "%s%s, %zu of %zu steps, in order, with the roles of the script",
            json_object_get(v->begin, "rehearsal") ? "REHEARSAL, " : "", transcript_str(v->end, "outcome"),
            w.n_done, v->script ? v->script->n_steps : w.n_done);
}
