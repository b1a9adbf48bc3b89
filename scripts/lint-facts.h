/*
 * Included before each file that an analyzer looks at (gcc -fanalyzer, clang-tidy); never compiled into
 * anything. The analyzers see one file at a time: they do not know that `return err_set(...)` returns
 * -1, and would follow paths on which a failed function succeeded.
 */
#ifndef LINT_IN_err
#include "base/err.h"
#define err_set(...)     (err_set(__VA_ARGS__), -1)
#define err_prefix(...)  (err_prefix(__VA_ARGS__), -1)
#define err_errno(...)   (err_errno(__VA_ARGS__), -1)
#define err_openssl(...) (err_openssl(__VA_ARGS__), -1)
#define err_nomem(...)   (err_nomem(__VA_ARGS__), -1)
#ifndef LINT_IN_conf
#include "base/conf.h"
#define conf_err(...) (conf_err(__VA_ARGS__), -1)
#endif
#if defined(LINT_LAYER_ceremony) && !defined(LINT_IN_script)
#include "ceremony/script.h"
#define script_err(...) (script_err(__VA_ARGS__), -1)
#endif
#if defined(LINT_LAYER_x509) && !defined(LINT_IN_profiles)
#include "x509/profile_read.h"
#define profile_err(...) (profile_err(__VA_ARGS__), -1)
#endif
#if defined(LINT_LAYER_token) && !defined(LINT_IN_rv)
#include "token/rv.h"
#define err_rv(...) (err_rv(__VA_ARGS__), -1)
#endif
#endif
