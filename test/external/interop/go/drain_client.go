// A grpc-go client with round_robin, unary calls at a steady rate, and streams that it opens again when they end.
//
//	drain_client CALLERS STREAMS SERVICE ADDRESS...
//
// With a SERVICE it checks the health of the servers (gRFC A17); with "-" it does not, as is the default. Tells each end
// of a stream, one JSON object a line, and how its calls went when its standard input ends.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"
)

// raw passes messages on as they are, so that nothing has to be generated.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error { *v.(*[]byte) = append([]byte{}, data...); return nil }
func (raw) Name() string                       { return "proto" }

var output sync.Mutex

func tell(what map[string]any) {
	line, _ := json.Marshal(what)
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(line))
}

func first(values []string) any {
	if len(values) == 0 {
		return nil
	}
	return values[0]
}

// watch keeps one stream open; it returns how it ended.
func watch(ctx context.Context, conn *grpc.ClientConn, request []byte) (grpc.ClientStream, error) {
	description := &grpc.StreamDesc{ServerStreams: true}
	stream, err := conn.NewStream(ctx, description, "/echo.v1.Echo/Repeat", grpc.ForceCodec(raw{}))
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(&request); err != nil {
		return stream, err
	}
	if err := stream.CloseSend(); err != nil {
		return stream, err
	}
	for {
		var message []byte
		if err := stream.RecvMsg(&message); err != nil {
			return stream, err
		}
		headers, _ := stream.Header()
		// Field 1, of fewer than 128 bytes.
		tell(map[string]any{"message": string(message[2 : 2+message[1]]), "age": first(headers.Get("grpc-lb-stream-max-age-ms"))})
	}
}

func main() {
	callers, _ := strconv.Atoi(os.Args[1])
	streams, _ := strconv.Atoi(os.Args[2])
	config := `{"loadBalancingConfig": [{"round_robin": {}}]}`
	if service := os.Args[3]; service != "-" {
		config = fmt.Sprintf(`{"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": %q}}`, service)
	}
	list := manual.NewBuilderWithScheme("list")
	var addresses []resolver.Address
	for _, address := range os.Args[4:] {
		addresses = append(addresses, resolver.Address{Addr: address})
	}
	list.InitialState(resolver.State{Addresses: addresses})
	soon := backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second}
	conn, err := grpc.NewClient("list:///echo",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithResolvers(list),
		grpc.WithDefaultServiceConfig(config),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: soon, MinConnectTimeout: time.Second}),
	)
	if err != nil {
		panic(err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	request := []byte("\x0a\x01x")
	var ok atomic.Int64
	var mutex sync.Mutex
	failed := []string{}
	var running sync.WaitGroup
	for range callers {
		running.Add(1)
		go func() {
			defer running.Done()
			for ctx.Err() == nil {
				limited, done := context.WithTimeout(context.Background(), 5*time.Second)
				var answer []byte
				if err := conn.Invoke(limited, "/echo.v1.Echo/Say", &request, &answer, grpc.ForceCodec(raw{})); err != nil {
					mutex.Lock()
					failed = append(failed, err.Error())
					mutex.Unlock()
				} else {
					ok.Add(1)
				}
				done()
				time.Sleep(5 * time.Millisecond)
			}
		}()
	}
	for range streams {
		go func() {
			for ctx.Err() == nil {
				stream, err := watch(ctx, conn, request)
				if ctx.Err() != nil {
					return
				}
				if err == io.EOF {
					tell(map[string]any{"ended": "OK"})
					continue
				}
				ended := map[string]any{"ended": status.Code(err).String(), "details": status.Convert(err).Message()}
				if stream != nil {
					ended["reason"] = first(stream.Trailer().Get("grpc-lb-stream-end"))
				}
				tell(ended)
			}
		}()
	}
	io.Copy(io.Discard, os.Stdin)
	cancel()
	running.Wait()
	tell(map[string]any{"ok": ok.Load(), "failed": failed})
	conn.Close()
}
