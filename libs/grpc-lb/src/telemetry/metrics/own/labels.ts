/** The labels of the metrics of one client. */
export const CLIENT = ['grpc.lb.client', 'grpc.target'] as const;
