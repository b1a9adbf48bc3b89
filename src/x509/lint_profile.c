/* What a profile states of its own extensions and of the size. */
#include "x509/lint_row.h"

static const struct cert_ext *find_ext(const struct tbs *t, struct der oid)
{
    size_t i;

    for (i = 0; i < t->n_exts; i++) {
        if (der_equal(t->exts[i].oid, oid))
            return &t->exts[i];
    }
    return NULL;
}

/* Those of which the profile states the very bytes. */
static bool check_fixed(struct lint *l)
{
    char name[OID_TEXT];
    size_t i;

    for (i = 0; i < l->q.profile->n_fixed; i++) {
        const struct fixed_ext *want = &l->q.profile->fixed[i];
        const struct cert_ext *found = find_ext(&l->t, want->oid);

        if (!found || found->critical != want->critical || !der_equal(found->value, want->value))
            return lint_have(
                l, "want the profile's %s, have %s", oid_text(want->oid, name), found ? "another" : "none");
    }
    return true;
}

static bool check_slot(struct lint *l, const struct ext_slot *want, const struct cert_ext *found)
{
    AUTO_BUF text = BUF_INIT;
    char name[OID_TEXT];

    if (!found)
        return want->slot.optional || lint_have(l, "want %s, have none", oid_text(want->oid, name));
    if (found->critical != want->critical)
        return lint_have(l, "want %s %s, have it otherwise", oid_text(want->oid, name),
            want->critical ? "critical" : "not critical");
    return ext_private_read(want->type, found->value, want->max, &text, &l->why) == 0 || lint_because(l);
}

/* Those of which it states the type. */
static bool check_slots(struct lint *l)
{
    size_t i;

    for (i = 0; i < l->q.profile->n_ext_slots; i++) {
        const struct ext_slot *want = &l->q.profile->ext_slots[i];

        if (!check_slot(l, want, find_ext(&l->t, want->oid)))
            return false;
    }
    return true;
}

/* Before the signature is there, it is as long as it can be. */
static bool check_size(struct lint *l)
{
    const struct spki *signer = l->q.issuer ? &l->q.issuer->spki : l->spki_ok ? &l->spki : NULL;
    size_t size = l->whole.der.len;

    if (!size)
        size = signer ? cert_size_max(l->tbs, signer) : l->tbs.len;
    return !l->q.profile->max_size || size <= l->q.profile->max_size ||
           lint_have(l, "want at most %u octets, have up to %zu", l->q.profile->max_size, size);
}

const struct lint_rule lint_rows_profile[] = {
    {"LINT_EXT_FIXED", "the profile", "extensions", LINT_ERROR, ON_PROFILED | ON_FIXED, 0, check_fixed},
    {"LINT_EXT_SLOT", "the profile", "extensions", LINT_ERROR, ON_PROFILED | ON_FIXED, 0, check_slots},
    {"CERT_TOO_LARGE", "the profile", "size", LINT_ERROR, ON_PROFILED, 0, check_size},
    {.id = NULL},
};
