/*
 * The transcript of a ceremony: JSON lines, each with the hash of the line before, each on disk before the next thing
 * happens. The format is for auditors with nothing but sha256sum and jq:
 *
 *   { "line": 7, "before": "HEX", "time": "2026-11-21T09:30:00Z", "type": "done", ... }
 *
 * before is the SHA-256 of the whole line before, its newline included ("" at the first). The final hash of a ceremony
 * is the SHA-256 of the whole file. A rehearsal says "rehearsal": true in every line.
 *
 * Types and what they hold besides ("who" is {"role", "title", "name"}, name null when it was not given):
 *
 *   begin     ceremony, title, purpose, policy, place, script {file, sha256}, configuration (SHA-256), previous (final
 *             hash of the ceremony before in this home, null: none), ledger (hash of its last event, null: none yet),
 *             roles [who, key of those whose certificate was given (as in approval)], unattended, plan (SHA-256 of plan.txt), environment {version, program, openssl, libp11,
 *             kernel, host, operator}
 *   resumed   environment, dropped (octets of a line that was cut off by the end of the run before), unattended, roles (as
 *             in begin)
 *   start     step, kind, text, by (who), witness [who], intent {} (what must be known to go on after a kill)
 *   approval  role, name, plan, key (SHA-256 of the approver's SubjectPublicKeyInfo), signature (hex)
 *   tbs       step, what, authority, number, sha256, words
 *   approved  step, by (who), sha256
 *   failed    step, code, message
 *   done      step, result {}, files [{file, artefact, sha256}]
 *   end       outcome ("complete" or "abandoned"), steps (how many were done), files [{file, sha256}] (script.conf,
 *             plan.txt and every artefact), ledger
 *
 * No PIN, no share of one, no private key is ever in it.
 */
#ifndef CEREMONY_TRANSCRIPT_H
#define CEREMONY_TRANSCRIPT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

#define TRANSCRIPT_FILE "transcript.jsonl"
#define TRANSCRIPT_HEX  (2 * SHA256_LEN + 1)

struct transcript;

/* Whether the directory holds one with at least its first line. */
bool transcript_begun(const char *dir);

/* A new, empty one in the directory; it is locked against other processes while it is open. */
P11CA_CHECK int transcript_create(
    const char *dir, bool rehearsal, struct transcript **ret, struct p11ca_err *err);

/*
 * An unfinished one, to go on with. A last line without its newline was being written when the run ended: it is cut
 * off, ret_dropped says how many octets. Code FILE_BUSY: another process has it.
 */
P11CA_CHECK int transcript_resume(
    const char *dir, struct transcript **ret, size_t *ret_dropped, struct p11ca_err *err);
void transcript_close(struct transcript *t);

/* Appends a line with the fields of body (stolen), dated now; on disk when it returns. */
P11CA_CHECK int transcript_add(
    struct transcript *t, const char *type, int64_t now, json_t *body, struct p11ca_err *err);

/* All lines so far, parsed; borrowed. */
const json_t *transcript_lines(const struct transcript *t);

/*
 * Reads and checks the chain: JSON lines, numbers, types, hashes; P11CA_NEGATIVE with the line at fault, code
 * TRANSCRIPT_BROKEN. ret_lines: an array, the caller's; ret_sha256: of the whole file.
 */
P11CA_CHECK int transcript_read(
    const char *dir, json_t **ret_lines, char ret_sha256[TRANSCRIPT_HEX], struct p11ca_err *err);

/* The first line of the type from index *at on (*at is moved behind it); step 0: of any step. NULL: none. */
const json_t *transcript_find(const json_t *lines, size_t *at, const char *type, size_t step);

/* A string member; "" when it is not there or is none. */
const char *transcript_str(const json_t *object, const char *key);

static inline void transcript_scope_json(json_t **j)
{
    json_decref(*j);
}
#define AUTO_JSON __attribute__((cleanup(transcript_scope_json))) json_t *

#endif
