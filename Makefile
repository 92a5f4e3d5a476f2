# milt: a declarative policy milter.  `make deps`, `make`, `make demo`,
# `make test`; for developers `make check` before each commit.

BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
CONFDIR ?= /etc/milt
UNITDIR ?= $(PREFIX)/lib/systemd/system
CC      ?= gcc
CSTD    := -std=c11 -D_GNU_SOURCE
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wpointer-arith -Wvla
OPT     ?= -O2 -g
SAN     ?=
VERSION := 0.1.0

PACKAGES := build-essential pkg-config re2c lemon python3 libmilter-dev \
            libpcre2-dev libgmime-3.0-dev libpsl-dev libidn2-dev \
            libjansson-dev libxxhash-dev libarchive-dev libzip-dev \
            libmagic-dev libgsf-1-dev libxml2-dev libmicrohttpd-dev \
            libsystemd-dev clang clang-format libclang-rt-14-dev valgrind \
            bats postfix miltertest curl jq debhelper lintian
# For `make addon`, where there is no Node with its headers.
NODE_PACKAGES := nodejs npm libnode-dev
LIBS := gmime-3.0 libpcre2-8 libpsl libidn2 jansson libxxhash libarchive \
        libzip libmagic libgsf-1 libmicrohttpd libsystemd

ifneq ($(filter-out deps demo clean help,$(or $(MAKECMDGOALS),all)),)
MISSING := $(shell for l in $(LIBS); do \
             pkg-config --exists $$l 2>/dev/null || echo $$l; done)
ifneq ($(strip $(MISSING)),)
$(error missing libraries: $(MISSING); run `make deps`)
endif
PKG_CFLAGS := $(shell pkg-config --cflags $(LIBS))
PKG_LIBS   := $(shell pkg-config --libs $(LIBS)) -lmilter -lpthread
endif

CFLAGS_ALL  = $(CSTD) $(WARN) $(OPT) $(SAN) -I. -I$(BUILD)/gen \
              -I$(BUILD)/gen/dsl $(PKG_CFLAGS) -DMILT_VERSION='"$(VERSION)"' \
              $(CPPFLAGS) $(CFLAGS)
LDFLAGS_ALL = $(SAN) $(LDFLAGS)

MAINS := compiler/milterc.c compiler/gen.c runtime/milterd.c \
         runtime/milterctl.c runtime/mkfold.c
SRC   := $(filter-out $(MAINS),$(wildcard dsl/*.c runtime/*.c compiler/*.c))
GEN_C := dsl/lexer.c dsl/grammar.c runtime/fold.c runtime/entities.c
LIB_O := $(SRC:%.c=$(BUILD)/obj/%.o) $(GEN_C:%.c=$(BUILD)/obj/gen/%.o)
LIB   := $(BUILD)/libmilt.a

# V=1 shows the commands.
V ?=
Q  = $(if $(V),,@printf '  %s\n' '$(@:$(CURDIR)/%=%)'; )

# help: make           build/milterc, build/milterd, build/milterctl
all: $(BUILD)/milterc $(BUILD)/milterd $(BUILD)/milterctl

help:
	@sed -n 's/^# *help: //p' Makefile

# help: make deps      install the Debian packages that are missing
deps:
	@tests/deps $(PACKAGES)
	@{ command -v npm && node addon/build.mjs --headers; } \
	    >/dev/null 2>&1 || tests/deps $(NODE_PACKAGES)

# ---- generated sources ------------------------------------------------------
$(BUILD)/gen/dsl/lexer.c: dsl/lexer.re | $(BUILD)/gen/dsl/grammar.h
	@mkdir -p $(@D)
	$(Q)re2c -W -i --no-generation-date -o $@ $<

$(BUILD)/gen/dsl/grammar.c $(BUILD)/gen/dsl/grammar.h &: dsl/grammar.y
	@mkdir -p $(BUILD)/gen/dsl
	$(Q)cp $< $(BUILD)/gen/dsl/grammar.y && cd $(BUILD)/gen/dsl && \
	    lemon -q -c grammar.y && touch grammar.c grammar.h

$(BUILD)/gen/runtime/fold.c: $(BUILD)/mkfold
	@mkdir -p $(@D)
	$(BUILD)/mkfold > $@

$(BUILD)/gen/runtime/entities.c: runtime/mkentities.py
	@mkdir -p $(@D)
	$(Q)python3 $< > $@

$(BUILD)/mkfold: runtime/mkfold.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(WARN) -O1 $(PKG_CFLAGS) -o $@ $< $(PKG_LIBS)

# ---- objects ----------------------------------------------------------------
$(BUILD)/obj/%.o: %.c | $(BUILD)/gen/dsl/grammar.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -Wno-unused-parameter -Wno-sign-compare \
	    -Wno-missing-prototypes -Wno-implicit-fallthrough \
	    -Wno-maybe-uninitialized -Wno-unknown-warning-option \
	    -MMD -MP -c -o $@ $<

$(LIB): $(LIB_O)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/%: $(BUILD)/obj/compiler/%.o $(LIB)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(BUILD)/milterd $(BUILD)/milterctl: $(BUILD)/%: $(BUILD)/obj/runtime/%.o $(LIB)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

# ---- the addon ----------------------------------------------------------------
ADDON_O := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard addon/*.c))
# All of the C, position independent, in a build directory of its own.
PIC     := $(BUILD)/pic
# libmilter is linked statically, for our sigwait to be the one that it calls;
# nothing of Node's own is to be replaced by what the module brings along.
ADDON_LINK = -Wl,-Bstatic -lmilter -Wl,-Bdynamic \
             $(shell pkg-config --libs $(LIBS)) -lpthread \
             -Wl,--exclude-libs,ALL -Wl,-z,nodelete

$(BUILD)/libmilt-addon.a: $(LIB_O) $(ADDON_O)
	@rm -f $@
	$(Q)ar rcs $@ $^

# help: make addon     the npm package in addon/, ready to be used
addon: addon/node_modules/.package-lock.json
	+$(Q)cd addon && BUILD=$(abspath $(BUILD)) npm --silent run build

addon/node_modules/.package-lock.json: addon/package-lock.json
	$(Q)cd addon && npm --silent ci --ignore-scripts && touch ../$@

# What addon/build.mjs asks for.
addon-core:
	@$(MAKE) --no-print-directory BUILD=$(PIC) OPT="$(OPT) -fPIC" \
	    $(PIC)/libmilt-addon.a
addon-libs:
	@echo '$(abspath $(PIC))/libmilt-addon.a $(ADDON_LINK)'

# The module without node-gyp, for a build under a sanitizer with -fPIC.
$(BUILD)/milt.node: $(wildcard addon/*.cc addon/*.hh addon/*.h) \
    $(BUILD)/libmilt-addon.a | addon/node_modules/.package-lock.json
	$(Q)$(CXX) -std=c++17 $(OPT) $(SAN) -fvisibility=hidden -shared -o $@ \
	    -DNODE_GYP_MODULE_NAME=milt -DNAPI_VERSION=8 \
	    -DNAPI_DISABLE_CPP_EXCEPTIONS -DNODE_ADDON_API_DISABLE_DEPRECATED \
	    -DNODE_API_NO_EXTERNAL_BUFFERS_ALLOWED -I. \
	    -I$$(node addon/build.mjs --headers)/include/node \
	    -Iaddon/node_modules/node-addon-api $(filter %.cc,$^) \
	    $(BUILD)/libmilt-addon.a $(ADDON_LINK)

# ---- tests ------------------------------------------------------------------
UNIT   := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*.c))
PROTO  := $(patsubst tests/protocol/%.c,$(BUILD)/protocol/%,\
            $(wildcard tests/protocol/*.c))
MTA_O  := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/mta/*.c))
BENCH  := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,\
            $(filter-out tests/bench/workload.c,$(wildcard tests/bench/*.c)))
PROP   := $(patsubst tests/property/%.c,$(BUILD)/property/%,\
            $(filter-out $(addprefix tests/property/,patterns.c policy.c \
            random.c reading.c text.c twins.c writer.c),\
            $(wildcard tests/property/*.c)))

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

# Its allocations fail at will.
$(BUILD)/unit/memory: LDFLAGS_ALL += \
    -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

$(BUILD)/property/property: $(BUILD)/obj/tests/property/policy.o \
    $(BUILD)/obj/tests/property/reading.o \
    $(BUILD)/obj/tests/property/random.o
TWINS_O := $(addprefix $(BUILD)/obj/tests/property/,twins.o text.o writer.o \
    random.o)
$(BUILD)/property/rules: $(TWINS_O)
$(BUILD)/property/networks $(BUILD)/property/texts: \
    $(BUILD)/obj/tests/property/writer.o \
    $(BUILD)/obj/tests/property/random.o
$(BUILD)/property/regexes: $(BUILD)/obj/tests/property/patterns.o \
    $(BUILD)/obj/tests/property/random.o
$(BUILD)/property/%: $(BUILD)/obj/tests/property/%.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(LIB) $(PKG_LIBS)

$(BUILD)/protocol/%: $(BUILD)/obj/tests/protocol/%.o $(MTA_O) $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(BUILD)/protocol/queue: $(BUILD)/obj/addon/queue.o
$(BUILD)/protocol/compat: $(BUILD)/libmilt-addon.a

$(BUILD)/bench/cost $(BUILD)/bench/sets: $(BUILD)/obj/tests/bench/workload.o
# It measures itself against the HTML parser of libxml2.
$(BUILD)/bench/content: PKG_CFLAGS += $(shell pkg-config --cflags libxml-2.0)
$(BUILD)/bench/content: PKG_LIBS += $(shell pkg-config --libs libxml-2.0)
$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(MTA_O) $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzzers/%,$(wildcard tests/fuzz/*.c))

$(BUILD)/fuzzers/rules: $(TWINS_O)
$(BUILD)/fuzzers/%: $(BUILD)/obj/tests/fuzz/%.o $(LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $(filter %.o,$^) \
	    $(LIB) $(PKG_LIBS)

# What the tests of this build run; `asan` and `tsan` make builds of their own.
# The libraries are looked for when make starts, so each step is a make of its
# own.
# help: make demo      messages through a private Postfix, and who decided
demo:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all addon
	@BUILD=$(BUILD) tests/demo

tests-built: all $(UNIT) $(PROTO) $(PROP) $(if $(SAN),,addon)

ASAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
        -fno-omit-frame-pointer
TSAN := -fsanitize=thread

asan-built:
	$(MAKE) BUILD=$(BUILD)/asan OPT="-O1 -g -fPIC" SAN="$(ASAN)" \
	    tests-built $(BUILD)/asan/milt.node
tsan-built:
	$(MAKE) BUILD=$(BUILD)/tsan OPT="-O1 -g" SAN="$(TSAN)" tests-built

fuzz-built:
	$(MAKE) BUILD=$(BUILD)/fuzz CC=clang OPT="-O1 -g" \
	    SAN="$(ASAN) -fsanitize=fuzzer-no-link" fuzzers
fuzzers: $(FUZZERS) $(BUILD)/milterc

# help: make fuzz      look for inputs that break it: SECONDS=600
SECONDS ?= 600
fuzz: fuzz-built
	BUILD=$(BUILD) tests/fuzz/run $(SECONDS)

# help: make test      all tests: every layer, and the sanitizers
test: tests-built asan-built tsan-built fuzz-built
	BUILD=$(BUILD) tests/run

# help: make asan      unit, protocol and addon tests under ASan and UBSan
asan: asan-built
	BUILD=$(BUILD) tests/run asan

# help: make tsan      protocol tests under ThreadSanitizer
tsan: tsan-built
	BUILD=$(BUILD) tests/run tsan

# help: make bench     ratios to a filter that does nothing, and cost by rules;
# help:                PEERS=1 beside the filters of Debian, QUICK=1 in short
BENCH_PACKAGES := time \
    $(if $(PEERS),mailfromd python3-gdbm python3-milter rspamd)
bench: all addon $(BENCH)
	@tests/deps $(BENCH_PACKAGES)
	BUILD=$(BUILD) tests/bench/run
	BUILD=$(BUILD) tests/bench/js
	BUILD=$(BUILD) tests/bench/cost-table
	BUILD=$(BUILD) tests/bench/large
	$(BUILD)/bench/content

# help: make soak      load for SECONDS=3600: no error, no growth
soak: SECONDS := $(if $(filter file,$(origin SECONDS)),3600,$(SECONDS))
soak: all $(BENCH)
	BUILD=$(BUILD) tests/bench/soak $(SECONDS)

# help: make bless     write the expectations of the text cases anew
bless: all
	MILTERC=$(abspath $(BUILD))/milterc tests/cases/run --bless

# help: make check     before each commit: format, layers, generated files, tests
check: format-check layers fresh test

FORMATTED := $(wildcard dsl/*.[ch] runtime/*.[ch] compiler/*.[ch] \
               addon/*.[ch] addon/*.cc addon/*.hh tests/*/*.[ch])
format:
	clang-format -i $(FORMATTED)
format-check:
	@clang-format --dry-run -Werror $(FORMATTED)

# Includes go one way: dsl <- runtime <- compiler <- addon.  The programs' main
# files stand above all layers.
layers:
	@! grep -nE '#include "(runtime|compiler|addon|tests)/' \
	    dsl/*.[chy] dsl/*.re
	@! grep -nE '#include "(compiler|addon|tests)/' \
	    $(filter-out $(MAINS),$(wildcard runtime/*.[ch]))
	@! grep -nE '#include "(addon|tests)/' compiler/*.[ch]
	@! grep -nE '#include "tests/' $(wildcard addon/*.[ch] addon/*.cc)

# ---- generated texts ----------------------------------------------------------
GENERATED := dsl/reference.md dsl/editor/milt.vim addon/constants.d.cts

# The constants of the older API for TypeScript.
CONSTANTS := sed -n -f addon/constants.sed addon/constants.def

# help: make generated write dsl/reference.md, dsl/editor/ and others anew
generated: $(BUILD)/milt-gen
	@mkdir -p dsl/editor
	$(BUILD)/milt-gen reference dsl/reference.in > dsl/reference.md
	$(BUILD)/milt-gen vim > dsl/editor/milt.vim
	$(CONSTANTS) > addon/constants.d.cts

fresh: $(BUILD)/milt-gen
	@$(BUILD)/milt-gen reference dsl/reference.in | diff -q - dsl/reference.md
	@$(BUILD)/milt-gen vim | diff -q - dsl/editor/milt.vim
	@$(CONSTANTS) | diff -q - addon/constants.d.cts

$(BUILD)/milt-gen: $(BUILD)/obj/compiler/gen.o $(LIB)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(BUILD)/man/milt.5: dsl/reference.in $(BUILD)/milt-gen
	@mkdir -p $(@D)
	$(BUILD)/milt-gen man $< > $@

# ---- installing ---------------------------------------------------------------
# The npm package's files, beside its folders.
PACKAGE = $(wildcard addon/package.json addon/*.md addon/*.cjs addon/*.d.*ts)

# help: make install   PREFIX=/usr/local DESTDIR=: programs, manuals, policies
install: all $(BUILD)/man/milt.5
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin \
	    $(DESTDIR)$(PREFIX)/share/man/man1 \
	    $(DESTDIR)$(PREFIX)/share/man/man5 \
	    $(DESTDIR)$(PREFIX)/share/man/man8 \
	    $(DESTDIR)$(PREFIX)/share/milt \
	    $(DESTDIR)$(PREFIX)/share/vim/vimfiles/syntax \
	    $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(UNITDIR) \
	    $(DESTDIR)$(PREFIX)/include/milt/dsl \
	    $(DESTDIR)$(PREFIX)/include/milt/runtime \
	    $(DESTDIR)$(PREFIX)/include/milt/compiler
	install -m 755 $(BUILD)/milterc $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(BUILD)/milterd $(BUILD)/milterctl \
	    $(DESTDIR)$(PREFIX)/sbin/
	install -m 644 compiler/milterc.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 $(BUILD)/man/milt.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 644 runtime/milterd.8 runtime/milterctl.8 \
	    $(DESTDIR)$(PREFIX)/share/man/man8/
	install -m 644 dsl/editor/milt.vim \
	    $(DESTDIR)$(PREFIX)/share/vim/vimfiles/syntax/
	install -m 644 $(LIB) $(DESTDIR)$(PREFIX)/lib/
	for d in dsl runtime compiler; do \
	    install -m 644 $$d/*.h $(DESTDIR)$(PREFIX)/include/milt/$$d/; done
	install -m 644 dsl/*.def $(DESTDIR)$(PREFIX)/include/milt/dsl/
	sed 's|@PREFIX@|$(PREFIX)|; s|@CONFDIR@|$(CONFDIR)|' \
	    runtime/milterd.service.in > $(DESTDIR)$(UNITDIR)/milterd.service
	install -m 644 runtime/milterd.socket $(DESTDIR)$(UNITDIR)/
	cp -R policies $(DESTDIR)$(PREFIX)/share/milt/
	install -d $(DESTDIR)$(PREFIX)/lib/milt/lib
	install -m 644 $(PACKAGE) $(DESTDIR)$(PREFIX)/lib/milt/
	install -m 644 addon/lib/* $(DESTDIR)$(PREFIX)/lib/milt/lib/

# With `make install` milterc runs functions; to serve takes the native part.
# help: make install-addon  the command `milt`, which serves js rules, too
install-addon: install addon
	install -d $(DESTDIR)$(PREFIX)/lib/milt/bin \
	    $(DESTDIR)$(PREFIX)/lib/milt/build/Release
	install -m 755 addon/bin/milt.mjs $(DESTDIR)$(PREFIX)/lib/milt/bin/
	install -m 644 addon/build/Release/milt.node \
	    $(DESTDIR)$(PREFIX)/lib/milt/build/Release/
	ln -sf ../lib/milt/bin/milt.mjs $(DESTDIR)$(PREFIX)/bin/milt

# The package's files stand in .debian: at the top there are only our folders.
DEB := $(BUILD)/deb/milt-$(VERSION)
# help: make deb       a Debian package in build/deb, judged by lintian
deb:
	@rm -rf $(BUILD)/deb && mkdir -p $(DEB)
	@dpkg-parsechangelog -l .debian/changelog -S Version | \
	    grep -qxF $(VERSION) || { echo '.debian/changelog is not about' \
	    '$(VERSION)' >&2; exit 1; }
	cp -R Makefile README.md dsl compiler runtime policies $(DEB)/
	cp -R .debian $(DEB)/debian
	mkdir $(DEB)/addon
	cp -R $(PACKAGE) addon/lib $(DEB)/addon/
	cd $(DEB) && env -u MAKEFLAGS -u MFLAGS -u BUILD dpkg-buildpackage \
	    -us -uc -b
	cd $(BUILD)/deb && lintian --fail-on error,warning *.changes

clean:
	rm -rf $(BUILD) addon/build addon/node_modules

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all help deps addon addon-core addon-libs demo tests-built asan-built tsan-built fuzz-built fuzzers fuzz test asan tsan bench soak bless \
        check format format-check layers fresh generated install \
        install-addon deb clean
