package evidence

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/parley-tls/parley/suite"
)

// Schema names the format of a file of evidence: JSON Lines, each a Client with this as its "schema"
// (docs/schema/evidence.schema.json).
const Schema = "parley/evidence/1"

const maxLine = 1 << 20 // bytes of one line: a hello has at most 128 KiB, in two digits each

// line is a client in a file.
type line struct {
	Schema string `json:"schema"`
	Client
}

// Write writes clients as a file of evidence.
func Write(w io.Writer, clients []Client) error {
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	for i := range clients {
		if err := e.Encode(line{Schema, clients[i]}); err != nil {
			return err
		}
	}
	return b.Flush()
}

// Read reads a file of evidence. Lines that are damaged are left out: the error names the first of them and counts the
// others, and all other clients are returned with it.
func Read(r io.Reader) ([]Client, error) {
	var out []Client
	_, err := readLines(r, func(c *Client) error {
		if len(out) == maxKinds {
			return fmt.Errorf("more than %d clients", maxKinds)
		}
		out = append(out, *c)
		return nil
	})
	return out, err
}

// TakeAll takes in a file of evidence as Take does each of its clients. It returns how many it took, and the error of Read.
func (t *Tally) TakeAll(r io.Reader) (int, error) { return readLines(r, t.Take) }

// readLines gives each client of a file to take, and counts them.
func readLines(r io.Reader, take func(*Client) error) (taken int, err error) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	n, others := 0, 0
	damaged := func(why error) {
		if err == nil {
			err = fmt.Errorf("line %d: %w", n, why)
		} else {
			others++
		}
	}
	for s.Scan() {
		if n++; len(s.Bytes()) == 0 {
			continue
		}
		var l line
		why := json.Unmarshal(s.Bytes(), &l)
		if why == nil {
			why = l.check()
		}
		if why == nil {
			why = take(&l.Client)
		}
		if why != nil {
			damaged(why)
			continue
		}
		taken++
	}
	if why := s.Err(); why != nil {
		n++
		damaged(why)
	}
	if others > 0 {
		err = fmt.Errorf("%w (and %d more such lines)", err, others)
	}
	return taken, err
}

// check reports what makes a line no sound client.
func (l *line) check() error {
	if l.Schema != Schema {
		return fmt.Errorf("schema is %q, not %q", l.Schema, Schema)
	}
	if _, err := l.ClientHello(); err != nil {
		return fmt.Errorf("client_hello: %w", err)
	}
	connections, requests := 0, 0
	for _, o := range l.Outcomes {
		if o.Connections < 0 || o.Requests < 0 || connections > l.Connections-o.Connections || requests > l.Requests-o.Requests {
			return errors.New("the outcomes have more connections or requests than the client")
		}
		connections += o.Connections
		requests += o.Requests
		switch o.Result {
		case Established, Failed, Unfinished:
		default:
			return fmt.Errorf("result %q is none of established, failed and unfinished", o.Result)
		}
		if o.Version != 0 && !o.Version.Known() || o.Suite != 0 && suite.ByCode(o.Suite) == nil {
			return fmt.Errorf("unknown version %v or cipher suite %v", o.Version, o.Suite)
		}
	}
	if l.Sources < 0 || l.Sources > l.Connections && l.Sources-l.Connections > l.Requests {
		return errors.New("more sources than connections and requests")
	}
	return nil
}
