package sdp

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/offhook/offhook/internal/media"
)

// key returns a=crypto with the key of length n, all bytes b.
func key(tag, suite string, n int, b byte) string {
	return "a=crypto:" + tag + " " + suite + " inline:" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, n))
}

const sha80, sha32, gcm = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM"

func secured(p Protection) Local {
	return Local{Addr: netip.MustParseAddrPort("198.51.100.1:30000"), Protection: p, Secrets: NewSecrets()}
}

func TestAnswerToProtectedOffer(t *testing.T) {
	savp, avp := "m=audio 4000 RTP/SAVP 0", "m=audio 4000 RTP/AVP 0"
	for _, c := range []struct {
		name   string
		policy Protection
		lines  []string
		suite  Suite  // in use; NoSuite is plain
		tag    string // in the answer
		refuse bool
	}{
		{"SAVP", ProtectAnswers, []string{savp, key("1", sha80, 30, 7)}, AESCM80, "1", false},
		{"SAVP with the short tag", ProtectAnswers, []string{savp, key("4", sha32, 30, 7)}, AESCM32, "4", false},
		{"GCM", ProtectAnswers, []string{savp, key("1", gcm, 28, 7)}, AESGCM128, "1", false},
		{"the offerer's first that we know", ProtectAnswers, []string{savp, key("1", "F8_128_HMAC_SHA1_80", 30, 1), key("2", sha80, 30, 7), key("3", gcm, 28, 7)}, AESCM80, "2", false},
		{"lifetime and a hint", ProtectAnswers, []string{savp, key("1", sha80, 30, 7) + "|2^31 WSH=64"}, AESCM80, "1", false},
		{"small letters, no padding", ProtectAnswers, []string{strings.ToLower(savp)[:2] + "audio 4000 rtp/savp 0", strings.TrimRight(key("1", gcm, 28, 7), "=")}, AESGCM128, "1", false},
		{"keys in RTP/AVP", ProtectAnswers, []string{avp, key("1", sha80, 30, 7)}, AESCM80, "1", false},
		{"plain", ProtectAnswers, []string{avp}, NoSuite, "", false},
		{"plain where none is wanted", ProtectRequired, []string{avp}, NoSuite, "", true},
		{"keys where none are wanted", ProtectNever, []string{avp, key("1", sha80, 30, 7)}, NoSuite, "", false},
		{"SAVP where none is wanted", ProtectNever, []string{savp, key("1", sha80, 30, 7)}, NoSuite, "", true},
		{"SAVP without key", ProtectAnswers, []string{savp}, NoSuite, "", true},
		{"a key that is too short", ProtectAnswers, []string{savp, key("1", sha80, 29, 7)}, NoSuite, "", true},
		{"a key with identifier", ProtectAnswers, []string{savp, key("1", sha80, 30, 7) + "|2^20|1:4"}, NoSuite, "", true},
		{"several keys", ProtectAnswers, []string{savp, key("1", sha80, 30, 7) + ";inline:AAAA"}, NoSuite, "", true},
		{"not encrypted at all", ProtectAnswers, []string{savp, key("1", sha80, 30, 7) + " UNENCRYPTED_SRTP"}, NoSuite, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := ParseOffer(head(c.lines...))
			if err != nil {
				t.Fatal(err)
			}
			local := secured(c.policy)
			answer, r, err := o.Answer(local, []media.Codec{media.PCMU})
			if (err != nil) != c.refuse {
				t.Fatalf("error %v", err)
			}
			if c.refuse {
				return
			}
			if (r.Crypto != nil) != (c.suite != NoSuite) {
				t.Fatalf("protected by %+v", r.Crypto)
			}
			if r.Crypto == nil {
				if bytes.Contains(answer, []byte("crypto")) {
					t.Errorf("keys in\n%s", answer)
				}
				return
			}
			if r.Crypto.Suite != c.suite || r.Crypto.Remote[0] != 7 || !bytes.Equal(r.Crypto.Local, local.Secrets[c.suite]) {
				t.Errorf("%+v", r.Crypto)
			}
			want := "a=crypto:" + c.tag + " " + c.suite.String() + " inline:" + base64.StdEncoding.EncodeToString(r.Crypto.Local)
			if !slices.Contains(strings.Split(string(answer), "\r\n"), want) {
				t.Errorf("no %s in\n%s", want, answer)
			}
		})
	}
}

// A phone that would like SRTP but does not insist offers both; we refuse one.
func TestOneOfTwoStreamsIsTaken(t *testing.T) {
	both := head("m=audio 4000 RTP/SAVP 0", key("1", sha80, 30, 7), "m=audio 5000 RTP/AVP 0")
	for policy, want := range map[Protection]string{ProtectAnswers: "m=audio 30000 RTP/SAVP 0", ProtectNever: "m=audio 30000 RTP/AVP 0"} {
		o, err := ParseOffer(both)
		if err != nil {
			t.Fatal(err)
		}
		answer, _, err := o.Answer(secured(policy), []media.Codec{media.PCMU})
		if err != nil || strings.Count(string(answer), "m=audio 0 ") != 1 || !strings.Contains(string(answer), want) {
			t.Errorf("policy %d: %v\n%s", policy, err, answer)
		}
	}
}

func TestProtectedOfferAndItsAnswer(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy Protection
		answer []string
		suite  Suite
		err    error
	}{
		{"taken", ProtectRequired, []string{"m=audio 4000 RTP/SAVP 0", key("2", sha80, 30, 9)}, AESCM80, nil},
		{"GCM taken", ProtectRequired, []string{"m=audio 4000 RTP/SAVP 0", key("1", gcm, 28, 9)}, AESGCM128, nil},
		{"optional, taken", ProtectOptional, []string{"m=audio 4000 RTP/AVP 0", key("2", sha80, 30, 9)}, AESCM80, nil},
		{"optional, not taken", ProtectOptional, []string{"m=audio 4000 RTP/AVP 0"}, NoSuite, nil},
		{"required, not taken", ProtectRequired, []string{"m=audio 4000 RTP/AVP 0"}, NoSuite, ErrUnprotected},
		{"required, no key", ProtectRequired, []string{"m=audio 4000 RTP/SAVP 0"}, NoSuite, ErrUnprotected},
		{"another tag", ProtectRequired, []string{"m=audio 4000 RTP/SAVP 0", key("7", sha80, 30, 9)}, NoSuite, ErrUnprotected},
		{"another suite", ProtectRequired, []string{"m=audio 4000 RTP/SAVP 0", key("2", gcm, 28, 9)}, NoSuite, ErrUnprotected},
	} {
		local := secured(c.policy)
		offer := NewOffer(local, []media.Codec{media.PCMU})
		if savp := bytes.Contains(offer, []byte("RTP/SAVP")); savp != (c.policy == ProtectRequired) {
			t.Errorf("%s:\n%s", c.name, offer)
		}
		r, err := ParseAnswer(offer, head(c.answer...))
		if !errors.Is(err, c.err) || (r.Crypto == nil) != (c.suite == NoSuite) {
			t.Errorf("%s: %v, %+v", c.name, err, r.Crypto)
			continue
		}
		if r.Crypto != nil && (r.Crypto.Suite != c.suite || r.Crypto.Remote[0] != 9 || !bytes.Equal(r.Crypto.Local, local.Secrets[c.suite])) {
			t.Errorf("%s: %+v", c.name, r.Crypto)
		}
	}
	for _, policy := range []Protection{ProtectAnswers, ProtectNever} {
		if offer := NewOffer(secured(policy), []media.Codec{media.PCMU}); bytes.Contains(offer, []byte("crypto")) {
			t.Errorf("policy %d offers\n%s", policy, offer)
		}
	}
}

func FuzzCrypto(f *testing.F) {
	f.Add("1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:32 KDR=1")
	f.Fuzz(func(t *testing.T, value string) {
		if c, ok := parseCrypto(value); ok && len(c.key) != suites[c.suite].key+suites[c.suite].salt {
			t.Errorf("%d bytes of key for %v", len(c.key), c.suite)
		}
	})
}
