package main

import (
	"fmt"
	"os"

	"github.com/parley-tls/parley/evidence"
)

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
