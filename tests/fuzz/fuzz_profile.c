/* Profiles from text, what comes back as text, and certificates of them. Behind a NUL: the value of every field. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "x509/cert.h"
#include "x509/name.h"
#include "x509/template.h"

static const char *field(void *arg, const char *name, size_t len)
{
    REQUIRE(len > 0 && len <= 32 && name);
    return arg;
}

/* Its text is a profile that inherits from nothing, and the same. */
static void require_text(const struct profile *p)
{
    AUTO_BUF text = BUF_INIT;
    struct profiles *again = NULL;
    struct p11ca_err err;
    struct conf conf;

    buf_adds(&text, "profiles = {\n");
    REQUIRE(TAKES(profile_to_conf(p, &text, &err)));
    buf_adds(&text, "};\n");
    REQUIRE(TAKES(conf_parse(&conf, "again", buf_str(&text), &err)));
    REQUIRE(TAKES(profiles_read(&conf, config_lookup(&conf.cfg, "profiles"), &again, &err)));
    REQUIRE(memcmp(profiles_find(again, p->name)->sha256, p->sha256, sizeof(p->sha256)) == 0);
    profiles_free(again);
    conf_done(&conf);
}

static bool fill(
    const struct profile *p, const char *value, struct buf *subject, struct san_list *sans, struct buf *exts)
{
    const struct template_source src = {.field = field, .arg = (void *)(uintptr_t)value};
    struct p11ca_err err;

    if (p->n_subject_slots ? !TAKES(template_subject(p, &src, subject, &err))
                           : !TAKES(name_from_text("CN=leaf,serialNumber=SN1", subject, &err)))
        return false;
    return TAKES(template_sans(p, &src, sans, &err)) && TAKES(template_exts(p, &src, exts, &err));
}

/* What is built of a sound profile can be read, and the lint has an answer. */
static void require_certificate(const struct profile *p, const char *value)
{
    AUTO_BUF subject = BUF_INIT, exts = BUF_INIT, tbs = BUF_INIT;
    AUTO_SANS sans = SAN_LIST_INIT;
    struct p11ca_err err;
    struct spki spki;
    struct cert_plan plan = {
        .profile = p, .issuer = fuzz_issuer(), .serial = {0x11, 1, 2, 3, 4, 5, 6, 7}, .serial_len = 8};
    struct tbs read;

    if (!fill(p, value, &subject, &sans, &exts))
        return;
    fuzz_require_name(der_buf(&subject));
    fuzz_require_sans(&sans);
    REQUIRE(TAKES(spki_of_key(fuzz_key(), &spki, &err)));
    plan.subject = der_buf(&subject);
    plan.sans = sans.n ? &sans : NULL;
    plan.spki = &spki;
    plan.slot_exts = der_buf(&exts);
    if (!TAKES(cert_plan_validity(&plan, FUZZ_NOW, 0, &err)))
        return;
    REQUIRE(TAKES(tbs_build(&plan, &tbs, &err)));
    if (TAKES(tbs_lint(der_buf(&tbs), p, plan.issuer, &err)))
        REQUIRE(TAKES(tbs_read(der_buf(&tbs), &read, &err)));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    const uint8_t *nul = len ? memchr(p, '\0', len) : NULL;
    AUTO_BUF text = BUF_INIT, value = BUF_INIT;
    struct profiles *set = NULL;
    const struct profile *one;
    struct p11ca_err err;
    struct conf conf;
    size_t i;

    buf_add(&text, p, nul ? (size_t)(nul - p) : len);
    if (nul)
        buf_add(&value, nul + 1, len - (size_t)(nul + 1 - p));
    if (!buf_str(&text) || !buf_str(&value) || strstr((char *)text.p, "@include"))
        return 0;
    if (TAKES(conf_parse(&conf, "input", (char *)text.p, &err)) &&
        TAKES(profiles_read(&conf, config_lookup(&conf.cfg, "profiles"), &set, &err))) {
        for (i = 0; (one = profiles_at(set, i)); i++) {
            if (one->builtin)
                continue;
            REQUIRE(TAKES(profile_check(one, &err)));
            require_text(one);
            require_certificate(one, (char *)value.p);
        }
        profiles_free(set);
    }
    conf_done(&conf);
    return 0;
}
