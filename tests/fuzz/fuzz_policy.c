/* Policies, as files; what was taken is reviewed and exported. The same octets as a path. */
#include <p11ca/auth.h>
#include <stdlib.h>
#include <string.h>

#include "auth/path.h"
#include "fuzz.h"

static void see(void *arg, const struct p11ca_policy_finding *f)
{
    size_t *n = arg;

    REQUIRE(f->code[0] && f->where[0] && f->service[0]);
    fuzz_require_text(f->message, strlen(f->message), "");
    ++*n;
}

static void see_rule(void *arg, const struct p11ca_rule_answer *a)
{
    (void)arg;
    (void)a;
    REQUIRE(!"a rule is asked without an identity");
}

/* Nobody is let in without an identity. */
static void require_denial(struct p11ca_policy *policy)
{
    const struct p11ca_request q = {"s", NULL, "GET", "/"};
    struct p11ca_err err;

    REQUIRE(!TAKES(p11ca_policy_check(policy, &q, NULL, &err)));
    REQUIRE(!TAKES(p11ca_policy_explain(policy, &q, see_rule, NULL, &err)));
}

static void require_export(struct p11ca_policy *policy, const char *format)
{
    struct p11ca_err err;
    char *text = NULL;

    if (TAKES(p11ca_policy_export(policy, format, &text, &err)))
        fuzz_require_text(text, strlen(text), "\n");
    else
        REQUIRE(!text && strncmp(err.code, "EXPORT_", 7) == 0);
    free(text);
}

/* What is a path fits itself as a pattern, unless it would be one of wildcards. */
static void require_path(const char *text)
{
    if (path_fault(text))
        return;
    REQUIRE(path_fits("/**", text, false));
    if (!path_pattern_fault(text)) {
        REQUIRE(path_fits(text, text, false) && path_covers(text, text, false));
        REQUIRE(path_covers("/**", text, false));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    struct p11ca_policy *policy = p11ca_policy_new();
    AUTO_STR text = strndup((const char *)p, len);
    struct p11ca_err err;
    size_t n = 0;

    REQUIRE(policy && text);
    require_path(text);
    require_denial(policy);
    fuzz_write("policy.conf", p, len);
    if (!fuzz_includes_elsewhere(p, len) &&
        TAKES(p11ca_policy_load(policy, fuzz_path("policy.conf"), &err))) {
        REQUIRE(TAKES(p11ca_policy_review(policy, see, &n, &err)) == (n == 0));
        require_export(policy, "nginx");
        require_export(policy, "envoy");
        require_denial(policy);
    }
    p11ca_policy_free(policy);
    return 0;
}
