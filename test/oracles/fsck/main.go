// fsck has Tessera's fsck package judge a tlog-tiles log, and answers with an exit code a test can rely on:
// 0 accepted, 1 refused, 2 could not tell. On acceptance it prints {"size":…,"root":…} as JSON.
//
// The command that comes with Tessera exits 0 whatever it found, and v1.0.4 waits for ever when a tile differs: its comparing
// workers end at the first difference while the producer still waits for one of them. So the channel between them is made
// wide enough for all tiles of the log (its width is the number of workers), and a deadline stands behind that.
//
//	fsck [-timeout 60s] [-workers n] <directory | http(s)://…> <vkey>
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
)

const (
	accepted = 0
	refused  = 1
	couldNot = 2
)

func main() {
	timeout := flag.Duration("timeout", time.Minute, "give up after this long")
	workers := flag.Uint("workers", 0, "comparing workers; 0: as many as the log has tiles")
	flag.Parse()
	if flag.NArg() != 2 {
		exit(couldNot, "usage: fsck [-timeout d] [-workers n] <directory | url> <vkey>")
	}
	verifier, err := note.NewVerifier(flag.Arg(1))
	if err != nil {
		exit(couldNot, "the key: %v", err)
	}
	source, err := open(flag.Arg(0))
	if err != nil {
		exit(couldNot, "the source: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()

	raw, err := source.ReadCheckpoint(ctx)
	if err != nil {
		exit(source.verdict(), "the checkpoint: %v", err)
	}
	checkpoint, _, _, err := log.ParseCheckpoint(raw, verifier.Name(), verifier)
	if err != nil {
		exit(refused, "the checkpoint: %v", err)
	}
	if checkpoint.Size > 1<<32 {
		exit(refused, "the checkpoint claims %d entries, more than this oracle checks", checkpoint.Size)
	}
	n := *workers
	if n == 0 {
		n = uint(checkpoint.Size/layout.EntryBundleWidth)*257/256 + 16
	}

	done := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil { // a bundle with fewer entries than its tile
				done <- fmt.Errorf("fsck panicked: %v", r)
			}
		}()
		done <- fsck.New(verifier.Name(), verifier, source, leafHashes, fsck.Opts{N: n}).Check(ctx)
	}()
	select {
	case err := <-done:
		if err != nil {
			exit(source.verdict(), "%v", err)
		}
	case <-ctx.Done():
		exit(couldNot, "no verdict within %v", *timeout)
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{"size": checkpoint.Size, "root": checkpoint.Hash}); err != nil {
		exit(couldNot, "%v", err)
	}
	os.Exit(accepted)
}

func exit(code int, format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(code)
}

// leafHashes is RFC 6962's leaf hash of every entry. A bundle of the wrong length panics inside fsck; see main.
func leafHashes(bundle []byte) ([][]byte, error) {
	var entries api.EntryBundle
	if err := entries.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	hashes := make([][]byte, 0, len(entries.Entries))
	for _, entry := range entries.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

// watched remembers whether a read failed for another reason than that the object is not there: then nothing is known about the log.
type watched struct {
	fsck.Fetcher
	unreadable atomic.Bool
}

func open(where string) (*watched, error) {
	if !strings.Contains(where, "://") {
		info, err := os.Stat(where)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			return nil, fmt.Errorf("%s is not a directory", where)
		}
		return &watched{Fetcher: &client.FileFetcher{Root: where}}, nil
	}
	root, err := url.Parse(where)
	if err != nil {
		return nil, err
	}
	fetcher, err := client.NewHTTPFetcher(root, http.DefaultClient)
	if err != nil {
		return nil, err
	}
	return &watched{Fetcher: fetcher}, nil
}

func (w *watched) note(data []byte, err error) ([]byte, error) {
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		w.unreadable.Store(true)
	}
	return data, err
}

func (w *watched) verdict() int {
	if w.unreadable.Load() {
		return couldNot
	}
	return refused
}

func (w *watched) ReadCheckpoint(ctx context.Context) ([]byte, error) {
	return w.note(w.Fetcher.ReadCheckpoint(ctx))
}

func (w *watched) ReadTile(ctx context.Context, level, index uint64, p uint8) ([]byte, error) {
	return w.note(w.Fetcher.ReadTile(ctx, level, index, p))
}

func (w *watched) ReadEntryBundle(ctx context.Context, index uint64, p uint8) ([]byte, error) {
	return w.note(w.Fetcher.ReadEntryBundle(ctx, index, p))
}
