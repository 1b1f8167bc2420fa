// vectors prints what golang.org/x/mod/sumdb/{tlog,note} makes of fixed inputs, as the JSON in test/fixtures/log/sumdb-vectors.json.
// Entry i of the tree is the text "entry i"; keys come from seeds of 32 equal bytes.
//
//	go run ./vectors > ../fixtures/log/sumdb-vectors.json
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const entries = 600

type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		out[i] = h[index]
	}
	return out, nil
}

type proof struct {
	Size  int64    `json:"size"`
	Of    int64    `json:"of"` // leaf index, or old size
	Proof []string `json:"proof"`
}

func main() {
	var stored hashes
	roots := []string{root(stored, 0)}
	for i := int64(0); i < entries; i++ {
		added := must(tlog.StoredHashes(i, []byte(fmt.Sprintf("entry %d", i)), stored))
		stored = append(stored, added...)
		roots = append(roots, root(stored, i+1))
	}
	inclusion, consistency := []proof{}, []proof{}
	for _, size := range []int64{1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 100, 255, 256, 257, 511, 512, 513, 599, 600} {
		for _, of := range []int64{0, 1, 2, 3, 6, 7, 15, 30, 31, 63, 99, 127, 254, 255, 256, 300, 511, 512, 598, 599} {
			if of < size {
				inclusion = append(inclusion, proof{size, of, list(must(tlog.ProveRecord(size, of, stored)))})
			}
			if of >= 1 && of <= size {
				consistency = append(consistency, proof{size, of, list(must(tlog.ProveTree(size, of, stored)))})
			}
		}
	}
	paths := map[string]string{}
	for _, n := range []int64{0, 1, 9, 42, 255, 999, 1000, 1001, 123456, 999999, 1000000, 1234067, 123456789012} {
		// tlog's paths name the tile height first: tile/8/0/<N>.
		paths[fmt.Sprint(n)] = strings.TrimPrefix(tlog.Tile{H: 8, L: 0, N: n, W: 256}.Path(), "tile/8/0/")
	}
	tiles := map[string]string{}
	for _, size := range []int64{1, 255, 256, 257, 600} {
		for _, tile := range tlog.NewTiles(8, 0, size) {
			data := must(tlog.ReadTileData(tile, stored))
			sum := tlog.RecordHash(data)
			tiles[strings.Replace(tile.Path(), "tile/8/", "tile/", 1)] = base64.StdEncoding.EncodeToString(sum[:])
		}
	}
	print(map[string]any{
		"source":      "golang.org/x/mod/sumdb/tlog and note v0.33.0, by test/oracles/vectors",
		"roots":       roots,
		"inclusion":   inclusion,
		"consistency": consistency,
		"indexPaths":  paths,
		"tiles":       tiles, // name → leaf hash of the tile's bytes
		"notes":       notes(),
	})
}

func notes() []map[string]any {
	out := []map[string]any{}
	for i, text := range []string{"one line\n", "example.org/log\n600\n" + base64.StdEncoding.EncodeToString(make([]byte, 32)) + "\n", "two\n\nparagraphs è\n"} {
		signers, vkeys := []note.Signer{}, []string{}
		for k := 0; k <= i; k++ {
			seed := []byte(strings.Repeat(string(rune(1+k)), ed25519.SeedSize))
			name := fmt.Sprintf("example.org/log%d", k)
			vkey := must(note.NewEd25519VerifierKey(name, ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)))
			hash := must(note.NewVerifier(vkey)).KeyHash()
			skey := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, hash, base64.StdEncoding.EncodeToString(append([]byte{1}, seed...)))
			signers, vkeys = append(signers, must(note.NewSigner(skey))), append(vkeys, vkey)
		}
		signed := must(note.Sign(&note.Note{Text: text}, signers...))
		out = append(out, map[string]any{"text": text, "note": string(signed), "vkeys": vkeys})
	}
	return out
}

func root(stored hashes, size int64) string {
	hash := must(tlog.TreeHash(size, stored))
	return base64.StdEncoding.EncodeToString(hash[:])
}

func list(hashes []tlog.Hash) []string {
	out := []string{}
	for _, hash := range hashes {
		out = append(out, base64.StdEncoding.EncodeToString(hash[:]))
	}
	return out
}

func print(value any) {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
