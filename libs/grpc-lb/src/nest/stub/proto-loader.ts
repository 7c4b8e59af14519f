import type { PackageDefinition } from '@grpc/proto-loader';
import { LazyPeer, requireInApplication } from '../../peers/lazy-peer.js';

interface ProtoLoader {
  loadSync(protoPath: string | string[], options?: object): PackageDefinition;
}

const NAME = '@grpc/proto-loader';

/** The default loader. A literal, so that bundlers pack it and Jest transforms it. */
export const protoLoader = new LazyPeer<ProtoLoader>(
  NAME,
  () => import(/* webpackMode: "eager" */ '@grpc/proto-loader'),
);

/**
 * Another loader belongs to the application.
 *
 * @param feature What needs the loader, for the error.
 * @throws GrpcLbPeerError if the default loader is not installed.
 */
export function protoLoaderOf(feature: string, name = NAME): ProtoLoader {
  return name === NAME ? protoLoader.get(feature) : (requireInApplication(name) as ProtoLoader);
}
