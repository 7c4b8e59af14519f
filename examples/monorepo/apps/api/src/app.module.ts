import { Module } from '@nestjs/common';
import { GrpcLbModule } from 'nestjs-grpc-lb';
import { OrdersClient } from './orders.client.js';
import { OrdersController } from './orders.controller.js';

@Module({
  imports: [GrpcLbModule.forRoot(), GrpcLbModule.forFeature([OrdersClient])],
  controllers: [OrdersController],
})
export class AppModule {}
