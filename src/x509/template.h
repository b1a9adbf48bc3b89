/*
 * Names, subjects and private extensions of one certificate, put together from the slots of its profile and their
 * sources. A template is text in which {name} stands for a field of the order, {id} for its device ID, and {{ for a
 * brace.
 *
 * Refusals (P11CA_REFUSED): FIELD_MISSING, FIELD_SYNTAX, SUBJECT_TEMPLATE, SUBJECT_MISMATCH, SAN_TEMPLATE, and those of
 * name.h, san.h and ext_private.h.
 */
#ifndef X509_TEMPLATE_H
#define X509_TEMPLATE_H

#include "x509/profile.h"

/* The value of a field, NULL when the order has none of the name (which does not end with NUL). */
typedef const char *template_field_fn(void *arg, const char *name, size_t len);

struct template_source {
    template_field_fn *field;
    void *arg;
    const struct san_list *given;     /* the order's names; NULL: none */
    struct der csr_subject;           /* p NULL: there is no request */
    const struct san_list *csr_names; /* NULL: there is no request */
};

/* Whether the text is a template. Code FIELD_SYNTAX. */
P11CA_CHECK int template_check(const char *text, struct p11ca_err *err);

/* Whether a template of the profile has the field in it. */
bool template_uses(const struct profile *p, const char *field);

/* Appends ATTRIBUTE=value of RFC 4514, whatever the value holds. */
void template_add_rdn(struct buf *text, const char *attribute, const char *value);

/* Appends the Name of a profile with subject slots. */
P11CA_CHECK int template_subject(
    const struct profile *p, const struct template_source *src, struct buf *ret, struct p11ca_err *err);

/* The names of a profile with SAN slots. Names of the order that no slot takes are refused. */
P11CA_CHECK int template_sans(
    const struct profile *p, const struct template_source *src, struct san_list *ret, struct p11ca_err *err);

/* Appends the private extensions, whole. */
P11CA_CHECK int template_exts(
    const struct profile *p, const struct template_source *src, struct buf *ret, struct p11ca_err *err);

#endif
