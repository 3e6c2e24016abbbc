package render

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/policy"
)

// scanColumns are the columns of the CSV: one row for each cipher suite of each version. A target that was not reached
// has one row with the cause. vulnerable has the ids of what was proved and is of medium severity or worse.
var scanColumns = []string{"target", "address", "port", "server_name", "reached", "cause", "version", "order", "position", "cipher", "iana", "code",
	"bits", "strength", "reasons", "group", "dh_bits", "certificate_expires", "policy", "grade", "vulnerable"}

type scanCSV struct {
	w     *csv.Writer
	names ScanNames
	begun bool
}

// NewScanCSV writes a table for spreadsheets: one row for each accepted cipher suite.
func NewScanCSV(w io.Writer, names ScanNames) ScanWriter {
	return &scanCSV{w: csv.NewWriter(w), names: names}
}

func (s *scanCSV) Report(r *inspect.Report) error {
	if err := s.begin(); err != nil {
		return err
	}
	if len(r.Ciphers) == 0 {
		return s.write(rowOf(r))
	}
	for _, l := range r.Ciphers {
		for i, c := range l.Ciphers {
			row := rowOf(r)
			row["version"], row["order"] = l.Version.String(), string(l.Order)
			if l.Order == policy.ServerOrder && l.Sorted {
				row["position"] = strconv.Itoa(i + 1)
			}
			row["cipher"], row["iana"], row["code"] = s.names.of(c.Cipher), c.Cipher.Name(), c.Cipher.String()
			row["bits"], row["strength"] = strconv.Itoa(c.Bits), c.Strength.String()
			var reasons []string
			for _, x := range c.Reasons {
				reasons = append(reasons, x.Text)
			}
			row["reasons"] = strings.Join(reasons, "; ")
			if c.Group != nil {
				row["group"] = c.Group.String()
			}
			if c.DHBits > 0 {
				row["dh_bits"] = strconv.Itoa(c.DHBits)
			}
			if err := s.write(row); err != nil {
				return err
			}
		}
	}
	s.w.Flush()
	return s.w.Error()
}

func (s *scanCSV) Close() error {
	if err := s.begin(); err != nil {
		return err
	}
	s.w.Flush()
	return s.w.Error()
}

func (s *scanCSV) begin() error {
	if s.begun {
		return nil
	}
	s.begun = true
	return s.w.Write(scanColumns)
}

func (s *scanCSV) write(cells map[string]string) error { return s.w.Write(csvRow(scanColumns, cells)) }

// csvRow puts the cells in the order of the columns. A cell that a spreadsheet would take for a formula gets a quote
// in front.
func csvRow(columns []string, cells map[string]string) []string {
	var row []string
	for _, c := range columns {
		text := printable(cells[c])
		if text != "" && strings.ContainsRune("=+-@", rune(text[0])) {
			text = "'" + text
		}
		row = append(row, text)
	}
	return row
}

// rowOf are the cells that all rows of a target have.
func rowOf(r *inspect.Report) map[string]string {
	row := map[string]string{"target": r.Target.Name, "address": r.Target.Address, "port": r.Target.Port, "server_name": r.Target.ServerName, "reached": strconv.FormatBool(r.Reached)}
	if r.Cause != nil {
		row["cause"] = string(r.Cause.ID)
	}
	if len(r.Certificates) > 0 {
		first := r.Certificates[0].NotAfter
		for _, c := range r.Certificates {
			if c.NotAfter.Before(first) {
				first = c.NotAfter
			}
		}
		row["certificate_expires"] = first.UTC().Format("2006-01-02T15:04:05Z")
	}
	var exact []string
	for _, m := range r.PolicyMatch {
		if m.Exact {
			exact = append(exact, m.Name)
		}
	}
	row["policy"] = strings.Join(exact, " ")
	if r.Grade != nil {
		row["grade"] = string(r.Grade.Level)
	}
	var found []string
	for _, f := range r.Proven() {
		found = append(found, f.ID)
	}
	row["vulnerable"] = strings.Join(found, " ")
	return row
}
