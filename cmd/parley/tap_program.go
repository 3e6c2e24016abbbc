package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/parley-tls/parley/tap"
)

// lingering is how long connections may take to end when the command has.
const lingering = 2 * time.Second

// program runs a command with a proxy in its environment, and records its connections to address.
func (t *tapping) program(recorder *tap.Tap, address string, command []string) error {
	path, err := exec.LookPath(command[0])
	if err != nil {
		var cannot *exec.Error
		if errors.As(err, &cannot) && !errors.Is(err, exec.ErrNotFound) {
			return fmt.Errorf("%s: %w", command[0], cannot.Err)
		}
		return fmt.Errorf("%s: no such command", command[0])
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	proxy := &tap.Proxy{Tap: recorder, Target: address}
	ctx, stop := context.WithCancel(t.ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- proxy.Serve(ctx, l) }()
	child := exec.CommandContext(t.ctx, path, command[1:]...)
	child.Env = tap.Environ(l.Addr().String())
	child.Stdin, child.Stdout, child.Stderr = t.cmd.InOrStdin(), t.out, t.errs
	if t.f.json { // which a program reads
		child.Stdout = t.errs
	}
	child.Cancel = func() error { return child.Process.Signal(os.Interrupt) }
	child.WaitDelay = 5 * time.Second
	runErr := child.Run()
	ended := make(chan struct{})
	go func() { recorder.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(lingering):
	}
	stop() // what the command left open is closed, and told
	if err := <-served; err != nil {
		return err
	}
	recorder.Wait()
	var exit *exec.ExitError
	if runErr != nil && !errors.As(runErr, &exit) && t.ctx.Err() == nil {
		return fmt.Errorf("%s: %w", command[0], runErr)
	}
	t.exit = child.ProcessState.ExitCode()
	if t.exit < 0 {
		t.say("%s was ended (%s)", command[0], child.ProcessState)
	} else {
		t.say("%s ended with exit code %d", command[0], t.exit)
	}
	n, others := proxy.Others()
	switch {
	case n > 0:
		t.say("passed on and not recorded, since they were not to %s: %d (%s)", address, n, strings.Join(others, ", "))
		if proxy.Connects.Load() == 0 {
			t.say("no connection to %s came through the proxy: if one of those is the load balancer, name it in its place: parley tap %s -- …", address, others[0])
		}
	case proxy.Connects.Load() == 0:
		t.say("no connection to %s came through the proxy: %s", address, howTo(command, address))
	}
	return nil
}

// howTo says how to lead a program through the tap that does not honour the proxy variables.
func howTo(command []string, address string) string {
	host, port, _ := net.SplitHostPort(address)
	own := "it does not honour proxy variables, or connects to another name"
	switch name := filepath.Base(command[0]); {
	case name == "openssl":
		own = "openssl s_client honours no proxy variable (add -proxy to its command, or use the relay)"
	case strings.HasPrefix(name, "node"):
		own = "Node.js honours proxy variables from release 24 on (NODE_USE_ENV_PROXY), and for fetch and https alone"
	case name == "gnutls-cli":
		own = "gnutls-cli honours no proxy variable"
	}
	return fmt.Sprintf("%s. Run  parley tap %s --listen 127.0.0.1:8443  and point the program at 127.0.0.1:8443 with the server name %s (curl --connect-to %s:%s:127.0.0.1:8443, openssl s_client -connect 127.0.0.1:8443 -servername %s, or an entry in /etc/hosts)",
		own, address, host, host, port, host)
}
