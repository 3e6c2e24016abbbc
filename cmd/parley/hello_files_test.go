package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDamagedHelloFiles cuts and damages hellos of every format, and demands of each that it is a client or one
// clear line.
func TestDamagedHelloFiles(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "hello-*"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%v, %v", files, err)
	}
	random := rand.New(rand.NewPCG(1, 2)) // the same damage in every run
	read, refused := 0, 0
	for _, f := range files {
		whole, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 300 {
			b := bytes.Clone(whole[:random.IntN(len(whole)+1)])
			for range i % 4 {
				if len(b) > 0 {
					b[random.IntN(len(b))] = byte(random.Uint32())
				}
			}
			c, err := clientSide(bytes.NewReader(b), "-", "3.0")
			switch {
			case err == nil && (c.Hello != nil || c.Plain != nil):
				read++
			case err == nil:
				t.Fatalf("%s, damage %d: neither a client nor an error", f, i)
			case strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' && r < 0xA0 }) || len(err.Error()) > 400:
				t.Errorf("%s, damage %d: no clear line: %q", f, i, err)
			default:
				refused++
			}
		}
	}
	if read == 0 || refused == 0 {
		t.Errorf("%d read, %d refused: the damage is not as meant", read, refused)
	}
}
