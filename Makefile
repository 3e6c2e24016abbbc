.PHONY: build test lint fuzz bench interop capture-clients peers

build:
	go build -trimpath -o bin/parley ./cmd/parley

test:
	go vet ./...
	go test ./...
