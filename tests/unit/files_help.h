/* A folder of the test's own, files in it, and errors by their exact words. For one test program each. */
#ifndef UNIT_FILES_HELP_H
#define UNIT_FILES_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/scope.h"

static struct p11ca_err err;
static char dir[] = "/tmp/p11ca-unit.XXXXXX";

#define assert_ok(call)                                                                                      \
    do {                                                                                                     \
        if ((call) != 0)                                                                                     \
            fail_msg("%s: %s: %s", #call, err.code, err.msg);                                                \
    } while (0)

#define assert_refused(call, want_code, want_msg)                                                            \
    do {                                                                                                     \
        memset(&err, 0, sizeof(err));                                                                        \
        assert_int_equal((call), -1);                                                                        \
        assert_string_equal(err.msg, want_msg);                                                              \
        assert_string_equal(err.code, want_code);                                                            \
    } while (0)

static inline const char *path_of(const char *name)
{
    static char paths[8][400];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
    return path;
}

/* "DIR/name: text" */
static inline const char *about(const char *name, const char *text)
{
    static char msg[800];

    snprintf(msg, sizeof(msg), "%s: %s", path_of(name), text);
    return msg;
}

static inline const char *write_file(const char *name, const void *p, size_t len)
{
    unlink(path_of(name));
    assert_ok(file_write(path_of(name), FILE_NEW, 0600, p, len, &err));
    return path_of(name);
}

static inline const char *write_text(const char *name, const char *text)
{
    return write_file(name, text, strlen(text));
}

static inline void assert_text(const char *name, const char *want)
{
    AUTO_BUF have = BUF_INIT;

    assert_ok(file_read(path_of(name), 1 << 20, &have, &err));
    assert_string_equal(buf_str(&have), want);
}

/* How many entries of whatever kind a folder has. */
static inline size_t entries_of(const char *name)
{
    char **names = NULL;
    size_t n = 0;

    assert_ok(file_list_all(path_of(name), &names, &n, &err));
    file_list_free(names);
    return n;
}

static inline int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static inline int remove_dir(void **state)
{
    (void)state;
    file_remove_tree(dir);
    return 0;
}

#endif
