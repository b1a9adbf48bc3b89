/*
 * What the fuzz targets share. A target is tests/fuzz/fuzz_NAME.c: it gives its input to a reader of foreign bytes, and
 * ends the process when the reader breaks one of its promises. The same targets run in two programs: under libFuzzer
 * (`make fuzz`), and with driver.c over the stored corpus (`make check-corpus`), in every build flavour.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/scope.h"
#include "x509/der.h"
#include "x509/issuer.h"
#include "x509/san.h"
#include "x509/spki.h"

/* 2026-06-01T00:00:00Z */
#define FUZZ_NOW INT64_C(1780272000)

/* The target: always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

#define REQUIRE(promise) ((promise) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #promise))
void fuzz_fail(const char *file, int line, const char *promise) __attribute__((noreturn));

/*
 * Whether a function that fills `err` succeeds. A refusal must be one: filled, with a code, a kind that is no bug of
 * ours, and a message fit for a terminal.
 */
#define TAKES(call) (fuzz_blank(&err), fuzz_judge((call), &err))
void fuzz_blank(struct p11ca_err *err);
bool fuzz_judge(int rc, const struct p11ca_err *err);

/* Outputs change only on success: filled before, looked at afterwards. */
void fuzz_fill(void *p, size_t len);
bool fuzz_untouched(const void *p, size_t len);

/* One line of UTF-8 without controls; `also` names those that may be there. */
void fuzz_require_text(const void *p, size_t len, const char *also);

/* A Name that was taken has a text, and the text is one. */
void fuzz_require_name(struct der name);

/* Names that were taken: their DER is read back as the same names, their text is one. */
void fuzz_require_sans(const struct san_list *sans);

/* A key that was taken: the same bytes come out of its key object, if it has one. */
void fuzz_require_spki(const struct spki *spki);

/* A directory of the process's own, removed at its end; in $TMPDIR, best one in memory. */
const char *fuzz_dir(void);

/* Its path of the name; good until the next call but three. */
const char *fuzz_path(const char *name);
void fuzz_write(const char *name, const void *p, size_t len);

/* Whether a configuration may include files outside of that directory, which are none of the input. */
bool fuzz_includes_elsewhere(const uint8_t *p, size_t len);

/* The P-256 key with the private number 1: its public point is the curve's generator. Nobody's secret. */
EVP_PKEY *fuzz_key(void);

/* The issuer of tests/data/x509, as far as building and linting want it. */
const struct issuer *fuzz_issuer(void);

#endif
