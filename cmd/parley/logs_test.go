package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/testbed"
)

// TestLogsJSON validates a real document against the published schema, and reads the file of evidence back.
func TestLogsJSON(t *testing.T) {
	schema := jsonschema.NewCompiler().MustCompile("../../docs/schema/logs.schema.json")
	clients := filepath.Join(t.TempDir(), "clients.jsonl")
	cmd := newRoot()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"logs", "testdata/logs", "--json", "--evidence", clients})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(&out)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Error(err)
	}
	f, err := os.Open(clients)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	read, err := evidence.Read(f)
	if in := doc.(map[string]any)["clients"].([]any); err != nil || len(read) != len(in) || len(read) < 8 {
		t.Errorf("%d clients in the file of evidence, %d in the document: %v", len(read), len(in), err)
	}
	for _, c := range read {
		if c.Seen() == 0 || len(c.Servers) > 1 {
			t.Errorf("%+v", c)
		}
	}
}

// TestLogsS3 reads logs out of moto's S3, packed and plain, and expects the exit codes of what cannot be had.
func TestLogsS3(t *testing.T) {
	testbed.Moto(t)
	ctx := context.Background()
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		t.Fatal(err)
	}
	client := s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
	name := aws.String("lb-logs")
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name,
		CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}}); err != nil {
		t.Fatal(err)
	}
	put := func(key string, content []byte) {
		t.Helper()
		if _, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: &key, Body: bytes.NewReader(content)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"alb.log.gz", "alb-connections.log", "nlb.log"} {
		content, err := os.ReadFile(filepath.Join("testdata/logs", file))
		if err != nil {
			t.Fatal(err)
		}
		put("AWSLogs/111122223333/2026/11/20/"+file, content)
	}
	put("AWSLogs/111122223333/ELBAccessLogTestFile", []byte("Enable AccessLog for ELB"))
	put("other/nonsense.txt", []byte("no log"))

	_, local, _ := runLogs(t, "testdata/logs/alb.log.gz", "testdata/logs/alb-connections.log", "testdata/logs/nlb.log", "--json")
	code, remote, err := runLogs(t, "s3://lb-logs/AWSLogs/", "--json")
	if code != exitGood || remote != local || !strings.Contains(local, "okhttp/3.12.1") {
		t.Errorf("exit %d, %v\n%s\nnot as from files:\n%s", code, err, remote, local)
	}
	if code, one, err := runLogs(t, "s3://lb-logs/AWSLogs/111122223333/2026/11/20/nlb.log"); code != exitGood || !strings.Contains(one, "4 lines of 1 file") {
		t.Errorf("exit %d, %v\n%s", code, err, one)
	}
	for target, want := range map[string]struct {
		code int
		text string
	}{
		"s3://no-such-bucket/": {exitUndecided, "s3://no-such-bucket: NoSuchBucket"},
		"s3://lb-logs/none/":   {exitUsage, "s3://lb-logs/none/: no log with this prefix"},
		"s3://lb-logs/other/":  {exitUsage, "s3://lb-logs/other/nonsense.txt: no line of a known format"},
	} {
		if code, _, err := runLogs(t, target); code != want.code || err == nil || !strings.Contains(err.Error(), want.text) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: exit %d, %v", target, code, err)
		}
	}
}

// runLogs runs the command and returns its exit code, what it printed and its error.
func runLogs(t *testing.T, args ...string) (int, string, error) {
	t.Helper()
	cmd := newRoot()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs(append([]string{"logs"}, args...))
	err := cmd.Execute()
	var exit *exitError
	switch {
	case err == nil:
		return exitGood, out.String(), nil
	case errors.As(err, &exit):
		return exit.code, out.String(), err
	}
	return exitUsage, out.String(), err
}
