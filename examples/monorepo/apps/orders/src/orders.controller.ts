import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';

@Controller()
export class OrdersController {
  @GrpcMethod('Orders', 'Find')
  find({ id }: { id: string }): { id: string; servedBy: string } {
    return { id, servedBy: `port ${process.env['PORT'] ?? '50051'}` };
  }
}
