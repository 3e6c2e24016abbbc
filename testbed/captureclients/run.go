package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/parley-tls/parley/testbed/record"
)

// serverName is what clients are told that the server is called.
const serverName = "lb.example.com"

// subject is one client to run. In its command ADDR, HOST and PORT stand for the listener, NAME for the
// server's name and WORK for the folder with the files of this program.
type subject struct {
	name, title, family, library, released string
	platform                               string
	command                                []string
	env                                    []string
	build                                  []string // run first: it makes what the command runs
	tree                                   string   // run in this Debian tree (install.sh), with chroot
	java                                   bool     // needs JavaClient.class in WORK
}

// head is the part of the record that the hello does not show.
func (s subject) head() string {
	var b strings.Builder
	fmt.Fprintf(&b, "[%s]\ntitle %s\nfamily %s\n", s.name, s.title, s.family)
	if s.platform != "" {
		fmt.Fprintf(&b, "platform %s\n", s.platform)
	}
	fmt.Fprintf(&b, "library %s\nreleased %s\nconfidence high\nsource the real client, captured\n", s.library, s.released)
	return b.String()
}

// missing says why a client can't run here; empty if it can.
func (s subject) missing() string {
	if s.command[0] == "" {
		return "not here: see testbed/captureclients/install.sh"
	}
	if s.tree != "" {
		path := s.command[0]
		if !strings.HasPrefix(path, "/") {
			path = "/usr/bin/" + path
		}
		if _, err := os.Lstat(filepath.Join(s.tree, path)); err != nil {
			return "not here: see testbed/captureclients/install.sh"
		}
		return ""
	}
	program := s.command[0]
	if s.build != nil {
		program = s.build[0]
	}
	if _, err := exec.LookPath(program); err != nil {
		return "not here: " + program
	}
	return ""
}

// inTree runs a command in a Debian tree, with the machine's devices and processes and WORK at /mnt.
const inTree = `mount --rbind /proc "$1/proc" && mount --rbind /dev "$1/dev" && mount --bind "$2" "$1/mnt" || exit 1
tree=$1; shift 2; exec chroot "$tree" "$@"`

// capture runs one client and returns the bytes of its hello.
func (p program) capture(s subject) ([]byte, error) {
	if why := s.missing(); why != "" {
		return nil, fmt.Errorf("%s", why)
	}
	if s.java {
		if err := p.compileJava(); err != nil {
			return nil, err
		}
	}
	if s.build != nil {
		if err := p.build(s); err != nil {
			return nil, err
		}
	}
	l, err := record.Listen()
	if err != nil {
		return nil, err
	}
	defer l.Close()
	host, port, err := net.SplitHostPort(l.Addr())
	if err != nil {
		return nil, err
	}
	work := p.work
	if s.tree != "" {
		work = "/mnt"
	}
	r := strings.NewReplacer("ADDR", l.Addr(), "HOST", host, "PORT", port, "NAME", serverName, "WORK", work)
	var args []string
	if s.tree != "" {
		args = []string{"unshare", "-m", "sh", "-c", inTree, "sh", s.tree, p.work}
	}
	for _, a := range s.command {
		args = append(args, r.Replace(a))
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = p.work // outside the module: its go line must not choose the toolchain
	cmd.Env = append(os.Environ(), s.env...)
	if s.tree != "" { // the machine's own settings name files that the tree lacks
		cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "LC_ALL=C.UTF-8"}, s.env...)
	}
	cmd.WaitDelay = time.Second
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	stdin, err := cmd.StdinPipe() // open: some clients end at once without input
	if err != nil {
		return nil, err
	}
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	raw, err := first(l, ended)
	stdin.Close()
	endGroup(cmd)
	<-ended
	if err != nil {
		return nil, fmt.Errorf("%w; the client said:\n%.600s", err, output.String())
	}
	return raw, nil
}

// first waits for the hello as long as the client runs, and a second longer.
func first(l *record.Listener, ended <-chan struct{}) ([]byte, error) {
	for range 60 {
		raw, err := l.First(time.Second)
		if err == nil {
			return raw, nil
		}
		select {
		case <-ended:
			return l.First(time.Second)
		default:
		}
	}
	return l.First(0)
}

// build makes the program of a subject, before anything waits for its hello.
func (p program) build(s subject) error {
	var args []string
	for _, a := range s.build {
		args = append(args, strings.ReplaceAll(a, "WORK", p.work))
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = p.work, append(os.Environ(), s.env...) // outside the module, as in capture
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %.300s", args[0], err, out)
	}
	return nil
}

// compileJava puts JavaClient.class into WORK, for the oldest Java of the list.
func (p program) compileJava() error {
	if _, err := os.Stat(filepath.Join(p.work, "JavaClient.class")); err == nil {
		return nil
	}
	out, err := exec.Command("javac", "-nowarn", "--release", "8", "-d", p.work, filepath.Join(p.root, "testbed", "captureclients", "JavaClient.java")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("javac: %w: %s", err, out)
	}
	return nil
}
