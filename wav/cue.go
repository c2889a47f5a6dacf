package wav

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"io"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds that keep all cue chunks of a file below cueTailBytes.
const (
	maxCues      = 500
	maxLabel     = 80
	cueTailBytes = 64 << 10

	cueBytes = 24         // of one point in the cue chunk
	dataID   = 0x61746164 // "data"
)

// Cue is a named position in the audio.
type Cue struct {
	// Frame is the frame before which the cue stands, counted from 0.
	Frame int64
	// Label is its name, UTF-8.
	Label string
}

// cleanLabel drops what a labl chunk can't hold and cuts the rest to maxLabel bytes.
func cleanLabel(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	for len(s) > maxLabel {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// encodeCues returns the cue chunk and the LIST chunk with the labels, or nothing
// for no cues. Cues beyond the last frame move to it.
func encodeCues(cues []Cue, frames int64) []byte {
	if len(cues) == 0 {
		return nil
	}
	sorted := slices.Clone(cues)
	slices.SortStableFunc(sorted, func(a, b Cue) int { return cmp.Compare(a.Frame, b.Frame) })
	points := binary.LittleEndian.AppendUint32(nil, uint32(len(sorted)))
	labels := []byte("adtl")
	for i, c := range sorted {
		id, frame := uint32(i+1), uint32(min(max(c.Frame, 0), frames, math.MaxUint32))
		// Chunk start and block start are 0: there is no play list, and PCM has no blocks.
		for _, v := range [cueBytes / 4]uint32{id, frame, dataID, 0, 0, frame} {
			points = binary.LittleEndian.AppendUint32(points, v)
		}
		labels = appendChunk(labels, "labl", append(append(binary.LittleEndian.AppendUint32(nil, id), c.Label...), 0))
	}
	return appendChunk(appendChunk(nil, "cue ", points), "LIST", labels)
}

// readCues reads the cues among the chunks between two offsets; chunks that are
// broken or of other kinds are left out.
func readCues(r io.ReaderAt, at, end int64) (cues []Cue) {
	var ids []uint32
	for c := range wholeChunks(r, at, end) {
		if c.size > maxRead || c.id != "cue " && c.id != "LIST" {
			continue
		}
		b := make([]byte, c.size)
		if readFull(r, b, c.payload) != nil {
			continue
		}
		if c.id == "LIST" {
			decodeLabels(b, cues, ids)
		} else {
			cues, ids = decodeCues(b)
		}
	}
	return cues
}

// decodeCues reads the payload of a cue chunk; points that it lacks are left out.
func decodeCues(b []byte) (cues []Cue, ids []uint32) {
	if len(b) < 4 {
		return nil, nil
	}
	n := min(int64(binary.LittleEndian.Uint32(b)), int64(len(b)-4)/cueBytes, maxCues)
	for p := range slices.Chunk(b[4:4+n*cueBytes], cueBytes) {
		cues = append(cues, Cue{Frame: int64(binary.LittleEndian.Uint32(p[20:]))})
		ids = append(ids, binary.LittleEndian.Uint32(p))
	}
	return cues, ids
}

// decodeLabels reads the payload of a LIST chunk of type adtl into the labels of
// the cues whose ids it names.
func decodeLabels(b []byte, cues []Cue, ids []uint32) {
	if !bytes.HasPrefix(b, []byte("adtl")) {
		return
	}
	// The last label may lack its pad byte: some writers leave it out.
	for c := range wholeChunks(bytes.NewReader(b), 4, int64(len(b)+len(b)%2)) {
		label := b[c.payload:min(c.payload+c.size, int64(len(b)))]
		if c.id != "labl" || len(label) < 4 {
			continue
		}
		if i := slices.Index(ids, binary.LittleEndian.Uint32(label)); i >= 0 {
			text, _, _ := bytes.Cut(label[4:], []byte{0})
			cues[i].Label = cleanLabel(string(text))
		}
	}
}
