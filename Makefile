# io_uring in four days.  make help  says what can be made; what keeps the repository true is in
# tests/upkeep/upkeep.mk.

CC         ?= cc
CFLAGS     ?= -O2 -g
PKG_CONFIG ?= pkg-config
BATS       ?= bats

# What you give stands last, so it has an effect:  make CFLAGS='-O0 -g -std=gnu11' day04
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
override CFLAGS   := -std=gnu17 $(WARNINGS) $(CFLAGS)
override CPPFLAGS := -D_GNU_SOURCE -MMD -MP $(CPPFLAGS)

# Asked when a recipe runs, not now, so that "make deps day04" finds what deps has just installed.
# As system headers: the warnings are for our code.
LIBURING_CFLAGS = $$($(PKG_CONFIG) --cflags liburing | sed 's/-I */-isystem /g')
LIBURING_LIBS   = $$($(PKG_CONFIG) --libs liburing)

COMMON  := common/say.o common/options.o common/listen.o
RING    := common/trace.o common/ring.o
DAYS    := day01 day02 day03 day04
HELPERS := tests/client tests/grade/guard

.PHONY: all $(DAYS) test grade step diff bug replay bench doctor facts deps clean help liburing
.NOTPARALLEL: # it is small, and "make deps day04" means this order

all: $(DAYS) $(HELPERS) ## Build the four days and the client of the tests (the default)
day01: day01/server ## Build day 1: socket setup
day02: day02/server day02/probe ## Build day 2: ring init
day03: day03/server ## Build day 3: file registration
day04: day04/server day04/echo ## Build day 4: the event loop, and the echo

# dayNN/mine: your own mine.c beside the day's server.c
day01/server day01/mine: %: %.o $(COMMON)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

day02/server day02/probe day03/server day04/server day04/echo day02/mine day03/mine day04/mine: %: %.o $(RING) $(COMMON)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBURING_LIBS) $(LDLIBS)

tests/facts/facts tests/facts/bound: %: %.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBURING_LIBS) $(LDLIBS)

$(HELPERS): %: %.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

day02/%.o day03/%.o day04/%.o $(RING) tests/facts/%.o: override CPPFLAGS += $(LIBURING_CFLAGS)
day02/server.o day02/probe.o day03/server.o day04/server.o day04/echo.o $(RING): | liburing
day02/mine.o day03/mine.o day04/mine.o tests/facts/facts.o tests/facts/bound.o: | liburing

%.o: %.c .flags
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# Other flags than the last time: everything is built anew.
FLAGS := $(CC) $(CPPFLAGS) $(CFLAGS)
ifneq ($(FLAGS),$(file <.flags))
.PHONY: .flags
endif
.flags:
	$(file >$@,$(FLAGS))

liburing:
	@$(PKG_CONFIG) --exists 'liburing >= 2.3' || { echo >&2 \
	"liburing 2.3 or newer is missing: run 'make deps', or install it and pkg-config yourself" \
	"(Debian, Ubuntu: liburing-dev; Fedora, openSUSE: liburing-devel; Arch: liburing; Alpine: liburing-dev)"; exit 1; }

test: ## Check every stage (the same as: bats tests/)
	$(BATS) tests/

step: ## Go through a day step by step, in dayNN/mine.c      make step DAY=04 N=01
	@tests/steps/step.sh '$(DAY)' '$(N)'

diff: ## What the server of a day changes, or a step of it   make diff DAY=02   make diff DAY=02 N=01
ifdef N
	@tests/steps/step.sh '$(DAY)' '$(N)' diff
else
	@case '$(DAY)' in 02|03|04) ;; *) echo 'usage: make diff DAY=02, 03 or 04' >&2; exit 2;; esac
	@diff -u "$$(printf day%02d $$(($(patsubst 0%,%,$(DAY)) - 1)))/server.c" day$(DAY)/server.c || [ $$? -eq 1 ]
endif

bug: ## Put one bug of NOTES.md back, and see it           make bug N=05
	@tests/bugs/bug.sh '$(N)'

replay: $(if $(TRACE),,all) ## See the ring   make replay DAY=04 or ECHO=1, make replay TRACE=file [SOURCE=day04/mine.c]
	@tests/replay/replay.sh '$(if $(ECHO),echo,$(DAY))' '$(TRACE)' '$(SOURCE)'

grade: $(HELPERS) ## Grade your own program   make grade DAY=04 SERVER=path/to/mine, or an echo: ECHO=1
	@tests/grade/grade.sh "$(if $(ECHO),echo,$$DAY)" "$$SERVER"

bench: all ## Measure the days, and the echo, beside epoll, libuv and the article's loop
	@tests/upkeep/deps.sh bench
	@FORMAT='$(FORMAT)' tests/bench/bench.sh
ifndef SERVERS
	@FORMAT='$(FORMAT)' SERVERS=echo tests/bench/bench.sh
endif

doctor: all tests/facts/bound ## Say whether this machine can run the days, and if not, why
	@PKG_CONFIG='$(PKG_CONFIG)' tests/doctor.sh

facts: tests/facts/facts tests/facts/bound ## Measure on your kernel what NOTES.md says of kernels
	tests/facts/facts
	tests/facts/bound

deps: ## Install what is missing to build and to test (asks for root when it must)
	@tests/upkeep/deps.sh

clean: ## Remove what was built
	find day0[1-4] common tests \( -name '*.o' -o -name '*.d' \) -exec rm -f {} +
	rm -f .flags $(DAYS:=/server) $(DAYS:=/mine) day02/probe day04/echo tests/facts/facts tests/facts/bound $(HELPERS) $(UPKEEP_HELPERS)
	rm -f day0[2-4]/replay.trace day0[2-4]/replay.html day04/echo.trace day04/echo.html
	rm -rf tests/bench/out

help: ## Show this list
	@echo 'For you, who reads and tries:'
	@$(call list,Makefile)
	@echo 'What keeps the repository true (tests/upkeep/README.md):'
	@$(call list,tests/upkeep/upkeep.mk)

list = sed -n 's/^\([a-z][a-z0-9-]*\):[^\#]*\#\# /\1\t/p' $(1) | \
	while IFS="$$(printf '\t')" read -r name text; do printf '  %-14s %s\n' "$$name" "$$text"; done

-include tests/upkeep/upkeep.mk # not in the copies that the exercises make
-include $(wildcard day*/*.d common/*.d tests/*.d tests/*/*.d tests/*/*/*.d)
