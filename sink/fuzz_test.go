package sink

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"
	"testing/synctest"

	"tapdeck/sink/store"
)

// looseDisk is the machine's disk without its syncs, for speed.
type looseDisk struct{ store.OSDisk }

type looseFile struct{ *os.File }

func (looseDisk) Create(path string) (store.File, error) {
	f, err := store.OSDisk{}.Create(path)
	if err != nil {
		return nil, err
	}
	return looseFile{f.(*os.File)}, nil
}

func (looseDisk) SyncDir(string) error { return nil }
func (looseFile) Sync() error          { return nil }

// Whatever comes after the upgrade, the process lives, the stream ends, and its file
// holds nothing but what came as audio, in order.
func FuzzStream(f *testing.F) {
	audio := encodeFrame(fin|opBinary, speech(1, 160))
	join := func(frames ...[]byte) []byte { return bytes.Join(frames, nil) }
	for _, seed := range [][]byte{
		nil,
		audio,
		audio[:100],
		join(encodeFrame(fin|opText, []byte(`{"a":"b"}`)), audio, audio, encodeFrame(fin|opClose, []byte("\x03\xe8Normal closure"))),
		join(audio, encodeFrame(fin|opPing, []byte("ping")), audio),
		join(encodeFrame(opBinary, []byte("a")), encodeFrame(fin|opPing, nil), encodeFrame(fin|opContinue, []byte("bcd"))),
		join(encodeFrame(opText, []byte("a")), encodeFrame(fin|opContinue, []byte("bcd")), audio),
		join(encodeFrame(fin|opBinary, []byte{1}), encodeFrame(fin|opBinary, []byte{2, 3}), encodeFrame(fin|opBinary, nil)),
		join(audio, []byte{fin | opBinary, 4, 1, 2, 3, 4}),
		join(audio, encodeFrame(fin|0x70|opBinary, []byte("abcd"))),
		join(audio, encodeFrame(fin|opContinue, []byte("abcd"))),
		join(encodeFrame(opBinary, []byte("ab")), audio),
		join(audio, encodeFrame(fin|opClose, []byte{3})),
		join(audio, encodeFrame(fin|opBinary, make([]byte, 70_000))),
		join(encodeFrame(fin|opBinary, speech(2, 2000))[:3000]),
		{fin | opBinary, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0},
		bytes.Repeat(encodeFrame(fin|opPing, nil), 200),
		bytes.Repeat(encodeFrame(opContinue, nil), 200),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		synctest.Test(t, func(t *testing.T) {
			ln := newPipeListener()
			b := serveOn(t, testConfig(t), ln, ln.dial, looseDisk{})
			r := b.expect(testCall(testID))
			s := b.connect(r)
			_, _ = s.c.Write(sent)
			s.c.(*pipeConn).out.end()
			awaitGone(t, r, 1)
			got, _ := readWAV(t, b.path(b.finish(r).WAV))
			if !bytes.HasPrefix(binaryPayload(sent), got) {
				t.Errorf("the file's %d bytes are not those that came as audio", len(got))
			}
			if want := wholeMessages(sent); len(want) < maxMessageBytes && !bytes.HasPrefix(got, want[:len(want)-len(want)%2]) {
				t.Errorf("%d bytes are in the file, %d of whole messages came", len(got), len(want))
			}
		})
	})
}

// parseFrames is a plain reader of a client's frames, which calls visit for each until
// one that a server must refuse, or the end. got is what is there of the payload.
func parseFrames(b []byte, visit func(opcode byte, fin bool, got []byte, whole bool) bool) {
	for len(b) >= 2 {
		first, length, head := b[0], uint64(b[1]&0x7f), 2
		if first&0x70 != 0 || b[1]&0x80 == 0 {
			return
		}
		switch {
		case length == 126 && len(b) >= 4:
			length, head = uint64(binary.BigEndian.Uint16(b[2:])), 4
		case length == 127 && len(b) >= 10:
			length, head = binary.BigEndian.Uint64(b[2:]), 10
		case length >= 126:
			return
		}
		if length > 1<<62 || len(b) < head+4 {
			return
		}
		mask, rest := b[head:head+4], b[head+4:]
		n := min(length, uint64(len(rest)))
		payload := make([]byte, n)
		for i := range payload {
			payload[i] = rest[i] ^ mask[i%4]
		}
		if !visit(first&0xf, first&fin != 0, payload, n == length) {
			return
		}
		b = rest[n:]
	}
}

// binaryPayload returns all bytes that came in binary messages.
func binaryPayload(b []byte) []byte {
	audio, _ := splitAudio(b)
	return audio
}

// wholeMessages returns the bytes of the binary messages that came to their end.
func wholeMessages(b []byte) []byte {
	audio, whole := splitAudio(b)
	return audio[:whole]
}

func splitAudio(b []byte) (audio []byte, whole int) {
	message := byte(opContinue) // the kind of the message that is open
	noise := 0
	parseFrames(b, func(opcode byte, last bool, got []byte, all bool) bool {
		switch {
		case opcode >= opClose:
			noise++
			return opcode != opClose && last && len(got) <= 125 && opcode <= opPong && noise <= maxNoise
		case opcode > opBinary, (opcode == opContinue) != (message != opContinue):
			return false
		case opcode == opText:
			noise++
		}
		if opcode != opContinue {
			message = opcode
		}
		if message == opBinary {
			audio = append(audio, got...)
		}
		if last && all {
			if message == opBinary {
				whole = len(audio)
			}
			message = opContinue
		}
		return all && noise <= maxNoise
	})
	return audio, whole
}
