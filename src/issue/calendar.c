/* The deadlines of CRLs as a calendar: RFC 5545. */
#include <p11ca/revoke.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "issue/home.h"

#define HOUR 3600

struct calendar {
    struct buf text;
    char now[TEXT_TIME];
};

/* RFC 5545 3.1: CRLF, and no line of more than 75 octets; what is longer goes on behind a space. All that comes is ASCII. */
static void add_line(struct calendar *c, const char *line)
{
    size_t len = strlen(line), room = 75, n;

    for (;; room = 74) {
        n = len < room ? len : room;
        buf_add(&c->text, line, n);
        buf_adds(&c->text, "\r\n");
        line += n;
        len -= n;
        if (!len)
            return;
        buf_addc(&c->text, ' ');
    }
}

/* "20261121T030500Z" */
static void time_text(int64_t t, char dst[TEXT_TIME])
{
    char iso[TEXT_TIME];
    size_t i, n = 0;

    text_time(t, iso);
    for (i = 0; iso[i]; i++) {
        if (iso[i] != '-' && iso[i] != ':')
            dst[n++] = iso[i];
    }
    dst[n] = '\0';
}

struct event {
    const char *kind;  /* part of the UID: what it is of the authority */
    int64_t at, ahead; /* the alarm comes so many seconds before it */
    int64_t number;    /* of the list that is there: a later calendar takes the place of an earlier one */
    const char *summary, *text;
};

/* The UID is the key's: names may be given again, and another home may have the same. */
static void add_event(struct calendar *c, const struct p11ca_crl_deadline *d, const struct event *e)
{
    char line[512], at[TEXT_TIME];

    add_line(c, "BEGIN:VEVENT");
    snprintf(line, sizeof(line), "UID:%s-%u-%s@p11ca.invalid", d->key_sha256, d->part, e->kind);
    add_line(c, line);
    snprintf(line, sizeof(line), "DTSTAMP:%s", c->now);
    add_line(c, line);
    snprintf(line, sizeof(line), "SEQUENCE:%lld", (long long)e->number);
    add_line(c, line);
    time_text(e->at, at);
    snprintf(line, sizeof(line), "DTSTART:%s", at);
    add_line(c, line);
    snprintf(line, sizeof(line), "SUMMARY:%s", e->summary);
    add_line(c, line);
    snprintf(line, sizeof(line), "DESCRIPTION:%s", e->text);
    add_line(c, line);
    add_line(c, "TRANSP:TRANSPARENT");
    add_line(c, "BEGIN:VALARM");
    add_line(c, "ACTION:DISPLAY");
    snprintf(line, sizeof(line), "DESCRIPTION:%s", e->summary);
    add_line(c, line);
    snprintf(line, sizeof(line), "TRIGGER:-PT%lldH", (long long)(e->ahead / HOUR));
    add_line(c, line);
    add_line(c, "END:VALARM");
    add_line(c, "END:VEVENT");
}

static void part_text(const struct p11ca_crl_deadline *d, char *dst, size_t size)
{
    snprintf(dst, size, d->part ? "%s part %u of %u" : "%s", d->authority, d->part, d->parts);
}

/* A quarter of its life before the list ends. */
static void add_end(struct calendar *c, const struct p11ca_crl_deadline *d, const char *who)
{
    char summary[160], text[256];
    const struct event e = {
        "crl", d->next_update, (d->next_update - d->this_update) / 4 + HOUR - 1, d->number, summary, text};

    snprintf(summary, sizeof(summary), "CRL of %s ends", who);
    snprintf(text, sizeof(text),
        "CRL %lld of %s ends: those who check refuse everything from then on. Before: p11ca crl %s",
        (long long)d->number, who, d->slots && !d->slots_void ? "--release" : "(needs the key)");
    add_event(c, d, &e);
}

static void add_slot(struct calendar *c, const struct p11ca_crl_deadline *d, const char *who)
{
    char summary[160], text[256];
    const struct event e = {"slot", d->slot_next, 24 * HOUR, d->number, summary, text};

    snprintf(summary, sizeof(summary), "Release the next CRL of %s", who);
    snprintf(text, sizeof(text), "%zu list%s ready: p11ca crl %s --release -o FILE", d->slots,
        d->slots == 1 ? " lies" : "s lie", d->authority);
    add_event(c, d, &e);
}

static int take(void *arg, const struct p11ca_crl_deadline *d)
{
    struct calendar *c = arg;
    char who[128];

    part_text(d, who, sizeof(who));
    if (d->number)
        add_end(c, d, who);
    if (d->slots && !d->slots_void)
        add_slot(c, d, who);
    return 0;
}

static int make(struct p11ca_home *home, const char *authority, struct calendar *c, struct p11ca_err *err)
{
    time_text(home_now(home), c->now);
    add_line(c, "BEGIN:VCALENDAR");
    add_line(c, "VERSION:2.0");
    add_line(c, "PRODID:-//p11ca//CRL deadlines//EN");
    if (p11ca_crl_deadlines(home, authority, take, c, err) != 0 && err->kind != P11CA_NEGATIVE)
        return -1;
    add_line(c, "END:VCALENDAR");
    return buf_ok(&c->text) ? 0 : err_nomem(err);
}

int p11ca_crl_calendar(
    struct p11ca_home *home, const char *authority, const char *output, bool force, struct p11ca_err *err)
{
    struct calendar c = {.text = BUF_INIT};
    int rc = force ? 0 : file_check_new(output, err);

    if (rc == 0)
        rc = make(home, authority, &c, err);
    if (rc == 0)
        rc = file_write(output, force ? FILE_REPLACE : FILE_NEW, 0644, c.text.p, c.text.len, err);
    buf_done(&c.text);
    return rc;
}
