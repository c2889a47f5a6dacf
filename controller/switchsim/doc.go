// Package switchsim is a simulated FreeSWITCH with mod_audio_stream, for
// tests, demonstrations and load. It is not a telephone switch: no SIP and no
// RTP, only what a controller and an audio server see of one, over real
// sockets. What it says and when it says it follows FreeSWITCH 1.10.12.
//
// It owns both protocols from the switch's side: the outbound event socket of
// the dialplan's socket action (Switch.Dial), the WebSocket client of
// uuid_audio_stream, and an inbound event socket (Switch.ServeInbound).
// It can misbehave on request (Faults).
//
// Each call has one goroutine for its channel and one that reads its event
// socket; each stream has one that reads its WebSocket; each bgapi job has one
// while it runs. One goroutine per Switch, alive while streams are, is the
// media clock that sends the audio of all streams. Call.Wait returns when
// every goroutine of that call has ended, Switch.Wait when all have.
//
// Times: audio, tones, prompts, sleeps, the caller's hangup and the times in
// Faults are media time, which Config.Speed accelerates. Timers of the
// protocols (the one second that the module gives an upgrade and a close, the
// seconds of linger, sched_hangup) are real time.
//
// Audio: the caller speaks from the moment media flows (the answer, or an
// earlier pre-answer), in frames of 20 ms. What a stream has carried is in
// its StreamReport, whose PCM method gives the very bytes again.
//
// The package never imports the packages that it is used to test.
package switchsim
