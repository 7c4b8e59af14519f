// grpc-go's TestService with gzip. Its own interop_server is built without it, and so answers a compressed request with
// UNIMPLEMENTED.
//
//	go run test_server.go -port 10000 [-max_streams 4] [-tls_cert_file cert.pem -tls_key_file key.pem]
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/interop"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// compressed holds whether the last request of a call was compressed.
type compressed struct{}

// requests observes the flag of each request, which handlers do not see.
type requests struct{}

func (requests) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (requests) HandleConn(context.Context, stats.ConnStats)                       {}
func (requests) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, compressed{}, new(atomic.Bool))
}
func (requests) HandleRPC(ctx context.Context, event stats.RPCStats) {
	if in, ok := event.(*stats.InPayload); ok {
		ctx.Value(compressed{}).(*atomic.Bool).Store(in.CompressedLength != in.Length)
	}
}

func asExpected(ctx context.Context, expected *testpb.BoolValue) error {
	was := ctx.Value(compressed{}).(*atomic.Bool).Load()
	if expected == nil || expected.Value == was {
		return nil
	}
	return status.Errorf(codes.InvalidArgument, "compressed: %t", was)
}

// compress makes grpc-go compress all responses of a call or none; it cannot choose by message.
func compress(ctx context.Context, wanted *testpb.BoolValue) error {
	switch {
	case wanted == nil:
		return nil
	case wanted.Value:
		return grpc.SetSendCompressor(ctx, "gzip")
	default:
		return grpc.SetSendCompressor(ctx, "identity")
	}
}

type server struct {
	testpb.TestServiceServer
}

func (s server) UnaryCall(ctx context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	if err := asExpected(ctx, in.ExpectCompressed); err != nil {
		return nil, err
	}
	if err := compress(ctx, in.ResponseCompressed); err != nil {
		return nil, err
	}
	return s.TestServiceServer.UnaryCall(ctx, in)
}

type inputs struct {
	testpb.TestService_StreamingInputCallServer
}

func (s inputs) Recv() (*testpb.StreamingInputCallRequest, error) {
	in, err := s.TestService_StreamingInputCallServer.Recv()
	if err == nil {
		err = asExpected(s.Context(), in.ExpectCompressed)
	}
	return in, err
}

func (s server) StreamingInputCall(stream testpb.TestService_StreamingInputCallServer) error {
	return s.TestServiceServer.StreamingInputCall(inputs{stream})
}

func (s server) StreamingOutputCall(in *testpb.StreamingOutputCallRequest, stream testpb.TestService_StreamingOutputCallServer) error {
	if len(in.ResponseParameters) > 0 {
		if err := compress(stream.Context(), in.ResponseParameters[0].Compressed); err != nil {
			return err
		}
	}
	return s.TestServiceServer.StreamingOutputCall(in, stream)
}

func main() {
	port := flag.Int("port", 10000, "")
	streams := flag.Uint("max_streams", 0, "concurrent streams of a connection; 0 for no limit")
	cert, key := flag.String("tls_cert_file", "", ""), flag.String("tls_key_file", "", "")
	flag.Parse()
	options := []grpc.ServerOption{grpc.StatsHandler(requests{})}
	if *streams > 0 {
		options = append(options, grpc.MaxConcurrentStreams(uint32(*streams)))
	}
	if *cert != "" {
		tls, err := credentials.NewServerTLSFromFile(*cert, *key)
		if err != nil {
			log.Fatal(err)
		}
		options = append(options, grpc.Creds(tls))
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	peer := grpc.NewServer(options...)
	testpb.RegisterTestServiceServer(peer, server{interop.NewTestServer()})
	log.Fatal(peer.Serve(listener))
}
