package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Schema names the format of a store's file.
const Schema = "parley/aws-accounts/1"

// maxFile bounds what is read; 5000 load balancers are about 10 MB.
const maxFile = 512 << 20

type document struct {
	Schema   string     `json:"schema"`
	Accounts []*Account `json:"accounts"`
}

// file is where a store is kept.
type file struct {
	path string

	mu    sync.Mutex
	saved uint64      // the changes that are in the file
	info  fs.FileInfo // of the file as it was last read or written; nil: there was none
}

// Open reads a store from a file and keeps it there: every change is on disk before Update returns. A file that does not
// exist yet is an empty store. A store that finds its file changed by someone else writes no more.
func Open(path string) (*Store, error) {
	s := &Store{file: &file{path: path}}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if s.file.info, err = f.Stat(); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if err := s.read(data); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Load reads accounts out of a file's content into a new store that is not kept in a file.
func Load(data []byte) (*Store, error) {
	s := &Store{}
	return s, s.read(data)
}

func (s *Store) read(data []byte) error {
	if len(data) > maxFile {
		return fmt.Errorf("larger than %d bytes", maxFile)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var doc document
	if err := d.Decode(&doc); err != nil {
		return fmt.Errorf("not a file of accounts: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("not a file of accounts: something follows the document")
	}
	if doc.Schema != Schema {
		return fmt.Errorf("schema %q: this release reads %q", doc.Schema, Schema)
	}
	accounts := make(map[string]*Account, len(doc.Accounts))
	for i, a := range doc.Accounts {
		if a == nil || !isAccountID(a.ID) {
			return fmt.Errorf("account %d has no id of 12 digits", i+1)
		}
		if accounts[a.ID] != nil {
			return fmt.Errorf("account %s is there twice", a.ID)
		}
		if err := a.complete(); err != nil {
			return err
		}
		accounts[a.ID] = a
	}
	s.accounts = accounts
	return nil
}

// Snapshot returns the content of a file that has everything in the store, secret keys too.
func (s *Store) Snapshot() ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.snapshot()
}

func (s *Store) snapshot() ([]byte, error) {
	doc := document{Schema: Schema, Accounts: []*Account{}}
	for _, a := range s.accounts {
		doc.Accounts = append(doc.Accounts, a)
	}
	slices.SortFunc(doc.Accounts, func(a, b *Account) int { return strings.Compare(a.ID, b.ID) })
	data, err := json.MarshalIndent(doc, "", " ")
	return append(data, '\n'), err
}

// save makes sure that the first n changes are in the file, if there is one. Changes that come while it is being written go into the next
// write together.
func (s *Store) save(n uint64) error {
	f := s.file
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.saved >= n {
		return nil
	}
	s.mu.RLock()
	data, err := s.snapshot()
	n = s.changes
	s.mu.RUnlock()
	if err != nil {
		return err
	}
	if err := f.unchanged(); err != nil {
		return err
	}
	if err := replace(f.path, data); err != nil {
		return err
	}
	if f.info, err = os.Stat(f.path); err != nil {
		return err
	}
	f.saved = n
	return nil
}

// unchanged is an error if the file is not the one that this store read or wrote.
func (f *file) unchanged() error {
	now, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && f.info == nil:
		return nil
	case err != nil:
		return err
	case f.info == nil || !os.SameFile(now, f.info) || now.Size() != f.info.Size() || !now.ModTime().Equal(f.info.ModTime()):
		return fmt.Errorf("%s was changed by another program: nothing more is saved, to lose nothing of either", f.path)
	}
	return nil
}

// replace writes a new file beside the old one and puts it in its place once it is on disk.
func replace(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // mode 0600: it has secret keys
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	if runtime.GOOS == "windows" { // folders cannot be synced there
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
