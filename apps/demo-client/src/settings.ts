/**
 * The settings that the runner passes to this application. Without the runner the defaults suit one `nest start
 * demo-server`.
 */
export interface Settings {
  /** `host:port` of each backend. */
  readonly addresses: readonly string[];
  readonly httpPort: number;
  /** Host names of the page, in lower case; `localhost` and IP addresses need none. */
  readonly hosts: readonly string[];
  /** Take any free port if that one is taken. */
  readonly anyPort: boolean;
  /** Calls started per second, whatever happens to earlier ones. */
  readonly rate: number;
  readonly deadlineMs: number;
  /** Calls that a backend can answer in a second at full speed; null if unknown. */
  readonly capacity: number | null;
  /** How long the first phase lasts; 0 leaves it out. */
  readonly baselineSeconds: number;
  /** How long the second phase lasts; null: until the application is told to end. */
  readonly balancedSeconds: number | null;
}

const DEFAULTS: Settings = {
  addresses: ['127.0.0.1:50051'],
  httpPort: 3000,
  hosts: [],
  anyPort: true,
  rate: 100,
  deadlineMs: 5000,
  capacity: null,
  baselineSeconds: 15,
  balancedSeconds: null,
};

/** One environment variable for all settings, because programs write and read it. */
export const SETTINGS_VARIABLE = 'DEMO_CLIENT_SETTINGS';

export const settings: Settings = {
  ...DEFAULTS,
  ...(JSON.parse(process.env[SETTINGS_VARIABLE] ?? '{}') as Partial<Settings>),
};
