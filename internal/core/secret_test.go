package core

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretNeverPrints(t *testing.T) {
	const text = "correct horse"
	value := struct {
		Password Secret `json:"password"`
	}{text}

	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("login", "secret", value.Password, "whole", value)
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%s %v %+v %#v %q %s %s", value.Password, value, value, value, value.Password, encoded, log.String())
	if strings.Contains(printed, text) {
		t.Errorf("secret is readable in %q", printed)
	}
	if strings.Count(printed, "***") < 7 {
		t.Errorf("secret is not marked everywhere in %q", printed)
	}
	if value.Password.Reveal() != text {
		t.Errorf("Reveal = %q", value.Password.Reveal())
	}
}
