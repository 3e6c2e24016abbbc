package change

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/parley-tls/parley/aws/elb"
)

func testJournal(t *testing.T) *Journal {
	t.Helper()
	j, err := OpenJournal(filepath.Join(t.TempDir(), "state", "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	unlock, err := j.Lock() // which makes the folder
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	return j
}

func write(t *testing.T, j *Journal, entries ...Entry) {
	t.Helper()
	for _, e := range entries {
		if err := j.Append(e); err != nil {
			t.Fatal(err)
		}
	}
}

func history(t *testing.T, j *Journal) []Change {
	t.Helper()
	l, _, err := j.Read()
	if err != nil {
		t.Fatal(err)
	}
	return History(l)
}

func TestDefaultPath(t *testing.T) {
	t.Setenv("HOME", "/home/x")
	for state, want := range map[string]string{"": "/home/x/.local/state/parley/aws-journal.jsonl", "/var/s": "/var/s/parley/aws-journal.jsonl", "relative": "/home/x/.local/state/parley/aws-journal.jsonl"} {
		t.Setenv("XDG_STATE_HOME", state)
		if got, err := DefaultPath(); err != nil || got != want {
			t.Errorf("%q: %s, %v", state, got, err)
		}
	}
}

// TestTornLines: whatever place a journal is cut off at, the whole lines before it are read, a line written behind it too, and
// a warning tells of the rest.
func TestTornLines(t *testing.T) {
	j := testJournal(t)
	p := NewPlan(classicTarget(), classicReading(), Wish{Reference: "ELBSecurityPolicy-2016-08"}, noon)
	write(t, j, Entry{Change: "aaaa", Step: Begin, Plan: p, By: &elb.Place{Profile: "prod"}}, Entry{Change: "aaaa", Step: SetPolicy, Phase: Intent, Policy: "x"})
	whole, err := os.ReadFile(j.Path)
	if err != nil {
		t.Fatal(err)
	}
	if st, _ := os.Stat(j.Path); st.Mode().Perm() != 0o600 {
		t.Errorf("others can read it: %v", st.Mode())
	}
	first := strings.IndexByte(string(whole), '\n') + 1
	for _, cut := range []int{1, first / 2, first - 1, first, first + 1, len(whole) - 2, len(whole) - 1, len(whole)} {
		if err := os.WriteFile(j.Path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		write(t, j, Entry{Change: "bbbb", Step: Forget})
		l, warnings, err := j.Read()
		if err != nil {
			t.Fatal(err)
		}
		want := 1
		if cut >= first-1 { // a line without its end is whole all the same
			want++
		}
		if cut >= len(whole)-1 {
			want++
		}
		torn := cut != first-1 && cut != first && cut < len(whole)-1
		if len(l) != want || l[len(l)-1].Change != "bbbb" || (len(warnings) == 1) != torn {
			t.Errorf("cut at %d of %d: %d entries, want %d; warnings %q", cut, len(whole), len(l), want, warnings)
		}
	}
}

func TestHistory(t *testing.T) {
	target := classicTarget()
	plan := func(had, set, undoes string) *Plan {
		return &Plan{Listener: target, Had: State{Policy: had}, Set: Setting{Policy: set}, Undoes: undoes}
	}
	begin := func(id string, p *Plan) Entry { return Entry{Change: id, Step: Begin, Plan: p} }
	step := func(id string, s Step, ph Phase, policy string) Entry {
		return Entry{Change: id, Step: s, Phase: ph, Policy: policy}
	}
	for _, c := range []struct {
		name            string
		entries         []Entry
		want            map[string]Status
		made, needed    []string
		last, undoneOf0 string
	}{
		{"cut off before the first call", []Entry{begin("1", plan("a", "p", ""))}, map[string]Status{"1": Interrupted}, nil, []string{"a"}, "1", ""},
		{"cut off between create and set", []Entry{begin("1", plan("a", "p", "")), step("1", CreatePolicy, Intent, "p"), step("1", CreatePolicy, Result, "p")}, map[string]Status{"1": Interrupted}, []string{"p"}, []string{"a"}, "1", ""},
		{"create refused", []Entry{begin("1", plan("a", "p", "")), step("1", CreatePolicy, Intent, "p"), step("1", CreatePolicy, Failed, "p"), step("1", End, Failed, "")}, map[string]Status{"1": NotApplied}, nil, nil, "", ""},
		{"set refused", []Entry{begin("1", plan("a", "p", "")), step("1", CreatePolicy, Intent, "p"), step("1", CreatePolicy, Result, "p"), step("1", SetPolicy, Failed, "p"), step("1", End, Failed, "")}, map[string]Status{"1": NotApplied}, []string{"p"}, nil, "", ""},
		{"applied", []Entry{begin("1", plan("a", "p", "")), step("1", SetPolicy, Intent, "p"), step("1", SetPolicy, Result, "p"), step("1", End, Result, "")}, map[string]Status{"1": Applied}, nil, []string{"a"}, "1", ""},
		{"applied twice and undone once", []Entry{begin("1", plan("a", "p", "")), step("1", CreatePolicy, Intent, "p"), step("1", End, Result, ""), begin("2", plan("p", "q", "")), step("2", CreatePolicy, Intent, "q"), step("2", End, Result, ""),
			begin("3", plan("q", "p", "2")), step("3", SetPolicy, Result, "p"), step("3", DeletePolicy, Intent, "q"), step("3", DeletePolicy, Result, "q"), step("3", End, Result, "")},
			map[string]Status{"1": Applied, "2": Undone, "3": Applied}, []string{"p"}, []string{"a"}, "1", ""},
		{"undo cut off", []Entry{begin("1", plan("a", "p", "")), step("1", End, Result, ""), begin("2", plan("p", "a", "1")), step("2", SetPolicy, Intent, "a")}, map[string]Status{"1": Applied, "2": Interrupted}, nil, []string{"a"}, "1", ""},
		{"forgotten", []Entry{begin("1", plan("a", "p", "")), step("1", End, Result, ""), step("1", Forget, "", "")}, map[string]Status{"1": Forgotten}, nil, nil, "", ""},
		{"its beginning is lost", []Entry{step("1", SetPolicy, Intent, "p")}, map[string]Status{}, nil, nil, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := testJournal(t)
			write(t, j, c.entries...)
			l := history(t, j)
			got := map[string]Status{}
			for _, x := range l {
				got[x.ID] = x.Status
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if made := Made(l, &target); !slices.Equal(made, c.made) {
				t.Errorf("made %q, want %q", made, c.made)
			}
			if needed := Needed(l, &target); !slices.Equal(needed, c.needed) {
				t.Errorf("needed %q, want %q", needed, c.needed)
			}
			last, err := Last(l, "", func(x *Target) bool { return x.Same(&target) })
			if (err == nil) != (c.last != "") || err == nil && last.ID != c.last {
				t.Errorf("undo means %+v, %v, want %q", last, err, c.last)
			}
		})
	}
}

// TestLockHolder is the other process of TestLock: it holds the lock of the journal until its input ends.
func TestLockHolder(t *testing.T) {
	path := os.Getenv("PARLEY_TEST_LOCK")
	if path == "" {
		t.Skip("part of TestLock")
	}
	j, err := OpenJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Lock(); err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("locked\n")
	bufio.NewReader(os.Stdin).ReadString('\n')
}

// TestLock: the journal is one process's at a time, and free again when that is killed.
func TestLock(t *testing.T) {
	j := testJournal(t)
	other := exec.Command(os.Args[0], "-test.run=^TestLockHolder$")
	other.Env = append(os.Environ(), "PARLEY_TEST_LOCK="+j.Path)
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Fatalf("%q, %v", line, err)
	}
	j.patience = 3 * lockPoll
	_, err = j.Lock()
	var e *Error
	if !errors.As(err, &e) || e.Outcome != NotDone || !strings.Contains(err.Error(), "another parley is changing a listener") {
		t.Errorf("two have the lock: %v", err)
	}
	other.Process.Kill()
	other.Wait()
	j.patience = lockWait
	unlock, err := j.Lock()
	if err != nil {
		t.Fatalf("a process that was killed holds the lock: %v", err)
	}
	unlock()
}

// TestAppendTogether: lines of two writers do not mix.
func TestAppendTogether(t *testing.T) {
	j := testJournal(t)
	p := NewPlan(classicTarget(), classicReading(), Wish{Reference: "ELBSecurityPolicy-2016-08"}, noon)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				if err := j.Append(Entry{Change: "aaaa", Step: Begin, Plan: p}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if l, warnings, err := j.Read(); len(l) != 80 || len(warnings) > 0 || err != nil {
		t.Errorf("%d lines, %q, %v", len(l), warnings, err)
	}
}

func FuzzReadEntries(f *testing.F) {
	b, err := json.Marshal(Entry{Schema: EntrySchema, Change: "aaaa", Step: Begin, Plan: NewPlan(classicTarget(), classicReading(), Wish{Reference: "ELBSecurityPolicy-2016-08"}, noon)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(b) + "\n" + string(b[:40]))
	f.Add(string(b[:40]) + "\n{}\n" + string(b))
	f.Fuzz(func(t *testing.T, text string) {
		entries, _, err := readEntries("journal", strings.NewReader(text))
		if err != nil {
			return
		}
		target := classicTarget()
		l := History(entries)
		for i := range l {
			if _, err := NewUndo(&l[i], l, classicReading(), i%2 == 0, noon); err != nil && !strings.Contains(err.Error(), "changed since") {
				t.Error(err)
			}
		}
		Made(l, &target)
		Last(l, "a", nil)
	})
}
