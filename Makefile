# rollcall: make help lists the targets.
.DEFAULT_GOAL := ci
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
PACKAGES := ./...

.PHONY: help ci sim exhaust scale live demo test race lint props mutants fuzz bench microbench cover detect tidy clean

help: ## List the targets.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

ci: lint test race ## What CI runs.

demo: ## Three processes, six MCP servers, a crash and a netsplit. JSON=1 prints one object.
	@cd examples/mcp && go build -o ../../bin/mcp-demo . && ../../bin/mcp-demo $(if $(JSON),-json)

test: ## All tests, of the library and of the example.
	go test $(PACKAGES)
	cd examples/mcp && go test ./...

race: ## The library and the simulator under the race detector, the long random tests cut short.
	go test -race -short ./crdt ./resolve/... ./registry/... ./transport/... ./jepsen-lite/sim ./jepsen-lite/scenarios

lint: ## gofmt, vet, staticcheck and the tidy test.
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these files"; exit 1; }
	go vet $(PACKAGES)
	cd examples/mcp && go vet ./...
	go run $(STATICCHECK) $(PACKAGES)
	go test ./property_test

props: ## The property tests with many more cases.
	go test ./crdt/... ./resolve/... -rapid.checks=20000
	go test ./property_test -rapid.checks=1000 -timeout 60m

mutants: ## Faults planted in the library one at a time, each to be noticed: half an hour on two cores.
	go run ./property_test/mutants -j 2

fuzz: ## Each fuzz target for half a minute.
	@for p in $$(go list ./...); do for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
		echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime 30s $$p || exit 1; done; done

sim: ## 2,000 netsplits of all kinds in the simulator, every run checked: under two minutes on two cores.
	go run ./jepsen-lite sweep --seeds 1-2000

exhaust: ## Every schedule of up to DEPTH steps (default 4) on three nodes. DEPTH=5 takes half an hour.
	go run ./jepsen-lite exhaust --nodes 3 --depth $(or $(DEPTH),4)

scale: ## One thousand nodes in the simulator: minutes.
	ROLLCALL_LONG=1 go test -count=1 -v -timeout 40m -run Scale ./jepsen-lite/sim

live: ## Real processes in real netsplits, on hosts of network namespaces: Linux and root, half a minute.
	@test "$$(id -u)" = 0 || echo "without root only the parts that need no host are tested"
	cd jepsen-lite/live && go vet ./... && go test -count=1 ./...

bench: ## rollcall beside its peers: under 25 minutes. JSON=1 DOCS=1 QUICK=1 LONG=1 ONLY=regexp ROUNDS=n
	@bench/install-erlang.sh
	@cd bench && go build -o ../bin/bench . && cd dskit && go build -o ../../bin/bench-dskit .
	@cd bench && ../bin/bench -dskit ../bin/bench-dskit $(if $(JSON),-json) $(if $(DOCS),-docs ../docs) $(if $(QUICK),-quick) \
		$(if $(LONG),-long) $(if $(ONLY),-only '$(ONLY)') $(if $(ROUNDS),-rounds $(ROUNDS))

microbench: ## Every benchmark beside the code, in ns/op and allocs/op.
	go test -run '^$$' -bench . -benchmem $(PACKAGES)

detect: ## How soon killed and frozen nodes are noticed, and a split of 90 s: real processes, several minutes.
	ROLLCALL_LONG=1 go test -count=1 -v -timeout 40m -run 'Long|Detection|Scale' ./transport/gossip ./registry

cover: ## Coverage by package.
	go test -short -cover $(PACKAGES)

clean: ## Remove what was built.
	rm -rf bin
