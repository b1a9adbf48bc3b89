/* Steps on tokens and their keys. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/shares.h"
#include "base/text.h"
#include "ceremony/run.h"
#include "ceremony/steps.h"
#include "issue/ca.h"
#include "token/evidence.h"
#include "token/inventory.h"
#include "x509/pem.h"
#include "x509/stand_in.h"

SCOPE_DEFINE(token, struct token *, token_close)
#define AUTO_TOKEN SCOPED(token) struct token *

static int need_token(
    struct plan *plan, const struct step *step, const struct token_binding **ret, struct p11ca_err *err)
{
    struct p11ca_err why;

    if (home_token(plan->home, step->args.token, ret, &why) != 0)
        return script_err(plan->script, step, err, "%s", why.msg);
    return 0;
}

static int open_token(
    const struct run *run, const struct step *step, bool writable, struct token **ret, struct p11ca_err *err)
{
    const struct token_binding *b;

    if (home_token(run->home, step->args.token, &b, err) != 0)
        return -1;
    return token_open(ret, b, &run->home->env, writable, err);
}

static void put_fact(void *arg, const char *name, const char *value)
{
    json_object_set_new(arg, name, json_string(value));
}

static int put_token(const struct token *t, json_t *result, struct p11ca_err *err)
{
    json_t *facts = json_object();

    if (!facts || json_object_set_new(result, "token", facts) != 0)
        return err_nomem(err);
    return evidence_token(t, put_fact, facts, err);
}

/* --- init-token --- */

static const struct conf_field init_token_fields[] = {STEP_COMMON, STEP_STR("token", true, token)};

static int init_token_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    const struct token_binding *b;

    if (need_token(plan, step, &b, err) != 0)
        return -1;
    plan->pin_missing[b - plan->home->tokens] = token_sets_pin_later(b);
    return 0;
}

static void init_token_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "Initialise the blank token '%s' and set its PINs", step->args.token);
}

static int init_token_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    const struct token_binding *b;
    AUTO_TOKEN t = NULL;

    if (home_token(run->home, step->args.token, &b, err) != 0 ||
        token_init(b, &run->home->env, run->again, err) != 0 || open_token(run, step, false, &t, err) != 0)
        return -1;
    return put_token(t, result, err);
}

/* --- check-empty-token --- */

static const struct conf_field check_empty_token_fields[] = {
    STEP_COMMON, STEP_STR("token", true, token), STEP_STRS("allow", allow)};

static int check_empty_token_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    const struct token_binding *b;

    return need_token(plan, step, &b, err);
}

static void check_empty_token_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "List every object on token '%s': nothing but the recorded keys of its authorities",
        step->args.token);
}

/* Labels and IDs of keys that must be there: those the ledger has recorded on this token and not recorded as destroyed. */
struct expected {
    const char *labels[64];
    char ids[64][2 * KEY_ID_MAX + 1];
    bool found[64];
    size_t n;
};

static int expect_key(
    struct expected *e, struct ledger *l, const struct authority_conf *conf, struct p11ca_err *err)
{
    AUTO_RECORD record = NULL;
    uint8_t sha256[SHA256_LEN];
    int destroyed;

    if (ledger_get_authority(l, conf->name, &record, err) != 0)
        return -1;
    if (!record)
        return 0;
    if (hash_sha256(record->spki.p, record->spki.len, sha256) != 0)
        return err_nomem(err);
    destroyed = ledger_key_destroyed(l, sha256, err);
    if (destroyed == 0 && record->key_id.len <= KEY_ID_MAX &&
        e->n < sizeof(e->labels) / sizeof(e->labels[0])) {
        text_hex(record->key_id.p, record->key_id.len, e->ids[e->n]);
        e->labels[e->n++] = conf->key;
    }
    return destroyed < 0 ? -1 : 0;
}

static int expect_keys(
    const struct run *run, const struct token *t, struct expected *e, struct p11ca_err *err)
{
    AUTO_LEDGER l = NULL;
    size_t i;

    if (home_ledger_write(run->home, &l, err) != 0)
        return -1;
    for (i = 0; i < run->home->n_authorities; i++) {
        if (run->home->authorities[i].token == t->binding &&
            expect_key(e, l, &run->home->authorities[i], err) != 0)
            return -1;
    }
    return 0;
}

struct look {
    struct expected *expected;
    const struct conf_strs *allow;
    json_t *objects;
    struct buf strangers;
};

static bool is_expected(struct look *look, const struct object_seen *o)
{
    struct expected *e = look->expected;
    size_t i;

    for (i = 0; i < look->allow->n; i++) {
        if (strcmp(look->allow->v[i], o->label) == 0)
            return true;
    }
    for (i = 0; i < e->n; i++) {
        if (strcmp(e->labels[i], o->label) != 0 || strcmp(e->ids[i], o->id) != 0)
            continue;
        if (strcmp(o->class, "private key") == 0) {
            bool first = !e->found[i];

            e->found[i] = true;
            return first;
        }
        return strcmp(o->class, "public key") == 0;
    }
    return false;
}

/* Tokens list them in an order of their own: two transcripts should not. */
static void insert_sorted(json_t *list, json_t *object)
{
    static const char *const keys[] = {"class", "label", "id"};
    size_t i, k;
    int order;

    for (i = 0; i < json_array_size(list); i++) {
        for (order = 0, k = 0; order == 0 && k < 3; k++)
            order = strcmp(transcript_str(object, keys[k]), transcript_str(json_array_get(list, i), keys[k]));
        if (order < 0)
            break;
    }
    json_array_insert_new(list, i, object);
}

static void see(void *arg, const struct object_seen *o)
{
    struct look *look = arg;

    insert_sorted(look->objects, json_pack("{s:s,s:s,s:s,s:s,s:b}", "class", o->class, "label", o->label,
                                     "id", o->id, "type", o->type, "private", o->is_private));
    if (!is_expected(look, o))
        buf_addf(&look->strangers, "%s%s '%s'", look->strangers.len ? ", " : "", o->class, o->label);
}

static int judge(const struct token *t, struct look *look, bool logged_in, struct p11ca_err *err)
{
    size_t i;

    if (look->strangers.len && !buf_str(&look->strangers))
        return err_nomem(err);
    if (look->strangers.len)
        return err_set(err, P11CA_TOKEN, "TOKEN_NOT_EMPTY",
            "token '%s': want nothing but the recorded keys of its authorities, have also %s",
            t->binding->name, (char *)look->strangers.p);
    for (i = 0; logged_in && i < look->expected->n; i++) {
        if (!look->expected->found[i])
            return err_set(err, P11CA_TOKEN, "KEY_NOT_FOUND",
                "token '%s': want the recorded key '%s', have none", t->binding->name,
                look->expected->labels[i]);
    }
    return 0;
}

/* A token whose user PIN is still to be set shows what is public. */
static int check_empty_token_run(
    struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    struct expected expected = {.n = 0};
    struct look look = {.expected = &expected, .allow = &step->args.allow, .strangers = BUF_INIT};
    struct inventory all;
    AUTO_TOKEN t = NULL;
    int rc;

    if (open_token(run, step, false, &t, err) != 0 || expect_keys(run, t, &expected, err) != 0 ||
        ((t->info.flags & CKF_USER_PIN_INITIALIZED) && token_login(t, err) != 0))
        return -1;
    look.objects = json_array();
    if (!look.objects || json_object_set_new(result, "objects", look.objects) != 0)
        return err_nomem(err);
    rc = inventory(t, see, &look, &all, err);
    if (rc == 0)
        rc = judge(t, &look, all.logged_in, err);
    buf_done(&look.strangers);
    json_object_set_new(result, "logged_in", json_boolean(rc == 0 && all.logged_in));
    return rc == 0 ? put_token(t, result, err) : -1;
}

/* --- set-pin --- */

static const struct conf_field set_pin_fields[] = {STEP_COMMON, STEP_STR("token", true, token),
    STEP_STRS("custodians", custodians), STEP_INT("threshold", false, threshold)};

/* The shares in the way may be those of the PIN in force. Resumed, they are of the attempt before. */
static int check_no_shares(
    const struct plan *plan, const struct step *step, const struct token_binding *b, struct p11ca_err *err)
{
    size_t i;

    if (plan->lenient || strncmp(b->pin, "shares:", 7) != 0)
        return 0;
    for (i = 1; i <= SHARES_MAX; i++) {
        AUTO_STR start = path_join(plan->home->dir, b->pin + 7);
        AUTO_STR path = NULL;

        if (!start || asprintf(&path, "%s.%zu", start, i) < 0) {
            path = NULL;
            return err_nomem(err);
        }
        if (file_exists(path))
            return script_err(plan->script, step, err, "%s: exists, nothing is overwritten", path);
    }
    return 0;
}

static int set_pin_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    const struct step_args *a = &step->args;
    const struct token_binding *b;

    if (need_token(plan, step, &b, err) != 0)
        return -1;
    if (!token_sets_pin_later(b) && (a->custodians.n || a->threshold))
        return script_err(plan->script, step, err,
            "token '%s': its pin in p11ca.conf is '%s': want \"shares\" or \"shares:PATH\" for custodians",
            b->name, b->pin);
    if (token_sets_pin_later(b) &&
        (a->threshold < 2 || (size_t)a->threshold > a->custodians.n || a->custodians.n > SHARES_MAX))
        return script_err(plan->script, step, err,
            "token '%s': its PIN is in shares: want 2 to %d custodians and a threshold from 2 to their "
            "number, have "
            "%zu and %d",
            b->name, SHARES_MAX, a->custodians.n, a->threshold);
    if (check_no_shares(plan, step, b, err) != 0)
        return -1;
    plan->pin_missing[b - plan->home->tokens] = false;
    return 0;
}

static void set_pin_describe(const struct step *step, struct buf *ret)
{
    if (step->args.custodians.n)
        buf_addf(ret,
            "Draw the user PIN of token '%s' and give each of %zu custodians a share; any %d give it back",
            step->args.token, step->args.custodians.n, step->args.threshold);
    else
        buf_addf(ret, "Set the user PIN of token '%s'", step->args.token);
}

struct share_set {
    struct secret v[SHARES_MAX];
};

static void share_set_done(struct share_set *s)
{
    size_t i;

    for (i = 0; i < SHARES_MAX; i++)
        secret_done(&s->v[i]);
}

/* What is there comes from an attempt that was not finished: those shares open nothing. */
static int write_share(
    struct run *run, const char *prefix, size_t i, const struct secret *share, struct p11ca_err *err)
{
    char name[512];
    AUTO_STR path = NULL;

    snprintf(name, sizeof(name), "%.480s.%zu", prefix, i + 1);
    path = run_path(run, name);
    return path ? file_write(path, FILE_REPLACE, 0600, share->p, share->len, err) : err_nomem(err);
}

static int hand_out(struct run *run, const struct step *step, const struct token *t, size_t i,
    const struct secret *share, struct p11ca_err *err)
{
    const struct p11ca_ui *ui = run->home->env.ui;
    const char *path = strncmp(t->binding->pin, "shares:", 7) == 0 ? t->binding->pin + 7 : NULL;
    AUTO_BUF heading = BUF_INIT;

    if (path)
        return write_share(run, path, i, share, err);
    if (run->rehearsal)
        buf_adds(&heading, "REHEARSAL - ");
    run_who(run, script_role(run->script, step->args.custodians.v[i]), &heading);
    buf_addf(&heading, ": share %zu of %zu of the PIN of token '%s'", i + 1, step->args.custodians.n,
        t->binding->name);
    if (!buf_str(&heading))
        return err_nomem(err);
    if (!ui || !ui->reveal || ui->reveal(ui->ctx, (char *)heading.p, share->p) != 0)
        return err_set(err, P11CA_LOGIN, "SHARE_MISSING",
            "token '%s': nobody is there to be given a share (pin = \"shares:PATH\" writes them to files)",
            t->binding->name);
    return 0;
}

/* The PIN is set when its shares have given it back: a slip of a pen would lock everybody out. */
static int try_shares(
    const struct run *run, const struct token *t, const struct secret *pin, struct p11ca_err *err)
{
    AUTO_SECRET back = SECRET_INIT;
    char prompt[128];

    snprintf(prompt, sizeof(prompt), "the PIN of token '%.64s'", t->binding->name);
    run_say(run, "the shares are tried before the PIN is set");
    if (secret_read(&back, t->binding->pin, run->home->env.base, prompt, run->home->env.ui, err) != 0)
        return -1;
    if (back.len == pin->len && CRYPTO_memcmp(back.p, pin->p, pin->len) == 0)
        return 0;
    return err_set(err, P11CA_LOGIN, "SHARE_CHECK",
        "token '%s': these shares give another PIN: they are from an earlier set", t->binding->name);
}

static int set_shared_pin(struct run *run, const struct step *step, struct token *t, struct p11ca_err *err)
{
    __attribute__((cleanup(share_set_done))) struct share_set shares = {.v = {SECRET_INIT}};
    AUTO_SECRET pin = SECRET_INIT;
    size_t n = step->args.custodians.n, i;

    if (token_draw_pin(t, &pin, err) != 0 ||
        shares_split(&pin, (unsigned)step->args.threshold, (unsigned)n, shares.v, err) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        if (hand_out(run, step, t, i, &shares.v[i], err) != 0)
            return -1;
    }
    return try_shares(run, t, &pin, err) != 0 ? -1 : token_set_pin(t, &pin, err);
}

static json_t *custodians(const struct run *run, const struct step *step)
{
    json_t *list = json_array();
    size_t i;

    for (i = 0; list && i < step->args.custodians.n; i++)
        json_array_append_new(list, run_who_json(run, step->args.custodians.v[i]));
    return list;
}

static int set_pin_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    AUTO_TOKEN t = NULL;

    if (open_token(run, step, true, &t, err) != 0)
        return -1;
    if (!step->args.custodians.n)
        return token_set_pin(t, NULL, err);
    if (set_shared_pin(run, step, t, err) != 0)
        return -1;
    json_object_set_new(result, "custodians", custodians(run, step));
    json_object_set_new(result, "threshold", json_integer(step->args.threshold));
    return 0;
}

/* --- generate-key --- */

static const struct conf_field generate_key_fields[] = {
    STEP_COMMON, STEP_STR("authority", true, authority), STEP_STR("algorithm", true, algorithm)};

static int generate_key_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    struct p11ca_err why;
    struct planned *a;
    struct spki spki;

    if (plan_authority(plan, step, step->args.authority, &a, err) != 0)
        return -1;
    if (stand_in_key(step->args.algorithm, &spki, &why) != 0)
        return script_err(plan->script, step, err, "%s", why.msg);
    if (a->has_key && !plan->lenient)
        return script_err(plan->script, step, err, "authority '%s': has a key already", a->conf->name);
    if (!a->has_key)
        a->spki = spki;
    a->has_key = true;
    /* What cannot be used cannot be generated either: no token, nobody who can log in. */
    return plan_signer(plan, step, step->args.authority, &a, err);
}

static void generate_key_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret,
        "Generate the %s key of authority '%s' inside its token, read its attributes back, and try to get it "
        "out",
        step->args.algorithm, step->args.authority);
}

/* The ID is on disk before the token is asked: a key with it can only be of this step. */
static int generate_key_intent(struct run *run, const struct step *step, json_t *ret, struct p11ca_err *err)
{
    char hex[2 * KEY_ID_LEN + 1];
    uint8_t id[KEY_ID_LEN];

    (void)run, (void)step;
    if (key_draw_id(id, err) != 0)
        return -1;
    text_hex_lower(id, sizeof(id), hex);
    return json_object_set_new(ret, "id", json_string(hex)) == 0 ? 0 : err_nomem(err);
}

struct evidence {
    struct run *run;
    const struct step *step;
    json_t *result, *attributes, *probes;
};

static void put_attribute(void *arg, const char *object, const char *name, const char *value)
{
    struct evidence *e = arg;

    json_array_append_new(
        e->attributes, json_pack("{s:s,s:s,s:s}", "object", object, "name", name, "value", value));
}

static void put_probe(void *arg, const char *probe, const char *answer, bool refused)
{
    struct evidence *e = arg;

    json_array_append_new(
        e->probes, json_pack("{s:s,s:s,s:b}", "probe", probe, "answer", answer, "refused", refused));
}

static int keep_public(struct run *run, const struct step *step, const struct key *k, struct p11ca_err *err)
{
    AUTO_BUF pem = BUF_INIT;
    char name[96];

    pem_encode(PEM_PUBKEY, der_buf(&k->spki), &pem);
    snprintf(name, sizeof(name), "%s.pub.pem", step->args.authority);
    return buf_ok(&pem) ? run_keep_bytes(run, name, pem.p, pem.len, err) : err_nomem(err);
}

static int put_key(json_t *result, const struct key *k, const char *algorithm, struct p11ca_err *err)
{
    char id[2 * KEY_ID_MAX + 1], hex[TRANSCRIPT_HEX];
    uint8_t sha256[SHA256_LEN];

    if (hash_sha256(k->spki.p, k->spki.len, sha256) != 0)
        return err_nomem(err);
    text_hex_lower(sha256, sizeof(sha256), hex);
    text_hex_lower(k->id, k->id_len, id);
    return json_object_set_new(result, "key",
               json_pack("{s:s,s:s,s:s,s:s}", "label", k->label, "id", id, "algorithm", algorithm, "sha256",
                   hex)) == 0
               ? 0
               : err_nomem(err);
}

static int take_evidence(void *arg, const struct key *k, struct p11ca_err *err)
{
    struct evidence *e = arg;

    if (put_key(e->result, k, e->step->args.algorithm, err) != 0 || put_token(k->token, e->result, err) != 0)
        return -1;
    e->attributes = json_array();
    e->probes = json_array();
    if (json_object_set_new(e->result, "adopted", json_boolean(k->adopted)) != 0 ||
        json_object_set_new(e->result, "attributes", e->attributes) != 0 ||
        json_object_set_new(e->result, "probes", e->probes) != 0)
        return err_nomem(err);
    if (evidence_attributes(k, put_attribute, e, err) != 0 || evidence_probes(k, put_probe, e, err) != 0)
        return -1;
    return keep_public(e->run, e->step, k, err);
}

static int generate_key_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    struct evidence e = {.run = run, .step = step, .result = result};
    const struct key_hooks hooks = {take_evidence, &e};
    uint8_t id[KEY_ID_LEN];

    if (text_unhex(transcript_str(run->intent, "id"), id, sizeof(id)) != KEY_ID_LEN)
        return err_set(err, P11CA_NEGATIVE, "TRANSCRIPT_BROKEN", "the step's intent has no key ID");
    return ca_generate_key(run->home, step->args.authority, step->args.algorithm, id, &hooks, err);
}

/* --- destroy-key --- */

static const struct conf_field destroy_key_fields[] = {STEP_COMMON, STEP_STR("authority", true, authority)};

static int destroy_key_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    struct planned *a;

    if (plan_signer(plan, step, step->args.authority, &a, err) != 0)
        return -1;
    a->destroyed = true;
    return 0;
}

static void destroy_key_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "DESTROY the private key of authority '%s' in its token, for ever", step->args.authority);
}

static int check_label(void *arg, const char *answer, struct p11ca_err *err)
{
    const struct authority_conf *conf = arg;

    return strcmp(answer, conf->key) == 0
               ? 0
               : err_set(err, P11CA_USAGE, "ANSWER", "that is not the key's label: type it, or \"stop\"");
}

static int destroy_key_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    const struct authority_conf *conf;
    AUTO_STR typed = NULL;

    if (home_authority(run->home, step->args.authority, &conf, err) != 0)
        return -1;
    run_say(run, "the key '%s' of authority '%s' in token '%s' will be destroyed", conf->key, conf->name,
        conf->token->name);
    if (run_ask(run, script_actor(run->script, step), "to destroy it, type the label of the key", check_label,
            (void *)(uintptr_t)conf, &typed, err) != 0 ||
        ca_destroy_key(run->home, conf->name, run->again, err) != 0)
        return -1;
    return json_object_set_new(result, "key", json_string(conf->key)) == 0 ? 0 : err_nomem(err);
}

const struct step_kind steps_token[] = {
    STEP_KIND("init-token", init_token, "The token has its label, and its PINs are known", NULL),
    STEP_KIND("check-empty-token", check_empty_token, "The token holds nothing that is not expected", NULL),
    STEP_KIND("set-pin", set_pin, "The PIN is set, and opens the token", NULL),
    STEP_KIND("generate-key", generate_key,
        "Every attribute is as the key policy wants it; every probe is refused", generate_key_intent),
    STEP_KIND("destroy-key", destroy_key, "The key is gone", NULL),
    {.name = NULL},
};
