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
	"slices"
	"strings"
)

// Schema names the format of a store's file.
const Schema = "parley.aws-accounts/1"

// maxFile bounds what is read; 5000 load balancers are about 10 MB.
const maxFile = 512 << 20

type document struct {
	Schema   string     `json:"schema"`
	Accounts []*Account `json:"accounts"`
}

type file struct{ path string }

// Open reads a store from a file and keeps it there: every change is on disk before Update returns. A file that does not
// exist yet is an empty store.
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

// save writes the file, if there is one: a new one beside it that takes its place once it is on disk.
func (s *Store) save() error {
	if s.file == nil {
		return nil
	}
	data, err := s.snapshot()
	if err != nil {
		return err
	}
	return replace(s.file.path, data)
}

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
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
