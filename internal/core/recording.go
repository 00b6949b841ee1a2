package core

import "time"

// Recording is a file that was made of a call: its sound, what one party said, or
// the text of another recording.
type Recording struct {
	File string // names the file, for who fetches it; same form as LegID
	Kind RecordingKind
	ID   RecordingID // of Record; "" for what a party said
	App  string
	Leg  LegID // whose flow began it, "" for one of a conversation
	Call CallID
	Hook Hook // who is told when it can be fetched

	Begun       time.Time
	Ended       time.Time // zero while it is being made
	Size        int64     // bytes
	Channels    int
	ContentType string
	// Transcribe, if not nil, says how the text of it is wanted.
	Transcribe *Transcription
}

// RecordingKind says what is in a Recording.
type RecordingKind string

// The kinds of recordings; the words are stored.
const (
	RecordedCall   RecordingKind = "call"
	RecordedSpeech RecordingKind = "speech" // of one party, for a recogniser
	RecordedText   RecordingKind = "text"   // of another recording, with the same ID
)
