export { kubernetesSourceFactory, registerKubernetes } from './kubernetes-source-factory.js';
export type { KubernetesSourceOptions } from './kubernetes-options.js';
