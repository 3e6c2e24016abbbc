package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"parley": func() { os.Exit(run()) }})
}

// TestScripts runs the command-line tests in testdata/script; they double as documentation.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Cmds: scriptCommands, Setup: copySamples})
}

// copySamples puts the sample files with hellos into the folder of a script.
func copySamples(env *testscript.Env) error {
	files, err := filepath.Glob(filepath.Join("testdata", "hello-*"))
	if err != nil {
		return err
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(env.WorkDir, filepath.Base(f)), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}
