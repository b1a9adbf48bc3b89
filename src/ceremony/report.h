/* The transcript for people: one HTML page, made to be printed on A4. */
#ifndef CEREMONY_REPORT_H
#define CEREMONY_REPORT_H

#include "ceremony/transcript.h"

/* lines: as of transcript_read(); sha256: the final hash in hex. The same lines always give the same page. */
P11CA_CHECK int report_html(const json_t *lines, const char *sha256, struct buf *ret, struct p11ca_err *err);

#endif
