package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/offhook/offhook/internal/core/route"
)

// appCmd makes applications.
type appCmd struct {
	Create appCreateCmd `cmd:"" help:"Make an application of a running exchange, with private.key and .env for its program."`
}

type appCreateCmd struct {
	access
	Name      string   `required:"" help:"What people call it."`
	Number    []string `help:"A number that shall lead to it, E.164 digits; may be given again."`
	AnswerURL string   `placeholder:"URL" help:"What is asked when the number is called, by GET."`
	EventURL  string   `placeholder:"URL" help:"What is told of every event, by POST."`
	Account   string   `placeholder:"KEY" help:"Key of the account that shall own it. Without one a new account is made."`
	Key       string   `type:"path" default:"private.key" help:"File for the private key."`
	Env       string   `type:"path" default:".env" help:"File for the names that programs expect."`
	Force     bool     `help:"Overwrite both files."`
}

// Run makes the application and then the files. The private key is nowhere else.
func (c appCreateCmd) Run(ctx context.Context, stdout io.Writer) error {
	for _, path := range []string{c.Key, c.Env} {
		if exists(path) && !c.Force {
			return fmt.Errorf("%s exists: --force overwrites it, or name another with --key and --env", path)
		}
	}
	client, err := c.client(ctx)
	if err != nil {
		return err
	}
	app, err := c.make(ctx, client)
	if err != nil {
		return err
	}
	if err := errors.Join(c.write(c.Key, app.PrivateKey), c.write(c.Env, c.env(app))); err != nil {
		return errors.Join(err, app.undo(ctx, client))
	}
	fmt.Fprintf(stdout, "application %s\nwrote %s and %s\n", app.ID, c.Key, c.Env) //nolint:errcheck // a closed terminal is no reason to fail
	return nil
}

// madeApp is what the exchange made.
type madeApp struct {
	ID         string `json:"id"`
	PrivateKey string `json:"private_key"`

	account madeAccount
	numbers []string
}

type madeAccount struct {
	Key             string `json:"key"`
	Secret          string `json:"secret"`
	SignatureSecret string `json:"signature_secret"`
}

// make makes all or nothing at the exchange.
func (c appCreateCmd) make(ctx context.Context, client apiClient) (madeApp, error) {
	app := madeApp{account: madeAccount{Key: c.Account}}
	if c.Account == "" {
		body := route.Account{Name: c.Name}
		if err := client.ask(ctx, http.MethodPost, "accounts", body, &app.account); err != nil {
			return app, fmt.Errorf("account: %w", err)
		}
	}
	body := route.Application{Name: c.Name, Account: app.account.Key, Answer: route.Webhook{URL: c.AnswerURL}, Event: route.Webhook{URL: c.EventURL}}
	if err := client.ask(ctx, http.MethodPost, "applications", body, &app); err != nil {
		return app, errors.Join(fmt.Errorf("application: %w", err), app.undo(ctx, client))
	}
	for _, number := range c.Number {
		number = strings.TrimPrefix(number, "+")
		if err := client.do(ctx, http.MethodPut, "applications/"+app.ID+"/numbers/"+url.PathEscape(number)); err != nil {
			return app, errors.Join(fmt.Errorf("number %s: %w", number, err), app.undo(ctx, client))
		}
		app.numbers = append(app.numbers, number)
	}
	return app, nil
}

// undo removes what was made.
func (a madeApp) undo(ctx context.Context, client apiClient) error {
	var errs []error
	for _, number := range a.numbers {
		errs = append(errs, client.do(ctx, http.MethodDelete, "applications/"+a.ID+"/numbers/"+url.PathEscape(number)))
	}
	if a.ID != "" {
		errs = append(errs, client.do(ctx, http.MethodDelete, "applications/"+a.ID))
	}
	if a.account.Secret != "" { // not one that was there
		errs = append(errs, client.do(ctx, http.MethodDelete, "accounts/"+url.PathEscape(a.account.Key)))
	}
	return errors.Join(errs...)
}

// env is the text of the file with the names that programs expect.
func (c appCreateCmd) env(app madeApp) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s=%s\n", name, value)
		}
	}
	line("API_KEY", app.account.Key)
	line("API_SECRET", app.account.Secret)
	line("API_SIGNATURE_SECRET", app.account.SignatureSecret)
	line("APP_ID", app.ID)
	if len(app.numbers) > 0 {
		line("SERVICE_NUMBER", app.numbers[0])
	}
	line("PRIVATE_KEY", c.Key)
	line("OFFHOOK_URL", strings.TrimSuffix(c.URL, "/"))
	return b.String()
}

// write makes a file that only its owner can read. Without --force it overwrites
// none, also if one has come up meanwhile.
func (c appCreateCmd) write(path, text string) error {
	mode := os.O_CREATE | os.O_WRONLY | os.O_EXCL
	if c.Force {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	f, err := os.OpenFile(path, mode, 0o600) //nolint:gosec // the user's own path
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
