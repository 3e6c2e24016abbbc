package render

import (
	"fmt"
	"io"
	"time"

	"github.com/parley-tls/parley/aws/change"
)

// AWSJournal lists the changes of a journal (docs/schema/aws-journal.schema.json).
type AWSJournal struct {
	Schema   string             `json:"schema"`
	File     string             `json:"file"`
	Changes  []AWSJournalChange `json:"changes"`
	Warnings []string           `json:"warnings,omitempty"`
}

// AWSJournalChange is a change in the journal.
type AWSJournalChange struct {
	Change   string         `json:"change"`
	Begun    time.Time      `json:"begun"`
	Listener change.Target  `json:"listener"`
	Profile  string         `json:"profile,omitempty"`
	Role     string         `json:"role,omitempty"`
	From     string         `json:"from"`
	To       string         `json:"to"`
	Status   change.Status  `json:"status"`
	Verdict  change.Verdict `json:"verdict,omitempty"`
	Undoes   string         `json:"undoes,omitempty"`
	UndoneBy string         `json:"undone_by,omitempty"`
	Note     string         `json:"note,omitempty"`
}

// NewAWSJournal lists the changes for whose listener keep holds.
func NewAWSJournal(file string, l []change.Change, warnings []string, keep func(*change.Target) bool) *AWSJournal {
	j := &AWSJournal{Schema: "parley/aws-journal/1", File: file, Changes: []AWSJournalChange{}, Warnings: warnings}
	for i := range l {
		c := &l[i]
		if keep(&c.Plan.Listener) {
			j.Changes = append(j.Changes, AWSJournalChange{c.ID, c.Begun, c.Plan.Listener, c.By.Profile, c.By.Role, c.Plan.Had.Policy, c.Plan.Set.Policy,
				c.Status, c.Verdict, c.Undoes, c.UndoneBy, c.Note})
		}
	}
	return j
}

// Text writes one line a change.
func (j *AWSJournal) Text(w io.Writer, st Style) error {
	if len(j.Changes) == 0 {
		_, err := fmt.Fprintf(w, "no changes in %s\n", j.File)
		return err
	}
	var rows [][]string
	for _, c := range j.Changes {
		status := string(c.Status)
		switch c.Status {
		case change.Interrupted:
			status = st.Bad(status)
		case change.NotApplied, change.Undone:
			status = st.Dim(status)
		}
		rest := ""
		switch {
		case c.UndoneBy != "":
			rest = "by " + c.UndoneBy
		case c.Undoes != "":
			rest = "takes back " + c.Undoes
		case c.Status == change.NotApplied:
			rest = c.Note
		}
		rows = append(rows, []string{c.Change, c.Begun.Format("2006-01-02 15:04"), c.Listener.String(), c.Listener.Region, dash(c.From) + " -> " + dash(c.To), status, string(c.Verdict), rest})
	}
	return Table(w, []string{"change", "begun (UTC)", "listener", "region", "policy", "status", "proof", ""}, rows)
}

// AWSForgotten is what became of a change that is kept for good.
type AWSForgotten struct {
	Schema string   `json:"schema"`
	Change string   `json:"change"`
	Gone   []string `json:"removed_policies,omitempty"`
	Kept   []string `json:"kept_policies,omitempty"`
}

// Text says what was deleted.
func (f *AWSForgotten) Text(w io.Writer, st Style) error {
	fmt.Fprintf(w, "change %s is kept for good\n", f.Change)
	for _, n := range f.Gone {
		fmt.Fprintf(w, "deleted the policy %s, which nothing used\n", n)
	}
	for _, n := range f.Kept {
		fmt.Fprintf(w, "%s the policy %s\n", st.Warn("kept"), n)
	}
	return nil
}
