/*
 * RSA keys that are known one by one, as those that Debian's OpenSSL made from 2006 to 2008 (CVE-2008-0166; BR 6.1.1.3).
 * Lists are in the format of the package openssl-blacklist: lines of 20 hexadecimal digits, the last 80 bits of the
 * SHA-1 of "Modulus=HEX\n" as `openssl rsa -modulus` prints it; lines that begin with # are comments.
 *
 * weak_list_new(), weak_list_check() as often as wanted, weak_list_free().
 */
#ifndef X509_WEAK_LIST_H
#define X509_WEAK_LIST_H

#include "x509/spki.h"

struct weak_list;

/* Names of files, relative ones below dir; copied. Nothing is read yet. */
P11CA_CHECK int weak_list_new(
    const char *dir, const char *const *names, size_t n, struct weak_list **ret, struct p11ca_err *err);

/*
 * Refuses a key that is in one of the files: KEY_DEBIAN. The files are read when the first RSA key comes, once; then it
 * costs a search in memory. Other kinds of keys, and list NULL, pass at once. P11CA_CONFIG, and no RSA key passes, when
 * a file cannot be read (codes of file.h), is no such list, or holds no key (WEAK_KEYS). Thread safe.
 */
P11CA_CHECK int weak_list_check(struct weak_list *list, const struct spki *s, struct p11ca_err *err);

/* The i-th file; NULL past the end, and of list NULL. */
const char *weak_list_path(const struct weak_list *list, size_t i);

void weak_list_free(struct weak_list *list);

#endif
