import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { FOLDER } from './folder.js';

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: {
    readonly summary: string;
    readonly description: string;
    /** From the root of this repository; in a cluster, an URL. */
    readonly runbook_url: string;
  };
}

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

/** A file of rules as Prometheus reads it. */
export interface Rules {
  readonly groups: readonly { readonly name: string; readonly rules: readonly (AlertRule | RecordingRule)[] }[];
}

/** The files of `alerts`. */
export const RULE_FILES = ['slo.yaml', 'balancer.yaml'] as const;

export function readRules(file: string): Rules {
  return parse(readFileSync(join(FOLDER, 'alerts', file), 'utf8')) as Rules;
}
