// Command captureclients runs real clients against a listener that records their ClientHello, and writes the
// facts to client/data/captured.txt and the bytes to client/data/hello. Clients that are missing are named
// and keep their old record; so does a client whose hello says the same as before, apart from what is random.
//
// install.sh beside it fetches clients of many releases.
package main

import (
	"encoding/hex"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/hello"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("captureclients: ")
	root := flag.String("root", ".", "folder of the module")
	only := flag.String("only", "", "regular expression: only clients whose name matches")
	check := flag.Bool("check", false, "write nothing: exit with 1 if a client says something else than its profile")
	list := flag.Bool("list", false, "name the clients and whether they are here")
	flag.Parse()
	abs, err := filepath.Abs(*root)
	if err != nil {
		log.Fatalf("-root: %v", err)
	}
	match, err := regexp.Compile(*only)
	if err != nil {
		log.Fatalf("-only: %v", err)
	}
	work, err := os.MkdirTemp("", "captureclients")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(work)
	p := program{root: abs, work: work, data: filepath.Join(abs, "client", "data")}
	var chosen []subject
	for _, s := range subjects(abs) {
		if match.MatchString(s.name) {
			chosen = append(chosen, s)
		}
	}
	if *list {
		for _, s := range chosen {
			fmt.Println(s.name, s.missing())
		}
		return
	}
	changed := p.run(chosen, *check)
	if *check && changed > 0 {
		os.RemoveAll(work)
		os.Exit(1)
	}
}

// program is one run.
type program struct {
	root, work string // the module; a folder for files that clients need
	data       string // client/data
}

// run captures the clients and returns how many say something new.
func (p program) run(l []subject, check bool) int {
	path := filepath.Join(p.data, "captured.txt")
	records := readRecords(path)
	var fresh, same, failed int
	for _, s := range l {
		raw, err := p.capture(s)
		if err != nil {
			log.Printf("%s: %v", s.name, err)
			failed++
			continue
		}
		h, err := hello.ParseClientHello(raw)
		if err != nil {
			log.Printf("%s: %v", s.name, err)
			failed++
			continue
		}
		facts := s.head() + client.Record(h)
		if sameFacts(records[s.name], facts) {
			same++
			continue
		}
		fresh++
		log.Printf("%s: new record", s.name)
		if check {
			continue
		}
		records[s.name] = facts + fmt.Sprintf("captured %d\n", len(raw))
		if err := os.WriteFile(filepath.Join(p.data, "hello", s.name+".hex"), []byte(hexLines(raw)), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	log.Printf("%d clients: %d as recorded, %d new, %d not to be had", len(l), same, fresh, failed)
	if !check && fresh > 0 {
		if err := os.WriteFile(path, []byte(fileOf(records)), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	return fresh
}

// sameFacts compares records without what changes from hello to hello: the order of the extensions, which
// some clients shuffle, and the size, since padding follows from it.
func sameFacts(old, fresh string) bool {
	return comparable(old) == comparable(fresh)
}

func comparable(record string) string {
	var b strings.Builder
	for line := range strings.Lines(record) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "captured":
			continue
		case "extensions":
			l := slices.Sorted(slices.Values(strings.Fields(value)))
			value = strings.Join(slices.DeleteFunc(l, func(t string) bool { return t == "21" }), " ")
		}
		b.WriteString(key + " " + value + "\n")
	}
	return b.String()
}

const header = `# Profiles of real clients, captured by make capture-clients: the facts that the ClientHello shows. The
# bytes are in hello/NAME.hex; what no hello shows is in shared.txt.

`

// fileOf writes the records by name.
func fileOf(records map[string]string) string {
	var b strings.Builder
	b.WriteString(header)
	names := make([]string, 0, len(records))
	for name := range records {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b.WriteString(records[name] + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// readRecords reads the records that are there, by name.
func readRecords(path string) map[string]string {
	records := make(map[string]string)
	text, err := os.ReadFile(path)
	if err != nil {
		return records
	}
	for block := range strings.SplitSeq(string(text), "\n\n") {
		block = strings.TrimSpace(block)
		if name, _, ok := strings.Cut(block, "]"); ok && strings.HasPrefix(name, "[") {
			records[name[1:]] = block + "\n"
		}
	}
	return records
}

// hexLines writes bytes 48 to a line.
func hexLines(raw []byte) string {
	var b strings.Builder
	for line := range slices.Chunk(raw, 48) {
		b.WriteString(hex.EncodeToString(line) + "\n")
	}
	return b.String()
}
