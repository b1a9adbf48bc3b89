#include "ceremony/report.h"

int report_html(const json_t *lines, const char *sha256, struct buf *ret, struct p11ca_err *err)
{
    (void)lines;
    buf_addf(ret, "<!DOCTYPE html><p>%s</p>\n", sha256);
    return buf_ok(ret) ? 0 : err_nomem(err);
}
