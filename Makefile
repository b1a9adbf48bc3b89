# p11ca: one Makefile, not recursive, no configure step.
#
#   make            build/bin/p11ca and build/lib/libp11ca.a
#   make check      unit, CLI and token tests on real SoftHSM tokens
#   make interop    what every other verifier that is installed says to our certificates and to broken ones
#   make fuzz       every reader of foreign input under libFuzzer, SECONDS=60 each; TARGETS="csr name" for some
#   make bench      how fast, beside others at the same work; settings in tests/bench: RUNS=5 N=10000 BENCH_MILLION=1 ...
#   make lint       the rules of this house as checks
#   make demo       a PKI from nothing in ./demo-pki
#   make mesh-demo  three TLS services that ask who is calling
#   make SAN=address,undefined check      the same tests, instrumented, in a folder of their own
#
# The build folder has the shape of an installation (bin, lib, share), so that the program finds what it
# needs relative to itself, before and after `make install PREFIX=... DESTDIR=...`.

PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
SAN     ?=
WERROR  ?=
VERSION := 0.1.0

comma := ,
B     := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))

PKGS    := libp11 libcrypto libconfig sqlite3 p11-kit-1 jansson libgfshare libqrencode libidn2 libarchive
PKGINC  := $(shell pkg-config --cflags $(PKGS))
PKGLIBS := $(shell pkg-config --libs $(PKGS))

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
        -Wcast-qual -Wformat=2 -Wvla -Wnull-dereference -Wswitch-enum $(if $(WERROR),-Werror)

# Hardening the compiler and linker at hand understand; probed, not guessed.
probe  = $(shell echo 'int main(void) { return 0; }' | $(CC) -Werror $(1) -x c -o /dev/null - 2>/dev/null && echo '$(1)')
ifeq ($(SAN),)
HARDEN := $(call probe,-fstack-protector-strong) $(call probe,-fstack-clash-protection) $(call probe,-fcf-protection) \
          $(call probe,-O2 -D_FORTIFY_SOURCE=2)
else
HARDEN := -O1 -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
endif
LDHARD := $(call probe,-Wl$(comma)-z$(comma)relro$(comma)-z$(comma)now) $(call probe,-Wl$(comma)-z$(comma)noexecstack) -pie

BASEFLAGS := -std=c11 -D_GNU_SOURCE -g -O2 -fPIE -fvisibility=hidden $(HARDEN) $(WARN) -Iinclude -Isrc $(PKGINC) \
             -DP11CA_VERSION='"$(VERSION)"'
ALLCFLAGS  = $(BASEFLAGS) $(CPPFLAGS) $(CFLAGS)
ALLLDFLAGS = $(LDHARD) $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)
# For the record of a ceremony.
$(B)/obj/src/ceremony/environment.o build/fuzz/obj/src/ceremony/environment.o: CPPFLAGS += -DLIBP11_VERSION='"$(shell pkg-config --modversion libp11)"'

LIBS      := $(PKGLIBS) -pthread -ldl

LAYERS  := base token x509 ledger issue ceremony
GATESRC := src/token/gate_module.c
LIBSRC  := $(filter-out $(GATESRC),$(wildcard $(LAYERS:%=src/%/*.c)))
CLISRC  := $(wildcard src/cli/*.c)
LIBOBJ  := $(LIBSRC:%.c=$(B)/obj/%.o) $(B)/obj/src/x509/profiles.conf.o
CLIOBJ  := $(CLISRC:%.c=$(B)/obj/%.o)
# What services link: src/auth and what it uses of other layers, but for libidn2 (src/auth/idna.c).
TLSSRC  := $(wildcard src/auth/openssl*.c)
AUTHSRC := $(filter-out $(TLSSRC),$(wildcard src/auth/*.c))
AUTHUSE := $(addprefix src/base/,arena.c buf.c conf.c err.c file.c file_new.c hash.c path.c text.c) \
           $(addprefix src/x509/,cert.c chain.c crl.c crl_tbs.c der.c ext.c fascn.c issuer.c name.c name_row.c \
           name_text.c oid.c pem.c san.c san_check.c san_kind.c sigalg.c spki.c tbs.c verifier.c weak.c)
AUTHOBJ := $(AUTHSRC:%.c=$(B)/obj/%.o) $(AUTHUSE:%.c=$(B)/obj/%.o)
# What needs libssl, for services that use it: an archive of its own.
TLSOBJ  := $(TLSSRC:%.c=$(B)/obj/%.o)
UNITSRC := $(wildcard tests/unit/*_test.c)
UNIT    := $(UNITSRC:tests/unit/%.c=$(B)/tests/%)
FUZZSRC := $(wildcard tests/fuzz/fuzz_*.c)
CORPUS  := $(FUZZSRC:tests/fuzz/%.c=$(B)/tests/%)
HELPERS := $(patsubst tests/token/%.c,$(B)/tests/%.so,$(wildcard tests/token/*.c)) $(B)/tests/requests $(B)/tests/lot \
           $(B)/tests/rows $(B)/tests/decide $(B)/tests/mesh

BIN  := $(B)/bin/p11ca
LIB  := $(B)/lib/libp11ca.a
AUTH := $(B)/lib/libp11ca-auth.a
TLS  := $(B)/lib/libp11ca-auth-openssl.a
AUTHPC := $(B)/lib/pkgconfig/p11ca-auth.pc $(B)/lib/pkgconfig/p11ca-auth-openssl.pc
GATE := $(B)/lib/p11ca/libp11ca-gate.so
DATA := $(patsubst %,$(B)/share/p11ca/%,$(wildcard tokens/*.conf ceremonies/*.conf))

.PHONY: all check check-unit check-corpus check-cli interop demo mesh-demo bench lint fuzz fuzz-build format install clean
.SECONDARY:
all: $(BIN) $(GATE) $(AUTH) $(TLS) $(AUTHPC) $(DATA)

# Rebuild when the flags change.
STAMP := $(B)/flags
$(shell mkdir -p $(B) && echo '$(CC) $(subst ','\'',$(ALLCFLAGS) $(ALLLDFLAGS))' | cmp -s - $(STAMP) || \
	echo '$(CC) $(subst ','\'',$(ALLCFLAGS) $(ALLLDFLAGS))' >$(STAMP))

$(B)/obj/%.o: %.c $(STAMP)
	@mkdir -p $(@D)
	$(CC) $(ALLCFLAGS) -MMD -MP -c -o $@ $<

# The built-in profiles, as a string of the program.
%/obj/src/x509/profiles.conf.o: src/x509/profiles.conf Makefile
	@mkdir -p $(@D)
	{ echo 'extern const char profiles_text[] __attribute__((visibility("hidden"))); const char profiles_text[] = {' && \
	    od -An -v -tu1 $< | sed 's/[0-9][0-9]*/&,/g' && echo '0};'; } | $(CC) -std=c11 -g -O2 -fPIE -x c -c -o $@ -

$(LIB): $(LIBOBJ)
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^

$(AUTH): $(AUTHOBJ) Makefile
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $(AUTHOBJ)

$(TLS): $(TLSOBJ) Makefile
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $(TLSOBJ)

# Finds headers and archive from where it lies itself: in the build folder the headers are those of the sources.
$(B)/lib/pkgconfig/%.pc: src/auth/%.pc.in Makefile
	@mkdir -p $(@D) $(B)/include
	@ln -sfn $(CURDIR)/include/p11ca $(B)/include/p11ca
	sed 's/@VERSION@/$(VERSION)/' $< >$@

# The archive for services comes last: what both hold is taken from the first, which has every host name.
$(BIN): $(CLIOBJ) $(LIB) $(AUTH)
	@mkdir -p $(@D)
	$(CC) $(ALLLDFLAGS) -o $@ $(CLIOBJ) $(LIB) $(AUTH) $(LIBS)

$(GATE): $(GATESRC) $(STAMP)
	@mkdir -p $(@D)
	$(CC) $(filter-out -fPIE,$(ALLCFLAGS)) -fPIC -shared $(filter-out -pie,$(ALLLDFLAGS)) -o $@ $<

$(B)/share/p11ca/%: %
	@mkdir -p $(@D)
	cp $< $@

$(B)/tests/%_test: $(B)/obj/tests/unit/%_test.o $(LIB) $(AUTH)
	@mkdir -p $(@D)
	$(CC) $(ALLLDFLAGS) -o $@ $^ $(LIBS) -lcmocka

# A part of the program that needs nothing else of it.
$(B)/tests/progress_test: $(B)/obj/src/cli/progress.o

# They write the requests that tests/cli/intake.bats has refused, lots that are issued, and what a ledger has after years.
$(B)/tests/requests $(B)/tests/lot $(B)/tests/rows: $(B)/tests/%: $(B)/obj/tests/intake/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALLLDFLAGS) -o $@ $^ $(LIBS)

# Times what services do, with what they link.
$(B)/tests/decide: $(B)/obj/tests/auth/decide.o $(AUTH)
	@mkdir -p $(@D)
	$(CC) $(ALLLDFLAGS) -o $@ $^ -lconfig -lcrypto -pthread

# A service that links the archives for services and nothing else of ours.
$(B)/tests/mesh: $(B)/obj/tests/mesh/mesh.o $(TLS) $(AUTH)
	@mkdir -p $(@D)
	$(CC) $(ALLLDFLAGS) -o $@ $^ $(shell pkg-config --libs libssl libcrypto libconfig) -pthread

# The fuzz targets over the stored inputs.
$(B)/tests/fuzz_%: $(B)/obj/tests/fuzz/fuzz_%.o $(B)/obj/tests/fuzz/common.o $(B)/obj/tests/fuzz/driver.o $(LIB) $(AUTH)
	@mkdir -p $(@D)
	$(CC) $(ALLLDFLAGS) -o $@ $^ $(LIBS)

# Loaded into other people's processes: never instrumented.
$(B)/tests/%.so: tests/token/%.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -g -O2 $(WARN) $(PKGINC) -fPIC -shared -o $@ $< -pthread -ldl

check-unit: all $(UNIT) $(HELPERS)
	BUILD=$(B) tests/run-unit $(UNIT)

check-cli: all $(HELPERS)
	BUILD=$(CURDIR)/$(B) SAN=$(SAN) tests/run-cli

check-corpus: $(CORPUS)
	BUILD=$(B) tests/run-corpus $(CORPUS)

check: check-unit check-corpus check-cli

# Beside the check: it asks verifiers that nothing else here needs. VERIFIERS="go node" asks some.
interop: all
	BUILD=$(CURDIR)/$(B) VERIFIERS="$(VERIFIERS)" tests/interop/run

# libFuzzer is clang's; a folder of its own, whatever SAN says. gcc decides about warnings: clang calls unused what only
# its cleanup attribute uses.
FUZZCC    ?= clang-14
SECONDS   ?= 60
TARGETS   ?= $(FUZZSRC:tests/fuzz/fuzz_%.c=%)
F         := build/fuzz
FUZZSAN   := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZFLAGS  = -std=c11 -D_GNU_SOURCE -g -O1 $(FUZZSAN) -Iinclude -Isrc $(PKGINC) \
             -DP11CA_VERSION='"$(VERSION)"' $(CPPFLAGS)
FUZZOBJ   := $(LIBSRC:%.c=$(F)/obj/%.o) $(patsubst %.c,$(F)/obj/%.o,$(filter-out src/auth/idna.c,$(AUTHSRC))) $(F)/obj/src/x509/profiles.conf.o $(F)/obj/tests/fuzz/common.o
FUZZERS   := $(FUZZSRC:tests/fuzz/%.c=$(F)/bin/%)

$(F)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(FUZZCC) $(FUZZFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(F)/bin/fuzz_%: $(F)/obj/tests/fuzz/fuzz_%.o $(FUZZOBJ)
	@mkdir -p $(@D)
	$(FUZZCC) $(FUZZSAN) -fsanitize=fuzzer -o $@ $^ $(LIBS)

fuzz-build: $(FUZZERS)

fuzz: $(TARGETS:%=$(F)/bin/fuzz_%)
	tests/run-fuzz $(SECONDS) $(TARGETS)

lint:
	scripts/lint $(B)

demo: all
	BUILD=$(CURDIR)/$(B) scripts/make-demo demo-pki

# Three services with certificates of a CA made for them: who is answered, and who is refused where.
mesh-demo: all $(B)/tests/mesh
	BUILD=$(CURDIR)/$(B) tests/mesh/demo

bench: all $(HELPERS)
	BUILD=$(CURDIR)/$(B) tests/bench

FORMATTED = $(wildcard include/p11ca/*.h src/*/*.[ch] tests/unit/*.[ch] tests/token/*.[ch] tests/fuzz/*.[ch] tests/intake/*.[ch] tests/auth/decide.c tests/mesh/*.[ch])
format:
	clang-format-14 -i $(FORMATTED)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/p11ca $(DESTDIR)$(PREFIX)/include/p11ca \
	    $(DESTDIR)$(PREFIX)/share/p11ca/tokens $(DESTDIR)$(PREFIX)/share/p11ca/ceremonies \
	    $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(LIB) $(AUTH) $(TLS) $(DESTDIR)$(PREFIX)/lib
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 644 $(AUTHPC) $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 755 $(GATE) $(DESTDIR)$(PREFIX)/lib/p11ca
	install -m 644 $(wildcard include/p11ca/*.h) $(DESTDIR)$(PREFIX)/include/p11ca
	install -m 644 $(wildcard tokens/*.conf) $(DESTDIR)$(PREFIX)/share/p11ca/tokens
	install -m 644 $(wildcard ceremonies/*.conf) $(DESTDIR)$(PREFIX)/share/p11ca/ceremonies
	install -m 644 src/cli/p11ca.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 src/cli/p11ca.bash-completion $(DESTDIR)$(PREFIX)/share/bash-completion/completions/p11ca

clean:
	rm -rf build

-include $(LIBOBJ:.o=.d) $(AUTHOBJ:.o=.d) $(TLSOBJ:.o=.d) $(CLIOBJ:.o=.d) $(UNITSRC:%.c=$(B)/obj/%.d) \
         $(patsubst %.c,$(B)/obj/%.d,$(wildcard tests/fuzz/*.c tests/intake/*.c tests/mesh/*.c) tests/auth/decide.c) $(FUZZOBJ:.o=.d) $(FUZZSRC:%.c=$(F)/obj/%.d)
