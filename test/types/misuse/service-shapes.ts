import type { Observable } from 'rxjs';
import { GrpcService } from 'nestjs-grpc-lb';

interface Promises {
  find(request: { id: string }): Observable<string>;
  list(request: object): Promise<string[]>;
}

interface Properties {
  find(request: { id: string }): Observable<string>;
  version: string;
}

// error: Type 'Promise<string[]>' is missing the following properties from type 'Observable<unknown>'
class A extends GrpcService<Promises>() {}

// error: Type 'string' is not assignable to type '(request: any, ...rest: any[]) => Observable<unknown>'
class B extends GrpcService<Properties>() {}
