/* Steps on tokens and their keys. */
#include <p11ca/issue.h>
#include <p11ca/token.h>
#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "base/text.h"
#include "ceremony/run.h"
#include "ceremony/steps.h"
#include "token/key.h"
#include "x509/stand_in.h"

static int need_token(
    struct plan *plan, const struct step *step, const struct token_binding **ret, struct p11ca_err *err)
{
    struct p11ca_err why;

    if (home_token(plan->home, step->args.token, ret, &why) != 0)
        return script_err(plan->script, step, err, "%s", why.msg);
    return 0;
}

/* --- init-token --- */

static const struct conf_field init_token_fields[] = {STEP_COMMON, STEP_STR("token", true, token)};

static int init_token_check(struct plan *plan, const struct step *step, struct p11ca_err *err)
{
    const struct token_binding *b;

    return need_token(plan, step, &b, err);
}

static void init_token_describe(const struct step *step, struct buf *ret)
{
    buf_addf(ret, "Initialise the blank token '%s' and set its PINs", step->args.token);
}

static int init_token_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    (void)result;
    return p11ca_token_init(run->home, step->args.token, err);
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
    buf_addf(ret, "Generate the %s key of authority '%s' inside its token, and read its attributes back",
        step->args.algorithm, step->args.authority);
}

static int generate_key_run(struct run *run, const struct step *step, json_t *result, struct p11ca_err *err)
{
    (void)result;
    return p11ca_generate_key(run->home, step->args.authority, step->args.algorithm, err);
}

const struct step_kind steps_token[] = {
    STEP_KIND("init-token", init_token, "The token has its label, and its PINs are known", NULL),
    STEP_KIND("generate-key", generate_key,
        "Every attribute is as the key policy wants it; every probe is refused", NULL),
    {.name = NULL},
};
