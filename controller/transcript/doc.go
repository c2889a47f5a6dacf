// Package transcript is one call's transcription by a speech recogniser, over a WebSocket that we dial.
package transcript
