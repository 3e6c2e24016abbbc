package symptom

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/suite"
)

//go:embed data/*.tsv
var files embed.FS

// The kinds of signals.
const (
	kindError   = "error"
	kindAside   = "aside"
	kindContext = "context"
	kindFaint   = "faint" // counts where a text has no error and no aside
)

// signal is a row of signals.tsv or contexts.tsv, or an alert as one side sent it.
type signal struct {
	name    string
	kind    string
	class   Class                // "" where the first cause says it
	shares  []float64            // of an error or aside: by cause, in the order of causes.tsv
	factor  map[cause.ID]float64 // of a context: what it multiplies
	adds    map[cause.ID]float64 // of a context: what it moves
	means   string
	isAlert bool    // its class says who sent it
	gain    float64 // how much the signal tells beyond the priors, in nats
}

// prior is a row of causes.tsv.
type prior struct {
	id           cause.ID
	share        float64
	class        Class
	words, shows string
	next         string // command, with ENDPOINT, HOST and PORT for the endpoint's
}

// alert is a row of alerts.tsv.
type alert struct {
	number               int
	name                 string
	byServer, byClient   *signal
	sentServer, sentHere *signal
	unsure               *signal // of an alert about a certificate, where it is not known who printed it
}

// reason is a row of openssl.tsv.
type reason struct {
	name   string
	signal string
}

// codeKey finds a reason: the library, and the number in OpenSSL's or BoringSSL's count.
type codeKey struct {
	library string
	boring  bool
	number  int
}

// tables is everything that Explain knows.
type tables struct {
	priors    []prior
	place     map[cause.ID]int
	signals   map[string]*signal
	alerts    map[int]*alert
	words     []alertWords // of all alerts, the longest first
	patterns  []*Pattern
	index     *index
	reasons   map[codeKey]reason
	functions map[int]string // OpenSSL's function numbers to 1.1.1: side
	ports     map[int]string // context
}

// load reads the data once, when the first text is explained: no other command pays for it.
var load = sync.OnceValue(func() *tables {
	t, err := readTables(files)
	if err != nil {
		panic("symptom: " + err.Error()) // the data is part of the program, and a test reads it all
	}
	return t
})

// rows calls use for each record of a file; comments begin with #, the first record names the fields in a comment.
func rows(fsys fs.FS, name string, fields int, use func(f []string) error) error {
	data, err := fs.ReadFile(fsys, "data/"+name)
	if err != nil {
		return err
	}
	i := -1
	var f []string // of one row after the other: all tables are read for each text
	for line := range strings.SplitSeq(string(data), "\n") {
		i++
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f = f[:0]
		for field := range strings.SplitSeq(line, "\t") {
			f = append(f, field)
		}
		if len(f) < fields {
			return fmt.Errorf("%s:%d: %d fields, want %d", name, i+1, len(f), fields)
		}
		if err := use(f); err != nil {
			return fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
	}
	return nil
}

func readTables(fsys fs.FS) (*tables, error) {
	t := &tables{
		place: map[cause.ID]int{}, signals: map[string]*signal{}, alerts: map[int]*alert{}, reasons: map[codeKey]reason{},
		functions: map[int]string{}, ports: map[int]string{},
	}
	steps := []func(fs.FS) error{t.readCauses, t.readSignals, t.readAlerts, t.readReasons, t.readFunctions, t.readPorts, t.readPatterns}
	for _, step := range steps {
		if err := step(fsys); err != nil {
			return nil, err
		}
	}
	var err error
	t.index, err = newIndex(t.patterns)
	return t, err
}

func (t *tables) readCauses(fsys fs.FS) error {
	sum := 0.0
	err := rows(fsys, "causes.tsv", 6, func(f []string) error {
		id := cause.ID(f[0])
		share, err := strconv.ParseFloat(f[1], 64)
		if _, ok := cause.Lookup(id); !ok || err != nil || share <= 0 {
			return fmt.Errorf("%s %s is no cause with a share", f[0], f[1])
		}
		if !Class(f[2]).known() {
			return fmt.Errorf("no class %q", f[2])
		}
		t.place[id] = len(t.priors)
		t.priors = append(t.priors, prior{id, share, Class(f[2]), f[3], f[4], f[5]})
		sum += share
		return nil
	})
	for i := range t.priors {
		t.priors[i].share /= sum
	}
	return err
}

func (t *tables) readSignals(fsys fs.FS) error {
	if err := t.readSignalFile(fsys, "signals.tsv"); err != nil {
		return err
	}
	return t.readSignalFile(fsys, "contexts.tsv")
}

func (t *tables) readSignalFile(fsys fs.FS, name string) error {
	return rows(fsys, name, 5, func(f []string) error {
		s := &signal{name: f[0], kind: f[1], means: f[4]}
		if f[2] != "-" {
			s.class = Class(f[2])
			if !s.class.known() {
				return fmt.Errorf("no class %q", f[2])
			}
		}
		if t.signals[s.name] != nil {
			return fmt.Errorf("a second signal %s", s.name)
		}
		t.signals[s.name] = s
		switch s.kind {
		case kindError, kindAside, kindFaint:
			return t.readShares(s, f[3])
		case kindContext:
			return t.readFactors(s, f[3])
		}
		return fmt.Errorf("no kind %q", s.kind)
	})
}

// readShares reads "cause:percent …"; what is missing to 100 goes to the causes that are not named, by their prior.
func (t *tables) readShares(s *signal, list string) error {
	named := make(map[cause.ID]float64)
	left, leftPrior := 1.0, 1.0
	for _, word := range strings.Fields(list) {
		id, percent, _ := strings.Cut(word, ":")
		n, err := strconv.ParseFloat(percent, 64)
		i, ok := t.place[cause.ID(id)]
		if err != nil || n <= 0 || !ok {
			return fmt.Errorf("%q is no cause with a percentage", word)
		}
		if _, again := named[cause.ID(id)]; again {
			return fmt.Errorf("%s twice", id)
		}
		named[cause.ID(id)] = n / 100
		left -= n / 100
		leftPrior -= t.priors[i].share
	}
	if len(named) == 0 || left < 0.005 {
		return fmt.Errorf("%q: the percentages must leave something to the causes that are not named", list)
	}
	s.shares = make([]float64, len(t.priors))
	for i, p := range t.priors {
		if share, ok := named[p.id]; ok {
			s.shares[i] = share
		} else {
			s.shares[i] = left * p.share / leftPrior
		}
	}
	s.gain = gain(t.priors, s.shares)
	return nil
}

// readFactors reads "cause*factor" and "cause+percent".
func (t *tables) readFactors(s *signal, list string) error {
	s.factor, s.adds = map[cause.ID]float64{}, map[cause.ID]float64{}
	for _, word := range strings.Fields(list) {
		i := strings.IndexAny(word, "*+")
		if i < 0 {
			return fmt.Errorf("%q: want cause*factor or cause+percent", word)
		}
		id := cause.ID(word[:i])
		n, err := strconv.ParseFloat(word[i+1:], 64)
		if _, ok := t.place[id]; !ok || err != nil || n <= 0 {
			return fmt.Errorf("%q is no cause with a number", word)
		}
		if word[i] == '*' {
			s.factor[id] = n
		} else if n < 100 {
			s.adds[id] = n / 100
		} else {
			return fmt.Errorf("%q: less than 100 percent can be moved", word)
		}
	}
	return nil
}

func (t *tables) readAlerts(fsys fs.FS) error {
	numbers := make(map[string]int)
	for n := range 256 {
		numbers[suite.Alert(n).String()] = n
	}
	err := rows(fsys, "alerts.tsv", 5, func(f []string) error {
		n, ok := numbers[f[0]]
		if !ok || t.alerts[n] != nil {
			return fmt.Errorf("%q is no alert, or is there twice", f[0])
		}
		a := &alert{number: n, name: f[0]}
		for _, side := range []struct {
			to    **signal
			list  string
			class Class
			by    string
		}{{&a.byServer, f[2], RefusedByLoadBalancer, "the server"}, {&a.byClient, f[3], RefusedByClient, "the client"}} {
			s := &signal{name: "alert " + a.name, kind: kindError, isAlert: true, class: side.class, means: side.by + " sent the alert " + a.name + ": " + f[4]}
			if err := t.readShares(s, side.list); err != nil {
				return err
			}
			*side.to = s
		}
		if aboutCertificate(n) {
			a.unsure = mixed(a, t.priors)
		}
		a.sentServer, a.sentHere = asAside(a.byServer), asAside(a.byClient)
		for _, words := range strings.Split(a.name+"|"+f[1], "|") {
			text, _ := foldLine(nil, words, nil)
			t.words = append(t.words, alertWords{text, n})
			joined := strings.ReplaceAll(string(text), " ", "")
			if joined != string(text) {
				t.words = append(t.words, alertWords{[]byte(joined), n})
			}
		}
		t.alerts[n] = a
		return nil
	})
	slices.SortStableFunc(t.words, func(a, b alertWords) int { return len(b.text) - len(a.text) })
	return err
}

// aboutCertificate reports whether an alert (its number) is one side's word on the other's certificate.
func aboutCertificate(n int) bool {
	return n >= 41 && n <= 46 || n == 48 || n == 49
}

// mixed is an alert of which it is not known who sent it. Texts are a client's more often.
func mixed(a *alert, priors []prior) *signal {
	const client = 0.62
	s := &signal{name: a.byServer.name, kind: kindError, isAlert: true, shares: make([]float64, len(priors)),
		means: "an alert " + a.name + " was received" + strings.TrimPrefix(a.byServer.means, "the server sent the alert "+a.name)}
	for i := range priors {
		s.shares[i] = client*a.byServer.shares[i] + (1-client)*a.byClient.shares[i]
	}
	s.gain = gain(priors, s.shares)
	return s
}

// asAside is a signal for an alert that the program sent itself: it follows from an error that the text usually names too.
func asAside(s *signal) *signal {
	c := *s
	c.kind = kindAside
	c.name = "sent " + s.name
	return &c
}
