package pcm

import (
	"bytes"
	"testing"

	"github.com/zaf/g711"
)

// Every sample and every byte is converted as another implementation does it.
func TestULawIsG711(t *testing.T) {
	linear := make([]byte, 0, 2<<16)
	for s := range 1 << 16 {
		linear = append(linear, byte(s), byte(s>>8))
	}
	if got, want := AppendULaw(nil, linear), g711.EncodeUlaw(linear); !bytes.Equal(got, want) {
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("sample %d is %#02x, want %#02x", int16(i), got[i], want[i])
			}
		}
	}
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	if got, want := AppendLinear(nil, all), g711.DecodeUlaw(all); !bytes.Equal(got, want) {
		t.Errorf("µ-law to linear: got %x, want %x", got, want)
	}
}

// What was µ-law once stays as it is, so that a bot's voice is heard as it was said.
func TestULawThereAndBack(t *testing.T) {
	for i := range 256 {
		u := []byte{byte(i)}
		want := u[0]
		if want == 0x7f { // a negative zero: linear audio knows one zero
			want = 0xff
		}
		if got := AppendULaw(nil, AppendLinear(nil, u)); got[0] != want {
			t.Errorf("%#02x came back as %#02x", u, got)
		}
	}
}

func TestULawAppends(t *testing.T) {
	if got := AppendULaw([]byte("a"), []byte{0, 0, 7}); !bytes.Equal(got, []byte("a\xff")) {
		t.Errorf("AppendULaw is %q, want the half sample left out", got)
	}
	if got := AppendLinear([]byte("a"), []byte{0xff}); !bytes.Equal(got, []byte("a\x00\x00")) {
		t.Errorf("AppendLinear is %q", got)
	}
}

func TestULawAllocatesNothing(t *testing.T) {
	linear, ulaw := make([]byte, 0, 320), make([]byte, 160)
	if n := testing.AllocsPerRun(100, func() {
		linear = AppendLinear(linear[:0], ulaw)
		ulaw = AppendULaw(ulaw[:0], linear)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkULaw(b *testing.B) {
	linear, ulaw := make([]byte, 320), make([]byte, 0, 160)
	b.ReportAllocs()
	b.SetBytes(int64(len(linear)))
	for b.Loop() {
		ulaw = AppendULaw(ulaw[:0], linear)
		linear = AppendLinear(linear[:0], ulaw)
	}
}
