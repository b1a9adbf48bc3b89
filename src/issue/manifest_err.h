/* MANIFEST_SYNTAX, said in one way. */
#ifndef ISSUE_MANIFEST_ERR_H
#define ISSUE_MANIFEST_ERR_H

#include "base/err.h"

#define manifest_err(err, ...) err_set((err), P11CA_REFUSED, "MANIFEST_SYNTAX", __VA_ARGS__)

#endif
