package suite_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
)

// printSuites is a Java program that prints every suite that JSSE knows.
const printSuites = `class PrintSuites {
	public static void main(String[] a) throws Exception {
		for (String s : javax.net.ssl.SSLContext.getDefault().getSupportedSSLParameters().getCipherSuites())
			System.out.println(s);
	}
}`

// TestAgainstJava finds every name of JSSE, which says SSL_ where IANA says TLS_ for suites older than TLS.
func TestAgainstJava(t *testing.T) {
	java := testbed.Need(t, "java")
	source := filepath.Join(t.TempDir(), "PrintSuites.java")
	if err := os.WriteFile(source, []byte(printSuites), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(java, source).Output()
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(out))
	if len(names) < 20 {
		t.Fatalf("%d suites: %s", len(names), out)
	}
	for _, name := range names {
		iana := strings.Replace(name, "SSL_", "TLS_", 1)
		if s := suite.ByName(name); s == nil || s.IANA != iana {
			t.Errorf("%s: found %+v", name, s)
		}
	}
}
