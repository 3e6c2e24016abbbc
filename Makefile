.PHONY: build test lint interop peers capture-clients

build:
	go build -trimpath -o bin/parley ./cmd/parley

# peers installs the real servers and clients that the tests talk to, where it may.
peers:
	@./testbed/peers/install.sh
	@./cipherlist/testdata/install-openssl.sh || echo "peers: OpenSSL 1.1.1 and 3.5 could not be had from Debian" >&2

test: peers
	go vet ./...
	go test ./...

# lint runs gofmt, go vet, staticcheck and govulncheck; it is no part of test, since it takes longer.
lint:
	@./tools/lint.sh

# interop prints the matrix of real clients and servers, and where predictions disagree with what happened. (From
# its own folder go test shows what a test prints even if it passes.)
interop: peers
	cd interop && go test -count=1 -timeout 20m -run TestMatrix -matrix

# capture-clients fetches real clients of many releases and records the ClientHello of each again. What a hello
# says stays as it is until a client says something else.
capture-clients: peers
	./testbed/captureclients/install.sh
	go run ./testbed/captureclients
