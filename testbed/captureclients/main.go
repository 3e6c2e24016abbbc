// Command captureclients runs the real clients of this machine against a listener that records their
// ClientHello, and writes the profiles to client/data/captured.txt. Clients that are missing are named and
// keep their old record.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/hello"
)

// subject is one client to run. ADDR, HOST and PORT in its command stand for the listener, NAME for a
// server name, DIR for this program's folder.
type subject struct {
	name, title, family, library, released string
	command                                []string
	rules                                  string // lines of the data format that no hello shows
	env                                    []string
}

func main() {
	log.SetFlags(0)
	root := flag.String("root", ".", "folder of the module")
	only := flag.String("only", "", "regular expression: only clients whose name matches")
	flag.Parse()
	abs, err := filepath.Abs(*root)
	if err != nil {
		log.Fatalf("captureclients: -root: %v", err)
	}
	*root = abs
	match, err := regexp.Compile(*only)
	if err != nil {
		log.Fatalf("captureclients: -only: %v", err)
	}
	path := filepath.Join(*root, "client", "data", "captured.txt")
	old := readOld(path)
	var out strings.Builder
	out.WriteString(header)
	for _, s := range subjects(*root) {
		record := old[s.name]
		if match.MatchString(s.name) {
			fresh, err := capture(*root, s)
			if err != nil {
				log.Printf("%s: %v", s.name, err)
			} else {
				record = fresh
			}
		}
		if record != "" {
			out.WriteString(record + "\n")
		}
		delete(old, s.name)
	}
	for _, name := range sortedKeys(old) {
		out.WriteString(old[name] + "\n")
	}
	if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
		log.Fatalf("captureclients: %v", err)
	}
}

const header = `# Profiles captured from real clients by make capture-clients: the facts and the bytes of the ClientHello.

`

// readOld reads the records that are there, by name.
func readOld(path string) map[string]string {
	old := make(map[string]string)
	text, err := os.ReadFile(path)
	if err != nil {
		return old
	}
	for block := range strings.SplitSeq(string(text), "\n\n") {
		if name, _, ok := strings.Cut(strings.TrimSpace(block), "]"); ok && strings.HasPrefix(name, "[") {
			old[name[1:]] = strings.TrimSpace(block) + "\n"
		}
	}
	return old
}

func sortedKeys(m map[string]string) []string {
	var l []string
	for k := range m {
		l = append(l, k)
	}
	slices.Sort(l)
	return l
}

// capture runs one client and returns its record.
func capture(root string, s subject) (string, error) {
	if _, err := exec.LookPath(s.command[0]); err != nil {
		return "", fmt.Errorf("not here: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	got := make(chan []byte, 1)
	go func() { got <- first(l) }()
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return "", err
	}
	r := strings.NewReplacer("ADDR", l.Addr().String(), "HOST", host, "PORT", port, "NAME", "lb.example.com",
		"DIR", filepath.Join(root, "testbed", "captureclients"))
	args := make([]string, len(s.command))
	for i, a := range s.command {
		args[i] = r.Replace(a)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Stdin = strings.NewReader("")
	cmd.Dir = os.TempDir() // outside the module: its go line must not choose the toolchain
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return "", err
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	var raw []byte
	select {
	case raw = <-got:
	case <-time.After(90 * time.Second):
		return "", fmt.Errorf("no ClientHello came:\n%s", output.String())
	}
	h, err := hello.ParseClientHello(raw)
	if err != nil {
		return "", err
	}
	facts := client.Record(h)
	return fmt.Sprintf("[%s]\ntitle %s\nfamily %s\nlibrary %s\nreleased %s\n%s%sconfidence high\nsource captured from the real client\n",
		s.name, s.title, s.family, s.library, s.released, facts, s.rules), nil
}

// first returns the bytes of the first ClientHello that a connection to l brings.
func first(l net.Listener) []byte {
	for {
		c, err := l.Accept()
		if err != nil {
			return nil
		}
		c.SetDeadline(time.Now().Add(5 * time.Second))
		var all []byte
		buf := make([]byte, 1<<14)
		for {
			n, err := c.Read(buf)
			all = append(all, buf[:n]...)
			if _, perr := hello.ParseClientHello(all); perr == nil {
				c.Close()
				return all
			}
			if err != nil {
				break
			}
		}
		io.Copy(io.Discard, c)
		c.Close()
	}
}
