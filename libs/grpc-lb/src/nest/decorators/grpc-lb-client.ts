import { Inject, Injectable, type Type } from '@nestjs/common';
import type { GrpcLbClientDecoratorOptions } from '../client-options.js';
import { CLIENT_PROPERTY } from '../grpc-service.js';
import { getGrpcLbClientToken } from '../tokens.js';
import { declareClient } from './metadata.js';

/**
 * Makes a class that extends `GrpcService<T>()` a balanced client. List the class in `GrpcLbModule.forFeature([...])`
 * and inject it. Nothing is loaded or checked before the module is built.
 */
export function GrpcLbClient(options: GrpcLbClientDecoratorOptions): <T extends Type>(target: T) => void {
  return (target) => {
    declareClient(target, options);
    Injectable()(target);
    Inject(getGrpcLbClientToken(target))(target.prototype as object, CLIENT_PROPERTY);
  };
}
