/*
 * A ceremony at work: the engine, and what it gives to the steps.
 *
 * Order, each on disk before the next: begin; then for every step: start (with its intent), what the step does, the copies
 * of what it made, done; at the end the report, the end line, SHA256SUMS, the ledger's event. A kill at any point leaves
 * what `resume` goes on from.
 */
#ifndef CEREMONY_RUN_H
#define CEREMONY_RUN_H

#include "ceremony/people.h"
#include "ceremony/plan.h"
#include "ceremony/transcript.h"
#include "issue/hooks.h"

struct run {
    struct p11ca_home *home;
    const struct script *script;
    const struct plan *plan;
    struct people *people;
    struct transcript *transcript;
    const char *dir; /* of the ceremony */
    const struct p11ca_ceremony_options *options;
    bool rehearsal, unattended;
    p11ca_step_fn *fn;
    void *arg;
    /* Of the step that runs: */
    const struct step *step;
    const json_t *intent; /* what its start line says */
    bool again;           /* it was started before: a run was killed or failed in it */
    json_t *files;        /* what it made, for the done line */
};

/* The step's time: when it was first started. */
int64_t run_time(const struct run *run);

/* HOME/name; the caller's. NULL when out of memory. */
char *run_path(const struct run *run, const char *name);

/*
 * Reads a file, relative to the home, that an earlier step may have made, kept, compared or announced: refused
 * (FILE_CHANGED) when it is another one since.
 */
P11CA_CHECK int run_take(const struct run *run, const char *name, struct buf *ret,
    uint8_t ret_sha256[SHA256_LEN], struct p11ca_err *err);

/* The same, for its SHA-256 only. */
P11CA_CHECK int run_digest(
    const struct run *run, const char *name, uint8_t ret[SHA256_LEN], struct p11ca_err *err);

/* Keeps a copy of a file (relative to the home) that the step made, for the done line and SHA256SUMS. */
P11CA_CHECK int run_keep(struct run *run, const char *name, struct p11ca_err *err);

/* The same for bytes that are in no file of the home. */
P11CA_CHECK int run_keep_bytes(
    struct run *run, const char *name, const void *p, size_t len, struct p11ca_err *err);

/* For signatures of this step: the exact bytes are shown, and approved by those the script names. */
struct signing_hooks run_hooks(struct run *run);

/* Appends a line to the transcript (body stolen). */
P11CA_CHECK int run_note(struct run *run, const char *type, json_t *body, struct p11ca_err *err);

/* A line to those present; "REHEARSAL" stands in front of it in one. */
void run_say(const struct run *run, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The digest for reading aloud: hex and words. */
void run_say_hash(const struct run *run, const char *what, const uint8_t sha256[SHA256_LEN]);

/* "Ceremony administrator (CA, Ann Lee)" */
void run_who(const struct run *run, const struct role *role, struct buf *ret);

/* Somebody answers yes or no; no is refused with code STOPPED. */
P11CA_CHECK int run_confirm(
    struct run *run, const struct role *role, const char *question, struct p11ca_err *err);

/*
 * Asks the role for a line until check() takes it (0; its message is shown when it does not). Nobody there to type
 * (unattended): *ret is NULL. The caller's.
 */
typedef int run_answer_fn(void *arg, const char *answer, struct p11ca_err *err);
P11CA_CHECK int run_ask(struct run *run, const struct role *role, const char *question, run_answer_fn *check,
    void *arg, char **ret, struct p11ca_err *err);

/* For run_ask(): anything but an empty line. */
int run_not_empty(void *arg, const char *answer, struct p11ca_err *err);

/* A digest is read back: the first sixteen hex digits or the first eight words are typed. *ret false: nobody was asked. */
P11CA_CHECK int run_read_back(
    struct run *run, const char *what, const uint8_t sha256[SHA256_LEN], bool *ret, struct p11ca_err *err);

/* As {"role", "title", "name"}. */
json_t *run_who_json(const struct run *run, const char *role);

#endif
