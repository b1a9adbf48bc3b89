/* A ceremony and its rehearsal, line by line: what is not allowed to differ is a fault. */
#include "ceremony/compare.h"

#include <stdio.h>
#include <string.h>

#include "ceremony/verify.h"

/* --- members of the lines --- */

enum rule {
    EQUAL,
    OWN,   /* differs as every line does: not told */
    MAY,   /* differ, and so may all that is in it */
    MUST,  /* differ: equal ones mean that the rehearsal used what is real */
    RETRY, /* may differ when a side needed more than one attempt */
};

/* By the end of a member's path; the first row that fits counts. What has no row must be equal. */
static const struct {
    const char *path;
    enum rule rule;
} rules[] = {
    /* Of one ceremony alone: where it stands in its transcript, when, where, by whom. */
    {".line", OWN},
    {".before", OWN},
    {".time", OWN},
    {".rehearsal", OWN},
    {".ceremony", MAY},
    {".configuration", MAY},
    {".previous", MAY},
    {".ledger", MAY},
    {".environment", MAY},
    {".unattended", MAY},
    {".name", MAY},
    {"script.file", MAY},
    /* What people typed or were not there to type. */
    {".typed", MAY},
    {".noted", MAY},
    {".compared", MAY},
    {".read_back", MAY},
    /* Keys, and what is made with them. */
    {"result.serial", MUST},
    {"result.certificate", MUST},
    {"tbs.number", MAY}, /* of a certificate as result.serial; of a CRL it may be the first in both */
    {"tbs.sha256", MUST},
    {"result.crl", MUST},
    {"].crl", MUST}, /* of those that are signed ahead */
    {"].number", MAY},
    {"result.ticket", MUST},
    {"result.signer", MUST},
    {"key.id", MUST},
    {"key.sha256", MUST},
    {".sha256", MAY},
    {".words", OWN},
    {".this_update", MAY},
    {".next_update", MAY},
    {"result.number", MAY},
    {".intent", MAY},
    {".id", MAY},
    /* How many were revoked until then is each home's own. */
    {"result.entries", MAY},
    {".CKA_ID.value", MAY},
    /* What the key policy does not ask for, every make of token has its own way with. */
    {".CKA_KEY_GEN_MECHANISM.value", MAY},
    {".CKA_ALWAYS_AUTHENTICATE.value", MAY},
    {".CKA_WRAP_WITH_TRUSTED.value", MAY},
    {".CKA_COPYABLE.value", MAY},
    {".CKA_DESTROYABLE.value", MAY},
    {".CKA_TRUSTED.value", MAY},
    {".CKA_START_DATE.value", MAY},
    {".CKA_END_DATE.value", MAY},
    {".CKA_ALLOWED_MECHANISMS.value", MAY},
    {".CKA_UNIQUE_ID.value", MAY},
    {".CKA_EC_POINT.value", MUST},
    {".CKA_MODULUS.value", MUST},
    /* The token: another one, of another make. */
    {"token.serial", MUST},
    {".token", MAY},
    {".answer", MAY}, /* the token's word for a refusal; that it refused is "refused" */
    {"result.outcome", RETRY},
    {".adopted", RETRY},
};

static bool ends_with(const char *path, const char *tail)
{
    size_t len = strlen(path), n = strlen(tail);

    return len >= n && strcmp(path + len - n, tail) == 0;
}

static enum rule rule_of(const char *path)
{
    size_t i;

    for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (ends_with(path, rules[i].path))
            return rules[i].rule;
    }
    return EQUAL;
}

/* As in a line; empty when it is not there. */
static const char *show(const json_t *value, char dst[128])
{
    char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

    snprintf(dst, 128, "%s", text ? text : "nothing");
    free(text);
    return dst;
}

static void differs(struct compare *c, const char *path, const json_t *a, const json_t *b)
{
    char before[128], now[128];

    finding_bad(
        &c->f, COMPARE_DIFFERS, path, "want %s, as in the rehearsal, have %s", show(a, before), show(b, now));
}

static void walk(struct compare *c, const char *path, const json_t *a, const json_t *b, bool is_free);

/* Members of keys, looked up in a and b. */
static void walk_members(
    struct compare *c, const char *path, json_t *keys, const json_t *a, const json_t *b, bool is_free)
{
    char member[FINDING_WHAT];
    const char *key;
    json_t *ignored;

    json_object_foreach(keys, key, ignored)
    {
        snprintf(member, sizeof(member), "%.128s.%.48s", path, key);
        walk(c, member, json_object_get(a, key), json_object_get(b, key), is_free);
    }
}

static void walk_object(struct compare *c, const char *path, const json_t *a, const json_t *b, bool is_free)
{
    AUTO_JSON keys = json_deep_copy(a); /* jansson iterates only over what it may change */
    AUTO_JSON more = json_deep_copy(b);

    if (!keys || !more || json_object_update_missing(keys, more) != 0)
        c->nomem = true;
    else
        walk_members(c, path, keys, a, b, is_free);
}

/* "attributes.private.CKA_ID": rows that have a name are told, and looked up in the rules, by it. */
static void name_row(const char *path, const json_t *row, size_t i, char dst[FINDING_WHAT])
{
    const char *name = transcript_str(row, "name"), *object = transcript_str(row, "object");

    if (object[0] && name[0])
        snprintf(dst, FINDING_WHAT, "%.96s.%.16s.%.64s", path, object, name);
    else
        snprintf(dst, FINDING_WHAT, "%.160s[%zu]", path, i + 1);
}

static void walk_array(struct compare *c, const char *path, const json_t *a, const json_t *b, bool is_free)
{
    char member[FINDING_WHAT];
    size_t i;

    for (i = 0; i < json_array_size(a); i++) {
        name_row(path, json_array_get(a, i), i, member);
        walk(c, member, json_array_get(a, i), json_array_get(b, i), is_free);
    }
}

static void compare_leaf(
    struct compare *c, const char *path, const json_t *a, const json_t *b, enum rule rule, bool is_free)
{
    bool equal = a && b && json_equal(a, b);

    if (rule == MUST && equal && !json_is_null(a))
        finding_bad(&c->f, COMPARE_DIFFERS, path, "want another than in the rehearsal, have the same");
    else if (equal || rule == OWN)
        return;
    else if (rule == MUST || is_free)
        finding_good(&c->f, path, rule == MUST ? "differs, as it must" : "differs, as it may");
    else
        differs(c, path, a, b);
}

/* Down to the leaves also where everything is equal: what must differ is looked for there. */
static void walk(struct compare *c, const char *path, const json_t *a, const json_t *b, bool is_free)
{
    enum rule rule = rule_of(path);

    is_free |= rule == MAY || (rule == RETRY && c->again);
    if (json_is_object(a) && json_is_object(b))
        walk_object(c, path, a, b, is_free);
    else if (json_is_array(a) && json_is_array(b) && json_array_size(a) == json_array_size(b))
        walk_array(c, path, a, b, is_free);
    else
        compare_leaf(c, path, a, b, rule, is_free);
}

/* --- steps --- */

/* The last line of the type for the step; NULL: none. */
static const json_t *last_of(const json_t *lines, const char *type, size_t step, size_t *ret_n)
{
    const json_t *line, *last = NULL;
    size_t at = 0, n = 0;

    while ((line = transcript_find(lines, &at, type, step))) {
        last = line;
        n++;
    }
    if (ret_n)
        *ret_n = n;
    return last;
}

static void compare_last(struct compare *c, const char *what, const char *type, size_t step)
{
    const json_t *a = last_of(c->lines[0], type, step, NULL), *b = last_of(c->lines[1], type, step, NULL);
    char path[FINDING_WHAT];

    snprintf(path, sizeof(path), "%s, %s", what, type);
    if (a || b)
        walk(c, path, a, b, false);
}

/* Who approved the bytes that were shown last, in the order in which they did. */
static json_t *approvers(const json_t *lines, size_t step)
{
    const char *want = transcript_str(last_of(lines, "tbs", step, NULL), "sha256");
    json_t *list = json_array();
    const json_t *line;
    size_t at = 0;

    while ((line = transcript_find(lines, &at, "approved", step))) {
        if (strcmp(transcript_str(line, "sha256"), want) == 0)
            json_array_append(list, json_object_get(json_object_get(line, "by"), "role"));
    }
    return list;
}

static void compare_files(struct compare *c, const char *what, const json_t *a, const json_t *b)
{
    const json_t *files = json_object_get(a, "files"), *other = json_object_get(b, "files"), *file;
    size_t i;

    json_array_foreach(files, i, file)
    {
        const char *name = transcript_str(file, "artefact");
        const json_t *twin = json_array_get(other, i);

        if (strcmp(transcript_str(twin, "artefact"), name) == 0 &&
            strcmp(transcript_str(twin, "sha256"), transcript_str(file, "sha256")) != 0)
            compare_artefact(c, what, name);
    }
}

static void compare_step(struct compare *c, size_t step)
{
    AUTO_JSON before = approvers(c->lines[0], step);
    AUTO_JSON now = approvers(c->lines[1], step);
    const json_t *done[2];
    char what[64], path[FINDING_WHAT];
    size_t starts[2], i;

    snprintf(what, sizeof(what), "step %zu", step);
    snprintf(path, sizeof(path), "%s, approved", what);
    for (i = 0; i < 2; i++) {
        done[i] = last_of(c->lines[i], "done", step, NULL);
        (void)last_of(c->lines[i], "start", step, &starts[i]);
    }
    c->again = starts[0] > 1 || starts[1] > 1;
    if (!done[0] || !done[1]) {
        if (done[0] || done[1])
            finding_bad(&c->f, COMPARE_DIFFERS, what, "is done only in the %s", done[0] ? "first" : "second");
        return;
    }
    compare_last(c, what, "start", step);
    compare_last(c, what, "tbs", step);
    walk(c, path, before, now, false);
    compare_last(c, what, "done", step);
    compare_files(c, what, done[0], done[1]);
}

/* --- the whole --- */

/* Step numbers in the order of the lines of the type. */
static size_t highest_step(const json_t *lines)
{
    const json_t *line;
    size_t at = 0, most = 0;

    while ((line = transcript_find(lines, &at, "start", 0))) {
        if (verify_number(line, "step") > most)
            most = verify_number(line, "step");
    }
    return most;
}

static void compare_marks(struct compare *c)
{
    bool rehearsal[2];
    size_t i;

    for (i = 0; i < 2; i++)
        rehearsal[i] = json_is_true(json_object_get(json_array_get(c->lines[i], 0), "rehearsal"));
    if (!rehearsal[0])
        finding_bad(&c->f, "NOT_REHEARSAL", "rehearsal", "want the first to be one: %s",
            rehearsal[1] ? "only the second is" : "neither is");
    else
        finding_good(&c->f, "rehearsal", rehearsal[1] ? "both are rehearsals" : "the first is one");
}

static size_t count(const json_t *lines, const char *type)
{
    size_t n;

    (void)last_of(lines, type, 0, &n);
    return n;
}

/* Things that went wrong and were put right, and who approved the plan: to be known, no fault. */
static void compare_counts(struct compare *c)
{
    static const char *const types[] = {"failed", "resumed", "approval"};
    size_t i, n[2];

    for (i = 0; i < 3; i++) {
        n[0] = count(c->lines[0], types[i]);
        n[1] = count(c->lines[1], types[i]);
        if (n[0] != n[1])
            finding_good(&c->f, types[i], "differs: %zu times in the first, %zu in the second", n[0], n[1]);
    }
}

/* The end without its files: they are those of the steps. */
static void compare_end(struct compare *c)
{
    static const char *const keys[] = {"outcome", "steps"};
    const json_t *a = last_of(c->lines[0], "end", 0, NULL), *b = last_of(c->lines[1], "end", 0, NULL);
    char path[FINDING_WHAT];
    size_t i;

    for (i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "end.%s", keys[i]);
        walk(c, path, json_object_get(a, keys[i]), json_object_get(b, keys[i]), false);
    }
}

static void compare_all(struct compare *c)
{
    size_t i, n = highest_step(c->lines[0]), before = c->f.n_faults;

    if (highest_step(c->lines[1]) > n)
        n = highest_step(c->lines[1]);
    compare_marks(c);
    walk(c, "begin", json_array_get(c->lines[0], 0), json_array_get(c->lines[1], 0), false);
    for (i = 1; i <= n; i++)
        compare_step(c, i);
    compare_end(c);
    compare_counts(c);
    if (c->f.n_faults == before)
        finding_good(&c->f, "ceremonies", "one script, one plan, %zu steps with equal results", n);
}

/* What does not verify says nothing. */
static int read_side(struct compare *c, size_t side, struct p11ca_err *err)
{
    struct p11ca_ceremony verified;
    char sha256[TRANSCRIPT_HEX];

    if (p11ca_ceremony_verify(c->dirs[side], NULL, NULL, &verified, err) != 0 ||
        transcript_read(c->dirs[side], &c->lines[side], sha256, err) != 0)
        return -1;
    if (strcmp(sha256, verified.sha256) == 0)
        return 0;
    return err_set(err, P11CA_FILE, "FILE_CHANGED", "%s/" TRANSCRIPT_FILE ": was changed while it was read",
        c->dirs[side]);
}

static void compare_done(struct compare *c)
{
    json_decref(c->lines[0]);
    json_decref(c->lines[1]);
}

int p11ca_ceremony_compare(
    const char *rehearsal, const char *real, p11ca_check_fn *fn, void *arg, struct p11ca_err *err)
{
    __attribute__((cleanup(compare_done))) struct compare c = {
        .f = {.fn = fn, .arg = arg, .err = err}, .dirs = {rehearsal, real}};

    if (read_side(&c, 0, err) != 0 || read_side(&c, 1, err) != 0)
        return -1;
    compare_all(&c);
    if (c.nomem)
        return err_nomem(err);
    return c.f.n_faults ? err_prefix(err, "%s", real) : 0;
}
