#include "ceremony/approvals.h"

int approvals_need(struct run *run, struct p11ca_err *err)
{
    (void)run;
    return err_set(err, P11CA_REFUSED, "APPROVALS", "no approvals");
}
