/*
 * Ceremonies: a script in libconfig, checked as a whole, then run step by step. Token bindings are in p11ca.conf, not in
 * the script: what is rehearsed is what is executed.
 *
 * A ceremony has a folder of its own (HOME/ceremonies/DATE-NAME): the script, the plan, an append-only transcript in which
 * each line holds the hash of the one before, copies of what was made, a report for people and SHA256SUMS. Whatever
 * stops it - a kill, a lost token, a wrong PIN, an operator who says no - p11ca_ceremony_resume() goes on from there.
 */
#ifndef P11CA_CEREMONY_H
#define P11CA_CEREMONY_H

#include <stdbool.h>
#include <stddef.h>

#include <p11ca/home.h>

/* One step, for showing. Strings are borrowed for the time of the callback. */
struct p11ca_step {
    size_t number, of;
    const char *kind;    /* "generate-key" */
    const char *text;    /* what it does, in words */
    const char *by;      /* who acts: "Ceremony administrator (CA, Ann Lee)" */
    const char *witness; /* who watches, "" for nobody */
    const char *expect;  /* what should be seen */
    bool rehearsal;
    bool done; /* called before (false) and after (true) */
};
typedef void p11ca_step_fn(void *arg, const struct p11ca_step *step);

/*
 * Everything that can be wrong without touching a token: unknown keys, steps and roles, authorities and tokens that
 * p11ca.conf does not have, keys and files nobody made, certificates that would break a rule of their profile, issuer
 * or standard. P11CA_CONFIG with file and line. fn gets each step; ret_title may be NULL, else at least 256 bytes.
 * ret_plan may be NULL, else it is given the plan's text (plan.txt), to free().
 */
P11CA_API P11CA_CHECK int p11ca_ceremony_check(struct p11ca_home *home, const char *script, p11ca_step_fn *fn,
    void *arg, char *ret_title, char **ret_plan, struct p11ca_err *err);

struct p11ca_ceremony_options {
    const char *people;    /* file with the names of those in the room; NULL: they are asked for */
    const char *approvals; /* folder with ROLE.sig, signatures over plan.txt made elsewhere; NULL: none */
    const char *dir; /* the ceremony's folder; NULL: a new one under HOME/ceremonies, or the one to resume */
    bool abandon;    /* resume: end it as it is */
};

struct p11ca_ceremony {
    char dir[512];
    char sha256[65];  /* final hash: of the transcript */
    char words[1024]; /* the same for reading aloud */
};

/*
 * Checks, then runs; the home's ui confirms each step. Refused (CEREMONY_UNFINISHED) while another ceremony of the home is
 * unfinished. options may be NULL.
 */
P11CA_API P11CA_CHECK int p11ca_ceremony_run(struct p11ca_home *home, const char *script,
    const struct p11ca_ceremony_options *options, p11ca_step_fn *fn, void *arg, struct p11ca_ceremony *ret,
    struct p11ca_err *err);

/*
 * Goes on with the unfinished ceremony of this script at its first step without a recorded result. Nothing is generated or
 * signed twice: what the interrupted step left is taken over when it is provably its own.
 */
P11CA_API P11CA_CHECK int p11ca_ceremony_resume(struct p11ca_home *home, const char *script,
    const struct p11ca_ceremony_options *options, p11ca_step_fn *fn, void *arg, struct p11ca_ceremony *ret,
    struct p11ca_err *err);

/*
 * The very same script and engine on throw-away SoftHSM tokens in a temporary home; authorities, certificates and
 * requests that the script wants to find are stood in for. The folder (default: under HOME/rehearsals) stays, the tokens
 * do not. Marked REHEARSAL everywhere.
 */
P11CA_API P11CA_CHECK int p11ca_ceremony_rehearse(struct p11ca_home *home, const char *script,
    const struct p11ca_ceremony_options *options, p11ca_step_fn *fn, void *arg, struct p11ca_ceremony *ret,
    struct p11ca_err *err);

enum p11ca_format { P11CA_TEXT, P11CA_HTML };

/* The paper: numbered steps with room for initials, times and deviations, and the script's hash. *ret is to free(). */
P11CA_API P11CA_CHECK int p11ca_ceremony_print(struct p11ca_home *home, const char *script,
    const char *people, enum p11ca_format format, char **ret, struct p11ca_err *err);

/* One line of a check or comparison. good: as it must be. */
typedef void p11ca_check_fn(void *arg, bool good, const char *what, const char *found);

/*
 * A ceremony's folder, offline and without a home: the chain of the transcript, every file against the hash recorded for
 * it, certificates and requests against the bytes that were approved, approvals and countersignatures. P11CA_NEGATIVE
 * with the first fault; fn (may be NULL) gets every finding.
 */
P11CA_API P11CA_CHECK int p11ca_ceremony_verify(
    const char *dir, p11ca_check_fn *fn, void *arg, struct p11ca_ceremony *ret, struct p11ca_err *err);

/*
 * Two folders, both verified first: P11CA_NEGATIVE when they differ in more than they must (keys, serials, times, names,
 * tokens, machine).
 */
P11CA_API P11CA_CHECK int p11ca_ceremony_compare(
    const char *rehearsal, const char *real, p11ca_check_fn *fn, void *arg, struct p11ca_err *err);

/*
 * A witness signs the final transcript (CMS, detached, RFC 5652) with the key of a token of p11ca.conf; certificate is the
 * file of the witness's certificate. Writes DIR/countersignatures/NAME.p7s.
 */
P11CA_API P11CA_CHECK int p11ca_ceremony_countersign(struct p11ca_home *home, const char *dir,
    const char *name, const char *token, const char *key, const char *certificate, struct p11ca_err *err);

struct p11ca_init {
    const char *name; /* of the organisation: letters, digits, space and . - & ' ; NULL: "Example" */
    bool
        softhsm; /* PIN files, an embedded SoftHSM store, and both ceremonies run: authorities root and factory */
};

/* A new PKI home. Refused when DIR has a p11ca.conf. */
P11CA_API P11CA_CHECK int p11ca_init(const char *dir, const struct p11ca_init *init,
    const struct p11ca_options *options, p11ca_step_fn *fn, void *arg, struct p11ca_err *err);

#endif
