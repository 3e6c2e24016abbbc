package cipherlist

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestRecorded repeats command lines whose output was recorded from Debian 12's OpenSSL 3.0.19, so that
// a machine without that openssl checks us too. Long output is recorded as its digest.
func TestRecorded(t *testing.T) {
	f, err := os.Open("testdata/openssl-3.0.19.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := program{exact: true}
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); n++ {
		var want struct {
			Args           []string
			Exit, Lines    int
			Stdout, Stderr string
			SHA256         string
		}
		if err := json.Unmarshal(s.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		got, err := Run(OpenSSL30, want.Args)
		if err != nil {
			t.Errorf("%q: %v", want.Args, err)
			continue
		}
		if got.Exit != want.Exit || p.masked(got.Stderr) != want.Stderr {
			t.Errorf("%q: exit %d, want %d\nstderr %q\nwant   %q", want.Args, got.Exit, want.Exit, got.Stderr, want.Stderr)
		}
		if want.SHA256 == "" && got.Stdout != want.Stdout {
			t.Errorf("%q\ngot  %q\nwant %q", want.Args, got.Stdout, want.Stdout)
		}
		sum := sha256.Sum256([]byte(got.Stdout))
		if want.SHA256 != "" && hex.EncodeToString(sum[:]) != want.SHA256 {
			t.Errorf("%q: digest differs; %d lines, want %d", want.Args, strings.Count(got.Stdout, "\n"), want.Lines)
		}
	}
	if n < 200 {
		t.Errorf("only %d recorded command lines", n)
	}
}
