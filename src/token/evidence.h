/*
 * What can be seen of a token and a key in it, in words, for a record that is read years later. Values are escaped text.
 */
#ifndef TOKEN_EVIDENCE_H
#define TOKEN_EVIDENCE_H

#include "token/key.h"

/*
 * The token and its module, one fact per call: label, serial, model, manufacturer, hardware-version, firmware-version,
 * flags (names of CK_TOKEN_INFO's that are set), module (path), module-sha256 (hex), library, library-version,
 * library-manufacturer, cryptoki-version, mechanisms (how many). No login needed.
 */
typedef void evidence_fact_fn(void *arg, const char *name, const char *value);
P11CA_CHECK int evidence_token(const struct token *t, evidence_fact_fn *fn, void *arg, struct p11ca_err *err);

/*
 * Every attribute worth a record, of both objects: object is "private" or "public", name "CKA_SENSITIVE", value "true" or
 * "false", hex, a number, text, a date; or the "CKR_..." that the token refused it with. Logged in. An error is only what
 * says nothing about the key: a lost token, nobody logged in.
 */
typedef void evidence_attr_fn(void *arg, const char *object, const char *name, const char *value);
P11CA_CHECK int evidence_attributes(
    const struct key *k, evidence_attr_fn *fn, void *arg, struct p11ca_err *err);

/*
 * Tries what must not be possible: to read the private value, to wrap it under a session key made for that, to make the
 * key extractable or not sensitive, to copy it to one that is. probe is "read CKA_VALUE"; answer is "CKR_..." (or "not
 * possible: C_GenerateKey: CKR_..." when there is nothing to wrap with); refused is what is hoped for.
 *
 * All probes are tried; the first that succeeded is the error (P11CA_TOKEN, KEY_PROBE). What it made is undone as far as
 * the token lets us, a value that was read is wiped and never shown. For fresh keys and for those that were always there.
 * Needs a writable session and a login.
 */
typedef void evidence_probe_fn(void *arg, const char *probe, const char *answer, bool refused);
P11CA_CHECK int evidence_probes(const struct key *k, evidence_probe_fn *fn, void *arg, struct p11ca_err *err);

#endif
