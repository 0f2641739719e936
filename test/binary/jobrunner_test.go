package binary_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	fleet "gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/connector"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// jobRunnerInput is what a process with jobRunnerVariable is to do.
type jobRunnerInput struct {
	Plugin string
	Config launch.PluginConfig
	Login  provider.ConnectorConfig
}

// actAsJobRunner runs a job that a line of standard input ends, and after the next
// line scales out and to zero. It takes SIGHUP as the runner does.
func actAsJobRunner(file string) error {
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	go func() {
		for range reload {
			fmt.Println("runner: reloads")
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 3*launch.Patience)
	defer cancel()
	runner, err := startPluginFor(ctx, file)
	if err != nil {
		return err
	}
	defer runner.Kill()
	lines := bufio.NewReader(os.Stdin)
	if err := runJob(ctx, runner.InstanceGroup(), lines); err != nil {
		return err
	}
	fmt.Println("runner: job done")
	if _, err := lines.ReadString('\n'); err != nil {
		return err
	}
	for _, count := range []int{2, 0} {
		if _, err := resize(ctx, runner.InstanceGroup(), count); err != nil {
			return err
		}
	}
	fmt.Println("runner: no instance is left")
	return nil
}

// runJob runs a job on a new instance, which ends with one of the lines.
func runJob(ctx context.Context, group provider.InstanceGroup, lines *bufio.Reader) error {
	ids, err := resize(ctx, group, 1)
	if err != nil {
		return err
	}
	info, err := group.ConnectInfo(ctx, ids[0])
	if err != nil {
		return err
	}
	return connector.Run(ctx, info, connector.ConnectorOptions{RunOptions: connector.RunOptions{
		Command: `echo job: begun; read line; echo "job: $line"`, Stdin: &oneLine{from: lines}, Stdout: os.Stdout,
	}})
}

func startPluginFor(ctx context.Context, file string) (*fleet.Runner, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var input jobRunnerInput
	if err := json.Unmarshal(raw, &input); err != nil {
		return nil, err
	}
	config, err := json.Marshal(input.Config)
	if err != nil {
		return nil, err
	}
	runner, err := fleet.RunPlugin(input.Plugin, config, fleet.WithPluginLogger(hclog.NewNullLogger()))
	if err != nil {
		return nil, err
	}
	_, err = runner.InstanceGroup().Init(ctx, hclog.NewNullLogger(), provider.Settings{ConnectorConfig: input.Login})
	return runner, err
}

// resize makes the instances exactly count, and returns the IDs of those that run.
func resize(ctx context.Context, group provider.InstanceGroup, count int) ([]string, error) {
	asked := false
	for ctx.Err() == nil {
		var running, all []string
		err := group.Update(ctx, func(id string, state provider.State) {
			if state != provider.StateDeleted {
				all = append(all, id)
			}
			if state == provider.StateRunning {
				running = append(running, id)
			}
		})
		switch {
		case err != nil:
			return nil, err
		case len(running) == count && len(all) == count:
			return running, nil
		case asked:
			time.Sleep(launch.Tick)
			continue
		case count > len(all):
			_, err = group.Increase(ctx, count-len(all))
		default:
			_, err = group.Decrease(ctx, all[count:])
		}
		if asked = true; err != nil {
			return nil, err
		}
	}
	return nil, errors.New("out of time")
}

// oneLine reads one line, and then is at its end.
type oneLine struct {
	from *bufio.Reader
	done bool
}

func (o *oneLine) Read(b []byte) (int, error) {
	if o.done {
		return 0, io.EOF
	}
	line, err := o.from.ReadString('\n')
	o.done = true
	return copy(b, line), err
}
