package main

import (
	"fmt"
	"os"

	"github.com/parley-tls/parley/evidence"
)

// writable reports early, before hours of watching, that a file of --evidence cannot be written. It leaves what is in it.
func writable(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return fmt.Errorf("--evidence: %w", err)
	}
	return f.Close()
}

// writeEvidence writes a file of evidence.
func writeEvidence(path string, clients []evidence.Client) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("--evidence: %w", err)
	}
	err = evidence.Write(f, clients)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("--evidence: %w", err)
	}
	return nil
}
