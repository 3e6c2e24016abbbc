// Package bucket reads logs out of Amazon S3. It is a package of its own so that nothing else needs the AWS SDK.
//
// Credentials, region and endpoint are found as by every tool of AWS: environment, shared configuration, instance role;
// AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_S3 name another endpoint.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// MaxObjects bounds the objects of one listing.
const MaxObjects = 1 << 20

// Location is a bucket and the beginning of the keys in it.
type Location struct{ Bucket, Prefix string }

// IsURL reports whether a name is meant to be an address in S3.
func IsURL(name string) bool { return strings.HasPrefix(name, "s3://") }

// ParseURL reads s3://bucket/prefix.
func ParseURL(url string) (Location, error) {
	rest, ok := strings.CutPrefix(url, "s3://")
	name, prefix, _ := strings.Cut(rest, "/")
	if !ok || name == "" {
		return Location{}, fmt.Errorf("%q: expected s3://bucket/prefix", url)
	}
	return Location{name, prefix}, nil
}

// Bucket is a bucket that can be read.
type Bucket struct {
	location Location
	client   *s3.Client
}

// fallbackRegion is asked where no region is configured; S3 says there where the bucket is.
const fallbackRegion = "us-east-1"

// Open prepares for reading a bucket. An error is about the configuration of AWS on this machine.
func Open(ctx context.Context, l Location) (*Bucket, error) {
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("s3://%s: configuration of AWS: %w", l.Bucket, err)
	}
	if c.Region == "" {
		c.Region = fallbackRegion
	}
	// Stand-ins for S3 serve buckets as paths: their names have no subdomains.
	paths := os.Getenv("AWS_ENDPOINT_URL") != "" || os.Getenv("AWS_ENDPOINT_URL_S3") != "" || c.BaseEndpoint != nil
	return &Bucket{l, s3.NewFromConfig(c, func(o *s3.Options) {
		o.UsePathStyle = paths
		o.DisableLogOutputChecksumValidationSkipped = true // the SDK would say so of every object, on standard error
	})}, nil
}

// Keys lists the objects that begin with the location's prefix, in the order of their keys; the one with that very key
// alone, if it is there.
func (b *Bucket) Keys(ctx context.Context) ([]string, error) {
	keys, err := b.keys(ctx)
	if region := elsewhere(err); region != "" {
		b.client = s3.New(b.client.Options(), func(o *s3.Options) { o.Region = region })
		keys, err = b.keys(ctx)
	}
	if err != nil {
		return nil, b.explain("", err)
	}
	return keys, nil
}

func (b *Bucket) keys(ctx context.Context) ([]string, error) {
	var keys []string
	pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{Bucket: &b.location.Bucket, Prefix: &b.location.Prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range page.Contents {
			switch key := aws.ToString(o.Key); {
			case key == b.location.Prefix && key != "":
				return []string{key}, nil
			case strings.HasSuffix(key, "/"): // a folder, as the console makes them
			case len(keys) == MaxObjects:
				return nil, fmt.Errorf("more than %d objects: use a longer prefix", MaxObjects)
			default:
				keys = append(keys, key)
			}
		}
	}
	return keys, nil
}

// Read opens an object.
func (b *Bucket) Read(ctx context.Context, key string) (io.ReadCloser, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.location.Bucket, Key: &key})
	if err != nil {
		return nil, b.explain(key, err)
	}
	return body{out.Body}, nil
}

// Error is that S3 did not give what was asked for, in one line.
type Error struct{ Text string }

func (e *Error) Error() string { return e.Text }

// body makes the failures of a transfer known as S3's.
type body struct{ io.ReadCloser }

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = &Error{"the transfer broke off: " + err.Error()}
	}
	return n, err
}

// elsewhere is the region of a bucket that S3 says is not where it was asked for.
func elsewhere(err error) string {
	var r *awshttp.ResponseError
	if !errors.As(err, &r) || r.Response == nil || r.HTTPStatusCode() != http.StatusMovedPermanently && r.HTTPStatusCode() != http.StatusBadRequest {
		return ""
	}
	return r.Response.Header.Get("x-amz-bucket-region")
}

// explain makes one line of an error of the SDK, which wraps several.
func (b *Bucket) explain(key string, err error) error {
	where := "s3://" + b.location.Bucket + "/" + key
	var api smithy.APIError
	var r *awshttp.ResponseError
	switch {
	case errors.As(err, &api):
		text := strings.TrimSuffix(where, "/") + ": " + api.ErrorCode()
		if m := api.ErrorMessage(); m != "" {
			text += ": " + m
		}
		return &Error{text}
	case errors.As(err, &r) && r.Response != nil && r.HTTPStatusCode() >= 300:
		return &Error{fmt.Sprintf("%s: S3 answers %d", where, r.HTTPStatusCode())}
	}
	inner := err
	for next := errors.Unwrap(inner); next != nil; next = errors.Unwrap(inner) {
		inner = next
	}
	text := err.Error()
	if strings.Contains(text, "credentials") {
		return &Error{where + ": no credentials for AWS were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"}
	}
	return &Error{where + ": " + strings.ReplaceAll(inner.Error(), "\n", " ")}
}
