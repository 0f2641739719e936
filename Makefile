# Everything here needs Go and make; `test` also wants a C compiler, because
# Go's race detector does, and Docker, for the tests with containers.

GO       ?= go
FUZZTIME ?= 10s

# One of each system and of each width. A release has all of release/platforms,
# which takes long without a cache: Azure's SDK alone is minutes for each.
PLATFORMS = $(filter linux/amd64 linux/386 darwin/arm64 windows/amd64,$(RELEASED))
RELEASED := $(shell cat release/platforms)

# Go refuses to build where git does not trust the directory (another owner, as
# in a container). Such a build is made without the revision in it.
BUILDVCS := $(shell git status >/dev/null 2>&1 && echo auto || echo false)
BUILD     = CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=$(BUILDVCS)

.DEFAULT_GOAL := help
.PHONY: help starts demo quickstart clients soak e2e dev runner build test compat model bench tidy vet lint check cross release docs recordings fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

# With Azure's times the demo is in virtual time: its bursts are of eight hours, and if
# Azure were made faster, plugin and runner would be slow beside it. Else it has real
# processes, real time and SSH.
demo: ## 24 jobs on simulated VMs; MODE=flexible, SPOT=1, EVICT=3 vary it; BOOT=realistic: with Azure's times, WARM=4, SEED=7
	@mkdir -p bin
ifeq ($(BOOT),realistic)
	CGO_ENABLED=0 $(GO) test -c -trimpath -o bin/bench ./test/bench
	@cd test/bench && ../../bin/bench -test.run '^TestDemo$$' -test.timeout 0 -demo $(if $(SEED),-seed $(SEED)) $(if $(WARM),-warm $(WARM)) $(if $(MODE),-mode $(MODE))
else
	$(BUILD) -o bin/ ./cmd/fleeting-plugin-azure ./cmd/armsim ./demo
	bin/demo $(if $(MODE),-mode $(MODE)) $(if $(SPOT),-spot $(SPOT)) $(if $(EVICT),-evict $(EVICT)) $(if $(SEED),-seed $(SEED)) $(if $(BOOT),-boot $(BOOT))
endif

quickstart: ## setup, doctor, jobs, status and teardown on an empty simulated subscription
	$(GO) test -trimpath -count=1 -v -run '^TestQuickstart$$' ./test/binary

# The newest of Microsoft's packages, and without a lock file the newest of what they
# need; Node comes with them.
clients: ## Azure CLI and Microsoft's SDK for JavaScript against the simulator; both must be installed
	@command -v az >/dev/null || { echo "there is no az: apt-get install --no-install-recommends azure-cli" >&2; exit 1; }
	@command -v npm >/dev/null || { echo "there is no npm: apt-get install --no-install-recommends npm" >&2; exit 1; }
	@mkdir -p bin/clients && cp test/clients/package.json bin/clients/
	cd bin/clients && npm install --no-package-lock --no-audit --no-fund
	REQUIRE_CLIENTS=1 CGO_ENABLED=0 $(TEST) -trimpath -count=1 -v ./test/clients

soak: ## the same for 10 minutes with faults and kills; SEED=7, DURATION=2m, MODE=Flexible, SPOT=Deallocate vary it
	@mkdir -p bin
	$(BUILD) -o bin/ ./cmd/fleeting-plugin-azure ./cmd/armsim ./test/soak
	bin/soak $(if $(SEED),-seed $(SEED)) $(if $(DURATION),-duration $(DURATION)) $(if $(MODE),-mode $(MODE)) $(if $(SPOT),-spot $(SPOT))

# A real GitLab Runner is not ours to bring along.
runner:
	@if [ -z "$(GITLAB_RUNNER)" ]; then \
		echo "GITLAB_RUNNER is not set: it must name the binary of a real GitLab Runner. To get a release of it:"; \
		echo "  curl -Lo gitlab-runner https://gitlab-runner-downloads.s3.amazonaws.com/latest/binaries/gitlab-runner-linux-amd64"; \
		echo "  chmod +x gitlab-runner"; \
		echo "(v17.9.3 or another version instead of latest; or the package gitlab-runner of packages.gitlab.com)"; \
		echo "A build of your own needs a version and, for docker-autoscaler, must be static:"; \
		echo "  CGO_ENABLED=0 go build -ldflags '-X gitlab.com/gitlab-org/gitlab-runner/common.VERSION=17.9.3' -o gitlab-runner ."; \
		echo "and then:  make $(or $(MAKECMDGOALS),e2e) GITLAB_RUNNER=./gitlab-runner"; \
		exit 1; \
	fi >&2

e2e: runner ## 40 jobs with a real GITLAB_RUNNER=/path, both executors; EXECUTORS=instance, MODE=Flexible vary it
	@mkdir -p bin
	$(BUILD) -o bin/ ./cmd/fleeting-plugin-azure ./cmd/armsim ./test/e2e
	bin/e2e -runner "$(GITLAB_RUNNER)" $(if $(EXECUTORS),-executors $(EXECUTORS)) $(if $(MODE),-mode $(MODE))

dev: runner ## simulator, GitLab's stand-in and GITLAB_RUNNER=/path, to try by hand; EXECUTOR=docker-autoscaler varies it
	@mkdir -p bin
	$(BUILD) -o bin/ ./cmd/fleeting-plugin-azure ./cmd/armsim ./dev
	bin/dev -runner "$(GITLAB_RUNNER)" $(if $(EXECUTOR),-executor $(EXECUTOR)) $(if $(MODE),-mode $(MODE))

build: ## build the plugin and the simulator into bin/
	@mkdir -p bin
	$(BUILD) -o bin/ ./cmd/fleeting-plugin-azure ./cmd/armsim

# A module has one version of fleeting, so this is another (test/compat/doc.go).
compat = $(GO) -C test/compat test $(1) -shuffle=on -timeout 30m ./...

# Tests in virtual time take seven times as long with the race detector, so that
# it sees a sample of them (test/rig); all of them run without it. It does not see
# the tests of release, which runs in one goroutine and compresses 20 MB again and
# again. What is not for the race detector has the flags of BUILD: with others Go
# would compile Azure's SDK once more. Collecting garbage less often saves a third of
# the time. Many tests wait for processes, so that more than one package for each
# processor runs. The time limits are for a machine that is busy with other things.
TEST         = $(GO) test -shuffle=on -timeout 30m
TEST_PLAIN   = CGO_ENABLED=0 $(TEST) -trimpath
VIRTUAL_TIME = -run '^Test(Model|Properties|RequestBounds|Bursts|F[0-9]+|Weakness|Contract[B-L])' ./test/model ./test/failures ./test/fleeting ./test/bench ./instancegroup
RACED        = $(shell $(GO) list ./... | grep -v '/release$$')
test: ## run all tests, with the race detector where there is a C compiler
	@SKIPS_FILE=$$(mktemp) && export SKIPS_FILE || exit 1; \
	trap '{ set +x; } 2>/dev/null; sort -u "$$SKIPS_FILE" >&2; rm -f "$$SKIPS_FILE"' EXIT; \
	export GOGC=400; cc=$$($(GO) env CC) || exit 1; \
	if echo '#include <stdlib.h>' | $$cc -x c -c -o /dev/null - >/dev/null 2>&1; then \
		set -ex; CGO_ENABLED=1 GORACE=atexit_sleep_ms=0 $(TEST) -race -p 4 -parallel 4 $(RACED); \
		$(MAKE) --no-print-directory -j3 test-virtual-time test-release test-compat; \
	else \
		echo "**** NO WORKING C COMPILER ($$cc): TESTING WITHOUT THE RACE DETECTOR ****" >&2; \
		$(TEST_PLAIN) -p 4 -parallel 4 ./... && CGO_ENABLED=0 $(call compat,-trimpath); rc=$$?; \
		echo "**** DATA RACES WERE NOT LOOKED FOR: install gcc and run again ****" >&2; \
		exit $$rc; \
	fi

.PHONY: test-virtual-time test-release test-compat
test-virtual-time:
	$(TEST_PLAIN) $(VIRTUAL_TIME)
	$(TEST_PLAIN) ./internal/advise/sim
test-release:
	$(TEST_PLAIN) ./release
test-compat:
	CGO_ENABLED=1 $(call compat,-race)

compat: ## run the plugin under the fleeting of an older runner (part of test)
	$(call compat)

# Each run draws other sequences; a failure prints how to run its own again.
model: ## run SEQUENCES (5000) of the model's random sequences of events (test runs 400)
	CGO_ENABLED=0 $(GO) test -trimpath -run '^TestModel$$' -timeout 0 ./test/model -rapid.checks=$(or $(SEQUENCES),5000)

# Not with go test, which keeps what is printed until the end.
bench: ## play the benchmarks and write docs/reference/performance.md; SCENARIO=hour,fleet plays some and writes nothing
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) test -c -trimpath -o bin/bench ./test/bench
	cd test/bench && ../../bin/bench -test.run '^TestBench$$' -test.timeout 0 -benchmarks $(if $(SCENARIO),-scenarios '$(SCENARIO)')

starts: ## measure what each way to a fast start saves, and write the tables of docs/guides/fast-starts.md; TABLE=kept: one of them
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) test -c -trimpath -o bin/bench ./test/bench
	cd test/bench && ../../bin/bench -test.run '^TestStarts$$' -test.timeout 0 -starts $(if $(TABLE),-table '$(TABLE)')

# The recordings that each table is made of; the errors of 38 are of both. Not among
# them: 27 and 40, which are documentation, 28, as placement scores are not simulated,
# and 39, as prices are not of Resource Manager.
SCALE_SET_RECORDINGS := 01,02,03,04,06,08,10,11,12,15,16,20,21,23,25,26,32,33,34,37,38
SETUP_RECORDINGS     := 29,30,31,35,38

recordings: ## compare what armsim is tested with, and its sources, with the recordings in RECORDINGS="dir dir"
	$(GO) run ./internal/recordings/cmd/recordtable -only $(SCALE_SET_RECORDINGS) -check armsim/testdata/exchanges.json -sources armsim $(RECORDINGS)
	$(GO) run ./internal/recordings/cmd/recordtable -family setup -only $(SETUP_RECORDINGS) -check armsim/testdata/exchanges-setup.json -sources armsim $(RECORDINGS)

tidy: ## write go.mod and go.sum of all modules again
	$(GO) mod tidy
	$(GO) -C test/compat mod tidy

vet: ## check format and go vet
	@files=$$(find . -path './.*' -prune -o -name '*.go' -exec gofmt -l {} +) || exit 1; \
	if [ -n "$$files" ]; then echo "not formatted; run gofmt -w on:" >&2; echo "$$files" >&2; exit 1; fi
	CGO_ENABLED=0 $(GO) vet -trimpath ./...
	CGO_ENABLED=0 $(GO) -C test/compat vet -trimpath ./...

lint: vet ## vet, and golangci-lint where it is installed
	@if command -v golangci-lint >/dev/null 2>&1; then \
		set -ex; golangci-lint run; cd test/compat; golangci-lint run; \
	else \
		echo "golangci-lint is not installed: left out"; \
	fi

check: lint test cross ## what CI runs: lint, test and cross

cross: ## build every binary for PLATFORMS (some of release/platforms) into dist/
	@for p in $(PLATFORMS); do \
		arch=$${p#*/}; dir=dist/$${p%/*}-$$arch; mkdir -p $$dir; echo "build $$dir"; \
		GOOS=$${p%/*} GOARCH=$${arch%v7} GOARM=7 $(BUILD) -o $$dir/ ./... || exit 1; \
	done

release: ## binaries, SBOMs and checksums of VERSION into dist/; REGISTRY=host/path: push them
	@mkdir -p bin
	@$(BUILD) -o bin/release ./release
	@bin/release -go '$(GO)' -version '$(VERSION)' -registry '$(REGISTRY)' $(if $(filter 1,$(ALLOW_DIRTY)),-allow-dirty)

docs: ## write the generated reference pages again
	$(GO) test ./internal/config -run TestReference -update
	$(GO) test ./internal/metrics -run TestDocumented -update
	$(GO) test ./internal/migrate -run TestReference -update
	$(GO) test ./internal/armops -run TestReference -update
	$(GO) test ./cmd/fleeting-plugin-azure -run TestReference -update

fuzz: ## run each fuzz target for FUZZTIME (10s)
	@pkgs=$$($(GO) list ./...) || exit 1; \
	for pkg in $$pkgs; do \
		list=$$($(GO) test -list '^Fuzz' $$pkg) || { echo "$$list" >&2; exit 1; }; \
		for f in $$(echo "$$list" | grep '^Fuzz'); do \
			echo "fuzz $$pkg $$f"; \
			$(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
		done; \
	done

clean: ## remove bin/ and dist/
	rm -rf bin dist
