.PHONY: build test peers capture-clients

build:
	go build -trimpath -o bin/parley ./cmd/parley

# peers installs the real servers and clients that the tests talk to, where it may.
peers:
	./testbed/peers/install.sh

test: peers
	go vet ./...
	go test ./...

# capture-clients records the ClientHello of every client on this machine again.
capture-clients: peers
	go run ./testbed/captureclients
