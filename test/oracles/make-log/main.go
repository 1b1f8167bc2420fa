// make-log writes a log with Tessera's POSIX driver: the bundle-encoded entries of standard input, sealed in batches.
// It prints {"vkey":…,"seconds":…} as JSON; the seconds cover appending until the last entry is published.
//
//	make-log [-batch 256] [-interval 100ms] [-seed hex] <directory> < entries
package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	batch := flag.Uint("batch", 256, "entries in a batch")
	interval := flag.Duration("interval", 100*time.Millisecond, "between checkpoints")
	name := flag.String("name", "example.org/made-by-tessera", "origin and key name")
	seed := flag.String("seed", "0101010101010101010101010101010101010101010101010101010101010101", "the key's seed, 32 bytes in hex")
	flag.Parse()
	if err := run(flag.Arg(0), *batch, *interval, *name, *seed); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func run(dir string, batch uint, interval time.Duration, name, seedHex string) error {
	seed, err := hex.DecodeString(seedHex)
	if err != nil || len(seed) != ed25519.SeedSize {
		return fmt.Errorf("the seed is not 32 bytes of hex")
	}
	signer, vkey, err := keyPair(name, seed)
	if err != nil {
		return err
	}
	entries, err := readEntries(bufio.NewReader(os.Stdin))
	if err != nil {
		return err
	}
	ctx := context.Background()
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		return err
	}
	options := tessera.NewAppendOptions().WithCheckpointSigner(signer).WithBatching(batch, interval).WithCheckpointInterval(interval).
		WithPushback(uint(len(entries)) + batch)
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		return err
	}
	start := time.Now()
	futures := make([]tessera.IndexFuture, 0, len(entries))
	for _, entry := range entries {
		futures = append(futures, appender.Add(ctx, tessera.NewEntry(entry)))
	}
	if len(futures) > 0 {
		await := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, interval/4)
		for i, future := range futures {
			index, err := future()
			if err != nil {
				return err
			}
			if index.Index != uint64(i) {
				return fmt.Errorf("entry %d became number %d", i, index.Index)
			}
		}
		if _, _, err := await.Await(ctx, futures[len(futures)-1]); err != nil {
			return err
		}
	}
	seconds := time.Since(start).Seconds()
	if err := shutdown(ctx); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"vkey": vkey, "seconds": seconds})
}

// keyPair is note.GenerateKey from a given seed.
func keyPair(name string, seed []byte) (note.Signer, string, error) {
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	vkey, err := note.NewEd25519VerifierKey(name, public)
	if err != nil {
		return nil, "", err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, "", err
	}
	skey := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, verifier.KeyHash(), base64.StdEncoding.EncodeToString(append([]byte{1}, seed...)))
	signer, err := note.NewSigner(skey)
	return signer, vkey, err
}

func readEntries(in io.Reader) ([][]byte, error) {
	var entries [][]byte
	for {
		var length uint16
		if err := binary.Read(in, binary.BigEndian, &length); errors.Is(err, io.EOF) {
			return entries, nil
		} else if err != nil {
			return nil, err
		}
		entry := make([]byte, length)
		if _, err := io.ReadFull(in, entry); err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
}
