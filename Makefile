.PHONY: build test race lint bench bench-scan bench-aws bench-watch interop truth peers capture-clients

# build makes a static binary, which starts faster than one that is linked with the C library.
build:
	CGO_ENABLED=0 go build -trimpath -o bin/parley ./cmd/parley

# peers installs the real servers and clients that the tests talk to, where it may.
peers:
	@./testbed/peers/install.sh
	@./cipherlist/testdata/install-openssl.sh || echo "peers: OpenSSL 1.1.1 and 3.5 could not be had from Debian" >&2

test: peers
	go vet ./...
	go test -timeout 20m ./...

# race runs the tests of what works in parallel under Go's race detector. It is no part of test, since it takes as long again;
# it needs a C compiler.
race: peers
	CGO_ENABLED=1 go test -race -timeout 30m ./probe ./scan/... ./vuln/... ./inspect ./diagnose ./connect ./tap ./elbapi/... ./simulate ./aws/... ./cmd/parley

# lint runs gofmt, go vet, staticcheck and govulncheck; it is no part of test, since it takes longer.
lint:
	@./tools/lint.sh

# bench measures Parley against its bounds and against other scanners, and writes bench/RESULTS.md.
bench: peers
	@for p in sslscan nmap testssl goaccess; do command -v $$p >/dev/null || echo "bench: $$p is missing, so its figures will be too (Debian: apt-get install $$p; testssl is in testssl.sh)" >&2; done
	go test ./bench -run '^$$' -bench . -benchtime 3s -timeout 90m -results RESULTS.md

# bench-scan measures parley scan alone, and replaces its sections of bench/RESULTS.md.
bench-scan: peers
	go test ./bench -run '^$$' -bench '^Benchmark(Scan|ManyEndpoints)$$' -benchtime 3s -timeout 60m -results RESULTS.md -keep

# bench-aws measures parley aws list over 2,000 listeners of a simulated account, and replaces its section of bench/RESULTS.md.
bench-aws:
	go test ./bench -run '^$$' -bench '^BenchmarkAWSList$$' -timeout 10m -results RESULTS.md -keep

# bench-watch measures parley watch beside tshark on a capture of 1 GB that it makes, and replaces its section of
# bench/RESULTS.md.
bench-watch: peers
	@command -v tshark >/dev/null || echo "bench: tshark is missing (Debian: apt-get install tshark)" >&2
	go test ./bench -run '^$$' -bench '^BenchmarkWatch$$' -benchtime 5x -timeout 60m -results RESULTS.md -keep

# interop prints the matrix of real clients and servers, and where predictions disagree with what happened. (From
# its own folder go test shows what a test prints even if it passes.)
interop: peers
	cd interop && go test -count=1 -timeout 20m -run TestMatrix -matrix

# truth scans endpoints whose configuration is known, checks what they were configured to be by OpenSSL's own client, runs
# the other scanners against them too, and writes truth/RESULTS.md.
truth: peers
	@for p in sslscan nmap testssl; do command -v $$p >/dev/null || echo "truth: $$p is missing, so its column will be empty (Debian: packages sslscan, nmap and testssl.sh)" >&2; done
	cd truth && go test -count=1 -timeout 60m -run TestTruth -verify -results RESULTS.md

# capture-clients fetches real clients of many releases and records the ClientHello of each again. What a hello
# says stays as it is until a client says something else.
capture-clients: peers
	./testbed/captureclients/install.sh
	go run ./testbed/captureclients
