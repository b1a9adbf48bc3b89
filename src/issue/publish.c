#include "issue/publish.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "x509/pem.h"

bool publish_is(const char *path, struct der cert)
{
    AUTO_BUF file = BUF_INIT, der = BUF_INIT;
    struct p11ca_err ignored;

    return cert.len && file_read(path, LIMIT_CERT, &file, &ignored) == 0 &&
           pem_decode(file.p, file.len, PEM_CERT, &der, &ignored) == 0 && der_equal(der_buf(&der), cert);
}

int publish_check(const struct job *job, const char *path, bool force, struct p11ca_err *err)
{
    if (force || (job->state == JOB_ISSUED && publish_is(path, der_buf(&job->cert))))
        return 0;
    return file_check_new(path, err);
}

int publish_mark(struct ledger *l, const struct job *job, const char *path, struct p11ca_err *err)
{
    AUTO_STR full = realpath(path, NULL);

    return ledger_publish(l, job->row, full ? full : path, err);
}

int publish_file(const struct job *job, const char *path, bool force, struct p11ca_err *err)
{
    AUTO_BUF pem = BUF_INIT;

    if (publish_is(path, der_buf(&job->cert)))
        return 0;
    pem_encode(PEM_CERT, der_buf(&job->cert), &pem);
    if (!buf_ok(&pem))
        return err_nomem(err);
    return file_write(path, force ? FILE_REPLACE : FILE_NEW, 0644, pem.p, pem.len, err);
}

int publish_cert(struct ledger *l, const struct job *job, const char *path, bool force, struct p11ca_err *err)
{
    if (publish_file(job, path, force, err) != 0 || ledger_begin_lazy(l, err) != 0)
        return -1;
    if (publish_mark(l, job, path, err) != 0) {
        ledger_rollback(l);
        return -1;
    }
    return ledger_commit(l, err);
}
