/* Steps for people: nothing but words, clocks and hashes. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/scope.h"
#include "base/text.h"
#include "ceremony/run.h"
#include "ceremony/steps.h"

/* --- say, confirm --- */

static const struct conf_field say_fields[] = {STEP_COMMON, STEP_STR("text", true, text)};

static int say_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    return step->args.text[0] ? 0 : script_err(plan->script, step, err, "text is empty");
}

static void say_describe(const struct step *step, struct buf *ret)
{
    buf_adds(ret, step->args.text);
}

static int say_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    (void)run, (void)step, (void)result, (void)err;
    return 0; /* showing it was all */
}

#define confirm_fields   say_fields
#define confirm_check    say_check
#define confirm_describe say_describe

/* The engine asks whoever acts before every step; here that is the step, and the witnesses answer as well. */
static int confirm_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    size_t i;

    (void)result;
    for (i = 0; i < step->args.witness.n; i++) {
        if (run_confirm(run, script_role(run->script, step->args.witness.v[i]), "is it so?", err) != 0)
            return -1;
    }
    return 0;
}

/* --- check-clock --- */

static const struct conf_field check_clock_fields[] = {STEP_COMMON};

static int check_clock_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    (void)plan, (void)step, (void)err;
    return 0;
}

static void check_clock_describe(const struct step *step, struct buf *ret)
{
    (void)step;
    buf_adds(
        ret, "Compare the machine's clock with a clock on the wall, and with the last entry of the ledger");
}

#define MINUTE 60
#define DAY    86400

/* __DATE__ is "Nov 21 2026", in whatever zone it was compiled: a day is taken off. */
static int64_t build_date(void)
{
    struct tm tm = {0};

    return strptime(__DATE__, "%b %d %Y", &tm) ? (int64_t)timegm(&tm) - DAY : 0;
}

/* Two minutes: one is lost by typing, one by the missing seconds. */
static int check_typed(void *arg, const char *answer, struct p11ca_err *err)
{
    const struct run *run = arg;
    struct tm tm = {0};
    const char *end = strptime(answer, "%Y-%m-%d %H:%M", &tm);
    int64_t now = home_now(run->home), apart;
    char text[TEXT_TIME];

    if (!end || *end)
        return err_set(err, P11CA_USAGE, "CLOCK", "want the time in UTC as YYYY-MM-DD HH:MM");
    apart = now - (int64_t)timegm(&tm);
    text_time(now, text);
    if (apart >= -2 * MINUTE && apart <= 2 * MINUTE + MINUTE - 1)
        return 0;
    return err_set(err, P11CA_USAGE, "CLOCK",
        "this machine says %s: the clocks are %lld minutes apart; type again, or \"stop\" and set the "
        "machine's clock",
        text, (long long)((apart < 0 ? -apart : apart) / MINUTE));
}

static int check_machine(struct run *run, struct p11ca_err *err)
{
    struct ledger *l;
    char now[TEXT_TIME], built[TEXT_TIME];

    text_time(home_now(run->home), now);
    text_time(build_date(), built);
    if (home_now(run->home) < build_date())
        return err_set(err, P11CA_CONFIG, "CLOCK",
            "this machine's clock says %s, but this program was built after %s: set the clock", now, built);
    /* Refused there when the last entry lies after now. */
    if (home_ledger_write(run->home, &l, err) != 0)
        return -1;
    ledger_close(l);
    run_say(run, "this machine's clock says %s", now);
    return 0;
}

static int check_clock_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    AUTO_STR typed = NULL;

    if (check_machine(run, err) != 0 ||
        run_ask(run, script_actor(run->script, step), "the time on the wall, UTC, as YYYY-MM-DD HH:MM",
            check_typed, run, &typed, err) != 0)
        return -1;
    return json_object_set_new(result, "typed", typed ? json_string(typed) : json_null()) == 0
               ? 0
               : err_nomem(err);
}

/* --- verify-files, hash-announce --- */

static const struct conf_field verify_files_fields[] = {
    STEP_COMMON, STEP_STR("file", true, file), STEP_STR("sha256", false, sha256)};

static int verify_files_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    const char *want = step->args.sha256;
    uint8_t sha256[SHA256_LEN];

    if (want && text_unhex(want, sha256, sizeof(sha256)) != SHA256_LEN)
        return script_err(plan->script, step, err, "sha256: want 64 hex digits");
    return plan_reads(plan, step, step->args.file, NULL, err);
}

static void verify_files_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "Compare the hash of %s with %s", step->args.file,
        step->args.sha256 ? "the one in this script" : "the one that was announced");
}

static int put_hash(json_t *result, const uint8_t sha256[SHA256_LEN], struct p11ca_err *err)
{
    char hex[TRANSCRIPT_HEX];

    text_hex_lower(sha256, SHA256_LEN, hex);
    return json_object_set_new(result, "sha256", json_string(hex)) == 0 ? 0 : err_nomem(err);
}

static int verify_files_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    uint8_t have[SHA256_LEN], want[SHA256_LEN];
    char hex[TRANSCRIPT_HEX];
    bool asked = false;

    if (run_digest(run, step->args.file, have, err) != 0)
        return -1;
    text_hex_lower(have, sizeof(have), hex);
    if (step->args.sha256) {
        if (text_unhex(step->args.sha256, want, sizeof(want)) != SHA256_LEN ||
            memcmp(have, want, sizeof(have)) != 0)
            return err_set(err, P11CA_REFUSED, "HASH_MISMATCH", "%s: SHA-256: want %s, have %s",
                step->args.file, step->args.sha256, hex);
    } else if (run_read_back(run, step->args.file, have, &asked, err) != 0) {
        return -1;
    }
    if (json_object_set_new(result, "compared",
            json_string(step->args.sha256 ? "with the script"
                        : asked           ? "by a person"
                                          : "not: nobody was asked")) != 0)
        return err_nomem(err);
    return put_hash(result, have, err);
}

static const struct conf_field hash_announce_fields[] = {STEP_COMMON, STEP_STR("file", false, file)};

static int hash_announce_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    return step->args.file ? plan_reads(plan, step, step->args.file, NULL, err) : 0;
}

static void hash_announce_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "Read the hash of %s aloud, and write it on the paper",
        step->args.file ? step->args.file : "this script");
}

static int hash_announce_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];

    memcpy(sha256, run->script->sha256, sizeof(sha256));
    if (step->args.file && run_digest(run, step->args.file, sha256, err) != 0)
        return -1;
    run_say_hash(run, step->args.file ? step->args.file : "this script", sha256);
    if (run_confirm(run, script_actor(run->script, step), "was it read aloud and written down?", err) != 0)
        return -1;
    return put_hash(result, sha256, err);
}

/* --- backup-note --- */

static const struct conf_field backup_note_fields[] = {
    STEP_COMMON, STEP_STR("text", true, text), STEP_STR("ask", false, ask)};

#define backup_note_check    say_check
#define backup_note_describe say_describe

static int backup_note_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    const char *question = step->args.ask ? step->args.ask : "where is it kept (bag, safe, seal number)?";
    AUTO_STR typed = NULL;

    if (run_ask(run, script_actor(run->script, step), question, run_not_empty, NULL, &typed, err) != 0)
        return -1;
    return json_object_set_new(result, "noted", typed ? json_string(typed) : json_null()) == 0
               ? 0
               : err_nomem(err);
}

const struct step_kind steps_talk[] = {
    STEP_KIND("say", say, "Everybody has heard it", NULL),
    STEP_KIND("confirm", confirm, "It is so", NULL),
    STEP_KIND("check-clock", check_clock, "The clocks are less than two minutes apart", NULL),
    STEP_KIND("verify-files", verify_files, "The hashes are equal", NULL),
    STEP_KIND("hash-announce", hash_announce, "The hash stands on the paper", NULL),
    STEP_KIND("backup-note", backup_note, "The place is written down", NULL),
    {.name = NULL},
};
