#include "ceremony/environment.h"

#include <openssl/crypto.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "ceremony/run.h"

/* The very file that runs; null when it cannot be read. */
static json_t *program_digest(void)
{
    AUTO_STR path = realpath("/proc/self/exe", NULL);
    AUTO_BUF b = BUF_INIT;
    struct p11ca_err ignored;
    uint8_t sha256[SHA256_LEN];
    char hex[TRANSCRIPT_HEX];

    if (!path || file_read(path, LIMIT_PROGRAM, &b, &ignored) != 0 || hash_sha256(b.p, b.len, sha256) != 0)
        return json_null();
    text_hex_lower(sha256, sizeof(sha256), hex);
    return json_string(hex);
}

json_t *environment_json(void)
{
    char kernel[256], host[256], text[4096];
    struct passwd entry, *user = NULL;
    struct utsname u = {.sysname = "unknown"};

    uname(&u);
    if (getpwuid_r(getuid(), &entry, text, sizeof(text), &user) != 0)
        user = NULL;
    snprintf(kernel, sizeof(kernel), "%s %s %s", u.sysname, u.release, u.machine);
    text_escape(u.nodename, strlen(u.nodename), host, sizeof(host));
    return json_pack("{s:s,s:o,s:s,s:s,s:s,s:s,s:s}", "version", P11CA_VERSION, "program", program_digest(),
        "openssl", OpenSSL_version(OPENSSL_VERSION), "libp11", LIBP11_VERSION, "kernel", kernel, "host", host,
        "operator", user ? user->pw_name : "unknown");
}
