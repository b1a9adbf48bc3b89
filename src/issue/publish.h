/* Certificates as files. */
#ifndef ISSUE_PUBLISH_H
#define ISSUE_PUBLISH_H

#include "issue/job.h"

/* Whether path holds exactly this certificate, as PEM or DER. */
bool publish_is(const char *path, struct der cert);

/* Refuses an output that exists and is not the certificate of this job already. */
P11CA_CHECK int publish_check(const struct job *job, const char *path, bool force, struct p11ca_err *err);

/* Writes the PEM file; the same certificate already there is left as it is. */
P11CA_CHECK int publish_file(const struct job *job, const char *path, bool force, struct p11ca_err *err);

/* Marks the row as published, inside the caller's transaction. */
P11CA_CHECK int publish_mark(
    struct ledger *l, const struct job *job, const char *path, struct p11ca_err *err);

/* Writes the PEM file and marks the row. */
P11CA_CHECK int publish_cert(
    struct ledger *l, const struct job *job, const char *path, bool force, struct p11ca_err *err);

#endif
