package change

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/parley-tls/parley/aws/elb"
)

// EntrySchema names the form of a journal's lines.
const EntrySchema = "parley/aws-journal-entry/1"

// Step is what a line of the journal is about.
type Step string

// Steps of a change.
const (
	Begin        Step = "begin" // has the plan
	CreatePolicy Step = "create-policy"
	SetPolicy    Step = "set-policy"
	DeletePolicy Step = "delete-policy"
	Prove        Step = "prove"
	End          Step = "end"    // the change, or taking it back, is complete
	Forget       Step = "forget" // it is not to be taken back any more
)

// Phase is when a line was written.
type Phase string

// Phases. An intent without a result is a run that was interrupted: the API tells whether it took effect.
const (
	Intent Phase = "intent" // before the call
	Result Phase = "done"   // after it
	Failed Phase = "failed" // the call changed nothing
)

// Entry is one line of the journal. There is nothing in it that opens an account.
type Entry struct {
	Schema string    `json:"schema"`
	Change string    `json:"change"` // the ID that parley aws undo takes
	Time   time.Time `json:"time"`
	Step   Step      `json:"step"`
	Phase  Phase     `json:"phase,omitempty"`
	Policy string    `json:"policy,omitempty"` // that is created, set or deleted
	Note   string    `json:"note,omitempty"`   // the error, or what was found
	// Plan, and how Parley got to the account, are in the first line of a change.
	Plan *Plan      `json:"plan,omitempty"`
	By   *elb.Place `json:"by,omitempty"`
	// Status of a proof.
	Verdict Verdict `json:"verdict,omitempty"`
}

// Journal is an append-only file of JSON lines. Each is on the disk before the call that it announces is made.
type Journal struct {
	Path     string
	now      func() time.Time
	patience time.Duration // for another run to end
}

// OpenJournal uses the file at path, which need not exist yet; "" means the default.
func OpenJournal(path string) (*Journal, error) {
	if path == "" {
		var err error
		if path, err = DefaultPath(); err != nil {
			return nil, err
		}
	}
	return &Journal{Path: path, now: time.Now, patience: lockWait}, nil
}

// DefaultPath is aws-journal.jsonl in the folder parley of XDG_STATE_HOME (~/.local/state where that is not set), or of the
// configuration folder on systems that have no such thing.
// Source: XDG Base Directory Specification 0.8.
func DefaultPath() (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" || !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("no place for the journal: %w; name a file with --journal", err)
		}
		base = filepath.Join(home, ".local", "state")
		if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
			if base, err = os.UserConfigDir(); err != nil {
				return "", fmt.Errorf("no place for the journal: %w; name a file with --journal", err)
			}
		}
	}
	return filepath.Join(base, "parley", "aws-journal.jsonl"), nil
}

// NewID makes the ID of a change.
func NewID() string {
	var b [4]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// lockWait is how long a run waits for another to end, and lockPoll how often it looks.
const (
	lockWait = 15 * time.Second
	lockPoll = 100 * time.Millisecond
)

// Lock keeps other runs out that use the same journal, until the function that it returns is called or the process ends.
func (j *Journal) Lock() (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(j.Path), 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	f, err := os.OpenFile(j.Path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	for deadline := time.Now().Add(j.patience); ; time.Sleep(lockPoll) {
		err := lockFile(f)
		switch {
		case err == nil:
			return func() { f.Close() }, nil
		case !errors.Is(err, errLocked):
			f.Close()
			return nil, fmt.Errorf("journal: lock %s: %w", f.Name(), err)
		case time.Now().After(deadline):
			f.Close()
			return nil, notDone("another parley is changing a listener by the same journal (%s): nothing was changed; try again when it is done", j.Path)
		}
	}
}

// Append writes one line and has it on the disk when it returns. Where a former run was cut off in the midst of a line, that
// line is ended first.
func (j *Journal) Append(e Entry) error {
	e.Schema, e.Time = EntrySchema, j.now().UTC().Truncate(time.Millisecond)
	b, err := json.Marshal(&e)
	if err != nil {
		return err
	}
	_, err = os.Stat(j.Path)
	isNew := errors.Is(err, fs.ErrNotExist)
	f, err := os.OpenFile(j.Path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	if torn, err := endsTorn(f); err != nil {
		return fmt.Errorf("journal %s: %w", j.Path, err)
	} else if torn {
		b = append([]byte("\n"), b...)
	}
	if _, err := f.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if isNew {
		syncFolder(filepath.Dir(j.Path))
	}
	return nil
}

// syncFolder has the name of a new file on the disk too, where the system can do that.
func syncFolder(path string) {
	if d, err := os.Open(path); err == nil {
		d.Sync()
		d.Close()
	}
}

func endsTorn(f *os.File) (bool, error) {
	st, err := f.Stat()
	if err != nil || st.Size() == 0 {
		return false, err
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], st.Size()-1)
	return last[0] != '\n', err
}

// maxLine bounds a line, and maxJournal the file: a change takes 5 KB.
const (
	maxLine    = 4 << 20
	maxJournal = 256 << 20
)

// Read reads the journal. A line that is none, as a run leaves it that is cut off while it writes, is passed over with a warning:
// if it was to announce a call, that was not made, and if it was to tell of one, the API does.
func (j *Journal) Read() (entries []Entry, warnings []string, err error) {
	f, err := os.Open(j.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("journal: %w", err)
	}
	defer f.Close()
	return readEntries(j.Path, f)
}

func readEntries(name string, r io.Reader) (entries []Entry, warnings []string, err error) {
	lines := bufio.NewScanner(io.LimitReader(r, maxJournal))
	lines.Buffer(make([]byte, 64<<10), maxLine)
	n := 0
	for lines.Scan() {
		n++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil || e.Schema != EntrySchema || e.Change == "" {
			warnings = append(warnings, fmt.Sprintf("journal %s, line %d is not whole: a run was cut off while it wrote it; passed over", name, n))
			continue
		}
		entries = append(entries, e)
	}
	if err := lines.Err(); err != nil {
		return nil, nil, fmt.Errorf("journal %s, line %d: %w", name, n+1, err)
	}
	return entries, warnings, nil
}
