# Four io_uring servers, day by day.  make help  lists what can be made.

CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
override CFLAGS   += -std=gnu17 $(WARNINGS)
override CPPFLAGS += -D_GNU_SOURCE -MMD -MP

# Asked when a recipe runs, not now, so that "make deps day04" finds what deps has just installed.
# As system headers: the warnings are for our code.
LIBURING_CFLAGS = $$(pkg-config --cflags liburing | sed 's/-I */-isystem /g')
LIBURING_LIBS   = $$(pkg-config --libs liburing)

COMMON := common/say.o common/options.o common/listen.o
DAYS   := day01 day02 day03 day04
OBJECTS = $(patsubst %.c,%.o,$(wildcard day*/*.c common/*.c tests/*.c tests/*/*.c))
HELPERS := tests/client tests/grade/guard tests/kernels/refuse
BATS   ?= bats

CONNECTIONS ?= 200000
SEED        ?= 1
KERNEL      ?= 6.1 6.12

.PHONY: all $(DAYS) test test-all soak lessons errata bug grade bench test-kernels test-liburing test-fresh \
        lint sanitize diff doctor deps clean help liburing
.NOTPARALLEL: # it is small, and "make deps day04" means this order

all: $(DAYS) day02/probe $(HELPERS) ## Build everything (the default)
day01: day01/server ## Build day 1: socket setup
day02: day02/server day02/probe ## Build day 2: ring init
day03: day03/server ## Build day 3: file registration
day04: day04/server ## Build day 4: the event loop

# dayNN/mine: a reader's own mine.c beside the day's server.c
day01/server day01/mine: %: %.o $(COMMON)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

day02/server day02/probe day03/server day04/server day02/mine day03/mine day04/mine: %: %.o common/trace.o $(COMMON)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBURING_LIBS) $(LDLIBS)

$(HELPERS): %: %.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

day02/%.o day03/%.o day04/%.o common/trace.o: override CPPFLAGS += $(LIBURING_CFLAGS)
day02/server.o day02/probe.o day03/server.o day04/server.o common/trace.o: | liburing
day02/mine.o day03/mine.o day04/mine.o: | liburing

day02/probe.o: override CPPFLAGS += -DLIBURING_VERSION=\"$$(pkg-config --modversion liburing)\"

%.o: %.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

liburing:
	@pkg-config --exists 'liburing >= 2.3' || { echo >&2 \
	"liburing 2.3 or newer is missing: run 'make deps', or install it and pkg-config yourself" \
	"(Debian, Ubuntu: liburing-dev; Fedora, openSUSE: liburing-devel; Arch: liburing; Alpine: liburing-dev)"; exit 1; }

test: ## Check every stage (the same as: bats tests/)
	$(BATS) tests/

test-all: ## The same, and the slow suites
	BATS_TEST_TIMEOUT=600 $(BATS) tests/ tests/faults/ tests/soak/ tests/bench/ tests/kernels/ tests/grade/ tests/errata/ tests/lessons/

soak: ## Good and hostile clients, mixed at random   make soak CONNECTIONS=200000 SEED=1
	CONNECTIONS=$(CONNECTIONS) SEED=$(SEED) $(BATS) tests/soak/

lessons: ## Check that the lessons print what the code says and does
	$(BATS) tests/lessons/

errata: ## Each bug of NOTES.md, put back, must be caught
	$(BATS) tests/errata/

bug: ## Put one bug of NOTES.md back, and see it   make bug N=05
	@tests/errata/bug.sh '$(N)'

grade: tests/client tests/grade/guard ## Grade your own program   make grade DAY=04 SERVER=path/to/mine
	@tests/grade/grade.sh '$(DAY)' '$(SERVER)'

bench: all ## Measure the days beside epoll, libuv and the article's loop
	@tests/deps.sh bench
	@FORMAT='$(FORMAT)' tests/bench/bench.sh

test-kernels: ## The tests under other kernels, in QEMU   make test-kernels KERNEL=6.1 TESTS=tests/day04.bats
	tests/deps.sh kernels
	tests/kernels/test.sh '$(KERNEL)' $(TESTS)

test-liburing: ## The quick tests with newer liburings, with gcc and clang
	tests/liburing/test.sh

test-fresh: ## The README's commands on machines with nothing on them (as root)
	tests/deps.sh fresh
	tests/fresh/test.sh

C_SOURCES = $(wildcard day*/server.c day02/probe.c common/*.c tests/*.c tests/*/*.c)
SHELL_SOURCES = $(wildcard tests/*.sh tests/*.bash tests/*.bats tests/*/*.sh tests/*/*.bash tests/*/*.bats) .ci/run
# The analyser, but for the checks that want C11's Annex K, which no Linux libc has, and one that
# clang-tidy 14 gets wrong.
TIDY = clang-analyzer-*,-clang-analyzer-security.insecureAPI.*,-clang-analyzer-valist.Uninitialized

lint: ## Check the format, and analyse the C and the shell code
	@tests/deps.sh lint
	clang-format --dry-run -Werror $(C_SOURCES) $(wildcard common/*.h)
	clang-tidy --quiet --checks='$(TIDY)' --warnings-as-errors='*' $(C_SOURCES) -- -std=gnu17 -D_GNU_SOURCE
	cppcheck --quiet --enable=warning,performance,portability --error-exitcode=1 -D_GNU_SOURCE $(C_SOURCES)
	shellcheck --external-sources --source-path=SCRIPTDIR $(SHELL_SOURCES)

sanitize: ## The tests on a build with the address and undefined behaviour sanitizers
	tests/sanitize.sh

diff: ## The lesson of a day: what its server changes    make diff DAY=04
	@case '$(DAY)' in 02|03|04) ;; *) echo 'usage: make diff DAY=02, 03 or 04' >&2; exit 2;; esac
	@diff -u "$$(printf day%02d $$(($(patsubst 0%,%,$(DAY)) - 1)))/server.c" day$(DAY)/server.c || [ $$? -eq 1 ]

doctor: day02/probe ## Say what this machine's kernel and liburing support
	@day02/probe

deps: ## Install what is missing to build and to test (asks for root when it must)
	@tests/deps.sh

clean: ## Remove what was built
	rm -f $(OBJECTS) $(OBJECTS:.o=.d) $(DAYS:=/server) $(DAYS:=/mine) day02/probe $(HELPERS)
	rm -rf tests/bench/out

help: ## Show this list
	@sed -n 's/^\([a-z][a-z0-9-]*\):[^#]*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS="$$(printf '\t')" read -r name text; do printf '  %-14s %s\n' "$$name" "$$text"; done

-include $(wildcard day*/*.d common/*.d tests/*.d tests/*/*.d)
