/* The engine: begin or go on, one step after the other, end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/text.h"
#include "ceremony/approvals.h"
#include "ceremony/engine.h"
#include "ceremony/environment.h"
#include "ceremony/report.h"
#include "ceremony/steps.h"
#include "ceremony/words.h"

static const struct p11ca_ceremony_options no_options = {.dir = NULL};

/* --- one step --- */

static int names_of(
    const struct run *run, const struct conf_strs *roles, struct buf *ret, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < roles->n; i++) {
        buf_adds(ret, i ? ", " : "");
        run_who(run, script_role(run->script, roles->v[i]), ret);
    }
    return buf_str(ret) ? 0 : err_nomem(err);
}

static int show(const struct run *run, const struct step *step, bool done, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT, by = BUF_INIT, witness = BUF_INIT;
    struct p11ca_step s = {.number = step->number, .of = run->script->n_steps, .kind = step->kind->name};

    step->kind->describe(step, &text);
    run_who(run, script_actor(run->script, step), &by);
    if (!buf_str(&text) || !buf_str(&by))
        return err_nomem(err);
    if (names_of(run, &step->args.witness, &witness, err) != 0)
        return -1;
    s.text = (char *)text.p;
    s.by = (char *)by.p;
    s.witness = (char *)witness.p;
    s.expect = step->args.expect ? step->args.expect : step->kind->expect;
    s.rehearsal = run->rehearsal;
    s.done = done;
    if (run->fn)
        run->fn(run->arg, &s);
    return 0;
}

static json_t *witnesses(const struct run *run, const struct step *step)
{
    json_t *list = json_array();
    size_t i;

    for (i = 0; list && i < step->args.witness.n; i++)
        json_array_append_new(list, run_who_json(run, step->args.witness.v[i]));
    return list;
}

/* The last time the step was started; NULL: never. */
static const json_t *last_start(const struct run *run, const struct step *step)
{
    const json_t *lines = transcript_lines(run->transcript), *line, *last = NULL;
    size_t at = 0;

    while ((line = transcript_find(lines, &at, "start", step->number)))
        last = line;
    return last;
}

static bool has_line(const struct run *run, const char *type, size_t step)
{
    size_t at = 0;

    return transcript_find(transcript_lines(run->transcript), &at, type, step) != NULL;
}

/*
 * A step that was started before keeps what it meant to do. Its time moves on, unless people have seen bytes that are
 * dated with it.
 */
static int make_intent(struct run *run, const struct step *step, json_t **ret, struct p11ca_err *err)
{
    const json_t *before = last_start(run, step);
    AUTO_JSON intent = before ? json_deep_copy(json_object_get(before, "intent")) : json_object();

    run->again = before != NULL;
    if (!intent)
        return err_nomem(err);
    if (!before && step->kind->intent && step->kind->intent(run, step, intent, err) != 0)
        return -1;
    if ((!before || !has_line(run, "tbs", step->number)) &&
        json_object_set_new(intent, "time", json_integer(home_now(run->home))) != 0)
        return err_nomem(err);
    *ret = json_incref(intent);
    return 0;
}

static int note_start(struct run *run, const struct step *step, const json_t *intent, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT;

    step->kind->describe(step, &text);
    if (!buf_str(&text))
        return err_nomem(err);
    return run_note(run, "start",
        json_pack("{s:I,s:s,s:s,s:o,s:o,s:O}", "step", (json_int_t)step->number, "kind", step->kind->name,
            "text", text.p, "by", run_who_json(run, script_actor(run->script, step)->name), "witness",
            witnesses(run, step), "intent", intent),
        err);
}

static int act(struct run *run, const struct step *step, struct p11ca_err *err)
{
    AUTO_JSON result = json_object();
    AUTO_JSON files = json_array();
    AUTO_JSON intent = NULL;

    if (!result || !files)
        return err_nomem(err);
    if (make_intent(run, step, &intent, err) != 0 || note_start(run, step, intent, err) != 0)
        return -1;
    run->intent = intent;
    run->files = files;
    if ((step->args.approved && approvals_need(run, err) != 0) ||
        step->kind->run(run, step, result, err) != 0)
        return -1;
    return run_note(run, "done",
        json_pack("{s:I,s:O,s:O}", "step", (json_int_t)step->number, "result", result, "files", files), err);
}

static int note_failure(
    struct run *run, const struct step *step, const struct p11ca_err *why, struct p11ca_err *err)
{
    return run_note(run, "failed",
        json_pack("{s:I,s:s,s:s}", "step", (json_int_t)step->number, "code", why->code, "message", why->msg),
        err);
}

/* The program never repeats a wrong PIN; people who do should know how often. */
static void say_wrong_pins(const struct run *run)
{
    const json_t *lines = transcript_lines(run->transcript), *line;
    size_t at = 0, n = 0;

    while ((line = transcript_find(lines, &at, "failed", 0)))
        n += strcmp(transcript_str(line, "code"), "PIN_INCORRECT") == 0;
    run_say(run, "wrong PINs in this ceremony: %zu", n);
}

/* People may put right what was wrong - another PIN, a card in the reader - and try again; a program may not. */
static bool try_again(struct run *run, const struct step *step, const struct p11ca_err *why)
{
    const struct role *actor = script_actor(run->script, step);
    struct p11ca_err ignored;

    if (run->unattended || strcmp(why->code, "STOPPED") == 0)
        return false;
    run_say(run, "step %zu failed: %s", step->number, why->msg);
    if (strcmp(why->code, "PIN_INCORRECT") == 0)
        say_wrong_pins(run);
    if (step->args.if_wrong)
        run_say(run, "if it goes wrong: %s", step->args.if_wrong);
    return run_confirm(run, actor, "try this step again?", &ignored) == 0;
}

static int do_step(struct run *run, const struct step *step, struct p11ca_err *err)
{
    char text[64];

    run->step = step;
    snprintf(text, sizeof(text), "%s %zu of %zu?",
        strcmp(step->kind->name, "confirm") == 0 ? "is it so, step" : "do step", step->number,
        run->script->n_steps);
    if (show(run, step, false, err) != 0 || run_confirm(run, script_actor(run->script, step), text, err) != 0)
        return -1;
    while (act(run, step, err) != 0) {
        struct p11ca_err why = *err;

        if (note_failure(run, step, &why, err) != 0)
            return -1;
        if (!try_again(run, step, &why)) {
            *err = why;
            return err_prefix(err, "step %zu, %s", step->number, step->kind->name);
        }
    }
    return show(run, step, true, err);
}

static int do_steps(struct run *run, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < run->script->n_steps; i++) {
        if (!has_line(run, "done", i + 1) && do_step(run, &run->script->steps[i], err) != 0)
            return -1;
    }
    return 0;
}

/* --- the beginning --- */

static int ledger_hashes(
    const struct run *run, json_t **ret_previous, json_t **ret_head, struct p11ca_err *err)
{
    AUTO_LEDGER l = NULL;
    uint8_t previous[SHA256_LEN], head[SHA256_LEN];
    char hex[TRANSCRIPT_HEX];
    int has_previous, has_head;

    *ret_previous = *ret_head = json_null();
    if (!file_exists(run->home->ledger_path))
        return 0;
    if (home_ledger_read(run->home, &l, err) != 0 ||
        (has_previous = ledger_last_ceremony(l, previous, err)) < 0 ||
        (has_head = ledger_head(l, head, err)) < 0)
        return -1;
    if (has_previous) {
        text_hex_lower(previous, sizeof(previous), hex);
        *ret_previous = json_string(hex);
    }
    if (has_head) {
        text_hex_lower(head, sizeof(head), hex);
        *ret_head = json_string(hex);
    }
    return 0;
}

static int digest_hex(const struct buf *b, char ret[TRANSCRIPT_HEX], struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];

    if (hash_sha256(b->p, b->len, sha256) != 0)
        return err_nomem(err);
    text_hex_lower(sha256, sizeof(sha256), ret);
    return 0;
}

static json_t *roles_json(const struct run *run)
{
    json_t *list = json_array();
    size_t i;

    for (i = 0; list && i < run->script->n_roles; i++) {
        json_t *who = run_who_json(run, run->script->roles[i].name);

        if (who && run->people->of[i].approver[0])
            json_object_set_new(who, "key", json_string(run->people->of[i].approver));
        json_array_append_new(list, who);
    }
    return list;
}

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int note_begin(struct run *run, struct p11ca_err *err)
{
    const struct script *s = run->script;
    char script[TRANSCRIPT_HEX], plan[TRANSCRIPT_HEX], conf[TRANSCRIPT_HEX];
    json_t *previous, *head;

    text_hex_lower(s->sha256, SHA256_LEN, script);
    text_hex_lower(run->home->conf_sha256, SHA256_LEN, conf);
    if (digest_hex(&run->plan->text, plan, err) != 0 || ledger_hashes(run, &previous, &head, err) != 0)
        return -1;
    return run_note(run, "begin",
        json_pack("{s:s,s:s,s:s?,s:s?,s:s?,s:{s:s,s:s},s:s,s:o,s:o,s:o,s:b,s:s,s:O,s:o}", "ceremony",
            last_name(run->dir), "title", s->title, "purpose", s->purpose, "policy", s->policy, "place",
            s->place, "script", "file", last_name(s->conf.path), "sha256", script, "configuration", conf,
            "previous", previous, "ledger", head, "roles", roles_json(run), "unattended", run->unattended,
            "plan", plan, "signatures", run->plan->steps, "environment", environment_json()),
        err);
}

/* As the event of the beginning ends; "" when nobody approves the plan. */
static int plan_words(const struct run *run, char ret[TRANSCRIPT_HEX + 8], struct p11ca_err *err)
{
    char hex[TRANSCRIPT_HEX];

    ret[0] = '\0';
    if (!run->script->approvals_need)
        return 0;
    if (digest_hex(&run->plan->text, hex, err) != 0)
        return -1;
    snprintf(ret, TRANSCRIPT_HEX + 8, " plan %s", hex);
    return 0;
}

/* Two that are begun side by side come after the same one: of one plan there is one. */
static int refuse_planned(const struct run *run, struct p11ca_err *err)
{
    char words[TRANSCRIPT_HEX + 8];
    AUTO_LEDGER l = NULL;
    int begun;

    if (plan_words(run, words, err) != 0)
        return -1;
    if (!words[0] || !file_exists(run->home->ledger_path))
        return 0;
    if (home_ledger_read(run->home, &l, err) != 0 || (begun = ledger_ceremony_begun(l, words, err)) < 0)
        return -1;
    return begun ? err_set(err, P11CA_REFUSED, "PLAN_BEGUN",
                       "%s: a ceremony with this very plan was begun: what is approved for one is not for "
                       "another",
                       run->script->conf.path)
                 : 0;
}

/* Without a digest while it is open: what it ends with is the next one's "previous". */
static int note_ledger(const struct run *run, const char *what, const uint8_t *sha256, struct p11ca_err *err)
{
    char hex[TRANSCRIPT_HEX] = "", plan[TRANSCRIPT_HEX + 8] = "", detail[320];
    struct ledger_event e = {.kind = "ceremony", .detail = detail};
    AUTO_LEDGER l = NULL;

    if (!sha256 && plan_words(run, plan, err) != 0)
        return -1;
    text_hex_lower(sha256 ? sha256 : run->script->sha256, SHA256_LEN, hex);
    snprintf(detail, sizeof(detail), "%s%s %.96s %s %s%s", run->rehearsal ? "rehearsal " : "", what,
        last_name(run->dir), sha256 ? "transcript" : "script", hex, plan);
    if (sha256)
        e.digest = (struct blob){sha256, SHA256_LEN};
    if (home_ledger_write(run->home, &l, err) != 0 || ledger_begin(l, err) != 0)
        return -1;
    if (ledger_event(l, &e, err) != 0) {
        ledger_rollback(l);
        return -1;
    }
    return ledger_commit(l, err);
}

/* Names that no file gave are typed. A script without roles is somebody at work alone: the environment says who. */
static int ask_names(struct run *run, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < run->script->n_roles; i++) {
        AUTO_STR name = NULL;

        if (run->people->of[i].name || config_lookup(&run->script->conf.cfg, "roles") == NULL)
            continue;
        if (run_ask(run, &run->script->roles[i], "name?", run_not_empty, NULL, &name, err) != 0)
            return -1;
        snprintf(run->people->names[i], sizeof(run->people->names[i]), "%s", name ? name : "");
        run->people->of[i].name = name ? run->people->names[i] : NULL;
    }
    return 0;
}

/* Whoever runs the program has chosen the people file: those present compare. */
static void say_approvers(const struct run *run)
{
    size_t i;

    for (i = 0; i < run->script->n_roles; i++) {
        if (run->people->of[i].approver[0])
            run_say(run, "'%s' approves with the key of SHA-256 %s", run->script->roles[i].name,
                run->people->of[i].approver);
    }
}

static int begin(struct run *run, struct p11ca_err *err)
{
    uint8_t plan[SHA256_LEN];

    run_say(run, "%s", run->script->title);
    run_say_hash(run, "this script", run->script->sha256);
    if (hash_sha256(run->plan->text.p, run->plan->text.len, plan) != 0)
        return err_nomem(err);
    if (json_array_size(run->plan->steps))
        run_say_hash(run, "the plan of its signatures (plan.txt)", plan);
    say_approvers(run);
    /* The transcript first, and with it the lock: another process would write its own script into the folder. */
    if (transcript_create(run->dir, run->rehearsal, &run->transcript, err) != 0 ||
        folder_write(run->dir, FOLDER_SCRIPT, run->script->text.p, run->script->text.len, err) != 0 ||
        folder_write(run->dir, FOLDER_PLAN, run->plan->text.p, run->plan->text.len, err) != 0 ||
        note_begin(run, err) != 0)
        return -1;
    return note_ledger(run, "begin", NULL, err);
}

/* --- the end --- */

static int list_file(const struct run *run, const char *name, json_t *list, struct p11ca_err *err)
{
    char hex[TRANSCRIPT_HEX];
    AUTO_BUF b = BUF_INIT;

    if (folder_read(run->dir, name, &b, err) != 0 || digest_hex(&b, hex, err) != 0)
        return -1;
    return json_array_append_new(list, json_pack("{s:s,s:s}", "file", name, "sha256", hex)) == 0
               ? 0
               : err_nomem(err);
}

static bool is_listed(const json_t *list, const char *name)
{
    const json_t *file;
    size_t i;

    json_array_foreach(list, i, file)
    {
        if (strcmp(transcript_str(file, "file"), name) == 0)
            return true;
    }
    return false;
}

/* What a step that was never done has left: only an abandoned ceremony ends with that. */
static int list_leftovers(const struct run *run, json_t *list, struct p11ca_err *err)
{
    AUTO_STR dir = path_join(run->dir, "artefacts");
    char **names, name[320];
    size_t n, i;
    int rc = 0;

    if (!dir)
        return err_nomem(err);
    if (file_list_all(dir, &names, &n, err) != 0)
        return -1;
    for (i = 0; rc == 0 && i < n; i++) {
        snprintf(name, sizeof(name), "artefacts/%.256s", names[i]);
        if (!is_listed(list, name))
            rc = list_file(run, name, list, err);
    }
    file_list_free(names);
    return rc;
}

/* Every file a line of the transcript speaks of, and the two it began with. */
static int list_files(const struct run *run, json_t **ret, struct p11ca_err *err)
{
    static const char *const first[] = {FOLDER_SCRIPT, FOLDER_PLAN};
    const json_t *lines = transcript_lines(run->transcript), *line, *file;
    AUTO_JSON list = json_array();
    size_t at = 0, i;

    if (!list)
        return err_nomem(err);
    for (i = 0; i < 2; i++) {
        if (list_file(run, first[i], list, err) != 0)
            return -1;
    }
    while ((line = transcript_find(lines, &at, "done", 0))) {
        json_array_foreach(json_object_get(line, "files"), i, file)
            json_array_append_new(list, json_pack("{s:s,s:s}", "file", transcript_str(file, "artefact"),
                                            "sha256", transcript_str(file, "sha256")));
    }
    if (list_leftovers(run, list, err) != 0)
        return -1;
    *ret = json_incref(list);
    return 0;
}

static size_t count_done(const struct run *run)
{
    size_t i, n = 0;

    for (i = 0; i < run->script->n_steps; i++)
        n += has_line(run, "done", i + 1);
    return n;
}

static int note_end(struct run *run, const char *outcome, struct p11ca_err *err)
{
    AUTO_JSON files = NULL;
    json_t *previous, *head;

    if (has_line(run, "end", 0))
        return 0;
    if (list_files(run, &files, err) != 0 || ledger_hashes(run, &previous, &head, err) != 0)
        return -1;
    json_decref(previous);
    return run_note(run, "end",
        json_pack("{s:s,s:I,s:O,s:o}", "outcome", outcome, "steps", (json_int_t)count_done(run), "files",
            files, "ledger", head),
        err);
}

static int add_sum(const char *dir, const char *name, struct buf *sums, struct p11ca_err *err)
{
    char hex[TRANSCRIPT_HEX];
    AUTO_BUF b = BUF_INIT;

    if (folder_read(dir, name, &b, err) != 0 || digest_hex(&b, hex, err) != 0)
        return -1;
    buf_addf(sums, "%s  %s\n", hex, name);
    return buf_ok(sums) ? 0 : err_nomem(err);
}

/* What `sha256sum -c SHA256SUMS` reads. */
static int write_sums(const struct run *run, struct p11ca_err *err)
{
    const json_t *end, *file;
    AUTO_BUF sums = BUF_INIT;
    size_t at = 0, i;

    end = transcript_find(transcript_lines(run->transcript), &at, "end", 0);
    if (add_sum(run->dir, TRANSCRIPT_FILE, &sums, err) != 0 ||
        add_sum(run->dir, FOLDER_REPORT, &sums, err) != 0)
        return -1;
    json_array_foreach(json_object_get(end, "files"), i, file)
        buf_addf(&sums, "%s  %s\n", transcript_str(file, "sha256"), transcript_str(file, "file"));
    return buf_ok(&sums) ? folder_write(run->dir, FOLDER_SUMS, sums.p, sums.len, err) : err_nomem(err);
}

static int write_report(const struct run *run, const char *sha256, struct p11ca_err *err)
{
    AUTO_BUF html = BUF_INIT;

    if (report_html(transcript_lines(run->transcript), sha256, &html, err) != 0)
        return -1;
    return folder_write(run->dir, FOLDER_REPORT, html.p, html.len, err);
}

/* Killed in here, a resume does it once more; the ledger knows already when the last ceremony is this one. */
static int note_ledger_end(
    const struct run *run, const uint8_t sha256[SHA256_LEN], const char *outcome, struct p11ca_err *err)
{
    uint8_t last[SHA256_LEN];
    AUTO_LEDGER l = NULL;
    int has;

    if (home_ledger_read(run->home, &l, err) != 0 || (has = ledger_last_ceremony(l, last, err)) < 0)
        return -1;
    if (has && memcmp(last, sha256, sizeof(last)) == 0)
        return 0;
    return note_ledger(run, outcome, sha256, err);
}

static int finish(struct run *run, const char *outcome, struct p11ca_ceremony *ret, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT, words = BUF_INIT;
    uint8_t sha256[SHA256_LEN];

    if (note_end(run, outcome, err) != 0 || folder_read(run->dir, TRANSCRIPT_FILE, &text, err) != 0)
        return -1;
    if (hash_sha256(text.p, text.len, sha256) != 0)
        return err_nomem(err);
    words_add(&words, sha256, sizeof(sha256));
    if (!buf_str(&words))
        return err_nomem(err);
    snprintf(ret->dir, sizeof(ret->dir), "%s", run->dir);
    text_hex_lower(sha256, sizeof(sha256), ret->sha256);
    snprintf(ret->words, sizeof(ret->words), "%s", (char *)words.p);
    if (write_report(run, ret->sha256, err) != 0 || note_ledger_end(run, sha256, outcome, err) != 0 ||
        write_sums(run, err) != 0)
        return -1;
    run_say_hash(run,
        run->rehearsal ? "the transcript of this REHEARSAL" : "the transcript, to be written on the paper",
        sha256);
    return 0;
}

/* --- all of it --- */

static bool nobody_types(const struct p11ca_home *home)
{
    return !home->env.ui || !home->env.ui->ask;
}

static void run_done(struct run *run)
{
    transcript_close(run->transcript);
}

/* One chain: a second ceremony would not know what the first one ends with. */
static int refuse_unfinished(const struct run *run, const char *base, struct p11ca_err *err)
{
    AUTO_STR dir = NULL;

    if (run->rehearsal)
        return 0; /* rehearsals are no chain */
    if (folder_unfinished(base, &dir, err) != 0)
        return -1;
    if (!dir)
        return 0;
    return err_set(err, P11CA_CONFIG, "CEREMONY_UNFINISHED",
        "%s: this ceremony is unfinished: p11ca ceremony resume %s/" FOLDER_SCRIPT
        " (with --abandon to end it as it is)",
        dir, dir);
}

/* Of two that were started at once, one begins: names take their time to type. */
static int open_folder(struct run *run, const char *base, char **dir, struct p11ca_err *err)
{
    AUTO_STR lock = path_join(base, ".lock");
    AUTO_FD fd = -1;

    if (!lock)
        return err_nomem(err);
    if (file_mkdir(base, 0755, err) != 0 || file_lock(lock, &fd, err) != 0 ||
        refuse_unfinished(run, base, err) != 0 || refuse_planned(run, err) != 0 ||
        folder_make(base, run->options->dir, run->script, home_now(run->home), dir, err) != 0)
        return -1;
    run->dir = *dir;
    return begin(run, err);
}

int engine_run(struct p11ca_home *home, const struct script *script, const char *base, bool rehearsal,
    const struct p11ca_ceremony_options *options, p11ca_step_fn *fn, void *arg, struct p11ca_ceremony *ret,
    struct p11ca_err *err)
{
    const struct p11ca_ceremony_options *o = options ? options : &no_options;
    __attribute__((cleanup(run_done))) struct run run = {.home = home,
        .script = script,
        .rehearsal = rehearsal,
        .unattended = nobody_types(home),
        .options = o,
        .fn = fn,
        .arg = arg};
    AUTO_PEOPLE people = {0};
    AUTO_PLAN plan = {0};
    AUTO_STR dir = NULL;

    run.people = &people;
    run.plan = &plan;
    if (people_load(&people, o->people, script, err) != 0 ||
        plan_make(&plan, script, home, false, err) != 0 || refuse_unfinished(&run, base, err) != 0 ||
        approvals_check(&run, err) != 0 || ask_names(&run, err) != 0 ||
        open_folder(&run, base, &dir, err) != 0 || do_steps(&run, err) != 0)
        return -1;
    return finish(&run, "complete", ret, err);
}

/* The script and the plan are those it began with. */
static int check_same(const struct run *run, struct p11ca_err *err)
{
    const json_t *begin = json_array_get(transcript_lines(run->transcript), 0);
    char script[TRANSCRIPT_HEX], plan[TRANSCRIPT_HEX];

    /* Its steps were done on tokens that are gone, its approvals signed by keys that nobody has. */
    if (json_is_true(json_object_get(begin, "rehearsal")))
        return err_set(
            err, P11CA_USAGE, "REHEARSAL", "%s: a rehearsal: it is not resumed; rehearse again", run->dir);
    text_hex_lower(run->script->sha256, SHA256_LEN, script);
    if (strcmp(transcript_str(json_object_get(begin, "script"), "sha256"), script) != 0)
        return err_set(err, P11CA_CONFIG, "SCRIPT_CHANGED",
            "%s: the ceremony in %s was begun with another script: want SHA-256 %s, have %s",
            run->script->conf.path, run->dir, transcript_str(json_object_get(begin, "script"), "sha256"),
            script);
    if (run->options->abandon || has_line(run, "end", 0))
        return 0;
    if (digest_hex(&run->plan->text, plan, err) != 0)
        return -1;
    if (strcmp(transcript_str(begin, "plan"), plan) != 0)
        return err_set(err, P11CA_CONFIG, "PLAN_CHANGED",
            "%s: what this ceremony would sign is no longer what " FOLDER_PLAN
            " of %s says: p11ca.conf was changed",
            run->script->conf.path, run->dir);
    return 0;
}

/* Where it goes on, and by whom. */
static int check_circumstances(const struct run *run, struct p11ca_err *err)
{
    const json_t *begin = json_array_get(transcript_lines(run->transcript), 0);

    /* An empty ledger would take any key for the one that people have seen. */
    if (has_line(run, "start", 0) && !file_exists(run->home->ledger_path))
        return err_set(err, P11CA_LEDGER, "LEDGER_MISSING",
            "%s: is missing, but the ceremony in %s has begun: restore the ledger", run->home->ledger_path,
            run->dir);
    if (run->unattended && !run->options->abandon && json_is_false(json_object_get(begin, "unattended")))
        return err_set(err, P11CA_USAGE, "UNATTENDED",
            "%s: this ceremony was begun by people: want them to go on with it, without --yes", run->dir);
    return 0;
}

static int go_on(struct run *run, size_t dropped, struct p11ca_ceremony *ret, struct p11ca_err *err)
{
    const json_t *end;
    size_t at = 0;

    if (check_same(run, err) != 0 || people_from_begin(run->people, run->script,
                                         json_array_get(transcript_lines(run->transcript), 0), err) != 0)
        return -1;
    say_approvers(run);
    run_say(run, "%s, resumed: %zu of %zu steps are done", run->script->title, count_done(run),
        run->script->n_steps);
    /* Killed in its last moments: what it ended with is said, and nothing happens after it. */
    end = transcript_find(transcript_lines(run->transcript), &at, "end", 0);
    if (end)
        return finish(run, transcript_str(end, "outcome"), ret, err);
    if (check_circumstances(run, err) != 0 ||
        run_note(run, "resumed",
            json_pack("{s:o,s:I,s:b,s:o}", "environment", environment_json(), "dropped", (json_int_t)dropped,
                "unattended", run->unattended, "roles", roles_json(run)),
            err) != 0)
        return -1;
    if (run->options->abandon)
        return finish(run, "abandoned", ret, err);
    return do_steps(run, err) != 0 ? -1 : finish(run, "complete", ret, err);
}

static int find_dir(
    const char *base, const struct p11ca_ceremony_options *o, char **ret, struct p11ca_err *err)
{
    /* An old one ended once more would be the last one of the ledger. */
    if (o->dir && !folder_is_unfinished(o->dir))
        return err_set(err, P11CA_USAGE, "NOT_UNFINISHED", "%s: not an unfinished ceremony", o->dir);
    if (o->dir) {
        *ret = strdup(o->dir);
        return *ret ? 0 : err_nomem(err);
    }
    if (folder_unfinished(base, ret, err) != 0)
        return -1;
    if (*ret)
        return 0;
    return err_set(err, P11CA_USAGE, "NOT_UNFINISHED", "%s: no ceremony is unfinished", base);
}

int engine_resume(struct p11ca_home *home, const struct script *script, const char *base,
    const struct p11ca_ceremony_options *options, p11ca_step_fn *fn, void *arg, struct p11ca_ceremony *ret,
    struct p11ca_err *err)
{
    const struct p11ca_ceremony_options *o = options ? options : &no_options;
    __attribute__((cleanup(run_done))) struct run run = {
        .home = home, .script = script, .unattended = nobody_types(home), .options = o, .fn = fn, .arg = arg};
    AUTO_PEOPLE people = {0};
    AUTO_PLAN plan = {0};
    AUTO_STR dir = NULL;
    size_t dropped = 0;

    run.people = &people;
    run.plan = &plan;
    if (people_load(&people, o->people, script, err) != 0 || find_dir(base, o, &dir, err) != 0)
        return -1;
    /* What cannot be planned any more can still be abandoned. */
    if (!o->abandon && (plan_make(&plan, script, home, true, err) != 0 || approvals_check(&run, err) != 0))
        return -1;
    run.dir = dir;
    if (transcript_resume(dir, &run.transcript, &dropped, err) != 0)
        return -1;
    return go_on(&run, dropped, ret, err);
}
