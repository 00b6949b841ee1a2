package speech

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/offhook/offhook/internal/media/file"
)

// Flite speaks English with the program flite.
type Flite struct {
	program string
	names   []string // of its voices
	voices  Voices
}

// NewFlite finds the program and asks it for its voices.
func NewFlite(ctx context.Context, voices Voices) (*Flite, error) {
	path, err := exec.LookPath("flite")
	if err != nil {
		return nil, fmt.Errorf("speech: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	list, err := runProgram(ctx, "", path, "-lv")
	if err != nil {
		return nil, err
	}
	_, names, _ := strings.Cut(string(list), ":")
	return &Flite{program: path, names: strings.Fields(names), voices: voices}, nil
}

// Name implements Engine.
func (f *Flite) Name() string { return "flite" }

// Voice implements Engine. All voices are English, so that other languages sound
// foreign.
func (f *Flite) Voice(wanted Voice) string {
	if voice, ok := f.voices.find(wanted); ok {
		return voice
	}
	voices := [...]string{"slt", "rms", "awb", "kal16"}
	if voice := voices[max(0, wanted.Style)%len(voices)]; slices.Contains(f.names, voice) {
		return voice
	}
	return "slt"
}

// fliteTone is the mean frequency of its voices in Hz, by name.
func fliteTone(voice string) float64 {
	if voice == "slt" {
		return 170
	}
	return 105
}

// Speak implements Engine. The program writes sound only to files.
func (f *Flite) Speak(ctx context.Context, u Utterance) (pcm file.PCM, err error) {
	folder, err := os.MkdirTemp("", "offhook-flite")
	if err != nil {
		return file.PCM{}, fmt.Errorf("speech: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	name := filepath.Join(folder, "out.wav")
	args := []string{"-voice", u.Voice, "-o", name}
	if u.Rate != 1 {
		args = append(args, "--setf", "duration_stretch="+strconv.FormatFloat(1/u.Rate, 'f', 2, 64))
	}
	if u.Pitch != 1 {
		args = append(args, "--setf", "int_f0_target_mean="+strconv.FormatFloat(fliteTone(u.Voice)*u.Pitch, 'f', 0, 64))
	}
	if _, err := runProgram(ctx, u.Text+"\n", f.program, args...); err != nil {
		return file.PCM{}, err
	}
	wav, err := os.ReadFile(name)
	if err != nil {
		return file.PCM{}, fmt.Errorf("speech: %w", err)
	}
	return file.Decode(bytes.NewReader(wav))
}
