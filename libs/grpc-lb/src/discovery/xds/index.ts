export type { XdsBootstrap, XdsNode, XdsServer } from './bootstrap.js';
export { edsSourceFactory } from './eds-source-factory.js';
export { registerXds } from './register-xds.js';
export type { EdsSourceOptions } from './xds-options.js';
