/* Requests: csr_read() refuses, with its own codes, what can be wrong with one; what is left to say stands here. */
#include "x509/lint_row.h"

static bool check_read(struct lint *l)
{
    (void)l;
    return true; /* asked before: nothing else could be */
}

static bool check_key(struct lint *l)
{
    return profile_check_key(l->q.profile, &l->csr->spki, &l->why) == 0 || lint_because(l);
}

static bool check_sans(struct lint *l)
{
    return !l->csr->sans.n || profile_check_sans(l->q.profile, &l->csr->sans, &l->why) == 0 ||
           lint_because(l);
}

/* Only a CA's profile gives what it asks for. */
static bool check_ca(struct lint *l)
{
    AUTO_CSR csr = CSR_INIT;

    return csr_read(l->whole.der.p, l->whole.der.len, 0, &csr, &l->why) == 0 ||
           lint_have(l, "want a request for an end entity, have one for a CA");
}

static bool check_notes(struct lint *l)
{
    AUTO_CSR csr = CSR_INIT;

    /* the row above: what makes it one for a CA is among the notes */
    if (!l->q.profile && csr_read(l->whole.der.p, l->whole.der.len, 0, &csr, &l->why) != 0)
        return true;
    return l->csr->notes.len == 0 ||
           lint_have(l, "want nothing that is ignored, have %s", (char *)l->csr->notes.p);
}

const struct lint_rule lint_rows_csr[] = {
    {"LINT_CSR", "RFC 2986 4", "request", LINT_ERROR, ON_CSR | ON_FIXED, 0, check_read},
    {"LINT_CSR_KEY", "the profile", "public key", LINT_ERROR, ON_CSR | ON_PROFILED, 0, check_key},
    {"LINT_CSR_SAN", "the profile", "subjectAltName", LINT_ERROR, ON_CSR | ON_PROFILED, 0, check_sans},
    {"LINT_CSR_CA", "RFC 5280 4.2.1.9", "extensionRequest", LINT_WARNING, ON_CSR | ON_FOREIGN, 0, check_ca},
    {"LINT_CSR_IGNORED", "the profile", "attributes, extensions", LINT_NOTICE, ON_CSR, 0, check_notes},
    {.id = NULL},
};
