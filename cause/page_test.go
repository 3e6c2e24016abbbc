package cause_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/testbed"
)

// page is docs/causes.md: what stands above the sections, and each section by its heading.
func page(t *testing.T) (head string, order []string, sections map[string]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testbed.Root(t), "docs", "causes.md"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split("\n"+string(text), "\n## ")
	sections = make(map[string]string)
	for _, p := range parts[1:] {
		title, body, _ := strings.Cut(p, "\n")
		if sections[title] != "" {
			t.Errorf("two sections %q", title)
		}
		order = append(order, title)
		sections[title] = body
	}
	return parts[0], order, sections
}

const howToRead = "How to read the sections"

// TestPageHasEveryCause: a row of the table and a section for each id, in the order of the table, and no
// section without an id.
func TestPageHasEveryCause(t *testing.T) {
	head, order, sections := page(t)
	want := []string{howToRead}
	for _, c := range cause.All {
		want = append(want, string(c.ID))
		row := "| [`" + string(c.ID) + "`](#" + string(c.ID) + ") | " + string(c.Stage) + " | " + c.Condition + " |"
		if !strings.Contains(head, row+"\n") {
			t.Errorf("no row\n%s", row)
		}
		body := sections[string(c.ID)]
		if !strings.HasPrefix(body, "\nStage `"+string(c.Stage)+"`; ") {
			t.Errorf("%s: the section does not begin with its stage", c.ID)
		}
		at := 0
		for _, part := range []string{"Condition", "Client", "Server", "Proof", "Fix"} {
			i := strings.Index(body[at:], "\n**"+part+".**")
			if i < 0 {
				t.Errorf("%s: no %q, or not in its place", c.ID, part)
				break
			}
			at += i + len(part) + 7
			if text, _, _ := strings.Cut(body[at:], "\n**"); len(strings.TrimSpace(text)) < 8 {
				t.Errorf("%s: nothing under %q", c.ID, part)
			}
		}
		if proof := between(body, "**Proof.**", "**Fix.**"); !strings.Contains(proof, "\nparley why ") {
			t.Errorf("%s: no parley why in the proof", c.ID)
		}
	}
	if strings.Join(order, " ") != strings.Join(want, " ") {
		t.Errorf("sections\n%s\nwant\n%s", order, want)
	}
}

func between(text, from, to string) string {
	_, text, _ = strings.Cut(text, from)
	text, _, _ = strings.Cut(text, to)
	return text
}

// TestPageCommands: the clients of the commands exist, and so do the options of openssl s_client.
func TestPageCommands(t *testing.T) {
	_, _, sections := page(t)
	help, _ := exec.Command(testbed.Need(t, "openssl"), "s_client", "-help").CombinedOutput()
	known := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^ (-\S+)`).FindAllSubmatch(help, -1) {
		known[string(m[1])] = true
	}
	option := regexp.MustCompile(` (-[a-z]\S*)`)
	for id, body := range sections {
		for line := range strings.Lines(body) {
			line = strings.TrimSpace(line)
			if name, ok := argument(line, "--client"); ok && strings.HasPrefix(line, "parley why ") &&
				!strings.ContainsAny(name, ":") && !strings.HasSuffix(name, ".pcap") && !strings.HasSuffix(name, ".txt") {
				if _, err := client.Find(name); err != nil {
					t.Errorf("%s: %s: %v", id, line, err)
				}
			}
			for command := range strings.SplitSeq(line, ";") {
				command, _, _ = strings.Cut(command, "|")
				i := strings.Index(command, "openssl s_client ")
				if i < 0 || strings.HasPrefix(line, "-") || strings.Contains(line, "`") {
					continue
				}
				for _, m := range option.FindAllStringSubmatch(command[i:], -1) {
					if !known[m[1]] {
						t.Errorf("%s: %s: openssl s_client has no %s", id, line, m[1])
					}
				}
			}
		}
	}
}

// argument is the word after a flag.
func argument(line, flag string) (string, bool) {
	_, rest, ok := strings.Cut(line, flag+" ")
	word, _, _ := strings.Cut(rest, " ")
	return word, ok
}

var (
	link    = regexp.MustCompile(`\]\(([^)#\s]*)(#[^)\s]+)?\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	inCode  = regexp.MustCompile(`docs/(\w+\.md)#([a-z0-9-]+)`)
)

// TestLinks: files and anchors that the Markdown files and the sources link to exist.
func TestLinks(t *testing.T) {
	root := testbed.Root(t)
	files, err := exec.Command("git", "-C", root, "ls-files", "*.md", "*.go").Output()
	if err != nil {
		t.Skip("no git checkout")
	}
	anchors := func(path string) map[string]bool {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		m := make(map[string]bool)
		for _, h := range heading.FindAllStringSubmatch(string(text), -1) {
			m["#"+slug(h[1])] = true
		}
		return m
	}
	for file := range strings.Lines(string(files)) {
		file = strings.TrimSpace(file)
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			continue // deleted, not yet committed
		}
		check := func(path, anchor, what string) {
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %s: no such file", file, what)
			} else if anchor != "" && !anchors(path)[anchor] {
				t.Errorf("%s: %s: no such heading", file, what)
			}
		}
		if strings.HasSuffix(file, ".go") {
			for _, m := range inCode.FindAllStringSubmatch(string(text), -1) {
				check(filepath.Join(root, "docs", m[1]), "#"+m[2], m[0])
			}
			continue
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			switch {
			case strings.Contains(m[1], "://"):
			case m[1] == "":
				check(filepath.Join(root, file), m[2], m[0])
			default:
				check(filepath.Join(root, filepath.Dir(file), m[1]), m[2], m[0])
			}
		}
	}
}

// slug is the anchor that Markdown renderers give a heading.
func slug(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('-')
		}
	}
	return b.String()
}
