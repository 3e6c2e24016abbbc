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

// Read reads a file of evidence. An error names the line; the clients before it are returned with it.
func Read(r io.Reader) ([]Client, error) {
	var out []Client
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	n := 0
	for s.Scan() {
		if n++; len(s.Bytes()) == 0 {
			continue
		}
		var l line
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			return out, fmt.Errorf("line %d: %w", n, err)
		}
		if err := l.check(); err != nil {
			return out, fmt.Errorf("line %d: %w", n, err)
		}
		if len(out) == maxKinds {
			return out, fmt.Errorf("line %d: more than %d clients", n, maxKinds)
		}
		out = append(out, l.Client)
	}
	if err := s.Err(); err != nil {
		return out, fmt.Errorf("line %d: %w", n+1, err)
	}
	return out, nil
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
