// Command offhook is a self-hosted, programmable telephone exchange: one program
// that connects the phone network, SIP phones and browsers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // schedules name time zones, which a bare machine does not know

	"github.com/alecthomas/kong"
)

// version is set by the linker.
var version = "dev"

// cli is the command line.
type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run the exchange."`
	Demo    demoCmd    `cmd:"" help:"Run with sample users, a ring group and a simulated phone network, on this machine only."`
	Phone   phoneCmd   `cmd:"" help:"A SIP phone without a screen: register, call, answer, play, record."`
	Check   checkCmd   `cmd:"" help:"Say what is wrong before users do: configuration, ports, addresses, trunks."`
	Apply   applyCmd   `cmd:"" help:"Create and change resources of a running exchange."`
	App     appCmd     `cmd:"" help:"Make applications of a running exchange."`
	Token   tokenCmd   `cmd:"" help:"Make a login token for a user, or one of an application."`
	Tail    tailCmd    `cmd:"" help:"Print what happens at a running exchange, one line each."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

func main() {
	// The first signal asks to finish, the second one to leave at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run parses and executes one command line and returns the exit status: 0 done,
// 1 failed, 2 not understood.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		args = []string{"--help"}
	}
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("offhook"),
		kong.Description("A self-hosted, programmable telephone exchange. Start with: offhook demo"),
		kong.Writers(stdout, stderr), kong.UsageOnError(), kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.BindTo(stdout, (*io.Writer)(nil)))
	if err != nil {
		fmt.Fprintln(stderr, "offhook:", err) //nolint:errcheck // nowhere left to report
		return 1
	}
	command, err := parser.Parse(args)
	if exited >= 0 {
		return exited // help was printed
	}
	if err != nil {
		fmt.Fprintf(stderr, "offhook: %v\nTry: offhook --help\n", err) //nolint:errcheck // nowhere left to report
		return 2
	}
	if err := command.Run(); err != nil && !errors.Is(err, errReported) {
		fmt.Fprintln(stderr, "offhook:", err) //nolint:errcheck // nowhere left to report
		return 1
	} else if err != nil {
		return 1
	}
	return 0
}

// errReported is a failure that was already told to the user.
var errReported = errors.New("reported")

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(stdout io.Writer) error {
	_, err := fmt.Fprintln(stdout, "offhook", version)
	return err
}
