package watch

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/testbed"
)

// TestDumpcap captures real clients and a real server with Wireshark's own program, and compares the number of hellos with
// what tshark finds in the file.
func TestDumpcap(t *testing.T) {
	dumpcap, tshark := testbed.Need(t, "dumpcap"), testbed.Need(t, "tshark")
	ids := testbed.Identities(t)
	addr := sServer(t, ids["rsa2048"], "-groups", "X25519", "-no_tls1_1")
	_, port, _ := net.SplitHostPort(addr)
	file := filepath.Join(t.TempDir(), "lo.pcapng")
	cmd := exec.Command(dumpcap, "-i", "lo", "-f", "tcp port "+port, "-w", file)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	waitForCapture(t, cmd, file, addr)
	clients := []func(string){sClient(t, "-tls1_2"), sClient(t, "-tls1_3"), sClient(t, "-tls1_3", "-groups", "P-521:X25519"), sClient(t, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"),
		known(t, "gnutls", ids["rsa2048"].CA), known(t, "curl", ids["p256"].CA), known(t, "python", ids["rsa2048"].CA), known(t, "go", ids["p256"].CA)}
	for _, run := range clients {
		run(addr)
	}
	time.Sleep(time.Second) // dumpcap reads in blocks
	cmd.Process.Signal(syscall.SIGINT)
	cmd.Wait()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, events := read(t, b)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, tshark, "-r", file, "-d", "tcp.port=="+port+",tls", "-Y", "tls.handshake.type==1", "-T", "fields", "-e", "frame.number").Output()
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(out), "\n"); r.Hellos != n || n < len(clients) {
		t.Errorf("%d hellos of %d clients, tshark finds %d", r.Hellos, len(clients), n)
	}
	want := []evidence.Result{evidence.Established, evidence.Established, evidence.Established, evidence.Failed, evidence.Established, evidence.Failed, evidence.Established, evidence.Failed}
	if len(events) != len(want) {
		t.Fatalf("%d negotiations, want %d", len(events), len(want))
	}
	for i, e := range events {
		if e.Result != want[i] {
			t.Errorf("negotiation %d: %s %q, want %s", i+1, e.Result, e.Failure, want[i])
		}
	}
}

// waitForCapture connects without a word until something stands in the file.
func waitForCapture(t *testing.T, cmd *exec.Cmd, file, addr string) {
	t.Helper()
	for range 100 {
		if info, err := os.Stat(file); err == nil && info.Size() > 1000 {
			return
		}
		if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			c.Close()
		}
		time.Sleep(100 * time.Millisecond)
		if err := cmd.Process.Signal(syscall.Signal(0)); err != nil {
			break
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	out := cmd.Stderr.(*bytes.Buffer).String()
	if strings.Contains(out, "permission") || strings.Contains(out, "Operation not permitted") {
		t.Skip("dumpcap may not capture: ", out)
	}
	t.Fatalf("dumpcap captures nothing: %s", out)
}
