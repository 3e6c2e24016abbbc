package main

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptCommands are the commands of the scripts beside testscript's own.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){"serve": serve, "exits": exits}

// serve starts a server that misbehaves and puts its address into $ADDR: serve NAME. The server "unanswered" takes
// no SYN.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: serve NAME")
	}
	if args[0] == "unanswered" {
		ts.Setenv("ADDR", unanswered(ts))
		return
	}
	behave := badServers[args[0]]
	if behave == nil {
		ts.Fatalf("no server %s", args[0])
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv("ADDR", l.Addr().String())
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(time.Minute))
				behave(c.(*net.TCPConn))
			}()
		}
	}()
}

// unanswered is a port of loopback whose queue of connections is full, so that Linux drops every SYN.
func unanswered(ts *testscript.TestScript) string {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	ts.Check(err)
	ts.Defer(func() { syscall.Close(fd) })
	ts.Check(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	ts.Check(syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	ts.Check(err)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port))
	for range 4 {
		c, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return address
		}
		ts.Defer(func() { c.Close() })
	}
	ts.Fatalf("the queue does not fill")
	return ""
}

// longest is what a command may take that sets --timeout to half a second, on a machine that has other work.
const longest = 20 * time.Second

// exits runs a command and demands an exit code: exits CODE COMMAND ... It also demands an end in bounded time, no
// stack trace, no control characters, and for wrong usage or input one line.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ...")
	}
	start := time.Now()
	err := ts.Exec(args[1], args[2:]...)
	if d := time.Since(start); d > longest {
		ts.Fatalf("took %v", d)
	}
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
	stdout, stderr := ts.ReadFile("stdout"), ts.ReadFile("stderr")
	for _, text := range []string{stdout, stderr} {
		if strings.Contains(text, "goroutine ") {
			ts.Fatalf("a stack trace")
		}
		if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7F }); i >= 0 {
			ts.Fatalf("a control character: %q", text[max(0, i-20):i+1])
		}
	}
	if code == exitUsage && (stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "parley: ") || len(stderr) > 1000) {
		ts.Fatalf("not one clear line")
	}
}
