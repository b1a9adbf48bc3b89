#include "ceremony/paper.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "ceremony/render.h"
#include "ceremony/run.h"
#include "ceremony/steps.h"

const char paper_how[] = "Everybody in the room works from this paper. Compare the hash of the script with "
                         "what the program shows before "
                         "the first step: when they differ, this is the paper of another ceremony. Whoever "
                         "acts or watches initials the step "
                         "when it is done; its time is written beside it, in UTC.";
const char paper_hash_how[] =
    "As sha256sum prints it, and four octets a row as the program shows them and as they are read aloud.";
const char paper_plan_how[] = "What the keys sign in this ceremony, and nothing else. A template is a "
                              "certificate without its serial number, its "
                              "dates and its keys. The hash is that of plan.txt in the folder of the "
                              "ceremony: approvers sign that file.";
const char paper_deviations_how[] = "What did not go as it is written above: the step, what happened, what "
                                    "was decided and by whom. Write \"none\" when "
                                    "there was none.";
const char paper_closing_how[] = "The program ends with the hash of the transcript. It is read aloud and "
                                 "written down here, four octets and four "
                                 "words a row. Everybody signs for having heard it: after this no line of "
                                 "the transcript can be changed unseen.";

/* What was put together in text is said, or b fails with it. */
static void say(struct buf *b, paper_fact_fn *fn, const char *label, struct buf *text)
{
    if (buf_str(text))
        fn(b, label, (char *)text->p);
    else
        b->failed = true;
}

/* --- the ceremony --- */

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void approvals_fact(const struct script *s, paper_fact_fn *fn, struct buf *b)
{
    AUTO_BUF text = BUF_INIT;
    size_t i;

    buf_addf(&text, "%zu of ", s->approvals_need);
    for (i = 0; i < s->approvals_of.n; i++)
        buf_addf(&text, "%s%s", i ? ", " : "", s->approvals_of.v[i]);
    if (s->approvals_need)
        say(b, fn, "Approvals of the plan", &text);
}

void paper_facts(const struct paper *p, paper_fact_fn *fn, struct buf *b)
{
    const struct script *s = p->script;
    char conf[TRANSCRIPT_HEX];

    text_hex_lower(p->home->conf_sha256, SHA256_LEN, conf);
    if (s->purpose)
        fn(b, "Purpose", s->purpose);
    if (s->policy)
        fn(b, "Policy", s->policy);
    fn(b, "Place", s->place);
    fn(b, "Date", NULL);
    fn(b, "Begin and end, UTC", NULL);
    fn(b, "Machine, serial number", NULL);
    approvals_fact(s, fn, b);
    fn(b, "Script", last_name(s->conf.path));
    fn(b, "Program", "p11ca " P11CA_VERSION);
    fn(b, "SHA-256 of p11ca.conf", conf);
    fn(b, "Last ceremony of this home when this was printed", p->last[0] ? p->last : "none");
}

/* --- a step --- */

static void add_who(const struct paper *p, const struct role *role, struct buf *ret)
{
    const struct run in_the_room = {.people = p->people, .script = p->script};

    run_who(&in_the_room, role, ret);
}

static void who_fact(
    const struct paper *p, const char *label, const struct conf_strs *roles, paper_fact_fn *fn, struct buf *b)
{
    AUTO_BUF text = BUF_INIT;
    size_t i;

    for (i = 0; i < roles->n; i++) {
        buf_adds(&text, i ? ", " : "");
        add_who(p, script_role(p->script, roles->v[i]), &text);
    }
    if (roles->n)
        say(b, fn, label, &text);
}

void paper_step_facts(const struct paper *p, const struct step *step, paper_fact_fn *fn, struct buf *b)
{
    const struct step_args *a = &step->args;
    const char *expect = a->expect ? a->expect : step->kind->expect;
    AUTO_BUF actor = BUF_INIT;

    add_who(p, script_actor(p->script, step), &actor);
    say(b, fn, "Acts", &actor);
    who_fact(p, "Watches", &a->witness, fn, b);
    who_fact(p, "Approves the bytes", &a->approve, fn, b);
    if (a->approved)
        fn(b, "Only with", "the approvals of the plan");
    if (expect)
        fn(b, "Expected", expect);
    if (a->if_wrong)
        fn(b, "If it goes wrong", a->if_wrong);
}

static size_t add_once(const struct role **list, size_t n, const struct role *role)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (list[i] == role)
            return n;
    }
    list[n] = role;
    return n + 1;
}

size_t paper_initials(const struct paper *p, const struct step *step, const struct role *ret[LIMIT_ROLES])
{
    const struct step_args *a = &step->args;
    size_t n = add_once(ret, 0, script_actor(p->script, step)), i;

    for (i = 0; i < a->approve.n; i++)
        n = add_once(ret, n, script_role(p->script, a->approve.v[i]));
    for (i = 0; i < a->witness.n; i++)
        n = add_once(ret, n, script_role(p->script, a->witness.v[i]));
    return n;
}

static bool signs(const struct plan *plan, const struct step *step)
{
    const json_t *row;
    size_t i;

    json_array_foreach(plan->steps, i, row)
    {
        if (json_integer_value(json_object_get(row, "step")) == (json_int_t)step->number)
            return true;
    }
    return false;
}

size_t paper_asks(const struct paper *p, const struct step *step, struct paper_ask ret[PAPER_ASKS])
{
    const struct step_args *a = &step->args;
    const char *kind = step->kind->name;
    size_t n = 0;

    if (strcmp(kind, "check-clock") == 0) {
        ret[n++] = (struct paper_ask){"Time on the wall, UTC", 1};
        ret[n++] = (struct paper_ask){"Time of the machine, UTC", 1};
    }
    if (strcmp(kind, "backup-note") == 0)
        ret[n++] = (struct paper_ask){a->ask ? a->ask : "Where it is kept: bag, safe, seal number", 1};
    if (strcmp(kind, "hash-announce") == 0 && a->file)
        ret[n++] = (struct paper_ask){"The hash: hex, and the first eight words", 0};
    if (strcmp(kind, "verify-files") == 0 && !a->sha256)
        ret[n++] = (struct paper_ask){"The first eight words as they were announced", 1};
    if (a->custodians.n)
        ret[n++] = (struct paper_ask){"Who got a share, and which", a->custodians.n};
    if (p->plan->foreign[step->number - 1])
        ret[n++] =
            (struct paper_ask){"The first eight words of the request's hash, from where it was made", 1};
    if (signs(p->plan, step)) {
        ret[n++] = (struct paper_ask){"Serial or number", 1};
        ret[n++] = (struct paper_ask){"The first four words of the hash of the to-be-signed bytes", 1};
    }
    return n;
}

/* --- a signature of the plan --- */

void paper_signature_title(const json_t *row, struct buf *ret)
{
    buf_addf(ret, "Step %lld, %s: %s", (long long)json_integer_value(json_object_get(row, "step")),
        transcript_str(row, "kind"), transcript_str(row, "what"));
}

void paper_signature_facts(json_t *row, paper_fact_fn *fn, struct buf *b)
{
    const char *key;
    json_t *value;

    json_object_foreach(row, key, value)
    {
        AUTO_BUF label = BUF_INIT, text = BUF_INIT;

        if (strcmp(key, "step") == 0 || strcmp(key, "kind") == 0 || strcmp(key, "what") == 0)
            continue;
        render_label(&label, key);
        render_text(&text, value);
        if (buf_str(&label))
            say(b, fn, (char *)label.p, &text);
        else
            b->failed = true;
    }
}

/* --- all of it --- */

static int take_last(const struct p11ca_home *home, char ret[TRANSCRIPT_HEX], struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];
    AUTO_LEDGER l = NULL;
    int has;

    ret[0] = '\0';
    if (!file_exists(home->ledger_path))
        return 0;
    if (home_ledger_read(home, &l, err) != 0 || (has = ledger_last_ceremony(l, sha256, err)) < 0)
        return -1;
    if (has)
        text_hex_lower(sha256, sizeof(sha256), ret);
    return 0;
}

static int set(struct paper *p, enum p11ca_format format, char **ret, struct p11ca_err *err)
{
    AUTO_BUF b = BUF_INIT;
    size_t len;

    if (hash_sha256(p->plan->text.p, p->plan->text.len, p->plan_sha256) != 0)
        return err_nomem(err);
    if (take_last(p->home, p->last, err) != 0 ||
        (format == P11CA_HTML ? paper_html(p, &b, err) : paper_text(p, &b, err)) != 0)
        return -1;
    if (!buf_str(&b))
        return err_nomem(err);
    *ret = (char *)buf_take(&b, &len);
    return 0;
}

static int print(struct p11ca_home *home, const struct script *script, const char *people_path,
    enum p11ca_format format, char **ret, struct p11ca_err *err)
{
    AUTO_PEOPLE people = {0};
    AUTO_PLAN plan = {0};
    struct paper p = {.home = home, .script = script, .people = &people, .plan = &plan};

    /* Lenient: the paper of a ceremony that is over can be printed again. */
    if (people_load(&people, people_path, script, err) != 0 || plan_make(&plan, script, home, true, err) != 0)
        return -1;
    return set(&p, format, ret, err);
}

int p11ca_ceremony_print(struct p11ca_home *home, const char *path, const char *people,
    enum p11ca_format format, char **ret, struct p11ca_err *err)
{
    struct script *script = calloc(1, sizeof(*script)); /* large: not on the stack */
    int rc = -1;

    if (!script)
        return err_nomem(err);
    if (script_load(script, path, err) == 0) {
        rc = print(home, script, people, format, ret, err);
        script_done(script);
    }
    free(script);
    return rc;
}
