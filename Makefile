# Everything runs on the Node 24 that `make deps` puts into node_modules, whatever the machine has.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
MAKEFLAGS += --no-print-directory

REFERENCES ?= 1000
SECRETS ?= 200
TEST_REPORT ?= coverage/tests.json
E2E_REPORT ?= coverage/e2e.json

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: deps
deps:
	@scripts/deps.sh

.PHONY: build
build: deps ## Bundle the operator, the command and the library into one file each in dist, which need nothing but Node
	@node scripts/build.ts

.PHONY: package
package: deps ## Pack the command and the library for npm: dist/keyferry-VERSION.tgz
	@mkdir -p dist
	@npm pack --pack-destination dist

.PHONY: generate
generate: deps ## Write what is generated from the schemas: crds/, policies/ and rbac/
	@node scripts/generate.ts

.PHONY: manifests
manifests: deps ## Write what the chart installs to dist/manifests, for those without Helm
	@node scripts/manifests.ts

.PHONY: cluster
cluster: deps ## Start a real control plane in .cluster and print its KUBECONFIG
	@node test/cluster/main.ts up

.PHONY: cluster-down
cluster-down: deps ## Stop that control plane and remove what it wrote
	@node test/cluster/main.ts down

.PHONY: demo
demo: deps build ## Show the operator at work on a cluster of its own (KEEP=1 leaves it running, MANAGER=aws shows AWS)
	@node test/demo/demo.ts

.PHONY: test
test: lint build ## Check and test everything
	@vitest run --reporter=default --reporter=json --outputFile.json=$(TEST_REPORT)

.PHONY: unit
unit: deps ## Run the unit tests
	@vitest run --project unit

.PHONY: integration
integration: deps build ## Run the tests on a real control plane and a real AWS-compatible server
	@vitest run --project integration

.PHONY: e2e
e2e: deps build ## Install the chart on a real node with real pods: by kind where Docker answers, else on this machine, as root
	@status=0; \
	vitest run --config vitest.e2e.config.ts --reporter=verbose --reporter=json --outputFile.json=$(E2E_REPORT) || status=$$?; \
	if [ -f $(E2E_REPORT) ]; then echo 'Time by part:'; node scripts/print-part-times.ts $(E2E_REPORT); fi; \
	exit $$status

.PHONY: sbom
sbom: deps ## Write dist/sbom.cdx.json: what the bundles and the operator's image are made of
	@node scripts/sbom.ts

.PHONY: faults
faults: deps build ## Let everything go wrong that can, one at a time (PLANS=1000 SEED=1, SCENARIO=name, REPLAY=file)
	@node test/faults/main.ts

.PHONY: bench
bench: deps build ## Measure (REFERENCES=1000 SECRETS=200; PHASES=rollouts DEPLOYMENTS=100 IDLE_DEPLOYMENTS=1000; PHASES=embedded SECRETS=1000 VERSIONS=5)
	@REFERENCES=$(REFERENCES) SECRETS=$(SECRETS) node test/bench/bench.ts

.PHONY: lint
lint: deps ## Check formatting, style, types and dead code
	@biome format .
	@oxlint --type-aware --deny-warnings .
	@tsc --noEmit
	@knip

.PHONY: format
format: deps ## Format all files
	@biome format --write .

.PHONY: clean
clean: ## Remove what was built or left behind, but not node_modules or the cache
	@if [ -d .cluster ]; then $(MAKE) cluster-down; fi
	@rm -rf dist coverage .cluster
