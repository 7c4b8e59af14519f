import { Controller, Get, Param } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { type Order, OrdersClient } from './orders.client.js';

@Controller('orders')
export class OrdersController {
  constructor(private readonly orders: OrdersClient) {}

  @Get(':id')
  find(@Param('id') id: string): Observable<Order> {
    return this.orders.find({ id }, { timeout: 2_000 });
  }
}
