package testbed

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/parley-tls/parley/policy"
)

// Have reports whether a program is installed.
func Have(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// Need skips the test if a program is missing, and fails it in CI, where make peers has run.
func Need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	Missing(t, program)
	return ""
}

// Missing skips the test for want of a peer, and fails it in CI.
func Missing(t testing.TB, peer string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: make peers installs it", peer)
	}
	t.Skipf("%s is missing: make peers installs it", peer)
}

// Root returns the folder of the module.
func Root(t testing.TB) string {
	t.Helper()
	d, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d
		}
		if d == filepath.Dir(d) {
			t.Fatal("no go.mod above the working directory")
		}
		d = filepath.Dir(d)
	}
}

// NodePath returns the path of the Node.js binary of this release line, as make peers installs it.
func NodePath(t testing.TB, version string) string {
	t.Helper()
	path := nodePath(t, version)
	if path == "" {
		Missing(t, "Node.js "+version)
	}
	return path
}

// The ports that FreePort gives out lie below those that Linux gives to outgoing connections (32768 and up), which the
// many clients of the tests would otherwise take between the question and the server's start.
const firstPort, lastPort = 10000, 32000

var taken sync.Map // the ports this process has given out

// FreePort returns a loopback port that was free a moment ago, and that FreePort has not returned before.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if _, again := taken.LoadOrStore(port, true); again {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		l.Close()
		return port
	}
	t.Fatal("no free port found on 127.0.0.1")
	return 0
}

// Server is a running server.
type Server struct {
	Addr     string           // 127.0.0.1:port
	Policy   *policy.Policy   // what it enforces; nil for a server of Run
	Identity *policy.Identity // what it presents
	CA       string           // PEM of the roots
	log      *lockedBuffer
	stop     func()
}

// Log returns what the server printed so far.
func (s *Server) Log() string { return s.log.String() }

// Stop ends the server; it is also stopped at the end of the test.
func (s *Server) Stop() { s.stop() }

// Run starts a server process that listens on port, and waits until it accepts.
func Run(t testing.TB, port int, name string, args ...string) *Server {
	t.Helper()
	return run(t, port, nil, name, args...)
}

// run is Run with additions to the environment.
func run(t testing.TB, port int, env []string, name string, args ...string) *Server {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	log := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.WaitDelay = time.Second
	stdin, err := cmd.StdinPipe() // openssl s_server ends at the end of its input
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	s := &Server{Addr: fmt.Sprintf("127.0.0.1:%d", port), log: log}
	s.stop = sync.OnceFunc(func() {
		cmd.Process.Kill()
		stdin.Close()
		<-exited
	})
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			text := log.String()
			t.Logf("%s on %s printed:\n%s", name, s.Addr, text[max(0, len(text)-1000):])
		}
	})
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		select {
		case <-exited:
			t.Fatalf("%s ended at once:\n%s", name, log)
		default:
		}
		if c, err := net.DialTimeout("tcp", s.Addr, time.Second); err == nil {
			c.Close()
			return s
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s does not listen on %s:\n%s", name, s.Addr, log)
	return nil
}

// lockedBuffer keeps the last 64 KiB that a process printed.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buf.Len() > 64<<10 {
		b.buf.Reset()
	}
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
