/*
 * Every limit on what comes from outside, and why it is what it is.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define LIMIT_CSR       (64 * 1024)   /* a request with an RSA-8192 key and a hundred SANs is under 16 KiB */
#define LIMIT_CERT      (64 * 1024)   /* as for requests; real certificates stay under 10 KiB */
#define LIMIT_CRL       (128 << 20)   /* PEM of a million entries with reason and date, 80 octets each */
#define LIMIT_INDEX     (512 << 20)   /* an index.txt: four million lines of some 120 octets */
#define LIMIT_CERT_FILE (64 << 20)    /* certificates in one file that are taken over: some 40,000 */
#define LIMIT_TICKET    4096          /* the longest text of a lot ticket has some 650 octets */
#define LIMIT_KEY       (16 * 1024)   /* PEM of an RSA-8192 public key is 1.4 KiB */
#define LIMIT_CONF      (1024 * 1024) /* written by hand */
#define LIMIT_WEAK_KEYS (32 << 20)    /* openssl-blacklist for one size of keys is 6 MiB */
#define LIMIT_PIN_FILE  256           /* one line; PKCS#11 tokens stop at 255 */
#define LIMIT_SLIPS     32            /* mistyped shares of one PIN: people give up before */
#define LIMIT_MODULE    (256 << 20)   /* a PKCS#11 module that is hashed; vendors' go up to some 50 MiB */
#define LIMIT_NAME      (16 * 1024)   /* DER of one distinguished name */
#define LIMIT_RDNS      32            /* attributes in a name: the longest seen in the wild has 14 */
#define LIMIT_SANS      250           /* names in one certificate; public CAs stop at 100 */
#define LIMIT_URI       2048          /* SPIFFE-ID 2.3 wants this much; browsers send no more */
#define LIMIT_UPN       1024          /* Active Directory stores no longer userPrincipalName */
#define LIMIT_PERMID    255           /* octets of a permanentIdentifier: a serial number, a URI */
#define LIMIT_EXTS      32            /* extensions asked for by a request */
#define LIMIT_CRL_EXTS  4             /* extensions of an entry; RFC 5280 5.3 knows three */
#define LIMIT_RSA_BITS  8192          /* checking a larger one costs seconds: a denial of service */
#define LIMIT_SIGNATURE 1024          /* octets: RSA-8192; ECDSA ones are smaller */
#define LIMIT_STEPS     200           /* steps in a ceremony script: a day in a room */
#define LIMIT_ROLES     16            /* people with a duty in the room */
#define LIMIT_TRANSCRIPT                                                                                     \
    (16 * 1024 * 1024)           /* every attribute of every key of the longest ceremony is under 1 MiB */
#define LIMIT_ARTEFACT LIMIT_CRL /* files of a ceremony: what crl_issue() writes must be kept, too */
#define LIMIT_PROGRAM  (256 * 1024 * 1024) /* this executable, sanitizers and all; a PKCS#11 module */
#define LIMIT_INPUT    ((size_t)4 << 30)   /* a manifest or bundle: a million rows of 4 KiB */
#define LIMIT_ROW      (16 * 1024) /* one line of a manifest: an RSA-8192 request and a hundred names */
#define LIMIT_REF      128         /* what a station calls its request: a UUID, a serial number */
#define LIMIT_STATIONS 64  /* on one socket: a factory's hall; their buffers are LIMIT_UNSENT each at worst */
#define LIMIT_UNDERWAY 256 /* requests of one station: what one durable transaction takes */
#define LIMIT_UNSENT   (4 << 20) /* answers that a station has not read: some 2,000 */
#define LIMIT_ROWS     10000000  /* rows of one lot; some 80 octets of memory each */
#define LIMIT_COLUMNS  64        /* columns of a manifest, keys and names of a row */
#define LIMIT_MODULI   4096      /* RSA moduli whose primes are compared at once: seconds, and 20 MiB */
#define LIMIT_SLOTS    256       /* slots of one module that are looked at */
#define LIMIT_OBJECTS  4096      /* objects of one search that are looked at */

/* What src/auth takes. */
#define LIMIT_CERT_FIELD                                                                                     \
    (24 * 1024) /* Client-Cert: a 17 KiB certificate; servers stop at 8 to 16 KiB a field */
#define LIMIT_CHAIN_FIELD (64 * 1024) /* Client-Cert-Chain: LIMIT_CHAIN of 4 KiB */
#define LIMIT_CHAIN       10 /* certificates between leaf and root; OpenSSL's default is 100, real ones have 3 */
#define LIMIT_PINS        4096               /* pins of one file: compared one after the other */
#define LIMIT_PIN_LABEL   64                 /* octets */
#define LIMIT_PINS_FILE   (LIMIT_PINS * 256) /* a line each: kind, digest, two times, label */
#define LIMIT_CRLS        64                 /* CRLs of one load: a complete one and a delta of 32 CAs */
#define LIMIT_CAS         32                 /* authorities whose clients one service accepts */
#define LIMIT_RULES       4096               /* names that one authenticator lets in */
#define LIMIT_SERVICES    256                /* of one policy: a mesh's */
#define LIMIT_CONDITIONS  256                /* names, methods or paths of one rule of a policy */
#define LIMIT_PATH        2048               /* of a request: as LIMIT_URI */

#endif
