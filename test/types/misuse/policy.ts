import { GrpcLbModule, leastRequest } from 'nestjs-grpc-lb';

// error: 'choices' does not exist in type 'LeastRequestOptions'
leastRequest({ choices: 2 });

// error: Type 'string' is not assignable to type 'number'
leastRequest({ choiceCount: '2' });

GrpcLbModule.forFeature([
  {
    name: 'ORDERS',
    options: {
      url: 'static:///127.0.0.1:50051',
      package: 'orders.v1',
      protoPath: 'orders.proto',
      loadBalancing: {
        // error: Type '"least_reqest"' is not assignable to type
        policy: 'least_reqest',
      },
    },
  },
]);
