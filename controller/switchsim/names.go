package switchsim

import (
	"tapdeck/controller/switchsim/audio"
	"tapdeck/controller/switchsim/audiostream"
	"tapdeck/controller/switchsim/fault"
	"tapdeck/controller/switchsim/inbound"
)

// What is made in the packages below, by the names that a user of Switch needs.
type (
	// Voice is what a caller says, Played what the switch played to him.
	Voice  = audio.Voice
	Played = audio.Played
	// StreamReport is what happened in one WebSocket, Part a stretch of its audio.
	StreamReport = audiostream.Report
	Part         = audiostream.Part

	Leg   = audiostream.Leg
	Hold  = audiostream.Hold
	Codec = audiostream.Codec
	// Faults are how the switch misbehaves in one call.
	Faults      = fault.Call
	Drop        = fault.Drop
	Stall       = fault.Stall
	AudioFaults = fault.Audio
	Injection   = fault.Injection
	// Facts are what the switch answers about itself.
	Facts     = inbound.Facts
	Extension = inbound.Extension
	// Action is one action of the dialplan.
	Action = inbound.Action
)

// How a stream drops, when an injected frame comes, and which there are.
const (
	DropFIN         = fault.DropFIN
	DropRST         = fault.DropRST
	DropNothing     = fault.DropNothing
	Before          = fault.Before
	After           = fault.After
	Instead         = fault.Instead
	FrameLogData    = fault.FrameLogData
	FrameEventXML   = fault.FrameEventXML
	FrameUnknown    = fault.FrameUnknown
	FrameShortReply = fault.FrameShortReply
	FrameError      = fault.FrameError
)

// ToneVoice is audio.ToneVoice.
func ToneVoice(rate, frequency int, amplitude float64) *Voice {
	return audio.ToneVoice(rate, frequency, amplitude)
}

// VoiceFromBytes returns the voice of little-endian 16-bit PCM.
func VoiceFromBytes(rate int, pcm []byte, loop bool) *Voice {
	return audio.VoiceFromBytes(rate, pcm, loop)
}
