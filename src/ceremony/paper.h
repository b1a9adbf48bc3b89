/*
 * The paper of a ceremony, printed before it: what is done, by whom, and room for what only pens can say. What stands on it
 * is found out once, here; ceremony/paper_html.c and ceremony/paper_text.c only set it.
 */
#ifndef CEREMONY_PAPER_H
#define CEREMONY_PAPER_H

#include "ceremony/people.h"
#include "ceremony/plan.h"

struct paper {
    const struct p11ca_home *home;
    const struct script *script;
    struct people *people;
    const struct plan *plan;
    uint8_t plan_sha256[SHA256_LEN];
    char last[TRANSCRIPT_HEX]; /* final hash of the home's last ceremony; "" when there was none */
};

/* Something said, in its order, to be set into b; text NULL: room to write in. */
typedef void paper_fact_fn(struct buf *b, const char *label, const char *text);

/* Of the whole ceremony; of a step; of a row of plan->steps. */
void paper_facts(const struct paper *p, paper_fact_fn *fn, struct buf *b);
void paper_step_facts(const struct paper *p, const struct step *step, paper_fact_fn *fn, struct buf *b);
void paper_signature_facts(json_t *row, paper_fact_fn *fn, struct buf *b);

/* "Step 4, self-sign: certificate" */
void paper_signature_title(const json_t *row, struct buf *ret);

/* Who initials the step: whoever acts, those who watch, those who approve; everybody once. */
size_t paper_initials(const struct paper *p, const struct step *step, const struct role *ret[LIMIT_ROLES]);

/* What is written down in a step: so many lines, or the fields of a digest. */
struct paper_ask {
    const char *label;
    size_t lines; /* 0: a digest */
};
#define PAPER_ASKS 6
size_t paper_asks(const struct paper *p, const struct step *step, struct paper_ask ret[PAPER_ASKS]);

/* Words that both kinds of paper have. */
extern const char paper_how[], paper_hash_how[], paper_plan_how[], paper_deviations_how[],
    paper_closing_how[];

/* A row of plan->steps as a table: the report has them, too. */
void paper_html_signature(json_t *row, struct buf *b);

P11CA_CHECK int paper_html(const struct paper *p, struct buf *ret, struct p11ca_err *err);
P11CA_CHECK int paper_text(const struct paper *p, struct buf *ret, struct p11ca_err *err);

#endif
