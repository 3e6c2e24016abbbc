package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	watchSize   = flag.Int64("watch-size", 1<<30, "bytes of the capture that parley watch and tshark read")
	watchHellos = flag.Int("watch-handshakes", 100000, "TLS handshakes in it")
	watchKeep   = flag.Bool("watch-keep", false, "leave the capture in the folder for temporary files, for the next run")
)

// The bounds of parley watch.
const (
	minWatchRatio  = 10         // times faster than tshark
	maxWatchMemory = 300 * 1000 // kB
)

var watchTable = Table{
	Title: "`parley watch` and tshark, one capture",
	Intro: "A capture of mixed traffic: TLS handshakes of real clients with real servers (OpenSSL, nginx, GnuTLS, Go), the recorded hellos of\n" +
		"the client profiles with what these servers answer, application data, HTTP, SSH and datagrams, over IPv4 and IPv6, one in\n" +
		"twenty with a VLAN tag, some segments in the wrong order or sent twice. tshark runs as\n" +
		"`tshark -r FILE -Y tls.handshake.type==1 -T fields -e ip.src -e ipv6.src -e tcp.srcport`, and finds the hellos alone; `parley watch`\n" +
		fmt.Sprintf("follows both sides. The file is in the page cache. Bounds: %d times faster, %d MB.", minWatchRatio, maxWatchMemory/1000),
	Head: []string{"capture", "packets", "parley: hellos", "negotiations", "wall time (median)", "processor time", "peak memory", "tshark: hellos", "wall time", "processor time", "peak memory", "ratio of wall time", "within the bounds"},
}

// BenchmarkWatch reads one capture with both.
func BenchmarkWatch(b *testing.B) {
	need(b, "tshark")
	file := trafficFile(b, *watchSize, *watchHellos)
	if !*watchKeep {
		b.Cleanup(func() { os.Remove(file) })
	}
	info, err := os.Stat(file)
	if err != nil {
		b.Fatal(err)
	}
	warm(b, file)
	theirs, out := measured(b, "tshark", "-r", file, "-Y", "tls.handshake.type==1", "-T", "fields", "-e", "ip.src", "-e", "ipv6.src", "-e", "tcp.srcport")
	tsharkHellos := bytes.Count(out, []byte("\n"))
	program := parley(b)
	var ours []run
	var report struct {
		Packets, Negotiations, Hellos, Partial int
	}
	for b.Loop() {
		m, out := measured(b, program, "watch", "--json", file)
		ours = append(ours, m)
		if err := json.Unmarshal(out, &report); err != nil {
			b.Fatal(err)
		}
	}
	slices.SortFunc(ours, func(a, b run) int { return int(a.wall - b.wall) })
	m := ours[len(ours)/2]
	ratio := float64(theirs.wall) / float64(m.wall)
	b.ReportMetric(ratio, "tshark/parley")
	b.ReportMetric(float64(m.memory), "kB")
	b.ReportMetric(float64(report.Hellos-tsharkHellos), "hellos-more")
	if report.Hellos != tsharkHellos {
		b.Errorf("%d hellos, tshark finds %d:\n%s", report.Hellos, tsharkHellos, differences(b, program, file, out))
	}
	within := "yes"
	if ratio < minWatchRatio || m.memory > maxWatchMemory {
		within = "no"
	}
	ms := func(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
	mb := func(kb int64) string { return fmt.Sprintf("%d MB", kb/1000) }
	watchTable.Add(fmt.Sprintf("%.2f GB", float64(info.Size())/1e9), report.Packets, report.Hellos, report.Negotiations, ms(m.wall), ms(m.processor), mb(m.memory),
		tsharkHellos, ms(theirs.wall), ms(theirs.processor), mb(theirs.memory), fmt.Sprintf("%.0f", ratio), within)
}

// differences names the connections of which the two find another number of hellos, at most twenty.
func differences(b *testing.B, program, file string, tshark []byte) string {
	count := make(map[string]int)
	for line := range strings.Lines(string(tshark)) {
		count[strings.Join(strings.Fields(line), " ")]--
	}
	_, out := measured(b, program, "watch", "--json-lines", file)
	for line := range strings.Lines(string(out)) {
		var e struct {
			Client string `json:"client"`
			Hello  string `json:"client_hello"`
			Retry  bool   `json:"hello_retry"`
		}
		if json.Unmarshal([]byte(line), &e) != nil || e.Hello == "" {
			continue
		}
		host, port, _ := net.SplitHostPort(e.Client)
		count[host+" "+port]++
		if e.Retry {
			count[host+" "+port]++
		}
	}
	var l []string
	for who, n := range count {
		if n != 0 && len(l) < 20 {
			l = append(l, fmt.Sprintf("%s: %+d", who, n))
		}
	}
	return strings.Join(l, "\n")
}

// run is what one run of a program cost.
type run struct {
	wall, processor time.Duration
	memory          int64 // kB at most
}

// measured runs a program that may answer with exit code 1.
func measured(b *testing.B, name string, args ...string) (run, []byte) {
	b.Helper()
	cmd := exec.Command(name, args...)
	var out bytes.Buffer
	cmd.Stdout = &out
	begun := time.Now()
	err := cmd.Run()
	wall := time.Since(begun)
	if err != nil && cmd.ProcessState.ExitCode() != 1 {
		b.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return run{wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), usage.Maxrss}, out.Bytes()
}

// warm reads a file, so that none of the two finds it on the disk alone.
func warm(b *testing.B, file string) {
	b.Helper()
	f, err := os.Open(file)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if _, err := bufio.NewReaderSize(f, 1<<20).WriteTo(discard{}); err != nil {
		b.Fatal(err)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
