/*
 * Checking a ceremony's folder: what the parts of p11ca_ceremony_verify() share. Each part tells its findings; none of
 * them stops the others. A fault is told where it can be seen by anybody: file, line, what was wanted and found.
 */
#ifndef CEREMONY_VERIFY_H
#define CEREMONY_VERIFY_H

#include <p11ca/ceremony.h>

#include "ceremony/findings.h"
#include "ceremony/folder.h"
#include "ceremony/script.h"
#include "ceremony/transcript.h"

#define VERIFY_ARTEFACTS     "artefacts"
#define VERIFY_COUNTERSIGNED "countersignatures"

struct verify {
    const char *dir;
    struct findings f;
    bool nomem;

    json_t *lines; /* NULL: the chain is broken, nothing in it can be relied on */
    char sha256[TRANSCRIPT_HEX];
    struct buf text;           /* transcript.jsonl as it is */
    const json_t *begin, *end; /* into lines; end NULL: there is none */
    struct script *script;     /* NULL: not the one it began with, or not to be read */
    /*
     * What the folder holds by the lines: "FILE": {"sha256", "line"}, file relative to the folder. sha256 null: only its
     * content is known (an approver's key).
     */
    json_t *expected;
    json_t *actual; /* "FILE": SHA-256 of those that could be read */
};

/* "transcript.jsonl:7" */
const char *verify_line(const json_t *line, char dst[FINDING_WHAT]);

/* Number of a line; 0 when it is none. */
size_t verify_number(const json_t *line, const char *key);

/* Of a tbs line: several CRLs that are signed ahead, in a file of their own. */
bool verify_is_series(const json_t *line);

/* Whether the transcript was written by this very version, so that its words can be compared with ours. */
bool verify_same_version(const struct verify *v);

/* An error as a fault: its message names file and line in the folder; file when it names none. */
void verify_fault(struct verify *v, const char *code, const char *file, const struct p11ca_err *why);

bool verify_has_private_key(const struct buf *b);

/* Reads a file of the folder; what is wrong with it is told as a fault. */
P11CA_CHECK int verify_read(struct verify *v, const char *name, struct buf *ret);

/* The parts, in their order. */
void verify_script(struct verify *v); /* script.conf: fills script */
void verify_lines(struct verify *v);  /* the lines among themselves and against the script */
void verify_files(struct verify *v);  /* every file against the lines and SHA256SUMS; nothing else is there */
void verify_objects(struct verify *v);   /* certificates, requests, CRLs */
void verify_approvals(struct verify *v); /* signatures over plan.txt */
void verify_report(struct verify *v);    /* transcript.html */
void verify_witnesses(struct verify *v); /* countersignatures */
void verify_previous(struct verify *v);  /* the ceremony before */

#endif
