# What keeps the repository true: included by the Makefile. README.md beside this file says what each
# is for, how long it takes and when to run it.

UPKEEP         := tests/upkeep
UPKEEP_HELPERS := $(UPKEEP)/kernels/refuse $(UPKEEP)/fuzz/fuzz $(UPKEEP)/faults/says

SEED ?= 1

# What test-all runs after tests/ itself. The steps of each day one by one (steps/run.bats) take longer:
# make test-steps.
SUITES := \
	client \
	doctor \
	faults \
	fuzz \
	soak \
	kernels \
	grade \
	bugs \
	lessons \
	steps/steps.bats

# Of the grader's right and wrong servers it takes these; make test-grade takes all.
GRADED := day04|EPOLL|RECV|echo|NUL|RESETS_LARGE|EINTR_ENDS|LEAKS|KEEPS_1K|SPINS|echo:REORDERS

.PHONY: test-all soak fuzz lessons bugs test-steps test-grade test-replay test-kernels test-arm64 test-32 test-musl \
	test-liburing test-fresh lint sanitize

$(UPKEEP)/faults/says: common/say.o
$(UPKEEP_HELPERS): %: %.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

test-all: test all $(UPKEEP_HELPERS) ## Every suite that runs here: bats tests/, and the slow ones
	PROGRAMS='$(GRADED)' BATS_TEST_TIMEOUT=600 $(BATS) tests/bench/ $(addprefix $(UPKEEP)/,$(SUITES))

lessons: ## The lessons print what the code says and does
	$(BATS) $(UPKEEP)/lessons/

bugs: ## Each bug of NOTES.md, put back, is caught
	$(BATS) $(UPKEEP)/bugs/

test-steps: ## The steps of each day build, and begin to do what they say
	$(BATS) $(UPKEEP)/steps/

test-grade: all ## The grader and the exercises' checks, on right and wrong programs in seven languages   make test-grade TIMES=20 JOBS=3
	$(UPKEEP)/deps.sh grade
	TIMES=$(TIMES) JOBS=$(JOBS) $(BATS) $(UPKEEP)/grade/ $(UPKEEP)/exercises/

test-replay: all ## The page of "make replay", in a browser
	$(UPKEEP)/deps.sh replay
	$(BATS) $(UPKEEP)/replay/

soak: ## Good and hostile clients, mixed at random   make soak CONNECTIONS=200000 SEED=1
	CONNECTIONS=$(or $(CONNECTIONS),200000) SEED=$(SEED) $(BATS) $(UPKEEP)/soak/

fuzz: day04/server day04/echo $(UPKEEP)/fuzz/fuzz ## Random walks of clients, and signals   make fuzz CONNECTIONS=3000 SEED=1 ECHO=1
	@$(UPKEEP)/fuzz/fuzz.sh $(SEED) $(or $(CONNECTIONS),3000) $(SERVER)

sanitize: ## bats tests/ on a build with the address and undefined behaviour sanitizers
	$(UPKEEP)/sanitize.sh

test-kernels: ## Other kernels, in QEMU   make test-kernels KERNEL=6.1 TESTS=tests/day04.bats TAGS='!usage,!long'
	$(UPKEEP)/deps.sh kernels
	TAGS='$(TAGS)' $(UPKEEP)/kernels/test.sh '$(KERNEL)' $(TESTS)

test-arm64: ## An arm64 machine, in QEMU   make test-arm64 KERNEL=6.12-16k TESTS=tests/day03.bats
	$(UPKEEP)/deps.sh arm64
	$(UPKEEP)/arm64/test.sh '$(KERNEL)' $(TESTS)

test-32: ## A 32-bit build (i386)
	$(UPKEEP)/deps.sh 32
	$(UPKEEP)/m32/test.sh $(TESTS)

test-musl: ## Built with musl, and with busybox's tools
	$(UPKEEP)/deps.sh musl
	$(UPKEEP)/musl/test.sh $(TESTS)

test-liburing: ## Newer liburings, gcc and clang, and other flags
	$(UPKEEP)/deps.sh liburing
	$(UPKEEP)/liburing/test.sh

test-fresh: ## The README's commands on machines with nothing on them (as root)
	$(UPKEEP)/deps.sh fresh
	$(UPKEEP)/fresh/test.sh

C_SOURCES = $(filter-out %/mine.c tests/bench/out/%,$(wildcard day*/*.c common/*.c tests/*.c tests/*/*.c tests/*/*/*.c))
SHELL_SOURCES = $(wildcard $(foreach d,tests tests/* tests/*/*,$(d)/*.sh $(d)/*.bash $(d)/*.bats)) .ci/run
# The analyser, but for the checks that want C11's Annex K, which no Linux libc has, one that clang-tidy 14
# gets wrong, and one that 21 does: it reads a table past the entry that ends it.
TIDY = clang-analyzer-*,-clang-analyzer-security.insecureAPI.*,-clang-analyzer-valist.Uninitialized,-clang-analyzer-security.ArrayBound
# Newer cppchecks say of themselves that they do not look at every branch. Newer shellchecks do not see
# that bats, xargs, trap and "eventually" call functions.
CPPCHECK   = --suppress=normalCheckLevelMaxBranches
SHELLCHECK = --exclude=SC2317,SC2329

lint: ## Check the format, and analyse the C and the shell code
	@$(UPKEEP)/deps.sh lint
	clang-format --dry-run -Werror $(C_SOURCES) $(wildcard common/*.h)
	clang-tidy --quiet --checks='$(TIDY)' --warnings-as-errors='*' $(C_SOURCES) -- -std=gnu17 -D_GNU_SOURCE
	cppcheck --quiet --enable=warning,performance,portability $(CPPCHECK) --error-exitcode=1 -D_GNU_SOURCE $(C_SOURCES)
	shellcheck $(SHELLCHECK) --external-sources --source-path=SCRIPTDIR $(SHELL_SOURCES)
