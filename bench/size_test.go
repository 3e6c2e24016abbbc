package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBinarySize holds the program to its bound, and names what usually breaks it: where a method is called by a name that is known only
// as the program runs, as templates do, the linker keeps every exported method of every type.
func TestBinarySize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parley")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/parley-tls/parley/cmd/parley").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	i, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if i.Size() > maxBinary {
		t.Errorf("the program, symbols included, has %s, bound %s", mebibytes(i.Size()), mebibytes(maxBinary))
	}
	symbols, err := exec.Command("go", "tool", "nm", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(symbols), " main.main\n") {
		t.Error("go tool nm does not list main.main: its output is not understood")
	}
	for _, name := range []string{"text/template.(*Template).Execute", "reflect.Value.MethodByName"} {
		if strings.Contains(string(symbols), " "+name+"\n") {
			t.Errorf("the program reaches %s", name)
		}
	}
}
