package bench

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Bounds of parley logs.
const (
	minLogSpeed = 300         // MB of lines a second and a processor
	logBytes    = 500_000_000 // of the file that is read
)

var logsTable = Table{
	Title: "`parley logs`",
	Intro: fmt.Sprintf("The whole program over %d MB of made-up lines of an Application Load Balancer's access log: 10,000 addresses of one or two\n"+
		"clients each, 300 user agents, 8 choices of version and cipher suite, 5 names. One processor (GOMAXPROCS=1), file in the page\n"+
		"cache, output thrown away. Bounds: %d MB/s a processor, and memory that does not grow with the lines (by no more than a quarter from a fifth of the file). The peers: `grep -c` only finds one word; awk counts by\n"+
		"version, cipher suite, user agent and address, which is the least that answers the question; GoAccess is the analyser of logs that people use (AWSALB).", logBytes/1_000_000, minLogSpeed),
	Head: []string{"tool", "MB", "wall time", "processor time", "MB/s of processor time", "ratio of processor time to parley's", "peak memory", "within the bounds"},
}

// albLines writes lines of an ALB's access log as busy sites have them. The same seed gives the same lines.
func albLines(w io.Writer, bytes int) error {
	r := rand.New(rand.NewPCG(1, 2))
	choices := []string{"TLS_AES_128_GCM_SHA256 TLSv1.3", "TLS_AES_128_GCM_SHA256 TLSv1.3", "TLS_AES_128_GCM_SHA256 TLSv1.3", "TLS_AES_256_GCM_SHA384 TLSv1.3",
		"ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2", "ECDHE-RSA-AES128-SHA TLSv1", "AES128-SHA TLSv1.1", "ECDHE-RSA-AES256-GCM-SHA384 TLSv1.2"}
	names := []string{"shop.example.com", "api.example.com", "www.example.com", "img.example.com", "login.example.com"}
	var agents []string
	for i := range 300 {
		agents = append(agents, fmt.Sprintf("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.%d.0 Safari/537.36", 60+i%80, i))
	}
	at := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for n := 0; n < bytes; {
		at = at.Add(time.Duration(r.IntN(40)) * time.Millisecond)
		client, name := r.IntN(10_000), names[r.IntN(len(names))]
		agent := client % len(agents)
		if r.IntN(4) == 0 { // a second program, or a second machine behind the address
			agent = (client + 1) % len(agents)
		}
		m, err := fmt.Fprintf(w, "https %s app/shop-alb/50dc6c495c0c9188 203.0.%d.%d:%d 10.0.2.%d:8080 0.00%d 0.0%d 0.000 200 200 %d %d \"GET https://%s:443/catalogue/item/%d?ref=%x HTTP/1.1\" %q %s "+
			"arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/shop/73e2d6bc24d8a067 \"Root=1-6740a1bb-%024x\" %q \"arn:aws:acm:eu-west-1:111122223333:certificate/12345678-1234-1234-1234-123456789012\" "+
			"%d %s \"forward\" \"-\" \"-\" \"10.0.2.%d:8080\" \"200\" \"-\" \"-\" TID_%032x \"-\" \"-\" \"-\" 192.0.2.10\n",
			at.Format("2006-01-02T15:04:05.000000Z"), client/256, client%256, 1024+r.IntN(60_000), r.IntN(200), r.IntN(9), 10+r.IntN(89), r.IntN(2000), r.IntN(90_000), name, r.IntN(100_000), r.Uint32(),
			agents[agent], choices[agent%len(choices)], r.Uint64(), name, r.IntN(50), at.Format("2006-01-02T15:04:05.000000Z"), r.IntN(200), r.Uint64())
		if err != nil {
			return err
		}
		n += m
	}
	return nil
}

// logFile writes lines to a file, packed by gzip or not.
func logFile(b *testing.B, name string, bytes int, pack bool) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	if pack {
		z := gzip.NewWriter(w)
		err = albLines(z, bytes)
		if cerr := z.Close(); err == nil {
			err = cerr
		}
	} else {
		err = albLines(w, bytes)
	}
	if ferr := w.Flush(); err == nil {
		err = ferr
	}
	if err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkLogs reads the same file by parley and by its peers, one after the other, each three times.
func BenchmarkLogs(b *testing.B) {
	program := parley(b)
	large, small := logFile(b, "alb.log", logBytes, false), logFile(b, "fifth.log", logBytes/5, false)
	gz := logFile(b, "alb.log.gz", logBytes, true)
	const count = `{split($7, a, " "); split($1, c, " "); n[a[2] " " a[1] " " $4 " " c[4]]++} END {for (k in n) print n[k], k}`
	type run struct {
		name  string
		bytes int
		args  []string
	}
	runs := []run{
		{"parley logs", logBytes, []string{program, "logs", large}},
		{"parley logs, a fifth of the lines", logBytes / 5, []string{program, "logs", small}},
		{"parley logs, packed by gzip", logBytes, []string{program, "logs", gz}},
		{"grep -c", logBytes, []string{"grep", "-c", "TLSv1 ", large}},
		{"awk", logBytes, []string{"awk", "-F\"", count, large}},
		{"goaccess", logBytes, []string{"goaccess", large, "--log-format=AWSALB", "--no-progress", "-o", filepath.Join(b.TempDir(), "report.json")}},
	}
	for range 1 { // whatever -benchtime asks for: it is long enough
		var own time.Duration
		var memory [2]int64
		for i, r := range runs {
			if _, err := exec.LookPath(r.args[0]); err != nil {
				b.Logf("%s is missing", r.name)
				continue
			}
			wall, processor, peak := logRun(b, r.args)
			within, ratio := "-", "-"
			speed := float64(r.bytes) / 1e6 / processor.Seconds()
			switch {
			case i == 0:
				own, memory[0] = processor, peak
				within = yes(speed >= minLogSpeed)
				b.ReportMetric(speed, "MB/s")
			case i == 1:
				memory[1] = peak
				within = "memory " + yes(float64(memory[0]) <= 1.25*float64(memory[1]))
			case r.bytes == logBytes:
				ratio = fmt.Sprintf("%.1f×", processor.Seconds()/own.Seconds())
			}
			logsTable.Add(r.name, r.bytes/1_000_000, seconds(wall), seconds(processor), fmt.Sprintf("%.0f", speed), ratio, mebibytes(peak), within)
		}
	}
}

// logRun runs a program three times and returns the best times, and the peak of its memory.
func logRun(b *testing.B, args []string) (wall, processor time.Duration, peak int64) {
	b.Helper()
	var walls, processors times
	for range 3 {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "LC_ALL=C")
		begun := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%s: %v\n%s", strings.Join(args[:2], " "), err, out[:min(len(out), 500)])
		}
		walls = append(walls, time.Since(begun))
		processors = append(processors, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	}
	b.Setenv("GOMAXPROCS", "1")
	return walls.best(), processors.best(), peakMemory(args[0], args[1:])
}
