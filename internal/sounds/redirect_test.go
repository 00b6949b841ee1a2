package sounds

import (
	"errors"
	"net/http"
	"testing"
)

func TestRedirectsKeepTheirLock(t *testing.T) {
	request := func(url string) *http.Request {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		return req
	}
	via := []*http.Request{request("https://a.example/")}
	if err := follow(request("http://a.example/"), via); !errors.Is(err, errDowngrade) {
		t.Errorf("from https to http: %v", err)
	}
	if err := follow(request("https://b.example/"), via); err != nil {
		t.Error(err)
	}
}
