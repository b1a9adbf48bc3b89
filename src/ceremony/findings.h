/* Findings of a check: all are told, the first fault is the error. */
#ifndef CEREMONY_FINDINGS_H
#define CEREMONY_FINDINGS_H

#include <p11ca/ceremony.h>

struct findings {
    const char *where;  /* a folder, put before what is at fault; NULL: none */
    p11ca_check_fn *fn; /* may be NULL */
    void *arg;
    struct p11ca_err *err; /* P11CA_NEGATIVE with the first fault when n_faults is not 0 */
    size_t n_faults;
};

#define FINDING_WHAT 192 /* a file of the folder, or file:line */

/* Both texts may quote anything: they are escaped here. */
void finding_good(struct findings *f, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void finding_bad(struct findings *f, const char *code, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
