package wav

import (
	"bytes"
	"cmp"
	"encoding/binary"
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

	cueBytes = 24 // of one point in the cue chunk
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
		id := uint32(i + 1)
		points = appendPoint(points, id, uint32(min(max(c.Frame, 0), frames, math.MaxUint32)))
		labels = appendChunk(labels, "labl", append(append(binary.LittleEndian.AppendUint32(nil, id), c.Label...), 0))
	}
	return appendChunk(appendChunk(nil, "cue ", points), "LIST", labels)
}

func appendPoint(b []byte, id, frame uint32) []byte {
	b = binary.LittleEndian.AppendUint32(b, id)
	b = binary.LittleEndian.AppendUint32(b, frame)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, 0) // chunk start: there is no play list
	b = binary.LittleEndian.AppendUint32(b, 0) // block start: PCM has no blocks
	return binary.LittleEndian.AppendUint32(b, frame)
}

func appendChunk(b []byte, id string, payload []byte) []byte {
	b = append(b, id...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	b = append(b, payload...)
	if len(payload)%2 != 0 {
		b = append(b, 0)
	}
	return b
}

// decodeCues reads the payload of a cue chunk; points that it lacks are left out.
func decodeCues(b []byte) (cues []Cue, ids []uint32) {
	if len(b) < 4 {
		return nil, nil
	}
	n := min(int64(binary.LittleEndian.Uint32(b)), int64(len(b)-4)/cueBytes, maxCues)
	for i := range n {
		p := b[4+i*cueBytes:]
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
	walkChunks(bytes.NewReader(b), 4, int64(len(b)+len(b)%2), func(c chunk) {
		label := b[c.payload:min(c.payload+c.size, int64(len(b)))]
		if c.id != "labl" || len(label) < 4 {
			return
		}
		if i := slices.Index(ids, binary.LittleEndian.Uint32(label)); i >= 0 {
			text, _, _ := bytes.Cut(label[4:], []byte{0})
			cues[i].Label = cleanLabel(string(text))
		}
	})
}
