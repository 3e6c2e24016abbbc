package bench

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// maxStart is the bound of a command that only looks something up.
const maxStart = 30 * time.Millisecond

var startTable = Table{
	Title: "Start to end of a command",
	Intro: fmt.Sprintf("The whole process, run one after the other, output thrown away. Bound: %v, of explain %v. Processor time is user and system together; it\n"+
		"tells more than the wall time where the machine is busy. `true` and `openssl` are yardsticks.", maxStart, maxExplain),
	Head: []string{"command", "runs", "wall time: best", "median", "processor time: best", "median", "peak memory", "within the bound (median)"},
}

// maxExplain is the bound of parley explain.
const maxExplain = 20 * time.Millisecond

// trace is an error text in one word, as the words of a line are parted at blanks.
const trace = "javax.net.ssl.SSLHandshakeException:PKIX_path_building_failed:unable_to_find_valid_certification_path_to_requested_target"

// BenchmarkStart runs commands that need no network, and OpenSSL's as a yardstick.
func BenchmarkStart(b *testing.B) {
	for _, line := range []string{
		"true", // what the machine takes to start anything
		"openssl ciphers",
		"parley ciphers",
		"openssl ciphers -V -stdname ALL:COMPLEMENTOFALL",
		"parley ciphers -V -stdname ALL:COMPLEMENTOFALL",
		"parley suite ECDHE-RSA-AES128-GCM-SHA256",
		"parley suite CBC",
		"parley policy list",
		"parley policy show TLS13-1-2-2021-06",
		"parley policy compare 2016-08 TLS13-1-2-Res-2021-06",
		"parley client list",
		"parley client show java-7u25",
		"parley why policy:TLS13-1-2-2021-06 --client java-7u25",
		"parley why policy:TLS13-1-2-2021-06",
		"parley explain 14094410",
		"parley explain " + trace,
	} {
		b.Run(strings.ReplaceAll(line, " ", "_"), func(b *testing.B) { start(b, line) })
	}
}

func start(b *testing.B, line string) {
	words := strings.Fields(line)
	program := words[0]
	if program == "parley" {
		program = parley(b)
	} else {
		need(b, program)
	}
	if runs(program, words[1:]).ProcessState.ExitCode() == 2 {
		b.Skipf("there is no %q", line)
	}
	var walls, processor times
	for b.Loop() {
		begun := time.Now()
		cmd := runs(program, words[1:])
		walls = append(walls, time.Since(begun))
		processor = append(processor, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	}
	b.ReportMetric(float64(walls.median().Microseconds())/1000, "ms-median")
	within := "-"
	if words[0] == "parley" {
		bound := maxStart
		if strings.HasPrefix(line, "parley explain") {
			bound = maxExplain
		}
		within = yes(walls.median() <= bound)
	}
	startTable.Add("`"+line+"`", len(walls), millis(walls.best()), millis(walls.median()), millis(processor.best()), millis(processor.median()), mebibytes(peakMemory(program, words[1:])), within)
}

// runs runs a program to its end, whatever its exit code.
func runs(program string, args []string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Run()
	return cmd
}

// peakMemory is the largest resident set of a program, in bytes, as GNU time tells it; 0 where that is missing. What the
// kernel tells us of a child itself has our own size in it, from before the child's exec.
func peakMemory(program string, args []string) int64 {
	path, err := exec.LookPath("time")
	if err != nil {
		return 0
	}
	out, err := exec.Command(path, append([]string{"-q", "-f", "peak %M", program}, args...)...).CombinedOutput()
	if err != nil && !exited(err) {
		return 0
	}
	return peakIn(string(out))
}

// peakIn reads the last "peak KIB" of an output, in bytes; 0 where there is none.
func peakIn(output string) int64 {
	var kib int64
	if i := strings.LastIndex(output, "peak "); i < 0 {
		return 0
	} else if _, err := fmt.Sscanf(output[i:], "peak %d", &kib); err != nil {
		return 0
	}
	return kib << 10
}

// exited reports whether a program ran to its end, whatever its exit code.
func exited(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit)
}

func mebibytes(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
