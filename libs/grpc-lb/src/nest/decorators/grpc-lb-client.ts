import { Inject, Injectable, type Type } from '@nestjs/common';
import type { GrpcLbClientDecoratorOptions } from '../client-options.js';
import { CLIENT_PROPERTY } from '../grpc-service.js';
import { getGrpcLbClientToken } from '../tokens.js';
import { declareClient } from './metadata.js';

/**
 * Declares a class that extends `GrpcService<T>()` or `GrpcService(definition)` as a balanced client. List the class in
 * `GrpcLbModule.forFeature([...])` and inject it. Options are checked, and proto files loaded, when the module is
 * built.
 */
export function GrpcLbClient(options: GrpcLbClientDecoratorOptions): <T extends Type>(target: T) => void {
  return (target) => {
    declareClient(target, options);
    Injectable()(target);
    Inject(getGrpcLbClientToken(target))(target.prototype as object, CLIENT_PROPERTY);
  };
}
