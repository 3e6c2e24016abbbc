package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/parley-tls/parley/testbed"
)

func TestParseURL(t *testing.T) {
	for url, want := range map[string]Location{"s3://logs": {"logs", ""}, "s3://logs/": {"logs", ""}, "s3://logs/a/b": {"logs", "a/b"}} {
		if got, err := ParseURL(url); err != nil || got != want {
			t.Errorf("%s: %v, %v", url, got, err)
		}
	}
	for _, url := range []string{"", "s3://", "s3:///a", "logs", "https://logs"} {
		if l, err := ParseURL(url); err == nil {
			t.Errorf("%q gives %v", url, l)
		}
	}
}

// fake is S3 where moto does not do what S3 does: buckets of another region, and transfers that break off.
func fake(t *testing.T, serve http.HandlerFunc) *Bucket {
	t.Helper()
	s := httptest.NewServer(serve)
	t.Cleanup(s.Close)
	testbed.OnlyAWS(t, s.URL)
	b, err := Open(context.Background(), Location{"logs", "AWSLogs/"})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const listing = `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>logs</Name><IsTruncated>%v</IsTruncated>%s</ListBucketResult>`

// TestElsewhere lists a bucket of another region than the configured one, in two pages.
func TestElsewhere(t *testing.T) {
	b := fake(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "/ap-south-1/s3/") {
			w.Header().Set("x-amz-bucket-region", "ap-south-1")
			w.WriteHeader(http.StatusMovedPermanently)
			io.WriteString(w, `<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>`)
			return
		}
		if r.URL.Query().Get("continuation-token") == "" {
			fmt.Fprintf(w, listing, true, `<NextContinuationToken>2</NextContinuationToken><Contents><Key>AWSLogs/a.gz</Key></Contents><Contents><Key>AWSLogs/folder/</Key></Contents>`)
			return
		}
		fmt.Fprintf(w, listing, false, `<Contents><Key>AWSLogs/b.gz</Key></Contents>`)
	})
	keys, err := b.Keys(context.Background())
	if want := []string{"AWSLogs/a.gz", "AWSLogs/b.gz"}; err != nil || !reflect.DeepEqual(keys, want) {
		t.Errorf("%q, %v", keys, err)
	}
}

// TestBreaksOff reads an object of which half comes.
func TestBreaksOff(t *testing.T) {
	b := fake(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.Write(make([]byte, 500))
	})
	body, err := b.Read(context.Background(), "AWSLogs/a.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	n, err := io.Copy(io.Discard, body)
	var broken *Error
	if n != 500 || !errors.As(err, &broken) || !strings.HasPrefix(err.Error(), "the transfer broke off: ") {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// TestErrors expects one line for what S3 denies, and for what is not there.
func TestErrors(t *testing.T) {
	b := fake(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
	})
	_, err := b.Keys(context.Background())
	var denied *Error
	if !errors.As(err, &denied) || err.Error() != "s3://logs: AccessDenied: Access Denied" {
		t.Errorf("%v", err)
	}
	if _, err = b.Read(context.Background(), "AWSLogs/a.gz"); !errors.As(err, &denied) || err.Error() != "s3://logs/AWSLogs/a.gz: AccessDenied: Access Denied" {
		t.Errorf("%v", err)
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	testbed.OnlyAWS(t, "http://"+l.Addr().String())
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	if b, err = Open(context.Background(), Location{"logs", ""}); err != nil {
		t.Fatal(err)
	}
	if _, err = b.Keys(context.Background()); !errors.As(err, &denied) || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v", err)
	}

	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	if b, err = Open(context.Background(), Location{"logs", ""}); err != nil {
		t.Fatal(err)
	}
	if _, err = b.Keys(context.Background()); !errors.As(err, &denied) || !strings.Contains(err.Error(), "no credentials for AWS were found") {
		t.Errorf("%v", err)
	}
}
