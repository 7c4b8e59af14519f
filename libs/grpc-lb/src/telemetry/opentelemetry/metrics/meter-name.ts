/** The name of the meter, and of the instrumentation scope. */
export const METER_NAME = 'nestjs-grpc-lb';
