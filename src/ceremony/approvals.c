#include "ceremony/approvals.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/text.h"
#include "ceremony/approver.h"
#include "ceremony/folder.h"
#include "x509/pem.h"

/* What is signed, and by whom it was. */
struct tally {
    struct run *run;
    struct der plan;
    char hex[TRANSCRIPT_HEX]; /* SHA-256 of plan */
    bool has[LIMIT_ROLES];    /* as in script->approvals_of */
    size_t n;
};

static const struct role *role_at(const struct run *run, size_t i)
{
    return script_role(run->script, run->script->approvals_of.v[i]);
}

static const struct person *person_at(const struct run *run, size_t i)
{
    return people_get(run->people, run->script, role_at(run, i));
}

static int spki_hex(const struct spki *key, char ret[TRANSCRIPT_HEX], struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];

    if (spki_sha256(key, sha256, err) != 0)
        return -1;
    text_hex_lower(sha256, sizeof(sha256), ret);
    return 0;
}

/* --- whose keys may approve --- */

/* Who uses the keys of authorities is not who says what they are used for. */
static int refuse_authority(
    const struct run *run, const struct role *role, const struct spki *key, struct p11ca_err *err)
{
    AUTO_LEDGER l = NULL;
    size_t i;

    if (!file_exists(run->home->ledger_path))
        return 0;
    if (home_ledger_read(run->home, &l, err) != 0)
        return -1;
    for (i = 0; i < run->home->n_authorities; i++) {
        AUTO_RECORD record = NULL;

        if (ledger_get_authority(l, run->home->authorities[i].name, &record, err) != 0)
            return -1;
        if (record && der_equal(spki_der(key), DER_OF(record->spki.p, record->spki.len)))
            return err_set(err, P11CA_REFUSED, "APPROVAL_KEY",
                "role '%s': the key of authority '%s' cannot approve", role->name,
                run->home->authorities[i].name);
    }
    return 0;
}

static int refuse_twice(const char *role, const char *other, struct p11ca_err *err)
{
    return err_set(err, P11CA_REFUSED, "APPROVAL_TWICE",
        "roles '%s' and '%s' have the same key: one key approves once", other, role);
}

static int check_token(const struct run *run, const struct person *p, struct p11ca_err *err)
{
    const struct token_binding *binding;
    struct p11ca_err why;

    if (!p->token || run->rehearsal || home_token(run->home, p->token, &binding, &why) == 0)
        return 0;
    return conf_err(&run->people->conf, p->at, err, "%s", why.msg);
}

int approvals_check(const struct run *run, struct p11ca_err *err)
{
    size_t i, k;

    for (i = 0; i < run->script->approvals_of.n; i++) {
        struct person *p = &run->people->of[role_at(run, i) - run->script->roles];
        struct spki key;

        if (check_token(run, p, err) != 0)
            return -1;
        if (!p->certificate)
            continue;
        if (approver_certificate(p, home_now(run->home), &key, err) != 0 ||
            refuse_authority(run, role_at(run, i), &key, err) != 0 || spki_hex(&key, p->approver, err) != 0)
            return -1;
        for (k = 0; k < i; k++) {
            if (strcmp(person_at(run, k)->approver, p->approver) == 0)
                return refuse_twice(role_at(run, i)->name, role_at(run, k)->name, err);
        }
    }
    return 0;
}

/* --- what was signed already --- */

/* A rehearsal's approvals are by keys that nobody has. */
static int check_approver(const struct tally *t, size_t i, const char *hex, struct p11ca_err *err)
{
    const char *want = person_at(t->run, i)->approver;

    if (t->run->rehearsal || !want[0] || strcmp(want, hex) == 0)
        return 0;
    return err_set(err, P11CA_REFUSED, "APPROVAL_KEY", "role '%s': want an approval with the key %s, have %s",
        role_at(t->run, i)->name, want, hex);
}

/* The approval of this plan by the role, or by the key; NULL: none. */
static const json_t *find_line(const struct tally *t, const char *member, const char *value)
{
    const json_t *lines = transcript_lines(t->run->transcript), *line;
    size_t at = 0;

    while ((line = transcript_find(lines, &at, "approval", 0))) {
        if (strcmp(transcript_str(line, "plan"), t->hex) == 0 &&
            strcmp(transcript_str(line, member), value) == 0)
            return line;
    }
    return NULL;
}

#define ARTEFACT      "artefacts/approval-%.12s.pem"
#define ARTEFACT_NAME sizeof(ARTEFACT "123456789012")

static bool listed(const json_t *files, const char *artefact)
{
    const json_t *file;
    size_t i;

    json_array_foreach(files, i, file)
    {
        if (strcmp(transcript_str(file, "artefact"), artefact) == 0)
            return true;
    }
    return false;
}

/* In the files of one done line: that of this step, unless an earlier one has it. */
static int list_file(struct run *run, const char *artefact, const struct buf *pem, struct p11ca_err *err)
{
    const json_t *lines = transcript_lines(run->transcript), *line;
    char hex[TRANSCRIPT_HEX];
    uint8_t sha256[SHA256_LEN];
    size_t at = 0;

    while ((line = transcript_find(lines, &at, "done", 0))) {
        if (listed(json_object_get(line, "files"), artefact))
            return 0;
    }
    if (listed(run->files, artefact))
        return 0;
    if (hash_sha256(pem->p, pem->len, sha256) != 0)
        return err_nomem(err);
    text_hex_lower(sha256, sizeof(sha256), hex);
    return json_array_append_new(run->files, json_pack("{s:s,s:s,s:s}", "file", strrchr(artefact, '/') + 1,
                                                 "artefact", artefact, "sha256", hex)) == 0
               ? 0
               : err_nomem(err);
}

/* What an attempt before this one got is not believed because it is written there. */
static int check_line(const struct tally *t, const json_t *line, const struct buf *pem, struct p11ca_err *err)
{
    uint8_t sig[LIMIT_SIGNATURE];
    char hex[TRANSCRIPT_HEX];
    struct spki key;
    int len = text_unhex(transcript_str(line, "signature"), sig, sizeof(sig));

    if (spki_read_file(pem->p, pem->len, &key, err) != 0 || spki_hex(&key, hex, err) != 0)
        return -1;
    if (len < 0 || strcmp(transcript_str(line, "key"), hex) != 0)
        return err_set(err, P11CA_REFUSED, "APPROVAL_BAD", "not the key that signed");
    return approver_verify(&key, t->plan, DER_OF(sig, (size_t)len), err);
}

static int take_recorded(struct tally *t, size_t i, struct p11ca_err *err)
{
    const char *role = role_at(t->run, i)->name;
    const json_t *line = find_line(t, "role", role);
    AUTO_BUF pem = BUF_INIT;
    char name[ARTEFACT_NAME];

    if (!line)
        return 0;
    snprintf(name, sizeof(name), ARTEFACT, role);
    if (folder_read(t->run->dir, name, &pem, err) != 0)
        return -1;
    if (check_line(t, line, &pem, err) != 0 || check_approver(t, i, transcript_str(line, "key"), err) != 0) {
        err->kind = P11CA_REFUSED;
        return err_prefix(err, "%s/%s: the approval of '%s' in the transcript", t->run->dir, name, role);
    }
    t->has[i] = true;
    t->n++;
    return list_file(t->run, name, &pem, err);
}

/* --- what is signed now --- */

static int check_new_key(
    const struct tally *t, size_t i, const struct spki *key, const char *hex, struct p11ca_err *err)
{
    const struct role *role = role_at(t->run, i);
    const json_t *other = find_line(t, "key", hex);

    if (other)
        return refuse_twice(role->name, transcript_str(other, "role"), err);
    if (check_approver(t, i, hex, err) != 0)
        return -1;
    return refuse_authority(t->run, role, key, err);
}

/* The key first: a line of the transcript never speaks of a file that is not there. */
static int record(
    struct tally *t, size_t i, const struct spki *key, const struct buf *sig, struct p11ca_err *err)
{
    const struct role *role = role_at(t->run, i);
    char name[ARTEFACT_NAME], hex[TRANSCRIPT_HEX], sig_hex[2 * LIMIT_SIGNATURE + 1];
    AUTO_BUF pem = BUF_INIT;

    if (spki_hex(key, hex, err) != 0 || check_new_key(t, i, key, hex, err) != 0)
        return -1;
    pem_encode(PEM_PUBKEY, spki_der(key), &pem);
    if (!buf_ok(&pem))
        return err_nomem(err);
    snprintf(name, sizeof(name), ARTEFACT, role->name);
    text_hex_lower(sig->p, sig->len, sig_hex);
    if (folder_write(t->run->dir, name, pem.p, pem.len, err) != 0 ||
        run_note(t->run, "approval",
            json_pack("{s:s,s:s?,s:s,s:s,s:s}", "role", role->name, "name", person_at(t->run, i)->name,
                "plan", t->hex, "key", hex, "signature", sig_hex),
            err) != 0)
        return -1;
    run_say(t->run, "approved by '%s', key %.16s...", role->name, hex);
    t->has[i] = true;
    t->n++;
    return list_file(t->run, name, &pem, err);
}

static int take_signature(struct tally *t, size_t i, const char *path, struct p11ca_err *err)
{
    const struct person *p = person_at(t->run, i);
    AUTO_BUF sig = BUF_INIT;
    struct spki key;

    if (!p->certificate)
        return err_set(err, P11CA_REFUSED, "APPROVAL_KEY",
            "%s: no certificate of '%s' to check it with (certificate in the people file)", path,
            role_at(t->run, i)->name);
    if (file_read(path, LIMIT_SIGNATURE, &sig, err) != 0 ||
        approver_certificate(p, home_now(t->run->home), &key, err) != 0)
        return -1;
    if (approver_verify(&key, t->plan, der_buf(&sig), err) != 0)
        return err_set(err, P11CA_REFUSED, "APPROVAL_BAD",
            "%s: signature: want one over " FOLDER_PLAN " by the key of %s with %s, have another", path,
            p->certificate_path, sigalg_for_key(&key)->text);
    return record(t, i, &key, &sig, err);
}

static int take_file(struct tally *t, size_t i, struct p11ca_err *err)
{
    AUTO_STR path = NULL;
    char name[32];

    if (!t->run->options->approvals)
        return 0;
    snprintf(name, sizeof(name), "%.12s.sig", role_at(t->run, i)->name);
    path = path_join(t->run->options->approvals, name);
    if (!path)
        return err_nomem(err);
    return file_exists(path) ? take_signature(t, i, path, err) : 0;
}

/* Who says no does not stop the others: they may be enough. */
static int take_token(struct tally *t, size_t i, struct p11ca_err *err)
{
    struct run *run = t->run;
    const struct person *p = person_at(run, i);
    AUTO_BUF sig = BUF_INIT;
    struct p11ca_err no;
    struct spki key;

    if (!p->token && !run->rehearsal)
        return 0;
    if (run_confirm(run, role_at(run, i), "approve the plan with your key?", &no) != 0) {
        if (strcmp(no.code, "STOPPED") == 0)
            return 0;
        *err = no;
        return -1;
    }
    if ((run->rehearsal ? approver_stand_in(t->plan, &key, &sig, err)
                        : approver_sign(run->home, p, t->plan, &key, &sig, err)) != 0)
        return err_prefix(err, "approval of '%s'", role_at(run, i)->name);
    return record(t, i, &key, &sig, err);
}

static int not_enough(const struct tally *t, struct p11ca_err *err)
{
    const struct script *s = t->run->script;
    AUTO_BUF of = BUF_INIT, have = BUF_INIT;
    size_t i;

    for (i = 0; i < s->approvals_of.n; i++) {
        buf_addf(&of, "%s%s", i ? ", " : "", s->approvals_of.v[i]);
        if (t->has[i])
            buf_addf(&have, "%s%s", have.len ? ", " : "", s->approvals_of.v[i]);
    }
    if (!buf_str(&of) || !buf_str(&have))
        return err_nomem(err);
    if (!t->n)
        return err_set(err, P11CA_REFUSED, "APPROVALS",
            "want %zu approvals of " FOLDER_PLAN " by %s; have none", s->approvals_need, (char *)of.p);
    return err_set(err, P11CA_REFUSED, "APPROVALS",
        "want %zu approvals of " FOLDER_PLAN " by %s; have %zu (%s)", s->approvals_need, (char *)of.p, t->n,
        (char *)have.p);
}

typedef int take_fn(struct tally *t, size_t i, struct p11ca_err *err);

int approvals_need(struct run *run, struct p11ca_err *err)
{
    static take_fn *const takes[] = {take_recorded, take_file, take_token};
    struct tally t = {.run = run, .plan = der_buf(&run->plan->text)};
    uint8_t sha256[SHA256_LEN];
    size_t k, i;

    if (hash_sha256(t.plan.p, t.plan.len, sha256) != 0)
        return err_nomem(err);
    text_hex_lower(sha256, sizeof(sha256), t.hex);
    for (k = 0; k < sizeof(takes) / sizeof(takes[0]); k++) {
        for (i = 0; i < run->script->approvals_of.n; i++) {
            /* Of those recorded all are taken: their files are to be listed. */
            if (!t.has[i] && (k == 0 || t.n < run->script->approvals_need) && takes[k](&t, i, err) != 0)
                return -1;
        }
    }
    return t.n < run->script->approvals_need ? not_enough(&t, err) : 0;
}
