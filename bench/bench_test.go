package bench

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-tls/parley/testbed"
)

var (
	resultsFile = flag.String("results", "", "write the tables to this file, in Markdown")
	keep        = flag.Bool("keep", false, "keep the sections of that file for which this run has no figures")
)

// TestMain runs the benchmarks and then writes what they added to the tables.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if code == 0 && *resultsFile != "" {
		write := writeResults
		if *keep {
			write = updateResults
		}
		if err := write(*resultsFile); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			code = 1
		}
	}
	os.Exit(code)
}

func writeResults(path string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Results\n\nMeasured on %s with `make bench`, which anyone can run again: it takes some minutes, needs Linux, Go and the\n"+
		"peers named here (Debian: `apt-get install openssl nginx-light haproxy gnutls-bin sslscan nmap testssl.sh goaccess`), and talks to loopback\n"+
		"alone. Figures are those of one run on one machine; ratios travel better than times.\n\n", time.Now().UTC().Format("2006-01-02"))
	for _, fact := range machine() {
		fmt.Fprintf(&b, "- %s\n", fact)
	}
	for _, t := range tables() {
		if err := t.WriteMarkdown(&b); err != nil {
			return err
		}
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// tables are the sections of the results, in their order.
func tables() []*Table {
	return []*Table{&whyTable, &roundTable, &scanBoundTable, &scanTable, &scanLocalTable, &manyTable, &watchTable, &logsTable, &awsListTable, &startTable, &coreTable}
}

// updateResults replaces the sections that this run has figures for, and says that they are of another run than the
// rest of the file.
func updateResults(path string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text := string(old)
	for _, t := range tables() {
		if len(t.Rows) > 0 {
			t.Intro += fmt.Sprintf("\n\nMeasured by itself on %s; %s.", time.Now().UTC().Format("2006-01-02 15:04 UTC"), load())
			text = t.Replace(text)
		}
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// load says how busy the machine is, "" where it does not tell.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	return "load average at the end of the run: " + strings.Join(strings.Fields(string(text))[:3], " ") + " (the benchmarks' own work is in it)"
}

// machine says where the figures come from.
func machine() []string {
	facts := []string{fmt.Sprintf("Machine: %s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor())}
	if l := load(); l != "" {
		facts = append(facts, "L"+l[1:])
	}
	if group, err := os.ReadFile("/proc/self/autogroup"); err == nil && !strings.HasSuffix(strings.TrimSpace(string(group)), " nice 0") {
		facts = append(facts, "Priority of the session, because the machine had other work: "+strings.TrimSpace(string(group)))
	}
	facts = append(facts, "Parley: built with "+runtime.Version()+binarySize())
	for _, p := range []struct {
		name    string
		args    []string
		pattern string
	}{
		{"sslscan", []string{"--version"}, `\d+\.\d+\.\d+\S*`},
		{"nmap", []string{"--version"}, `\d+\.\d+\S*`},
		{"testssl", []string{"--version"}, `\d+\.\d+\.\d+\S*`},
		{"openssl", []string{"version"}, `\d+\.\d+\.\d+\S*`},
		{"nginx", []string{"-v"}, `\d+\.\d+\.\d+`},
		{"haproxy", []string{"-v"}, `\d+\.\d+\.\d+\S*`},
		{"gnutls-serv", []string{"--version"}, `\d+\.\d+\.\d+`},
	} {
		version := "missing: its figures are not there"
		if out, err := exec.Command(p.name, p.args...).CombinedOutput(); err == nil {
			version = regexp.MustCompile(p.pattern).FindString(string(out))
		}
		facts = append(facts, "Peer: "+p.name+" "+version)
	}
	return facts
}

// maxBinary is the bound for the size of the program, in bytes.
const maxBinary = 40 << 20

// binarySize says how large the program is, where a benchmark has built it.
func binarySize() string {
	path, err := builtParley()
	if err != nil {
		return ""
	}
	i, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("; the program, symbols included, has %s (bound %s: %s)", mebibytes(i.Size()), mebibytes(maxBinary), yes(i.Size() <= maxBinary))
}

func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "processor unknown"
	}
	for line := range strings.Lines(string(info)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return "processor unknown"
}

// parley builds the program as `make build` does and returns its path.
func parley(b *testing.B) string {
	b.Helper()
	path, err := builtParley()
	if err != nil {
		b.Fatal(err)
	}
	return path
}

var builtParley = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "parley-bench")
	if err != nil {
		return "", err
	}
	path := dir + "/parley"
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, "github.com/parley-tls/parley/cmd/parley")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// need returns the path of a peer, or skips the benchmark.
func need(b *testing.B, program string) string {
	b.Helper()
	if !testbed.Have(program) {
		b.Skipf("%s is missing", program)
	}
	return program
}

// times are the wall times of a benchmark's iterations.
type times []time.Duration

// median is the middle one, the longer of two.
func (l times) median() time.Duration {
	slices.Sort(l)
	return l[len(l)/2]
}

func (l times) worst() time.Duration { return slices.Max(l) }

func (l times) best() time.Duration { return slices.Min(l) }

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// ratio says how many times as much a is as b.
func ratio[T time.Duration | int](a, b T) string {
	if b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f×", float64(a)/float64(b))
}

// yes says whether a bound is kept.
func yes(within bool) string {
	if within {
		return "yes"
	}
	return "**no**"
}
